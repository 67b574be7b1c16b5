//! Times for people: percentiles, and a histogram in block characters.

use crate::echo::load::latency::{Bar, Summary};
use crate::output::numbers::{bar, percent, percent_text, ratio, short_duration, whole};

/// Columns of the longest bar.
const BAR: u16 = 40;

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

pub(super) fn histogram(summary: &Summary) -> String {
    let most = summary.histogram.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let line = |it: &Bar| {
        let upto = short_duration(whole(it.to_us));
        let share = percent_text(percent(it.count, summary.count));
        let bar = if it.count == 0 { String::new() } else { bar(ratio(it.count, most), BAR) };
        let share = if it.count == 0 { String::new() } else { share };
        format!("  {:>9}  {share:>6}  {bar}", format!("≤ {upto}")).trim_end().to_owned() + "\n"
    };
    summary.histogram.iter().map(line).collect()
}
