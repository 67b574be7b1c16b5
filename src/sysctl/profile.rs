//! What a machine's settings should be for a purpose: three that netkit knows, and files in TOML.
//!
//! A profile wants little: what is a plain matter of the purpose, and of that only what does no harm
//! where it is not needed.

use std::path::Path;

use super::expectation::Expectation;
use super::profile_file;
use crate::kernel::user_file;

/// Settings for a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The purpose, in a few words.
    pub about: String,
    /// What it wants.
    pub wants: Vec<Want>,
}

/// One thing that a profile wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// What a value has to be.
    pub expectation: Expectation,
    /// Why; may be empty.
    pub why: String,
}

/// A profile of netkit's own: the wants as `KEY=VALUE` and the reason.
struct Builtin {
    name: &'static str,
    about: &'static str,
    wants: &'static [(&'static str, &'static str)],
}

const TIMESTAMPS: (&str, &str) =
    ("net.ipv4.tcp_timestamps=1", "PAWS and tcp_tw_reuse need timestamps");

const BUILTIN: &[Builtin] = &[
    Builtin {
        name: "server",
        about: "a host that accepts many connections",
        wants: &[
            ("net.core.somaxconn>=4096", "128, of before Linux 5.4, is too short an accept queue"),
            ("net.ipv4.tcp_syncookies=1", "cookies when the queue is full, and not before"),
            (
                "net.ipv4.tcp_abort_on_overflow=0",
                "a moment of overload is not the client's failure",
            ),
            TIMESTAMPS,
            ("net.ipv4.tcp_fin_timeout>=15", "slow peers may have data left when we have closed"),
        ],
    },
    Builtin {
        name: "client-heavy",
        about: "a host that opens many connections to few addresses: a proxy, a crawler, a load test",
        wants: &[
            (
                "net.ipv4.ip_local_port_range=1024 65535",
                "64,512 ports for each destination; reserve those of services in \
                 ip_local_reserved_ports",
            ),
            (
                "net.ipv4.tcp_tw_reuse=1",
                "connect() may have the port of a TIME_WAIT after a second",
            ),
            TIMESTAMPS,
        ],
    },
    Builtin {
        name: "container",
        about: "a container: settings of its network namespace that Kubernetes counts as safe",
        wants: &[
            ("net.ipv4.tcp_syncookies=1", "cookies when the queue is full, and not before"),
            ("net.ipv4.tcp_fin_timeout>=15", "slow peers may have data left when we have closed"),
            (
                "net.ipv4.tcp_keepalive_time<=600",
                "NATs and load balancers forget idle connections long before 2 h",
            ),
        ],
    },
];

/// A profile that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadProfile(pub(super) String);

impl Profile {
    /// The names of netkit's own.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|profile| profile.name)
    }

    /// netkit's own profile `name`.
    pub fn builtin(name: &str) -> Option<Self> {
        let builtin = BUILTIN.iter().find(|profile| profile.name == name)?;
        let wants = builtin.wants.iter().filter_map(|(expectation, why)| {
            // A test parses each.
            Some(Want { expectation: expectation.parse().ok()?, why: (*why).to_owned() })
        });
        Some(Self {
            name: builtin.name.to_owned(),
            about: builtin.about.to_owned(),
            wants: wants.collect(),
        })
    }

    /// The profile of that name, or of the file at that path. Fails, for the user to put right, if it
    /// is neither or the file is no profile.
    pub fn load(name_or_file: &str) -> Result<Self, BadProfile> {
        if let Some(profile) = Self::builtin(name_or_file) {
            return Ok(profile);
        }
        let path = Path::new(name_or_file);
        let text = user_file::read(path).map_err(|error| {
            let names = Self::names().collect::<Vec<_>>().join(", ");
            BadProfile(format!(
                "there is no profile `{}`: {error}; write {names} or a TOML file",
                name_or_file.escape_debug()
            ))
        })?;
        profile_file::parse(&text, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sysctls::{self, Scope};
    use crate::model::TargetKernel;
    use crate::sysctl::rules::{Machine, judge};

    #[test]
    fn every_want_of_the_builtin_ones_is_a_setting_without_danger() {
        for builtin in BUILTIN {
            let profile = Profile::builtin(builtin.name).unwrap();
            assert_eq!(profile.wants.len(), builtin.wants.len(), "{}", builtin.name);
            for want in &profile.wants {
                let expectation = &want.expectation;
                let entry = sysctls::find(&expectation.key).unwrap();
                let value = expectation.nearest(None, entry.kind).unwrap();
                assert_eq!(expectation.is_met(&value, entry.kind), Ok(true), "{expectation}");
                assert!(entry.kind.parse(&value).is_ok_and(|it| !it.is_partial), "{expectation}");
                let parsed = entry.kind.parse(&value).unwrap();
                let judgement = judge(&expectation.key, &parsed.value, &Machine::default());
                assert_eq!(judgement, None, "{expectation}");
                assert_eq!(entry.gone(TargetKernel::default()), None, "{expectation}");
                assert_eq!(entry.scope, Scope::Namespace, "{expectation}");
                assert!(entry.is_writable && !want.why.is_empty(), "{expectation}");
            }
        }
    }

    #[test]
    fn a_container_gets_what_kubernetes_counts_as_safe() {
        // pkg/kubelet/sysctl/safe_sysctls.go
        const SAFE: [&str; 9] = [
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
        ];
        for want in Profile::builtin("container").unwrap().wants {
            assert!(SAFE.contains(&want.expectation.key.to_string().as_str()));
        }
    }

    #[test]
    fn a_name_that_is_none_is_said_with_those_that_are() {
        let error = Profile::load("sevrer").unwrap_err().to_string();
        assert!(error.contains("`sevrer`") && error.contains("ENOENT"), "{error}");
        assert!(error.contains("server, client-heavy, container"), "{error}");
    }
}
