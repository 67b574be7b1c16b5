//! Routing rules that say "unreachable": `RTM_GETRULE`, what `ip rule` lists
//! (`net/core/fib_rules.c`, `fib_nl_dumprule`).
//!
//! connect(2) gives ENETUNREACH for such a rule as it does where there is no route at all
//! (`net/ipv4/fib_rules.c`, `fib4_rule_action`; `net/ipv6/fib6_rules.c`, `fib6_rule_action_alt`), and
//! `RTM_GETROUTE` too, so that the rules themselves have to be looked at. A route of that type gives
//! EHOSTUNREACH, and is told by [`super::route`].

use std::net::IpAddr;

use ipnet::IpNet;

use super::route::RouteQuestion;
use super::rtnetlink::dump;
use super::sock_diag::attribute;

/// `include/uapi/linux/rtnetlink.h`
const RTM_GETRULE: u16 = 34;
/// `include/uapi/linux/fib_rules.h`
const FR_ACT_UNREACHABLE: u8 = 7;
const FIB_RULE_INVERT: u32 = 2;
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FWMASK: u16 = 16;
/// What else a rule can ask for, which a question does not have: interfaces, a user, a tunnel, a
/// protocol, ports. A rule with one of these is not taken for the one that answers.
const OTHERS: [u16; 7] = [3, 12, 17, 20, 22, 23, 24];
/// `struct fib_rule_hdr`.
const HEADER: usize = 12;

/// The priority of the rule that answers `question` by "unreachable"; `None` if there is none, or the
/// rules are not to be had. To be asked where there is no way: the first that fits has then answered,
/// since no table before it did.
pub fn unreachable(question: &RouteQuestion) -> Option<u32> {
    let is_v4 = question.to.ip().to_canonical().is_ipv4();
    let mut body = vec![if is_v4 { 2 } else { 10 }];
    body.resize(HEADER, 0);
    let rules = dump(RTM_GETRULE, &body).ok()?;
    rules.iter().find_map(|rule| priority_if_fitting(rule, question))
}

fn priority_if_fitting(rule: &[u8], question: &RouteQuestion) -> Option<u32> {
    let header: &[u8; HEADER] = rule.first_chunk()?;
    let attributes = rule.get(HEADER..).unwrap_or_default();
    let number =
        |kind| attribute(attributes, kind)?.first_chunk().map(|it| u32::from_ne_bytes(*it));
    let [_, to_bits, from_bits, service, _, _, _, action, flags @ ..] = *header;
    let asks_for_more =
        service != 0 || OTHERS.iter().any(|it| attribute(attributes, *it).is_some());
    if action != FR_ACT_UNREACHABLE || asks_for_more {
        return None;
    }
    let covers = |kind, bits, ip: Option<IpAddr>| {
        bits == 0 || ip.zip(attribute(attributes, kind)).is_some_and(|(ip, it)| is_in(ip, it, bits))
    };
    let mark = number(FRA_FWMARK).unwrap_or(0);
    let of_it = number(FRA_FWMASK).unwrap_or(0);
    let fits = covers(FRA_DST, to_bits, Some(question.to.ip()))
        && covers(FRA_SRC, from_bits, question.from)
        && (question.mark.unwrap_or(0) ^ mark) & of_it == 0;
    let is_inverted = u32::from_ne_bytes(flags) & FIB_RULE_INVERT != 0;
    // That of priority 0 goes without the attribute.
    (fits != is_inverted).then(|| number(FRA_PRIORITY).unwrap_or(0))
}

/// Whether the first `bits` of `ip` are those of `prefix`.
fn is_in(ip: IpAddr, prefix: &[u8], bits: u8) -> bool {
    let v4 = <[u8; 4]>::try_from(prefix).map(IpAddr::from);
    let prefix = v4.or_else(|_| <[u8; 16]>::try_from(prefix).map(IpAddr::from));
    let net = prefix.ok().and_then(|prefix| IpNet::new(prefix, bits).ok());
    net.is_some_and(|net| net.contains(&ip.to_canonical()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rtnetlink::put_attribute;
    use super::*;

    fn question(to: &str) -> RouteQuestion {
        RouteQuestion { to: to.parse().unwrap(), from: None, interface: None, mark: None }
    }

    /// A rule to 10.79.5.0/24 as the kernel dumps it, with this action and these flags.
    fn rule(action: u8, flags: u32) -> Vec<u8> {
        let mut rule = vec![2, 24, 0, 0, 0, 0, 0, action];
        rule.extend(flags.to_ne_bytes());
        put_attribute(&mut rule, FRA_PRIORITY, &32765_u32.to_ne_bytes());
        put_attribute(&mut rule, FRA_DST, &[10, 79, 5, 0]);
        rule
    }

    #[test]
    fn the_rule_that_covers_the_destination_is_named_by_its_priority() {
        let [inside, outside] = ["10.79.5.1:80", "10.79.4.1:80"].map(question);
        let unreachable = rule(FR_ACT_UNREACHABLE, 0);
        assert_eq!(priority_if_fitting(&unreachable, &inside), Some(32765));
        assert_eq!(priority_if_fitting(&unreachable, &outside), None);
        let all_but = rule(FR_ACT_UNREACHABLE, FIB_RULE_INVERT);
        assert_eq!(priority_if_fitting(&all_but, &inside), None);
        assert_eq!(priority_if_fitting(&all_but, &outside), Some(32765));
        assert_eq!(priority_if_fitting(&rule(1, 0), &inside), None, "a table, by FR_ACT_TO_TBL");
    }

    #[test]
    fn what_a_question_does_not_have_makes_no_rule_answer_it() {
        let mut of_user = rule(FR_ACT_UNREACHABLE, 0);
        put_attribute(&mut of_user, 20, &[0; 8]);
        assert_eq!(priority_if_fitting(&of_user, &question("10.79.5.1:80")), None);
        let mut marked = rule(FR_ACT_UNREACHABLE, 0);
        put_attribute(&mut marked, FRA_FWMARK, &7_u32.to_ne_bytes());
        put_attribute(&mut marked, FRA_FWMASK, &u32::MAX.to_ne_bytes());
        let unmarked = question("10.79.5.1:80");
        assert_eq!(priority_if_fitting(&marked, &unmarked), None);
        let with_mark = RouteQuestion { mark: Some(7), ..unmarked };
        assert_eq!(priority_if_fitting(&marked, &with_mark), Some(32765));
    }

    #[test]
    fn a_prefix_ends_within_a_byte() {
        let ip = "10.79.5.129".parse().unwrap();
        assert!(is_in(ip, &[10, 79, 5, 128], 25));
        assert!(!is_in(ip, &[10, 79, 5, 0], 25));
        assert!(!is_in(ip, &[10, 79, 5, 128, 0], 25), "of the other family");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let fitting = priority_if_fitting(&bytes, &question("10.79.5.1:80"));
            prop_assert!(fitting.is_none() || bytes.len() >= HEADER);
        }
    }
}
