//! What ss(8) shows, in netkit's words.

use super::needs::run;

/// State, local end and remote end of each row, sorted; ends as `address:port`, IPv4-mapped
/// addresses and the dual-stack wildcard `*` as netkit writes them.
pub fn rows(options: &str) -> Vec<(String, String, String)> {
    let text = run(&format!("ss -H -n -a {options}"));
    let mut rows: Vec<_> = text.lines().map(row).collect();
    rows.sort();
    rows
}

fn row(line: &str) -> (String, String, String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    (state(words[0]), end(words[3]), end(words[4]))
}

fn state(word: &str) -> String {
    match word {
        "ESTAB" => "ESTABLISHED".to_owned(),
        "FIN-WAIT-1" => "FIN_WAIT1".to_owned(),
        "FIN-WAIT-2" => "FIN_WAIT2".to_owned(),
        other => other.replace('-', "_"),
    }
}

/// `[::ffff:10.0.0.1]%lo:80` is `10.0.0.1:80`; the wildcard of either family is `any`, since ss
/// writes `*` for one that is both.
fn end(word: &str) -> String {
    let (address, port) = word.rsplit_once(':').unwrap();
    let address = address.split('%').next().unwrap();
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.strip_prefix("::ffff:").unwrap_or(address);
    let address = match address {
        "*" | "::" | "0.0.0.0" => "any",
        other => other,
    };
    let port = if port == "*" { "0" } else { port };
    format!("{address}:{port}")
}
