//! Profiles in TOML: what the bytes say, or which line is wrong and why.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::expectation::Expectation;
use super::profile::{BadProfile, Profile, Want};
use crate::model::SysctlKey;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    setting: Vec<Setting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    key: Spanned<String>,
    want: Spanned<String>,
    #[serde(default)]
    why: String,
}

/// Reads the profile that the file at `path` has.
pub(super) fn parse(text: &str, path: &Path) -> Result<Profile, BadProfile> {
    let wrong = |at: Option<Range<usize>>, why: String| {
        let line = at.map_or(String::new(), |at| format!(":{}", line(text, at.start)));
        BadProfile(format!("{}{line}: {why}", path.display()))
    };
    let file: ProfileFile = toml::from_str(text)
        .map_err(|error| wrong(error.span(), error.message().trim().replace('\n', ", ")))?;
    if file.setting.is_empty() {
        return Err(wrong(None, "there is no [[setting]]: write key, want and why".to_owned()));
    }
    let mut seen = HashSet::new();
    let mut wants = Vec::new();
    for Setting { key, want, why } in file.setting {
        let name = SysctlKey::parse(key.get_ref())
            .map_err(|bad| wrong(Some(key.span()), format!("key: {bad}")))?;
        let expectation = Expectation::of(&name, want.get_ref())
            .map_err(|bad| wrong(Some(want.span()), format!("want: {bad}")))?;
        if let Some(flaw) = expectation.flaw() {
            return Err(wrong(Some(want.span()), format!("want: {flaw}")));
        }
        if !seen.insert(name) {
            let twice = format!("key: `{}` is there twice", expectation.key);
            return Err(wrong(Some(key.span()), twice));
        }
        wants.push(Want { expectation, why });
    }
    Ok(Profile { name: file.name, about: file.about, wants })
}

/// The line of the byte at `at`, counted from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    memchr::memchr_iter(b'\n', before).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: &str = "\
name = \"edge\"
about = \"takes connections from everywhere\"

[[setting]]
key = \"net.core.somaxconn\"
want = \">=4096\"
why = \"bursts\"

[[setting]]
key = \"net/ipv4/tcp_syncookies\"
want = \"1\"
";

    fn parsed(text: &str) -> Result<Profile, String> {
        parse(text, Path::new("edge.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_what_it_wants_and_why() {
        let profile = parsed(EDGE).unwrap();
        assert_eq!(profile.name, "edge");
        let wants: Vec<_> =
            profile.wants.iter().map(|it| (it.expectation.to_string(), it.why.as_str())).collect();
        let expected = [("net.core.somaxconn>=4096", "bursts"), ("net.ipv4.tcp_syncookies=1", "")];
        assert_eq!(wants, expected.map(|(want, why)| (want.to_owned(), why)));
    }

    #[test]
    fn what_is_wrong_is_named_by_file_line_and_field() {
        for (from, to, expected) in [
            ("why = \"bursts\"", "reason = \"x\"", "edge.toml:7: unknown field `reason`"),
            ("about", "abuot", "edge.toml:2: unknown field `abuot`"),
            ("want = \">=4096\"\n", "", "edge.toml:4: missing field `want`"),
            ("\">=4096\"", "4096", "edge.toml:6: invalid type: integer `4096`, expected a string"),
            ("\">=4096\"", "\"=>1\"", "edge.toml:6: want: `net.core.somaxconn=>1`"),
            ("net.core.somaxconn", "net/../x", "edge.toml:5: key: `net/../x` is not a key"),
            ("net/ipv4/tcp_syncookies", "net.core.somaxconn", "edge.toml:10: key: "),
            ("name = \"edge\"", "name = ", "edge.toml:1: "),
        ] {
            let error = parsed(&EDGE.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with(expected), "{expected}\n{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        assert_eq!(parsed("name = \"a\"").unwrap_err().split(':').next(), Some("edge.toml"));
    }
}
