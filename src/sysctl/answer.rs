//! From the arguments to what is shown, for each of the commands that look.

use std::path::{Path, PathBuf};

use super::args::{
    CheckArgs, DiffArgs, ExplainArgs, FailOn, LintArgs, ShowArgs, TreeArgs, is_named, pattern,
};
use super::expectation::{Expectation, Relation};
use super::explain::Page;
use super::listening::listening;
use super::profile::Profile;
use super::report::{SCHEMA, SettingReport, SysctlFinding, SysctlReport, View};
use super::survey::{Known, Sought, Survey, System};
use super::{check, lint};
use crate::catalogue::findings::SYSCTL_EXPECTATION;
use crate::catalogue::sysctls;
use crate::exit::Exit;
use crate::kernel::clock::{Stopwatch, now};
use crate::kernel::{KernelError, Place, ProcRoot, sysctl_files, sysctl_tree};
use crate::model::{KeyPattern, SysctlKey, TargetKernel};
use crate::output::numbers::count;
use crate::output::sanitize;

/// What is shown and how the run ends; or what was wrong with the question.
pub type Answer<R> = Result<Shown<R>, String>;

/// An answer.
#[derive(Debug)]
pub struct Shown<R> {
    /// What is shown.
    pub report: R,
    /// How the run ends.
    pub exit: Exit,
    /// What is said besides.
    pub warnings: Vec<String>,
}

/// `netkit sysctl check`.
pub fn check(args: &CheckArgs, place: &Place) -> anyhow::Result<Answer<SysctlReport>> {
    let profile = match args.profile.as_deref().map(Profile::load).transpose() {
        Ok(profile) => profile,
        Err(problem) => return Ok(Err(problem.to_string())),
    };
    if let Some(problem) = args.expect.iter().find_map(never_so) {
        return Ok(Err(problem));
    }
    let mut also: Vec<SysctlKey> = args.expect.iter().map(|it| it.key.clone()).collect();
    also.extend(profile.iter().flat_map(|it| &it.wants).map(|it| it.expectation.key.clone()));
    look(place, &args.tree, &also, |survey, listening| {
        let mut findings = check::expectations(survey, &args.expect);
        findings.extend(profile.iter().flat_map(|it| check::profile(survey, it)));
        findings.extend(check::findings(survey, listening));
        check::sort(&mut findings);
        let settings = SettingReport::of(survey, |_, _| true);
        (View::Check, settings, findings, exit(args.fail_on, profile.is_some()))
    })
    .map(Ok)
}

/// Why no value can be as expected: what it is compared with is none.
fn never_so(expectation: &Expectation) -> Option<String> {
    if !matches!(expectation.relation, Relation::Equal | Relation::Unequal) {
        return None;
    }
    let kind = sysctls::find(&expectation.key)?.kind;
    let bad = kind.parse(&expectation.value).err()?;
    Some(format!("--expect {expectation}: {bad}; it takes {kind}"))
}

/// The exit code of findings; a profile that was asked for counts from a warning on.
fn exit(fail_on: FailOn, has_profile: bool) -> impl Fn(&[SysctlFinding]) -> Exit {
    use crate::catalogue::findings::SYSCTL_PROFILE;
    move |findings| {
        let counts = |it: &SysctlFinding| {
            it.id == SYSCTL_EXPECTATION
                || (has_profile && it.id == SYSCTL_PROFILE && fail_on != FailOn::Never)
                || fail_on.severity().is_some_and(|limit| it.severity >= limit)
        };
        if findings.iter().any(counts) { Exit::Found } else { Exit::Fine }
    }
}

/// `netkit sysctl show`.
pub fn show(args: &ShowArgs, place: &Place) -> anyhow::Result<Answer<SysctlReport>> {
    let mut patterns = Vec::new();
    for text in &args.keys {
        match pattern(text) {
            Ok(pattern) => patterns.push((text.as_str(), pattern)),
            Err(problem) => return Ok(Err(problem)),
        }
    }
    let is_wanted = |key: &SysctlKey, known: &Known| {
        (patterns.is_empty() && known.entry.is_some())
            || patterns.iter().any(|(text, pattern)| is_named(text, pattern, key))
    };
    let others = visit(place, |proc_root| {
        let whole = patterns.iter().filter(|(text, _)| text.contains(['.', '/']));
        let there = whole.flat_map(|(_, it)| sysctl_tree::list(proc_root, it));
        let is_secret = |key: &SysctlKey| sysctls::find(key).is_some_and(|it| it.is_secret);
        // A secret is shown to those who name it, and not by a pattern.
        let mut others: Vec<_> = there.filter(|key| !is_secret(key)).collect();
        others.extend(secrets().filter(|key| {
            let is_one = |it: &KeyPattern, text| it.is_plain() && is_named(text, it, key);
            patterns.iter().any(|(text, it)| is_one(it, text))
        }));
        Ok(others)
    })?;
    let here = TreeArgs { root: None, kernel: None };
    let shown = look(place, &here, &others, |survey, _| {
        (View::Show, SettingReport::of(survey, is_wanted), Vec::new(), |_: &[SysctlFinding]| {
            Exit::Fine
        })
    })?;
    let is_unknown =
        |text: &str, it: &KeyPattern| {
            !shown.report.settings.iter().any(|setting| {
                SysctlKey::parse(&setting.key).is_ok_and(|key| is_named(text, it, &key))
            })
        };
    if let Some((text, _)) = patterns.iter().find(|(text, it)| is_unknown(text, it)) {
        return Ok(Err(unknown(text)));
    }
    Ok(Ok(shown))
}

