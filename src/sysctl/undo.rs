//! `netkit sysctl undo`: takes the last `apply` back, or shows what that would be.

use clap::Args as ClapArgs;

use super::apply::within;
use super::apply_report::{ApplyReport, End, finish};
use super::deed::{Deed, Direction, Turn};
use super::drop_in::{DropIn, Target, is_ours, settings_in};
use super::failure::Failure;
use super::judge::{Change, kind};
use super::saved::{ENDING, Saved, SavedValue, Step};
use crate::kernel::drop_in_file::Found;
use crate::kernel::sysctl_tree::{self, Running};
use crate::kernel::{KernelError, Place, ProcRoot};
use crate::output::{Outcome, Screen, sanitize};

const EXAMPLES: &str = "\
Examples:
  netkit sysctl undo                     show what the last `netkit sysctl apply` replaced
  netkit sysctl undo --write             put it back: running values and drop-in

Exit codes: 0 done, or shown; 2 wrong arguments, or nothing to undo; 3 could not";

/// Takes the last `apply --write` back, all or nothing; without --write, shows what that would change
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Make the changes; without it, nothing is touched
    #[arg(long)]
    write: bool,
    /// Even if somebody has changed the drop-in since
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    target: Target,
}

/// Shows on `screen` what `args` ask for, or does it.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let answered = match &args.target.root {
        Some(_) => answer(args, None),
        None => within(place, |proc_root| answer(args, Some(proc_root))),
    };
    finish(answered, screen)
}

fn answer(args: &Args, proc_root: Option<&ProcRoot>) -> Result<ApplyReport, Failure> {
    let file = args.target.place()?;
    let beside = file.beside(ENDING);
    let (mut saved, saved_text) = Saved::read(&beside)?;
    let Some(step) = saved.steps.pop() else {
        let path = sanitize(&beside.path().display().to_string());
        return Err(Failure::Usage(format!("there is nothing to undo: no {path}")));
    };
    let drop_in = DropIn { text: unchanged(args, file.read()?, &step)?, file };
    let mut report = ApplyReport::new(drop_in.file.path(), drop_in.text.clone());
    let before = drop_in.text.as_deref().map(settings_in).unwrap_or_default();
    for value in &step.running {
        match change(value, proc_root)? {
            Ok((mut change, warning)) => {
                change.file_before = before.get(&change.key).cloned();
                report.warnings.extend(warning);
                report.changes.push(change);
            }
            Err(warning) => report.warnings.push(warning),
        }
    }
    report.content.clone_from(&step.file_before);
    if args.write {
        let turns = report.changes.iter().filter(|change| change.changes_running());
        let turns = turns.filter_map(|Change { key, running, new, .. }| {
            Some(Turn { key: key.clone(), old: running.clone()?, new: new.clone() })
        });
        let deed = Deed {
            direction: Direction::Back,
            // The last that was changed is the first to go back.
            turns: turns.rev().collect(),
            drop_in: &drop_in,
            content: step.file_before.as_deref(),
            saved: &beside,
            saved_texts: (saved_text, saved.text()),
        };
        report.warnings.extend(deed.carry_out(proc_root)?);
        (report.written, report.end) = (true, End::Done);
    }
    Ok(report)
}

/// The text of the drop-in, if that is what `apply` left there or found, or nothing.
fn unchanged(args: &Args, found: Found, step: &Step) -> Result<Option<String>, Failure> {
    let wrong = |why: &str| {
        let file = sanitize(&args.target.file.display().to_string());
        Failure::Usage(format!("{file} is left as it is: {why}"))
    };
    match found {
        Found::Nothing => Ok(None),
        Found::NoFile => Err(wrong("it is no regular file")),
        Found::Text(text) if !is_ours(&text) => Err(wrong("it was not written by netkit")),
        Found::Text(text) => {
            let is_known = text == step.content || step.file_before.as_ref() == Some(&text);
            if is_known || args.force {
                return Ok(Some(text));
            }
            Err(wrong("somebody has changed it since\nhint: --force undoes it nonetheless"))
        }
    }
}

/// The way back of one value, with what is to be known of it; else why there is none.
fn change(
    value: &SavedValue,
    proc_root: Option<&ProcRoot>,
) -> Result<Result<(Change, Option<String>), String>, KernelError> {
    let Some((key, proc_root)) = value.key().zip(proc_root) else {
        return Ok(Err("running values are left as they are".to_owned()));
    };
    let running = match sysctl_tree::read(proc_root, &key)? {
        Running::Value(running) => running,
        Running::Absent => return Ok(Err(format!("{key} is not there any more"))),
        Running::Hidden(why) => return Ok(Err(format!("{key} is left as it is: {why}"))),
    };
    let is_known = [&value.new, &value.old].iter().any(|it| kind(&key).is_same(&running, it));
    let warning = (!is_known)
        .then(|| format!("{key} is {running}, and was {} when netkit had set it", value.new));
    let (running, new) = (Some(running), value.old.clone());
    let (file_before, why, forced) = (None, String::new(), None);
    Ok(Ok((Change { key, running, new, file_before, why, forced }, warning)))
}
