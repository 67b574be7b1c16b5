//! Every row asked three times of Python and of netkit, and all that differs said at once.

use std::path::PathBuf;

use serde_json::Value;

use super::code::{EAGAIN, EINPROGRESS, ETIMEDOUT};
use super::oracle::{self, Said};
use super::street::own_namespace;
use super::{MODES, Row};
use crate::harness::{Answer, Nobody, Other, netkit, within};

/// Where and as whom the rows are asked.
pub struct Place {
    namespace: PathBuf,
    one_by_one: bool,
    nobody: Option<Nobody>,
}

impl Place {
    /// The namespace of the test itself.
    pub fn own() -> Self {
        Self { namespace: own_namespace(), one_by_one: false, nobody: None }
    }

    /// The namespace of `other`.
    pub fn other(other: &Other) -> Self {
        Self { namespace: other.path(), ..Self::own() }
    }

    /// Each row by itself, where one would stand in another's way.
    pub fn one_by_one(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    /// By a user without rights.
    pub fn by_nobody(self) -> Self {
        Self { nobody: Some(Nobody::new()), ..self }
    }

    fn netkit(&self, line: &str) -> Answer {
        let line = format!("connect --json {line}");
        self.nobody.as_ref().map_or_else(|| netkit(&line), |nobody| nobody.netkit(&line)).run()
    }

    fn oracle_arguments(&self) -> Vec<&'static str> {
        let one_by_one = self.one_by_one.then_some("--one-by-one");
        let nobody = self.nobody.as_ref().map(|_| "--as-nobody");
        one_by_one.into_iter().chain(nobody).collect()
    }
}

/// Asks Python and netkit, and panics with every difference to the table.
#[track_caller]
pub fn compare(place: &Place, rows: &[Row]) {
    let said = within(&place.namespace, || oracle::ask(rows, &place.oracle_arguments()));
    let mut wrong: Vec<_> = rows.iter().filter_map(|row| python(row, said[&row.line])).collect();
    let answers = within(&place.namespace, || answers(place, rows));
    for (row, answers) in rows.iter().zip(&answers) {
        for (mode, answer) in answers.iter().enumerate() {
            let problems = problems(row, mode, answer);
            if !problems.is_empty() {
                let asked = MODES[mode].1;
                wrong.push(format!(
                    "netkit: {}: {asked} {}: {}\n    {}{}",
                    row.name,
                    row.line,
                    problems.join("; "),
                    answer.stdout.lines().collect::<Vec<_>>().join(" "),
                    answer.stderr,
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn python(row: &Row, said: Said) -> Option<String> {
    let is_raised = row.raises.is_some();
    let is_so = said.codes() == row.codes && said.later == row.later && said.is_raised == is_raised;
    let Row { name, line, codes, later, .. } = row;
    (!is_so).then(|| {
        format!("Python: {name}: {line}: {said:?}, not {codes:?} and {later}, raised: {is_raised}")
    })
}

/// netkit's answers to each row in the order of `MODES`.
fn answers(place: &Place, rows: &[Row]) -> Vec<[Answer; 3]> {
    let ask = |row: &Row| MODES.map(|(_, option)| format!("{option} {}", row.line));
    if place.one_by_one {
        return rows.iter().map(|row| ask(row).map(|line| place.netkit(&line))).collect();
    }
    std::thread::scope(|scope| {
        let asking: Vec<_> = rows
            .iter()
            .map(|row| ask(row).map(|line| scope.spawn(move || place.netkit(&line))))
            .collect();
        asking.into_iter().map(|three| three.map(|one| one.join().unwrap())).collect()
    })
}

/// What of one answer of netkit is not as the row has it.
fn problems(row: &Row, mode: usize, answer: &Answer) -> Vec<String> {
    let Ok(json) = serde_json::from_str::<Value>(&answer.stdout) else {
        return vec![format!("no JSON, exit code {:?}", answer.code)];
    };
    let result = &json["results"][0];
    // No kernel gives up waiting for a datagram, so the deadline holds in all modes.
    let has_deadline = MODES[mode].0 != "block" || row.line.contains("udp://");
    let is_late = row.outcome == "timed_out" && has_deadline;
    // Netkit waits for what comes of a non-blocking connect, as long as for the others.
    let code = match row.later {
        EINPROGRESS if is_late => EAGAIN,
        EINPROGRESS => ETIMEDOUT,
        later => later,
    };
    let connect_ex = row.raises.is_none().then_some(row.codes[mode]);
    let exit_code = i32::from(row.outcome != "connected");
    let icmp = row.icmp.map_or_else(
        || vec![("/icmp", Value::Null)],
        |(kind, code, from)| {
            let [kind, code] = [kind, code].map(Value::from);
            vec![("/icmp/type", kind), ("/icmp/code", code), ("/icmp/from", Value::from(from))]
        },
    );
    let mut expected = vec![
        ("/connect_ex", Value::from(connect_ex)),
        ("/code", Value::from(code)),
        ("/outcome", Value::from(row.outcome)),
        ("/deadline", Value::from(is_late)),
        ("/met", Value::from(row.outcome == "connected")),
    ];
    expected.extend(icmp);
    let differs = |(pointer, value): &(&str, Value)| {
        let got = result.pointer(pointer);
        (got != Some(value)).then(|| format!("{pointer} {got:?}, not {value}"))
    };
    let mut problems: Vec<_> = expected.iter().filter_map(differs).collect();
    if row.raises.is_some_and(|call| result["stage"] != call) {
        problems.push(format!("stage {}, not {:?}", result["stage"], row.raises));
    }
    let causes = result["causes"].to_string();
    let from = row.icmp.map(|(_, _, from)| from).filter(|from| result["local"]["address"] != *from);
    let missing = row.cause.into_iter().chain(from).find(|word| !causes.contains(word));
    if let Some(word) = missing {
        problems.push(format!("no cause says {word:?}"));
    }
    if answer.code != Some(exit_code) {
        problems.push(format!("exit code {:?}, not {exit_code}", answer.code));
    }
    problems
}
