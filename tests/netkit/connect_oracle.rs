//! `netkit connect` against Python's connect_ex and against what really stands in the way.

use crate::harness::connecting::unix::Files;
use crate::harness::connecting::unrouted::{self, World};
use crate::harness::connecting::{Place, Street, code, compare, inet, sandbox};
use crate::harness::seccomp::without_connect;
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

#[test]
fn every_obstacle_of_a_namespace_without_routes() {
    live(&[Need::Python3, Need::Ipv6], || {
        let worlds = [
            unrouted::fresh(),
            unrouted::lo_down(),
            unrouted::without_ipv6(),
            unrouted::exhausted(),
            unrouted::self_connect(),
            unrouted::loopback(),
        ];
        all(&worlds);
    });
}

#[test]
fn a_user_without_rights_is_denied_what_the_kernel_denies_him() {
    live(&[Need::Python3, Need::Root, Need::Setpriv], || all(&[unrouted::as_nobody()]));
}

#[test]
fn every_obstacle_of_unix_sockets() {
    live(&[Need::Python3], || compare(&Place::own(), &Files::new().rows()));
}

#[test]
fn the_modes_of_unix_sockets_hold_a_user_without_rights() {
    live(&[Need::Python3, Need::Root, Need::Setpriv], || {
        let files = Files::new();
        compare(&Place::own().by_nobody(), &files.rows_of_nobody());
    });
}

#[test]
fn a_sandbox_denies_every_connection() {
    live(&[Need::Python3, Need::Ipv6], || {
        without_connect(|| compare(&Place::own(), &sandbox::denied("seccomp", code::EPERM)));
    });
}

#[test]
fn landlock_denies_tcp_and_abstract_names() {
    live(&[Need::Python3, Need::Ipv6, Need::Landlock], || {
        let _files = Files::new();
        sandbox::landlock(|| compare(&Place::own(), &sandbox::landlocked()));
    });
}

#[test]
fn a_cgroup_denies_every_connection() {
    live(&[Need::Python3, Need::Ipv6, Need::CgroupBpf], || {
        let _cgroup = sandbox::Cgroup::new();
        compare(&Place::own(), &sandbox::denied("BPF of a cgroup", code::EPERM));
    });
}

const STREET: [Need; 4] = [Need::Python3, Need::Veth, Need::Nft, Need::Ipv6];

/// Compares in all worlds at the same time.
fn all(worlds: &[World]) {
    std::thread::scope(|scope| {
        let comparing = worlds
            .iter()
            .map(|world| (world.name, scope.spawn(|| compare(&world.place, &world.rows))));
        for (name, comparing) in comparing.collect::<Vec<_>>() {
            assert!(comparing.join().is_ok(), "{name}: see above");
        }
    });
}
