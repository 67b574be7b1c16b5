//! An address that could not be had, explained: by `netkit bind` where bind(2) or listen(2) refused it,
//! whose subject that is.

use clap::{Args as _, Command, FromArgMatches as _};

use super::listener::Refused;
use crate::bind::{self, Target};
use crate::echo::address::Carrier;
use crate::exit::Exit;
use crate::kernel::binding::Stage;
use crate::kernel::{Errno, KernelError, Place, serving};
use crate::output::{Outcome, Screen};

impl Refused {
    /// Asks `netkit bind` about the address, and says what it says.
    pub fn explained(&self, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
        if !self.by_own.is_empty() {
            return Ok(Outcome { exit: Exit::Usage, messages: vec![self.by_own()] });
        }
        if let Some(name) = self.missing_interface() {
            let missing = KernelError::NoInterface(name.to_owned());
            let hint = missing.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            let message = format!("cannot serve on {}: {missing}{hint}", self.address);
            return Ok(Outcome { exit: Exit::Usage, messages: vec![message] });
        }
        if !matches!(self.why.stage, Stage::Bind | Stage::Listen) {
            let messages = vec![self.without_bind()];
            return Ok(Outcome { exit: Exit::Blind, messages });
        }
        let line = self.question();
        let command = bind::Args::augment_args(Command::new("bind"));
        let matches = command.try_get_matches_from(&line)?;
        let asked = bind::run(&bind::Args::from_arg_matches(&matches)?, place, screen)?;
        let mut messages = vec![format!(
            "cannot serve on {}: {}\nhint: `netkit {}` asks again",
            self.address,
            self.why,
            line.join(" ")
        )];
        messages.extend(asked.messages);
        let exit = if asked.exit == Exit::Fine { Exit::Found } else { asked.exit };
        Ok(Outcome { exit, messages })
    }

    /// The interface of the address, if that is what is not there.
    fn missing_interface(&self) -> Option<&str> {
        match &self.address.target {
            Target::Internet(it) if self.why == serving::NO_INTERFACE => it.scope(),
            Target::Internet(_) | Target::Unix(_) => None,
        }
    }

    /// What there is to say where it did not come to bind(2).
    fn without_bind(&self) -> String {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all others have no remedy of their own"
        )]
        let hint = match self.why.errno {
            Errno::EMFILE => "`ulimit -n` shows and raises the limit of descriptors",
            Errno::EAFNOSUPPORT => "this kernel has no such sockets: leave the address out",
            _ => "`netkit -v -v echo server` shows the options that sockets are given",
        };
        format!("cannot serve on {}: {}\nhint: {hint}", self.address, self.why)
    }

    /// What there is to say where the server was in its own way: of that, `netkit bind` knows nothing.
    fn by_own(&self) -> String {
        let others: Vec<_> = self.by_own.iter().map(|it| format!("`{it}`")).collect();
        format!(
            "`{}` cannot be served together with {}: {}, and alone it can be had: it is the same \
             place by another name\nhint: leave one out",
            self.address,
            others.join(", "),
            self.why
        )
    }

    /// The command line that asks for this address with these options.
    fn question(&self) -> Vec<String> {
        let target = match &self.address.target {
            Target::Unix(name) => name.to_string(),
            Target::Internet(it) => it.to_string(),
        };
        let mut line = vec!["bind".to_owned(), target];
        let mut add = |words: &[&str]| line.extend(words.iter().map(|word| (*word).to_owned()));
        match self.address.carrier {
            Carrier::Udp => add(&["--udp"]),
            Carrier::UnixDgram => add(&["--type", "dgram"]),
            Carrier::UnixSeqpacket => add(&["--type", "seqpacket"]),
            Carrier::Tcp | Carrier::UnixStream => {}
        }
        if self.address.carrier == Carrier::Tcp && self.options.reuse_addr {
            add(&["--reuse-addr"]);
        }
        if self.options.reuse_port && self.address.carrier == Carrier::Tcp {
            add(&["--reuse-port"]);
        } else if self.why.stage == Stage::Listen && self.address.carrier == Carrier::Tcp {
            add(&["--listen"]);
        }
        line
    }
}
