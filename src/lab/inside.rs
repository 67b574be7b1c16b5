//! The worker: in a process that was started for it, makes a condition, diagnoses it, and holds it
//! until it is released.

use std::io::{self, Write};

use super::args::{EnterArgs, InsideArgs, SizeArgs};
use super::diagnose::diagnose;
use super::event::Event;
use super::scenario::Scene;
use super::stage::Stage;
use crate::exit::Exit;
use crate::kernel::sandbox::{self, Sandbox};
use crate::kernel::{KernelError, program};
use crate::output::{Outcome, Screen, Style};

/// Makes the condition of `args` and tells `screen` of it.
pub fn work(args: &InsideArgs, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    program::serve(args.parent)?;
    let style = args.columns.map(|width| Style { width, ..screen.style });
    let mut tell = |event: &Event| tell(screen.out, event);
    match make(args, &mut tell) {
        Ok(scene) => {
            for diagnosis in scene.diagnoses.iter().filter(|_| !args.undiagnosed) {
                let (diagnosed, text) = diagnose(diagnosis, style)?;
                tell(&Event::Diagnosed { diagnosed, text })?;
            }
            tell(&Event::Done)?;
            program::wait_for_release();
            drop(scene);
        }
        Err(error) => {
            tell(&cannot(&error))?;
        }
    }
    Ok(Outcome { exit: Exit::Fine, messages: Vec::new() })
}

/// Why there is no condition.
fn cannot(error: &anyhow::Error) -> Event {
    let known: Option<&KernelError> = error.chain().find_map(|cause| cause.downcast_ref());
    Event::Cannot {
        // A kernel error names its cause itself.
        why: if error.is::<KernelError>() { error.to_string() } else { format!("{error:#}") },
        hint: known.and_then(KernelError::hint).map(str::to_owned),
    }
}

fn make(
    args: &InsideArgs,
    tell: &mut impl FnMut(&Event) -> io::Result<()>,
) -> anyhow::Result<Scene> {
    let SizeArgs { sockets, destinations } = args.size;
    let size = args.name.size(sockets, destinations).map_err(anyhow::Error::msg)?;
    let sandbox = Sandbox::enter()?;
    // A change of credentials can undo it (kernel/cred.c, `commit_creds`).
    program::die_with(args.parent)?;
    let has_user_ns = sandbox.has_user_ns();
    let mut tell_step = |step| tell(&Event::Step(step));
    let scene = (args.name.make)(&mut Stage::new(sandbox, &mut tell_step), size)?;
    tell(&Event::Made { pid: std::process::id(), has_user_ns })?;
    Ok(scene)
}

/// One line, at once: somebody waits for it.
fn tell(out: &mut dyn Write, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Becomes the command of `args` within the namespaces of a worker. Returns only if that failed.
pub fn enter(args: &EnterArgs) -> anyhow::Result<Outcome> {
    sandbox::join(args.worker, args.user_ns)?;
    program::die_with(args.parent)?;
    let error = program::become_program(&args.command);
    let name = args.command.first().map(|name| name.to_string_lossy()).unwrap_or_default();
    // As shells do (POSIX, "Exit Status for Commands").
    let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    let messages = vec![format!("cannot run `{}`: {error}", crate::output::sanitize(&name))];
    Ok(Outcome { exit: Exit::Program(code), messages })
}
