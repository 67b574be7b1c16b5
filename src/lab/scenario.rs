//! What a scenario is: a name, what can be chosen, and the function that makes its condition.

use std::os::fd::OwnedFd;

use super::claim::Claim;
use super::stage::Stage;
use crate::output::numbers::{count, thousands};

/// A condition that can be made on demand.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What the condition is, in half a sentence.
    pub about: &'static str,
    /// How many sockets it makes if `--sockets` does not say; `None` where the number is fixed.
    pub sockets: Option<u64>,
    /// How many sockets a destination can have; `None` where `--destinations` makes no sense.
    pub per_destination: Option<u64>,
    /// Makes it.
    pub make: fn(&mut Stage<'_>, Size) -> anyhow::Result<Scene>,
}

/// How large the condition is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many sockets; 0 where the scenario has a fixed number.
    pub sockets: u64,
    /// Over how many destinations; 0 where that makes no sense.
    pub destinations: u64,
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
        let sockets = sockets.or(self.sockets).unwrap_or(0);
        match (destinations, self.per_destination) {
            (Some(_), None) => Err(format!("`{}` takes no --destinations", self.name)),
            (Some(given), Some(most)) if given.saturating_mul(most) < sockets => {
                let (sockets, needed) = (count(sockets, "socket"), sockets.div_ceil(most));
                let most = thousands(most);
                Err(format!(
                    "{sockets} need {needed} destinations: each has {most} ports, and each \
                     connection to it takes one"
                ))
            }
            (given, most) => {
                let needed = most.map_or(0, |most| sockets.div_ceil(most));
                Ok(Size { sockets, destinations: given.unwrap_or(needed) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::scenarios::scenario;

    #[test]
    fn a_size_that_does_not_fit_is_told_before_anything_is_made() {
        let pileup = scenario("time-wait-pileup").unwrap();
        assert_eq!(pileup.size(None, None).unwrap().destinations, 1);
        assert_eq!(pileup.size(Some(100_000), None).unwrap().destinations, 4);
        assert_eq!(pileup.size(Some(10), Some(3)).unwrap().destinations, 3);
        assert!(pileup.size(Some(28_232), Some(1)).is_ok());
        let problem = pileup.size(Some(28_233), Some(1)).unwrap_err();
        assert!(problem.starts_with("28,233 sockets need 2 destinations"), "{problem}");
    }

    #[test]
    fn what_a_scenario_does_not_take_is_refused() {
        let fixed = scenario("ports-exhausted").unwrap();
        assert!(fixed.size(Some(1), None).is_err());
        assert!(fixed.size(None, Some(1)).is_err());
        assert!(scenario("fin-wait2").unwrap().size(Some(1), None).is_ok());
    }
}
