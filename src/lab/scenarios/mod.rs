//! The scenarios, a file each: how its condition is made, and what netkit has to say of it. A new
//! one is a file here, and two lines below; one of them alone does not pass the compiler's warnings.
//! (A macro could make one line of the two, but rustfmt does not look into files named by a macro.)

mod address_in_use_bound;
mod address_in_use_dual_stack;
mod address_in_use_listener;
mod address_in_use_outgoing;
mod address_in_use_time_wait;
mod address_in_use_unix_stale;
mod backlog_full;
mod buckets_overflow;
mod close_wait_leak;
mod connect_blackhole;
mod connect_denied;
mod connect_host_unreachable;
mod connect_no_port_left;
mod connect_no_route;
mod connect_refused;
mod connect_reset;
mod connect_timeout;
mod connect_unix_absent;
mod connect_unix_full;
mod connect_unix_stale;
mod connect_unix_wrong_type;
mod connecting;
mod fin_wait2;
mod icmp_reject;
mod ipv6_off;
mod lo_down;
mod loopback;
mod partial_send;
mod peer_close;
mod ports_exhausted;
mod router;
mod self_connect;
mod server;
mod syn_backlog;
mod time_wait_pileup;
mod time_wait_server;
mod udp_client_first;
mod udp_no_listener;

use super::scenario::Scenario;

/// The scenarios, in the order of `netkit lab list` and of `run --all`.
pub static SCENARIOS: &[&Scenario] = &[
    &address_in_use_time_wait::SCENARIO,
    &address_in_use_listener::SCENARIO,
    &address_in_use_bound::SCENARIO,
    &address_in_use_outgoing::SCENARIO,
    &address_in_use_dual_stack::SCENARIO,
    &address_in_use_unix_stale::SCENARIO,
    &connect_refused::SCENARIO,
    &connect_reset::SCENARIO,
    &connect_timeout::SCENARIO,
    &backlog_full::SCENARIO,
    &connect_no_route::SCENARIO,
    &connect_host_unreachable::SCENARIO,
    &icmp_reject::SCENARIO,
    &connect_denied::SCENARIO,
    &connect_blackhole::SCENARIO,
    &connect_no_port_left::SCENARIO,
    &connect_unix_stale::SCENARIO,
    &connect_unix_absent::SCENARIO,
    &connect_unix_wrong_type::SCENARIO,
    &connect_unix_full::SCENARIO,
    &lo_down::SCENARIO,
    &ipv6_off::SCENARIO,
    &self_connect::SCENARIO,
    &udp_no_listener::SCENARIO,
    &udp_client_first::SCENARIO,
    &partial_send::SCENARIO,
    &peer_close::SCENARIO,
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
    SCENARIOS.iter().copied().find(|it| it.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_says_what_it_is() {
        for it in SCENARIOS {
            assert!(std::ptr::eq(scenario(it.name).unwrap(), *it), "{} is there twice", it.name);
            assert!(
                it.name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
            );
            assert!(it.about.len() <= 43 && !it.about.ends_with('.'), "{}", it.about);
        }
    }
}
