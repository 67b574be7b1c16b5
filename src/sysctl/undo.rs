//! `netkit sysctl undo`: takes the last `apply` back, or shows what that would be.

use clap::Args as ClapArgs;

use super::apply::within;
use super::apply_report::{ApplyReport, End, finish};
use super::deed::{Deed, Direction, Turn};
use super::drop_in::{DropIn, Target, difference, entries};
use super::failure::Failure;
use super::judge::{Change, kind};
use super::saved::{EDITED, ENDING, Saved, SavedValue, Step};
use crate::kernel::drop_in_file::{DropInFile, Found};
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
    /// Even if somebody has changed the drop-in since: what is there is kept beside it, in a file that
    /// ends in .edited
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
    let drop_in = args.target.drop_in()?;
    let edited = edited(args, &drop_in, &step)?;
    let mut report = ApplyReport::new(drop_in.file.path(), drop_in.text.clone());
    let before = drop_in.text.as_deref().map(entries).unwrap_or_default();
    for value in &step.running {
        match change(value, proc_root)? {
            Ok((mut change, warning)) => {
                let entry = before.iter().rev().find(|entry| entry.key == change.key);
                change.file_before = entry.map(|entry| entry.value.clone());
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
        report.warnings.extend(keeping(edited.as_ref(), || deed.carry_out(proc_root))?);
        (report.written, report.end) = (true, End::Done);
    }
    Ok(report)
}

/// What is in the drop-in that netkit neither left there nor found: it is kept where it names.
struct Edit<'a> {
    text: &'a str,
    keep: DropInFile,
}

/// What somebody made of the drop-in. Fails if it may not go, or cannot be kept.
fn edited<'a>(args: &Args, drop_in: &'a DropIn, step: &Step) -> Result<Option<Edit<'a>>, Failure> {
    let Some(text) = drop_in.text.as_deref() else { return Ok(None) };
    if text == step.content || step.file_before.as_deref() == Some(text) {
        return Ok(None);
    }
    let keep = drop_in.file.beside(EDITED);
    let kept = sanitize(&keep.path().display().to_string());
    if !args.force {
        return Err(Failure::Usage(format!(
            "{} is left as it is: somebody has changed it since\n{}\nhint: --force undoes it \
             nonetheless, and keeps what is there in {kept}",
            sanitize(&args.target.file.display().to_string()),
            difference(&step.content, text),
        )));
    }
    match keep.read()? {
        Found::Nothing => Ok(Some(Edit { text, keep })),
        Found::Text(same) if same == text => Ok(Some(Edit { text, keep })),
        Found::Text(_) | Found::NoFile | Found::NoText => {
            Err(Failure::Usage(format!("{kept} keeps another edit\nhint: move it away")))
        }
    }
}

/// Does it with the edit kept; without, if it fails.
fn keeping(
    edit: Option<&Edit<'_>>,
    deed: impl FnOnce() -> Result<Vec<String>, Failure>,
) -> Result<Vec<String>, Failure> {
    let Some(Edit { text, keep }) = edit else { return deed() };
    let was_there = keep.read()? != Found::Nothing;
    keep.write(text)?;
    match deed() {
        Ok(mut warnings) => {
            let path = keep.path().display();
            warnings.push(format!("what somebody had changed in the drop-in is kept in {path}"));
            Ok(warnings)
        }
        Err(failure) => {
            if !was_there {
                keep.remove()?;
            }
            Err(failure)
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
