//! `netkit sysctl apply`: settings made now and for the next boot, or shown.

use std::path::Path;

use clap::{ArgGroup, Args as ClapArgs};

use super::apply_report::{ApplyReport, End, finish};
use super::deed::{Deed, Direction, Turn};
use super::drop_in::{DropIn, Entry, Target, content, entries, merged};
use super::expectation::{Expectation, Relation};
use super::failure::Failure;
use super::judge::{Change, Judge};
use super::listening::listening;
use super::outcome;
use super::outranked;
use super::profile::{Profile, Want};
use super::saved::{ENDING, Saved, SavedValue, Step};
use super::survey::is_child_namespace;
use crate::kernel::drop_in_file::DropInFile;
use crate::kernel::{Place, ProcRoot};
use crate::output::{Outcome, Screen, sanitize};

const EXAMPLES: &str = "\
Examples:
  netkit sysctl apply --profile server                          show what it would change
  netkit sysctl apply --profile server --write                  change it, now and for the next boot
  netkit sysctl apply --set net.core.somaxconn=4096 --write
  netkit sysctl apply --profile container --root /srv/image     the file for an image
  netkit sysctl undo --write                                    take the last one back

Exit codes: 0 done, or shown; 2 wrong arguments, a setting that is refused, or a drop-in that is not
as netkit left it; 3 could not";

/// Makes settings now and in a drop-in for the next boot, all or nothing; without --write, shows them
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[command(group(ArgGroup::new("settings").required(true).multiple(true)))]
pub struct Args {
    /// What a profile wants: server, client-heavy, container, or a TOML file
    #[arg(long, value_name = "NAME|FILE", group = "settings")]
    profile: Option<String>,
    /// One setting, before what the profile wants for its key; may be given several times
    #[arg(long, value_name = "KEY=VALUE", group = "settings", value_parser = setting)]
    set: Vec<Expectation>,
    /// Make the changes; without it, nothing is touched
    #[arg(long)]
    write: bool,
    /// Set keys that are dead or not known, and values that break things by themselves or beside the
    /// others, too
    #[arg(long)]
    force: bool,
    /// Make the drop-in anew, with these settings alone: what earlier applies put there goes, and what
    /// somebody edited or wrote, too; undo brings it back. Without it, earlier settings stay unless they
    /// are set otherwise, and an edited file is refused
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    target: Target,
}

fn setting(text: &str) -> Result<Expectation, String> {
    let setting: Expectation = text.parse()?;
    let is_value = setting.relation == Relation::Equal;
    is_value.then_some(setting).ok_or_else(|| format!("`{text}` names no value: write KEY=VALUE"))
}

/// Shows on `screen` what `args` ask for, or does it.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let answered = asked(args).and_then(|wants| match &args.target.root {
        Some(_) => answer(args, &wants, None),
        None => within(place, |proc_root| answer(args, &wants, Some(proc_root))),
    });
    finish(answered, screen)
}

/// What `ask` gives in the one place where running values and the files of the boot are the same
/// system's.
pub(super) fn within<T: Send>(
    place: &Place,
    ask: impl FnOnce(&ProcRoot) -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    if place.net_ns.is_some() {
        return Err(Failure::Usage(
            "--netns: what is set at boot is not set in another namespace\nhint: \
             `ip netns exec NAME sysctl -w` sets a running value there"
                .to_owned(),
        ));
    }
    place.inside(ask)?
}

/// The profile and the single settings as one list.
fn asked(args: &Args) -> Result<Vec<Want>, Failure> {
    let profile = args.profile.as_deref().map(Profile::load).transpose();
    let profile = profile.map_err(|bad| Failure::Usage(bad.to_string()))?;
    let mut wants: Vec<Want> = Vec::new();
    if let Some(Profile { name, wants: of_profile, .. }) = profile {
        let named = |want: Want| Want { why: format!("profile {name}: {}", want.why), ..want };
        wants.extend(of_profile.into_iter().map(named));
    }
    for (index, set) in args.set.iter().enumerate() {
        if args.set.iter().take(index).any(|before| before.key == set.key) {
            return Err(Failure::Usage(format!("--set {}: the key is given twice", set.key)));
        }
        let want = Want { expectation: set.clone(), why: String::new() };
        match wants.iter_mut().find(|want| want.expectation.key == set.key) {
            Some(of_profile) => *of_profile = want,
            None => wants.push(want),
        }
    }
    Ok(wants)
}

