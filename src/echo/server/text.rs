//! The statistics of a server, for people.

use super::report::ServerReport;
use crate::output::numbers::{bytes, count, duration, thousands};
use crate::output::{Style, sanitize, wrapped};

/// All of them.
pub fn render(report: &ServerReport, style: Style) -> String {
    let addresses: Vec<_> = report.addresses.iter().map(|address| sanitize(address)).collect();
    let seconds = report.elapsed.as_secs_f64();
    let verb = if report.stopped.is_some() { "Served" } else { "Serving" };
    let head = format!("{verb} on {} for {}", addresses.join(", "), duration(seconds));
    let mut lines = vec![head];
    lines.extend(connections(report));
    lines.extend(datagrams(report));
    if report.log_lines_lost > 0 {
        let lost = count(report.log_lines_lost, "line");
        lines.push(format!("{lost} of the log lost: nobody read them in time"));
    }
    lines.into_iter().fold(String::new(), |text, line| {
        // A line that is indented stays so where it is wrapped.
        let (lead, line) = line.strip_prefix("  ").map_or(("", &*line), |line| ("  ", line));
        text + &wrapped(lead, line, style.width) + "\n"
    })
}

fn connections(report: &ServerReport) -> Vec<String> {
    let it = &report.connections;
    if it.accepted == 0 && it.accept_errors.is_empty() && report.datagrams.received > 0 {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{}, {} open; {} in, {} out",
        count(it.accepted, "connection"),
        thousands(it.open),
        bytes(it.received_bytes),
        bytes(it.sent_bytes)
    )];
    let ended = it.ended.iter();
    lines.extend(ended.map(|it| format!("  {}: {}", it.end.words(), thousands(it.connections))));
    if it.at_limit > 0 {
        let times = count(it.at_limit, "time");
        lines.push(format!("stopped taking connections {times}, at --max-connections"));
    }
    for error in &it.accept_errors {
        lines.push(format!("accept() failed with {} {}", error.errno, count(error.times, "time")));
    }
    lines
}

fn datagrams(report: &ServerReport) -> Vec<String> {
    let it = &report.datagrams;
    if it.received == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{} in ({}), {} out ({})",
        count(it.received, "datagram"),
        bytes(it.received_bytes),
        thousands(it.sent),
        bytes(it.sent_bytes)
    )];
    let refused = it.refused.iter();
    lines.extend(
        refused.map(|it| {
            format!("  not answered, {}: {}", it.reason.words(), thousands(it.datagrams))
        }),
    );
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::options::Options;
    use super::super::report::Ended;
    use super::super::shared::Shared;
    use super::super::tally::End;
    use super::*;

    #[test]
    fn why_connections_ended_stands_below_how_many_there_were() {
        let shared = Shared::new(Options::default(), None);
        let addresses = ["tcp://127.0.0.1:1".to_owned()];
        let mut report = ServerReport::of(&shared, &addresses, Duration::from_secs(1));
        report.connections.ended = vec![Ended { end: End::PeerClosed, connections: 3 }];
        let text = render(&report, Style::PLAIN);
        assert!(text.ends_with("0 B out\n  the client closed: 3\n"), "{text}");
    }
}