/// The keys of the catalogue whose values are secrets.
fn secrets() -> impl Iterator<Item = SysctlKey> {
    let secret = sysctls::all().filter(|entry| entry.is_secret);
    secret.filter_map(|entry| SysctlKey::parse(entry.key).ok())
}

fn unknown(text: &str) -> String {
    let last = text.rsplit(['.', '/']).next().unwrap_or(text);
    let score = |key: &str| {
        let own = key.rsplit('.').next().unwrap_or(key);
        strsim::jaro_winkler(own, last)
    };
    let near = sysctls::all().map(|it| it.key).max_by(|a, b| score(a).total_cmp(&score(b)));
    match near.filter(|key| score(key) > 0.85) {
        Some(near) => format!("there is no key `{text}`, did you mean `{near}`?"),
        None => format!(
            "there is no key `{text}`\nhint: `netkit sysctl show` lists the catalogue, `sysctl -a` the \
             kernel's"
        ),
    }
}

/// `netkit sysctl diff`.
pub fn diff(args: &DiffArgs, place: &Place) -> anyhow::Result<Answer<SysctlReport>> {
    let differs = |_: &SysctlKey, known: &Known| {
        let default = known.fixed_default();
        let running = known.running();
        let left = super::files::Peer::ALL.map(|peer| known.left(peer).map(|it| it.value.as_str()));
        let base = running.or(default);
        let all = left.into_iter().chain([default]).flatten();
        base.is_some_and(|base| all.into_iter().any(|other| !known.is_same(base, other)))
    };
    look(place, &args.tree, &[], |survey, _| {
        (View::Diff, SettingReport::of(survey, differs), Vec::new(), |_: &[SysctlFinding]| {
            Exit::Fine
        })
    })
    .map(Ok)
}

/// `netkit sysctl lint`.
pub fn lint(args: &LintArgs, place: &Place) -> anyhow::Result<Answer<SysctlReport>> {
    let stopwatch = Stopwatch::start();
    let (kernel, target) = if let Some(release) = args.kernel {
        (Some(release.to_string()), TargetKernel::from(release))
    } else {
        let here = place.procfs.as_deref().map_or_else(ProcRoot::live, ProcRoot::at);
        (sysctl_tree::release(&here).0, sysctl_tree::target(&here))
    };
    let mut findings = Vec::new();
    for file in &args.files {
        findings.extend(lint::lint(named(file), &sysctl_files::read_file(file)?, target));
    }
    check::sort(&mut findings);
    let exit = exit(args.fail_on, false)(&findings);
    let of = kernel.as_deref().map(|it| format!(" (for Linux {})", sanitize(it)));
    let looked_at = files(&args.files) + &of.unwrap_or_default();
    let report = SysctlReport {
        schema: SCHEMA,
        captured_at: now().to_string(),
        elapsed: stopwatch.elapsed(),
        kernel,
        system: System::Files,
        complete: true,
        settings: Vec::new(),
        findings,
        warnings: Vec::new(),
        looked_at,
        view: View::Lint,
    };
    Ok(Ok(Shown { report, exit, warnings: Vec::new() }))
}

/// How a file is called in the answer.
fn named(file: &Path) -> &Path {
    if file == Path::new(sysctl_files::STDIN) { Path::new("<stdin>") } else { file }
}

