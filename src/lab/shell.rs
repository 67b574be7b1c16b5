//! `netkit lab shell`: a worker holds the condition while the user's command runs inside it.

use std::ffi::OsString;
use std::process;

use super::args::ShellArgs;
use super::attend::{listen, tell, why_not, worker_arguments};
use super::text;
use crate::exit::Exit;
use crate::kernel::program::{self, End, Worker};
use crate::output::{Outcome, Screen};

/// The variable that tells a command inside where it is.
const VARIABLE: &str = "NETKIT_LAB";

/// Answers `args`. Standard output belongs to the command: only before a shell for a person are the
/// steps shown on it.
pub fn run(args: &ShellArgs, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    if let Err(problem) = args.name.size(args.size.sockets, args.size.destinations) {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    }
    let mut arguments = worker_arguments(args.name, args.size, None, screen.style);
    arguments.push("--undiagnosed".into());
    let mut worker = Worker::start(&arguments)?;
    let is_shell = args.command.is_empty();
    let played = if is_shell {
        tell(args.name, &mut worker, screen)?
    } else {
        listen(args.name, &mut worker, &mut |_| Ok(()))?
    };
    let (Some(holder), true) = (played.held_by_pid, played.ran) else {
        worker.release()?;
        return Ok(Outcome { exit: Exit::Blind, messages: why_not(&played) });
    };
    if is_shell {
        screen.out.write_all(text::before_shell(args.name).as_bytes())?;
        screen.out.flush()?;
    }
    let mut entering = entering(holder, played.has_user_ns);
    entering.extend(command(args));
    let end = program::run_attended(&entering, (VARIABLE, args.name.name))?;
    worker.release()?;
    Ok(Outcome { exit: Exit::Program(code(end)), messages: Vec::new() })
}

/// The command line of the process that joins the worker and becomes the command.
fn entering(worker: u32, has_user_ns: bool) -> Vec<OsString> {
    let (worker, own) = (worker.to_string(), process::id().to_string());
    let mut words = vec!["lab", "enter", &worker, "--parent", &own];
    words.extend(has_user_ns.then_some("--user-ns"));
    words.push("--");
    words.into_iter().map(OsString::from).collect()
}

fn command(args: &ShellArgs) -> Vec<OsString> {
    if args.command.is_empty() {
        let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
        return vec![shell.unwrap_or_else(|| "/bin/sh".into())];
    }
    args.command.clone()
}

/// As shells do it: a signal is 128 and its number.
fn code(end: End) -> u8 {
    match end {
        End::Code(code) => code,
        End::Signal(number) => u8::try_from(number).unwrap_or(0).saturating_add(128),
    }
}
