//! `netkit lab run`: starts a worker for each scenario, shows what it tells, and adds it up.

use std::ffi::OsString;
use std::io;
use std::process;

use anyhow::Context as _;

use super::args::{RunArgs, SizeArgs};
use super::event::Event;
use super::report::{LabReport, Played, SCHEMA};
use super::scenario::Scenario;
use super::scenarios::SCENARIOS;
use super::text;
use crate::exit::Exit;
use crate::kernel::clock::{Stopwatch, now};
use crate::kernel::program::{self, Worker};
use crate::output::{Format, Outcome, Screen, Style, emit};

/// Columns that the text of a diagnosis is set in by.
const INDENT: u16 = 2;

/// Answers `args` on `screen`.
pub fn run(args: &RunArgs, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let mut report = LabReport {
        schema: SCHEMA,
        captured_at: now().to_string(),
        scenarios: Vec::new(),
        warnings: Vec::new(),
    };
    let Some(scenario) = args.name else {
        report.scenarios = SCENARIOS.iter().copied().map(play_unseen).collect::<Result<_, _>>()?;
        emit(&report, screen.format, screen.style, screen.out)?;
        screen.out.flush()?;
        return Ok(Outcome { exit: report.exit(), messages: Vec::new() });
    };
    if let Err(problem) = scenario.size(args.size.sockets, args.size.destinations) {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    }
    let is_told = screen.format == Format::Table;
    let columns = is_told.then(|| screen.style.width.saturating_sub(INDENT));
    let mut worker = Worker::start(&worker_arguments(scenario, args.size, columns, screen.style))?;
    let mut played = if is_told {
        tell(scenario, &mut worker, screen)?
    } else {
        listen(scenario, &mut worker, &mut |_| Ok(()))?
    };
    played.held_by_pid = played.held_by_pid.filter(|_| args.keep && played.ran);
    let is_held = played.held_by_pid.is_some();
    let messages = why_not(&played);
    if is_told {
        screen.out.write_all(text::closing(&played, screen.style).as_bytes())?;
    }
    report.scenarios.push(played);
    if !is_told {
        emit(&report, screen.format, screen.style, screen.out)?;
    }
    screen.out.flush()?;
    if is_held {
        program::wait_for_enter();
    }
    worker.release()?;
    Ok(Outcome { exit: report.exit(), messages })
}

/// One of all, of which only the end is shown.
fn play_unseen(scenario: &'static Scenario) -> anyhow::Result<Played> {
    let size = SizeArgs { sockets: None, destinations: None };
    let mut worker = Worker::start(&worker_arguments(scenario, size, None, Style::PLAIN))?;
    let mut played = listen(scenario, &mut worker, &mut |_| Ok(()))?;
    played.held_by_pid = None;
    worker.release()?;
    Ok(played)
}

/// Shows a scenario as it goes.
pub fn tell(
    scenario: &'static Scenario,
    worker: &mut Worker,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Played> {
    let style = screen.style;
    screen.out.write_all(text::opening(scenario, style).as_bytes())?;
    listen(scenario, worker, &mut |event| {
        screen.out.write_all(text::event(event, style).as_bytes())?;
        screen.out.flush()
    })
}

/// The command line of a worker. It writes the text of diagnoses if it is told how many `columns`
/// there are.
pub fn worker_arguments(
    scenario: &Scenario,
    size: SizeArgs,
    columns: Option<u16>,
    style: Style,
) -> Vec<OsString> {
    let mut words = vec!["lab".to_owned(), "inside".to_owned(), scenario.name.to_owned()];
    let mut add = |name: &str, value: String| words.extend([name.to_owned(), value]);
    add("--parent", process::id().to_string());
    if let Some(sockets) = size.sockets {
        add("--sockets", sockets.to_string());
    }
    if let Some(destinations) = size.destinations {
        add("--destinations", destinations.to_string());
    }
    if let Some(columns) = columns {
        add("--color", if style.color { "always" } else { "never" }.to_owned());
        add("--columns", columns.to_string());
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        words.push("-vv".to_owned());
    } else if tracing::enabled!(tracing::Level::INFO) {
        words.push("-v".to_owned());
    }
    words.into_iter().map(OsString::from).collect()
}

/// Hears the worker to its end and passes on what it tells.
pub fn listen(
    scenario: &'static Scenario,
    worker: &mut Worker,
    show: &mut dyn FnMut(&Event) -> io::Result<()>,
) -> anyhow::Result<Played> {
    let stopwatch = Stopwatch::start();
    let mut played = Played {
        name: scenario.name,
        about: scenario.about,
        ran: false,
        why_not: Some("the worker process ended before it had made the condition".to_owned()),
        hint: None,
        elapsed_us: 0,
        steps: Vec::new(),
        diagnoses: Vec::new(),
        holds: None,
        held_by_pid: None,
        has_user_ns: false,
    };
    while let Some(line) = worker.next_line()? {
        let event = serde_json::from_str(&line).context("the worker is not understood")?;
        show(&event)?;
        match event {
            Event::Step(step) => {
                tracing::info!(who = step.who, call = step.call, result = step.result);
                played.steps.push(step);
            }
            Event::Made { pid, has_user_ns } => {
                (played.held_by_pid, played.has_user_ns) = (Some(pid), has_user_ns);
                played.why_not = Some("the worker process ended amid the diagnosis".to_owned());
            }
            Event::Diagnosed { diagnosed, .. } => played.diagnoses.push(diagnosed),
            Event::Cannot { why, hint } => {
                (played.why_not, played.hint) = (Some(why), hint);
                break;
            }
            Event::Done => {
                (played.ran, played.why_not) = (true, None);
                let holds = played.claims().all(|(_, claim)| claim.holds);
                played.holds = Some(holds);
                break;
            }
        }
    }
    played.elapsed_us = u64::try_from(stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(played)
}

/// What is said on standard error of a scenario that could not run.
pub fn why_not(played: &Played) -> Vec<String> {
    let why = played.why_not.iter().map(|why| {
        let hint = played.hint.as_ref().map(|hint| format!("\nhint: {hint}"));
        format!("`{}` cannot be made here: {why}{}", played.name, hint.unwrap_or_default())
    });
    why.collect()
}