fn answer(
    args: &Args,
    wants: &[Want],
    proc_root: Option<&ProcRoot>,
) -> Result<ApplyReport, Failure> {
    let drop_in = args.target.drop_in()?;
    let beside = drop_in.file.beside(ENDING);
    let (saved, saved_text) = Saved::read(&beside)?;
    let kept = kept(args, &drop_in, &saved)?;
    let mut report = ApplyReport::new(drop_in.file.path(), drop_in.text.clone());
    let judge = Judge { proc_root, is_forced: args.force };
    for want in wants {
        match judge.judge(want)? {
            Ok(change) => report.changes.push(change),
            Err(refusal) => report.refused.push(refusal),
        }
    }
    let before = drop_in.text.as_deref().map(entries).unwrap_or_default();
    for change in &mut report.changes {
        let entry = before.iter().rev().find(|entry| entry.key == change.key);
        change.file_before = entry.map(|entry| entry.value.clone());
        let forced = change.forced.iter();
        report.warnings.extend(forced.map(|why| format!("forced: {}: {why}", change.key)));
    }
    let text = content(&merged(kept, &report.changes));
    foresee(args, &text, proc_root, &mut report)?;
    if !report.refused.is_empty() {
        report.end = End::Refused;
        return Ok(report);
    }
    let is_so =
        drop_in.text.as_ref() == Some(&text) && !report.changes.iter().any(Change::changes_running);
    if is_so {
        report.end = End::NothingToDo;
    } else if args.write {
        let of_before = Before { drop_in: &drop_in, beside: &beside, saved, saved_text };
        let warnings = write(of_before, &text, &report, proc_root)?;
        report.warnings.extend(warnings);
        (report.written, report.end) = (true, End::Done);
    }
    report.content = Some(text);
    Ok(report)
}

/// What stays of the drop-in that is there. Fails if that is not as netkit left it, and nobody said
/// that it may go.
fn kept(args: &Args, drop_in: &DropIn, saved: &Saved) -> Result<Vec<Entry>, Failure> {
    if args.overwrite {
        return Ok(Vec::new());
    }
    match drop_in.is_foreign(saved.steps.last()) {
        None => Ok(drop_in.text.as_deref().map(entries).unwrap_or_default()),
        Some(why) => Err(Failure::Usage(format!(
            "{} is left as it is: {why}\nhint: --overwrite replaces it, and undo brings it back; \
             `--file PATH` names another",
            sanitize(&args.target.file.display().to_string())
        ))),
    }
}

const NAMESPACE: &str = "this is not the machine's first network namespace: at boot the drop-in is set \
                         in that one, and not here";

/// What becomes of the whole, now and at boot.
fn foresee(
    args: &Args,
    text: &str,
    proc_root: Option<&ProcRoot>,
    report: &mut ApplyReport,
) -> Result<(), Failure> {
    let root = args.target.root.as_deref().unwrap_or(Path::new("/"));
    let file = &args.target.file;
    let mut outcome = outcome::at_boot(root, file, text, &report.changes)?;
    if let Some(proc_root) = proc_root {
        let (listening, unknown) = listening(proc_root);
        report.warnings.extend(unknown);
        let running = outcome::running(proc_root, &report.changes, &listening);
        outcome.refused.extend(running.refused);
        outcome.warnings.extend(running.warnings);
        if is_child_namespace(proc_root)? {
            report.warnings.push(NAMESPACE.to_owned());
        }
    }
    if args.force {
        let forced = outcome.refused.drain(..);
        report.warnings.extend(forced.map(|it| format!("forced: {}: {}", it.key, it.reason)));
    }
    report.refused.extend(outcome.refused);
    report.warnings.extend(outcome.warnings);
    if report.refused.is_empty() {
        report.warnings.extend(outranked::warnings(root, file, text, &report.changes));
    }
    Ok(())
}

/// What is there before.
struct Before<'a> {
    drop_in: &'a DropIn,
    beside: &'a DropInFile,
    saved: Saved,
    saved_text: Option<String>,
}

/// Does it, or nothing.
fn write(
    before: Before<'_>,
    text: &str,
    report: &ApplyReport,
    proc_root: Option<&ProcRoot>,
) -> Result<Vec<String>, Failure> {
    let Before { drop_in, beside, mut saved, saved_text } = before;
    let turns: Vec<Turn> = report
        .changes
        .iter()
        .filter(|change| change.changes_running())
        .filter_map(|Change { key, running, new, .. }| {
            Some(Turn { key: key.clone(), old: running.clone()?, new: new.clone() })
        })
        .collect();
    saved.steps.push(Step {
        at: report.captured_at.clone(),
        file_before: drop_in.text.clone(),
        content: text.to_owned(),
        running: turns.iter().map(|it| SavedValue::new(&it.key, &it.old, &it.new)).collect(),
    });
    let deed = Deed {
        direction: Direction::Forth,
        turns,
        drop_in,
        content: Some(text),
        saved: beside,
        saved_texts: (saved_text, saved.text()),
    };
    deed.carry_out(proc_root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_key_and_a_value() {
        assert!(setting("net.core.somaxconn=4096").is_ok());
        for text in ["net.core.somaxconn>=4096", "net.core.somaxconn", "net/../../x=1"] {
            assert!(setting(text).is_err(), "{text}");
        }
    }
}
