//! Times for people: percentiles, and a histogram in block characters.

use crate::echo::load::latency::{Bar, Summary};
use crate::output::numbers::{bar, percent, percent_text, ratio, short_duration, whole};
use crate::output::{Style, wrapped};

/// Columns of the longest bar, and of what stands before it.
const BAR: u16 = 40;
const BEFORE_BAR: u16 = 21;

/// A title, in as many lines as it needs, and what stands below it.
pub(super) fn titled(title: &str, below: &str, style: Style) -> String {
    let lines = wrapped("", title, style.width);
    let lines: Vec<_> = lines.lines().map(|line| style.title(line)).collect();
    format!("\n{}\n{below}", lines.join("\n"))
}

/// Names above their values, as many beside each other as there is room for.
pub(super) fn percentiles(summary: &Summary, width: u16) -> String {
    /// Columns of a value and the blanks before it: `p99.99`, `13.9 ms`.
    const COLUMN: usize = 9;
    let time = |us: f64| short_duration(whole(us.round()));
    let mut values = vec![("min".to_owned(), time(summary.min_us))];
    values.extend(summary.percentiles.iter().map(|it| (format!("p{}", it.percent), time(it.us))));
    values.push(("max".to_owned(), time(summary.max_us)));
    let mut text = String::new();
    for line in values.chunks((usize::from(width) / COLUMN).max(1)) {
        let columns = line
            .iter()
            .map(|(name, time)| (format!("{name:>COLUMN$}"), format!("{time:>COLUMN$}")));
        let (names, times): (Vec<_>, Vec<_>) = columns.unzip();
        text += &format!("{}\n{}\n", names.concat(), times.concat());
    }
    text
}

/// A bar for each length, as long as there is room for.
pub(super) fn histogram(summary: &Summary, width: u16) -> String {
    let longest = width.saturating_sub(BEFORE_BAR).clamp(1, BAR);
    let most = summary.histogram.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let line = |it: &Bar| {
        let upto = short_duration(whole(it.to_us));
        let share = percent_text(percent(it.count, summary.count));
        let bar = if it.count == 0 { String::new() } else { bar(ratio(it.count, most), longest) };
        let share = if it.count == 0 { String::new() } else { share };
        format!("  {:>9}  {share:>6}  {bar}", format!("≤ {upto}")).trim_end().to_owned() + "\n"
    };
    summary.histogram.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::load::latency::Latencies;

    #[test]
    fn all_of_it_has_the_width_there_is() {
        let mut latencies = Latencies::default();
        (1..2000).for_each(|number| latencies.record(number * 999));
        let summary = latencies.summary().unwrap();
        let title = "From the moment it was sent: what a closed loop would have shown";
        let longest = |width| {
            let style = Style { width, ..Style::PLAIN };
            let text =
                titled(title, &percentiles(&summary, width), style) + &histogram(&summary, width);
            text.lines().map(|line| line.chars().count()).max().unwrap()
        };
        assert!((30..=40).contains(&longest(40)), "{}", longest(40));
        assert!((61..=80).contains(&longest(80)), "{}", longest(80));
        let at_40 = titled(title, "", Style { width: 40, ..Style::PLAIN });
        assert_eq!(at_40.trim().lines().count(), 2, "{at_40}");
    }
}
