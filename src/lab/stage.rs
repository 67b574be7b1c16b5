//! Where a condition is made: each call is told with what the kernel said to it.

use std::fmt;
use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::kernel::Errno;
use crate::kernel::new_route::NewRoute;
use crate::kernel::sandbox::Sandbox;

/// A call and what the kernel said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who called: `server`, `client`, `sysctl`.
    pub who: String,
    /// What was called, as in `bind(127.0.0.1:8080)`.
    pub call: String,
    /// What came back: `0`, or an errno as in `EADDRINUSE (98)`; empty where nothing comes back.
    pub result: String,
}

/// The namespace, and the one who is told.
pub struct Stage<'a> {
    sandbox: Sandbox,
    tell: &'a mut dyn FnMut(Step) -> io::Result<()>,
}

impl<'a> Stage<'a> {
    /// In `sandbox`, telling `tell`.
    pub fn new(sandbox: Sandbox, tell: &'a mut dyn FnMut(Step) -> io::Result<()>) -> Self {
        Self { sandbox, tell }
    }

    /// Tells that `who` did `call` with this `result`.
    pub fn say(
        &mut self,
        who: &str,
        call: impl fmt::Display,
        result: impl fmt::Display,
    ) -> anyhow::Result<()> {
        let (who, call, result) = (who.to_owned(), call.to_string(), result.to_string());
        Ok((self.tell)(Step { who, call, result })?)
    }

    /// Tells of a call that has to succeed, and gives what it made. Fails if it did not.
    pub fn does<T>(
        &mut self,
        who: &str,
        call: impl fmt::Display,
        result: io::Result<T>,
    ) -> anyhow::Result<T> {
        self.say(who, &call, outcome(&result))?;
        result.map_err(|error| anyhow!("{who}: {call} failed: {}", errno_text(&error)))
    }

    /// Tells of a call that has to fail with `errno`. Fails if it did not: then the condition is
    /// not there.
    pub fn is_refused<T>(
        &mut self,
        who: &str,
        call: impl fmt::Display,
        result: io::Result<T>,
        errno: Errno,
    ) -> anyhow::Result<()> {
        let said = outcome(&result);
        self.say(who, &call, &said)?;
        match result {
            Err(error) if Errno::from_raw(error.raw_os_error().unwrap_or(0)) == errno => Ok(()),
            _ => bail!("{who}: {call} gave {said} here, and not {errno:?}: there is no condition"),
        }
    }

    /// Sets a sysctl of the namespace.
    pub fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        self.sandbox.set(key, value)?;
        self.say("sysctl", format_args!("{key} = {value}"), "")
    }

    /// Sets a sysctl of the namespace that is only a means, and tells nobody.
    pub fn set_silently(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        Ok(self.sandbox.set(key, value)?)
    }

    /// The namespaces, for what is no call of a socket.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Adds a route of the namespace.
    pub fn route(&mut self, to: IpNet, route: NewRoute) -> anyhow::Result<()> {
        self.sandbox.add_route(to, route)?;
        self.say("route", format_args!("{to} {route}"), "")
    }

    /// A directory for files that are gone with the namespace.
    pub fn directory(&mut self) -> anyhow::Result<&Path> {
        self.sandbox.directory().context("a directory for socket files is needed")
    }
}

/// `0`, or the errno.
fn outcome<T>(result: &io::Result<T>) -> String {
    result.as_ref().map_or_else(errno_text, |_| "0".to_owned())
}

/// `EADDRINUSE (98)`
fn errno_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(raw) => format!("{:?} ({raw})", Errno::from_raw(raw)),
        None => error.to_string(),
    }
}
