//! Every scenario. A new one is a file in `scenarios/` and a line here.

use super::scenario::Scenario;
use super::scenarios::{
    address_in_use_bound, address_in_use_dual_stack, address_in_use_listener,
    address_in_use_outgoing, address_in_use_time_wait, address_in_use_unix_stale, buckets_overflow,
    close_wait_leak, fin_wait2, ports_exhausted, syn_backlog, time_wait_pileup, time_wait_server,
};

/// The scenarios, in the order of `netkit lab list` and of `run --all`.
pub static SCENARIOS: [&Scenario; 13] = [
    &address_in_use_time_wait::SCENARIO,
    &address_in_use_listener::SCENARIO,
    &address_in_use_bound::SCENARIO,
    &address_in_use_outgoing::SCENARIO,
    &address_in_use_dual_stack::SCENARIO,
    &address_in_use_unix_stale::SCENARIO,
    &time_wait_pileup::SCENARIO,
    &time_wait_server::SCENARIO,
    &ports_exhausted::SCENARIO,
    &buckets_overflow::SCENARIO,
    &fin_wait2::SCENARIO,
    &close_wait_leak::SCENARIO,
    &syn_backlog::SCENARIO,
];

/// The scenario of this name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.into_iter().find(|it| it.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_says_what_it_is() {
        for it in SCENARIOS {
            assert!(std::ptr::eq(scenario(it.name).unwrap(), it), "{} is there twice", it.name);
            assert!(
                it.name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
            );
            assert!(it.about.len() <= 43 && !it.about.ends_with('.'), "{}", it.about);
        }
    }
}