/// Their names, or how many they are.
fn files(files: &[PathBuf]) -> String {
    match files {
        [file] => sanitize(&named(file).display().to_string()),
        _ => count(length(files.len()), "file"),
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// `netkit sysctl explain`.
pub fn explain(args: &ExplainArgs, place: &Place) -> anyhow::Result<Answer<Page>> {
    let named = match pattern(&args.key) {
        Ok(named) => named,
        Err(problem) => return Ok(Err(problem)),
    };
    let keys = sysctls::all().filter_map(|it| Some((it, SysctlKey::parse(it.key).ok()?)));
    let keys: Vec<_> = keys.filter(|(_, key)| is_named(&args.key, &named, key)).collect();
    let (entry, key) = match keys.as_slice() {
        [] => return Ok(Err(unknown(&args.key))),
        [(entry, key)] => (*entry, key),
        several => {
            let several: Vec<_> = several.iter().map(|(entry, _)| entry.key).collect();
            return Ok(Err(ambiguous(&args.key, &several)));
        }
    };
    let (running, kernel) = visit(place, |proc_root| {
        Ok((sysctl_tree::read(proc_root, key)?, sysctl_tree::target(proc_root)))
    })?;
    let report = Page::new(entry, running, kernel);
    Ok(Ok(Shown { report, exit: Exit::Fine, warnings: Vec::new() }))
}

/// What is said where a page is asked for and `text` names several `keys`.
fn ambiguous(text: &str, keys: &[&str]) -> String {
    const NAMED: usize = 3;
    let named = keys.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = match keys.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("`{text}` is {named}{more}: write one of them, or `netkit sysctl show '{text}'`")
}

/// Reads the system, and has `judge` say what is shown.
fn look<E: Fn(&[SysctlFinding]) -> Exit>(
    place: &Place,
    tree: &TreeArgs,
    also: &[SysctlKey],
    judge: impl Fn(&Survey, &[u16]) -> (View, Vec<SettingReport>, Vec<SysctlFinding>, E) + Send + Sync,
) -> anyhow::Result<Shown<SysctlReport>> {
    let captured_at = now().to_string();
    let stopwatch = Stopwatch::start();
    let root = tree.root.as_deref().unwrap_or(Path::new("/"));
    let sought = Sought { proc_root: None, root, kernel: tree.kernel, also };
    let (survey, listening, mut warnings) = if is_of_files(place, root) {
        (Survey::new(sought)?, Vec::new(), Vec::new())
    } else {
        visit(place, |proc_root| {
            let mut survey = Survey::new(Sought { proc_root: Some(proc_root), ..sought })?;
            if tree.root.is_none() && !proc_root.is_live() {
                survey.system = System::Foreign;
            }
            let (listening, warning) = listening(proc_root);
            Ok((survey, listening, warning))
        })?
    };
    let (view, settings, findings, exit) = judge(&survey, &listening);
    warnings.extend(about_system(&survey, view));
    warnings.extend(survey.unread.iter().cloned());
    let is_whole = survey.unread.is_empty() || view == View::Show;
    let judged = exit(&findings);
    let exit = if judged == Exit::Fine && !is_whole { Exit::Blind } else { judged };
    let report = SysctlReport {
        schema: SCHEMA,
        captured_at,
        elapsed: stopwatch.elapsed(),
        looked_at: looked_at(&survey, tree, root),
        kernel: survey.kernel,
        system: survey.system,
        complete: survey.unread.is_empty(),
        settings,
        findings,
        warnings: warnings.clone(),
        view,
    };
    Ok(Shown { report, exit, warnings })
}

/// Whether nothing that runs belongs to the files below `root`: it is another tree, and nobody said
/// whose running values are its own.
fn is_of_files(place: &Place, root: &Path) -> bool {
    root != Path::new("/") && place.procfs.is_none() && place.net_ns.is_none()
}

fn looked_at(survey: &Survey, tree: &TreeArgs, root: &Path) -> String {
    let release = |of: &str| {
        let kernel = survey.kernel.as_deref().map(sanitize);
        kernel.map(|kernel| format!(" ({of}Linux {kernel})")).unwrap_or_default()
    };
    match survey.system {
        System::Files => {
            let release = release(if tree.kernel.is_some() { "for " } else { "for its " });
            format!("the files below {} alone{release}", sanitize(&root.display().to_string()))
        }
        System::Booted | System::Namespace | System::Foreign => {
            count(length(survey.keys.len()), "setting") + &release("")
        }
    }
}

/// What has to be known of what the files were held against.
fn about_system(survey: &Survey, view: View) -> Option<String> {
    let said = match (survey.system, &survey.kernel) {
        (System::Namespace, _) => {
            "this is not the machine's first network namespace: settings of the whole machine are not \
             shown here, and what the files set at boot does not reach it, so the two are not compared"
        }
        (System::Foreign, _) => {
            "the running values are of another system than the files, so the two are not compared\nhint: \
             `--root DIR` names where its files are"
        }
        (System::Files, None) => {
            "no kernel in lib/modules or boot: judged for the newest\nhint: `--kernel RELEASE` names \
             another"
        }
        (System::Booted | System::Files, _) => return None,
    };
    (view != View::Show).then(|| said.to_owned())
}

/// Calls `ask` in `place`.
fn visit<T: Send>(
    place: &Place,
    ask: impl Fn(&ProcRoot) -> Result<T, KernelError> + Send + Sync,
) -> anyhow::Result<T> {
    Ok(place.visit(|proc_root, _| ask(proc_root))??)
}
