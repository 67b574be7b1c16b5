//! From the arguments to the report: what the kernel says, and the judgement on it.

use std::time::Duration;

use super::args::Args;
use super::pileup::{Around, Sample, judge, unseen_bound_matter};
use super::report::{Counters, SCHEMA, StateCount, StatesReport, View};
use super::survey::{self, Survey};
use crate::kernel::clock::{Stopwatch, now, sleep};
use crate::kernel::counters::TcpCounters;
use crate::kernel::sockets::Source;
use crate::kernel::tcp_settings::TcpSettings;
use crate::kernel::{Place, ProcRoot, interfaces};
use crate::model::Protocol;
use crate::output::{RowWriter, Screen};

/// Looks and judges. Where each socket is to be shown, they are written to `screen` on the way.
pub fn answer(
    args: &Args,
    place: &Place,
    proc_root: &ProcRoot,
    screen: &mut Screen<'_>,
) -> anyhow::Result<StatesReport> {
    let captured_at = now().to_string();
    let stopwatch = Stopwatch::start();
    let settings = args.wants_verdict(screen.format).then(|| TcpSettings::read(proc_root));
    let lists = args.lists(screen.format);
    let mut survey = if lists {
        let mut rows = RowWriter::new(screen.out, screen.format, interfaces::names());
        rows.begin()?;
        let survey = survey::look(args, proc_root, settings.as_ref(), Some(&mut rows))?;
        rows.end()?;
        survey
    } else {
        survey::look(args, proc_root, settings.as_ref(), None)?
    };
    let mut report = StatesReport {
        schema: SCHEMA,
        captured_at,
        source: survey.reading.source.name(),
        elapsed: Duration::ZERO,
        total: survey.tally.total(),
        states: states(&survey),
        counters: Counters { sockstat: survey.sockstat, since_boot: None },
        groups: None,
        close_wait_owners: None,
        pileup: None,
        findings: Vec::new(),
        warnings: survey.reading.warnings.clone(),
        view: View {
            place: place.to_string(),
            protocols: protocols(args),
            top: args.top,
            is_filtered: !survey.filter.is_empty(),
            has_listed: lists,
        },
    };
    if let Some(settings) = settings {
        judge_time_wait(&mut report, args, proc_root, (&settings, &mut survey))?;
    }
    report.elapsed = stopwatch.elapsed();
    tracing::info!(source = report.source, sockets = report.total, elapsed = ?report.elapsed, "looked");
    report.groups = survey.grouping.map(|grouping| grouping.top(args.top));
    report.close_wait_owners = survey.close_wait_owners;
    Ok(report)
}

/// Adds the verdict to `report`.
fn judge_time_wait(
    report: &mut StatesReport,
    args: &Args,
    proc_root: &ProcRoot,
    (settings, survey): (&TcpSettings, &mut Survey),
) -> anyhow::Result<()> {
    let Some(mut census) = survey.census.take() else {
        return Ok(());
    };
    let limits = args.verdict.thresholds();
    let mut unseen_bound = survey::unseen_bound(survey, &census);
    let from_kernel = survey.reading.source == Source::SockDiag;
    if from_kernel && unseen_bound_matter(&census, settings, &limits, unseen_bound) {
        report.warnings.extend(survey::add_bound(args, proc_root, &mut census)?);
        unseen_bound = 0;
    }
    let (counters, sample) = counters_over(args.verdict.sample, proc_root);
    let sockstat = survey.sockstat;
    let around = Around { settings, sockstat, counters, sample, unseen_bound };
    let (pileup, findings) = judge(&census, &around, &limits, &survey.filter);
    report.warnings.extend(settings.problems.clone());
    report.counters.since_boot = Some(counters);
    report.pileup = Some(pileup);
    report.findings = findings;
    Ok(())
}

/// The counters, and with a `period` what they did in it.
fn counters_over(period: Option<Duration>, proc_root: &ProcRoot) -> (TcpCounters, Option<Sample>) {
    let before = survey::counters(proc_root);
    let Some(period) = period else {
        return (before, None);
    };
    let stopwatch = Stopwatch::start();
    sleep(period);
    let after = survey::counters(proc_root);
    let seconds = stopwatch.elapsed().as_secs_f64();
    (after, Some(Sample::between(&before, &after, seconds)))
}

fn states(survey: &Survey) -> Vec<StateCount> {
    let counts = survey.tally.by_frequency().into_iter();
    counts.map(|(state, sockets)| StateCount { state, sockets }).collect()
}

fn protocols(args: &Args) -> &'static str {
    match args.protocols().as_slice() {
        [Protocol::Tcp] => "TCP",
        [Protocol::Udp] => "UDP",
        _ => "TCP and UDP",
    }
}
