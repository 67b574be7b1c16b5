//! What programs say when something fails, as it is copied from a terminal: the error is in it by its
//! number or its text.

/// What `said` may mean, the surest first: itself, the number that Python and Rust give beside the
/// text, and what stands behind the last colon.
pub fn forms(said: &str) -> Vec<&str> {
    let said = said.trim();
    let numbers = ["[Errno ", "(os error ", "errno=", "errno "];
    let number = numbers.iter().find_map(|lead| number_behind(said, lead));
    let text = said.rsplit(": ").next().unwrap_or(said);
    // Rust and glibc put the number behind it.
    let text = text.split(" (").next().unwrap_or(text);
    [Some(said), number, Some(text.trim_end_matches('.'))].into_iter().flatten().collect()
}

/// The number behind `lead`, in any capitals, with its sign.
fn number_behind<'a>(said: &'a str, lead: &str) -> Option<&'a str> {
    let at = said.to_ascii_lowercase().find(&lead.to_ascii_lowercase())?;
    let rest = said.get(at + lead.len()..)?;
    let is_part = |it: char| it.is_ascii_digit() || it == '-';
    let end = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
    rest.get(..end).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_and_the_text_are_found_in_what_programs_say() {
        for (said, expected) in [
            ("[Errno 98] Address already in use", "98"),
            ("socket.gaierror: [Errno -2] Name or service not known", "-2"),
            ("Connection refused (os error 111)", "111"),
            (
                "nc: connect to localhost port 9 (tcp) failed: Connection refused",
                "Connection refused",
            ),
            ("bind: Address already in use.", "Address already in use"),
            (" errno 11 ", "11"),
            ("TIME_WAIT", "TIME_WAIT"),
        ] {
            assert!(forms(said).contains(&expected), "{said}: {:?}", forms(said));
        }
        assert_eq!(forms("errno "), ["errno", "errno"]);
    }
}
