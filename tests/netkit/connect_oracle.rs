//! `netkit connect` against Python's connect_ex and against what really stands in the way.

use crate::harness::connecting::{Place, Street, compare, inet};
use crate::harness::{Need, live};

#[test]
fn every_obstacle_of_ipv4_on_the_way_to_a_server() {
    live(&STREET, || {
        let _street = Street::new();
        compare(&Place::own(), &inet::four());
    });
}

#[test]
fn every_obstacle_of_ipv6_on_the_way_to_a_server() {
    live(&STREET, || {
        let _street = Street::new();
        compare(&Place::own(), &inet::six());
    });
}

const STREET: [Need; 4] = [Need::Python3, Need::Veth, Need::Nft, Need::Ipv6];
