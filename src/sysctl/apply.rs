//! `netkit sysctl apply`: settings made now and for the next boot, or shown.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{ArgGroup, Args as ClapArgs};

use super::apply_report::{ApplyReport, End, finish};
use super::deed::{Deed, Direction, Turn};
use super::drop_in::{DropIn, Target, content, settings_in};
use super::expectation::{Expectation, Relation};
use super::failure::Failure;
use super::judge::{Change, Judge};
use super::outranked;
use super::profile::{Profile, Want};
use super::saved::{ENDING, Saved, SavedValue, Step};
use crate::kernel::{Place, ProcRoot};
use crate::model::SysctlKey;
use crate::output::{Outcome, Screen};

const EXAMPLES: &str = "\
Examples:
  netkit sysctl apply --profile server                          show what it would change
  netkit sysctl apply --profile server --write                  change it, now and for the next boot
  netkit sysctl apply --set net.core.somaxconn=4096 --write
  netkit sysctl apply --profile container --root /srv/image     the file for an image
  netkit sysctl undo --write                                    take the last one back

Exit codes: 0 done, or shown; 2 wrong arguments, or a setting that is refused; 3 could not";

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
    /// Set keys that are dead or not known, and values that break things, too
    #[arg(long)]
    force: bool,
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
    let answered = asked(args).and_then(|asked| match &args.target.root {
        Some(_) => answer(args, asked, None),
        None => within(place, |proc_root| answer(args, asked, Some(proc_root))),
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
type Asked = (Option<Profile>, Vec<Want>);

fn asked(args: &Args) -> Result<Asked, Failure> {
    let profile = args.profile.as_deref().map(Profile::load).transpose();
    let profile = profile.map_err(|bad| Failure::Usage(bad.to_string()))?;
    let mut wants: Vec<Want> = profile.iter().flat_map(|it| it.wants.clone()).collect();
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
    Ok((profile, wants))
}

/// What the file sets by now and would not set any more: its values stay until a reboot.
fn dropped(
    file: &Path,
    before: &BTreeMap<SysctlKey, String>,
    changes: &[Change],
) -> Option<String> {
    let is_gone = |key: &&SysctlKey| changes.iter().all(|change| change.key != **key);
    let keys: Vec<String> = before.keys().filter(is_gone).map(SysctlKey::to_string).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "{} will not set {} any more, which a reboot then takes back: add --set for what is to \
             stay",
            file.display(),
            keys.join(", ")
        )
    })
}

fn answer(
    args: &Args,
    (profile, wants): Asked,
    proc_root: Option<&ProcRoot>,
) -> Result<ApplyReport, Failure> {
    let drop_in = args.target.drop_in()?;
    let mut report = ApplyReport::new(drop_in.file.path(), drop_in.text.clone());
    let judge = Judge { proc_root, is_forced: args.force };
    for want in &wants {
        match judge.judge(want)? {
            Ok(change) => report.changes.push(change),
            Err(refusal) => report.refused.push(refusal),
        }
    }
    let before = drop_in.text.as_deref().map(settings_in).unwrap_or_default();
    for change in &mut report.changes {
        change.file_before = before.get(&change.key).cloned();
        let forced = change.forced.iter();
        report.warnings.extend(forced.map(|why| format!("forced: {}: {why}", change.key)));
    }
    report.warnings.extend(dropped(drop_in.file.path(), &before, &report.changes));
    if !report.refused.is_empty() {
        report.end = End::Refused;
        return Ok(report);
    }
    let text = content(profile.as_ref(), &report.changes);
    let root = args.target.root.as_deref().unwrap_or(Path::new("/"));
    let outranked = outranked::warnings(root, &args.target.file, &text, &report.changes);
    report.warnings.extend(outranked);
    let is_so =
        drop_in.text.as_ref() == Some(&text) && !report.changes.iter().any(Change::changes_running);
    if is_so {
        report.end = End::NothingToDo;
    } else if args.write {
        let warnings = write(&drop_in, &text, &report, proc_root)?;
        report.warnings.extend(warnings);
        (report.written, report.end) = (true, End::Done);
    }
    report.content = Some(text);
    Ok(report)
}

/// Does it, or nothing.
fn write(
    drop_in: &DropIn,
    text: &str,
    report: &ApplyReport,
    proc_root: Option<&ProcRoot>,
) -> Result<Vec<String>, Failure> {
    let turns: Vec<Turn> = report
        .changes
        .iter()
        .filter(|change| change.changes_running())
        .filter_map(|Change { key, running, new, .. }| {
            Some(Turn { key: key.clone(), old: running.clone()?, new: new.clone() })
        })
        .collect();
    let beside = drop_in.file.beside(ENDING);
    let (mut saved, saved_text) = Saved::read(&beside)?;
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
        saved: &beside,
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
