//! What a scenario is: a name, what can be chosen, and the function that makes its condition.

use std::os::fd::OwnedFd;

use super::claim::Claim;
use super::stage::Stage;

/// A condition that can be made on demand.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What the condition is, in half a sentence.
    pub about: &'static str,
    /// How many sockets it makes if `--sockets` does not say; `None` where the number is fixed.
    pub sockets: Option<u64>,
    /// Whether `--destinations` can be given.
    pub takes_destinations: bool,
    /// Makes it.
    pub make: fn(&mut Stage<'_>, Size) -> anyhow::Result<Scene>,
}

/// How large the condition is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many sockets; 0 where the scenario has a fixed number.
    pub sockets: u64,
    /// Over how many destinations; `None` for as many as it takes.
    pub destinations: Option<u64>,
}

/// The condition as it was made.
#[derive(Debug, Default)]
pub struct Scene {
    held: Vec<OwnedFd>,
    /// What netkit is to be asked, and what it has to find.
    pub diagnoses: Vec<Diagnosis>,
}

/// A command of netkit and the truth that its answer is compared with.
#[derive(Debug)]
pub struct Diagnosis {
    /// The command line without `netkit`.
    pub command: String,
    /// What its JSON has to say.
    pub claims: Vec<Claim>,
}

impl Scene {
    /// Keeps a socket open for as long as the condition is wanted.
    pub fn hold(&mut self, socket: impl Into<OwnedFd>) {
        self.held.push(socket.into());
    }

    /// Asks `command` (without `netkit`), whose answer has to keep `claims`.
    pub fn ask(&mut self, command: impl Into<String>, claims: Vec<Claim>) {
        self.diagnoses.push(Diagnosis { command: command.into(), claims });
    }
}

impl Scenario {
    /// The size that was asked for, or what is wrong with it.
    pub fn size(&self, sockets: Option<u64>, destinations: Option<u64>) -> Result<Size, String> {
        if sockets.is_some() && self.sockets.is_none() {
            return Err(format!("`{}` takes no --sockets: their number is fixed", self.name));
        }
        if destinations.is_some() && !self.takes_destinations {
            return Err(format!("`{}` takes no --destinations", self.name));
        }
        Ok(Size { sockets: sockets.or(self.sockets).unwrap_or(0), destinations })
    }
}
