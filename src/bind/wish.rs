//! For whoever waits for an address: whether it can be bound now, in one cheap question that is
//! asked again and again, and, in a dear one, by whom it is held and until when.

use super::answer::{Site, answer};
use super::args::Args;
use super::probe::try_all;
use super::target::{InternetTarget, Target, parse};
use super::text;
use crate::catalogue::bind_errnos;
use crate::kernel::binding::{Trial, try_tcp, try_udp};
use crate::kernel::unix_binding::{UnixType, try_unix};
use crate::kernel::{KernelError, ProcRoot, interfaces};
use crate::model::{Protocol, UnixName};

/// An address that somebody would like to bind.
#[derive(Clone, Debug)]
pub struct Wish {
    args: Args,
    target: Target,
}

/// Who has an address, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Those in the way, in a few words; `None` where nobody is seen.
    pub holders: Option<String>,
    /// Whether it frees itself, where that is known.
    pub frees_itself: Option<bool>,
    /// When the kernel's timer runs out.
    pub frees_in_ms: Option<u64>,
    /// The latest that it can be.
    pub frees_in_at_most_ms: Option<u64>,
    /// What the error number means here.
    pub meaning: Option<&'static str>,
    /// What helps, the most useful first.
    pub helps: Vec<String>,
}

impl Wish {
    /// Reads an address as `netkit bind` takes it, with `udp://` before one of UDP; in the error,
    /// what is wrong with it. With `reuse_addr`, the wish is that of a server that sets
    /// `SO_REUSEADDR` and listens.
    pub fn parse(text: &str, kind: UnixType, reuse_addr: bool) -> Result<Self, String> {
        let (protocol, address) = match text.strip_prefix("udp://") {
            Some(address) => (Protocol::Udp, address),
            None => (Protocol::Tcp, text),
        };
        let target = parse(address)?;
        if let Target::Internet(it) = &target
            && it.port().is_none_or(|port| port == 0)
        {
            return Err("which port is to be free? write ADDRESS:PORT, as in 127.0.0.1:8080, \
                        [::1]:8080 or :8080"
                .to_owned());
        }
        let is_tcp = matches!(target, Target::Internet(_)) && protocol == Protocol::Tcp;
        let args = Args::wish(&target, protocol, kind, reuse_addr && is_tcp);
        Ok(Self { args, target })
    }

    /// Whether it is the path of a Unix socket, which no network namespace has.
    pub fn is_path(&self) -> bool {
        matches!(self.target, Target::Unix(UnixName::Path(_)))
    }

    /// Whether it is the wish of a server that sets `SO_REUSEADDR`.
    pub fn reuses_address(&self) -> bool {
        self.args.options().reuse_addr
    }

    /// What the error `name` of bind(2) means for it.
    pub fn meaning(&self, name: &str) -> &'static str {
        match self.target {
            Target::Unix(_) => bind_errnos::unix(name),
            Target::Internet(_) => bind_errnos::internet(name),
        }
    }

    /// Asks the kernel once, for microseconds.
    pub fn try_now(&self) -> Result<Trial, KernelError> {
        let it = match &self.target {
            Target::Unix(name) => return try_unix(name, self.args.unix_type()),
            Target::Internet(it) => it,
        };
        let address = it.socket_address(it.port().unwrap_or(0), interfaces::index);
        let address = address.ok_or_else(|| no_interface(it))?;
        let options = self.args.options();
        match self.args.protocol() {
            Protocol::Udp => try_udp(address, options.v6only),
            // Only `try_all` leaves the port as it was where options are tried beside others.
            Protocol::Tcp if options.reuse_addr => {
                let trials = try_all(address, options)?;
                Ok(trials.listened.unwrap_or(trials.of(true, false)))
            }
            Protocol::Tcp => try_tcp(address, options),
        }
    }

    /// Looks who is in the way. It costs a walk over a socket table, and over the processes.
    pub fn look(&self, proc_root: &ProcRoot) -> Result<Standing, KernelError> {
        let report = answer(&self.args, &self.target, Site { proc_root, prefix: "" })?;
        Ok(Standing {
            holders: text::in_the_way(&report.blockers, report.blockers_hidden_processes),
            frees_itself: report.frees_itself,
            frees_in_ms: report.frees_in_ms,
            frees_in_at_most_ms: report.frees_in_at_most_ms,
            meaning: Some(report.meaning),
            helps: report.remedies.into_iter().filter(|it| it.helps).map(|it| it.text).collect(),
        })
    }
}

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.target, self.args.protocol()) {
            (Target::Internet(it), Protocol::Udp) => write!(f, "udp://{it}"),
            (target, _) => target.fmt(f),
        }
    }
}

fn no_interface(target: &InternetTarget) -> KernelError {
    KernelError::NoInterface(target.scope().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Result<String, String> {
        Wish::parse(text, UnixType::Stream, true).map(|wish| wish.to_string())
    }

    #[test]
    fn addresses_are_those_of_bind_and_of_udp() {
        assert_eq!(wish(":8080").as_deref(), Ok("0.0.0.0:8080"));
        assert_eq!(wish("udp://[::1]:53").as_deref(), Ok("udp://[::1]:53"));
        assert_eq!(wish("unix:@a").as_deref(), Ok("unix:@a"));
    }

    #[test]
    fn any_port_is_no_wish() {
        for text in ["127.0.0.1", "127.0.0.1:0", ":0", "[::1]", "udp://:0"] {
            assert!(wish(text).unwrap_err().contains("which port"), "{text}");
        }
        assert!(wish("localhost:80").unwrap_err().contains("127.0.0.1 or [::1]"));
    }
}
