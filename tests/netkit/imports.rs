//! The import rule of docs/architecture.md, held by reading `src/`: who may import whom, and who
//! may touch the system. A new command is one line in [`ROOMS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::command::in_repository;

/// The floors below the commands.
const FLOORS: &[&str] = &["model", "kernel", "catalogue", "output", "exit"];
/// What may stand between `crate::` and an import in any file of a room.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("exit", &[]),
    ("kernel", &["model"]),
    ("catalogue", &["model"]),
    ("output", &["model", "exit"]),
    // The first row: the floors, and none of its row.
    ("states", FLOORS),
    ("sysctl", FLOORS),
    ("connect", FLOORS),
    ("bind", FLOORS),
    // The second row: the floors, and public functions of the first row.
    ("echo", &["model", "kernel", "catalogue", "output", "exit", "bind", "connect"]),
    ("explain", &["model", "kernel", "catalogue", "output", "exit", "sysctl"]),
    ("wait", &["model", "kernel", "catalogue", "output", "exit", "connect", "bind"]),
    // The third row: the rows below, and the floors.
    ("lab", &["model", "kernel", "catalogue", "output", "exit", "states", "bind", "connect"]),
    // What holds the rest together.
    ("streams", &["kernel", "output"]),
    (
        "cli",
        &[
            "kernel", "output", "states", "sysctl", "connect", "bind", "wait", "echo", "explain",
            "lab",
        ],
    ),
    ("lib", &["*"]),
    ("main", &[]),
];

/// Modules that speak to the system, and the rooms that may use them. Streams are handed in by
/// `streams.rs`, which duplicates a descriptor. The lab makes sockets, which is what it is for;
/// namespaces and processes are the kernel's room's.
const SYSTEM: &[(&str, &[&str])] = &[
    ("std::fs", &["kernel", "streams"]),
    ("std::net::TcpStream", &["kernel", "lab"]),
    ("std::net::TcpListener", &["kernel", "lab"]),
    ("std::net::UdpSocket", &["kernel", "lab"]),
    ("std::process::Command", &["kernel"]),
    ("nix", &["kernel"]),
    ("socket2", &["kernel", "lab", "echo"]),
    ("tokio", &["echo"]),
    ("procfs", &["kernel"]),
    ("libc", &["kernel"]),
    ("std::process::exit", &[]),
    ("std::process::abort", &[]),
];

/// Macros that print past the streams.
const PRINTING: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];

#[test]
fn every_room_imports_only_what_it_may() {
    let wrong = every_file().iter().flat_map(SourceFile::forbidden_rooms).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_kernel_touches_the_system() {
    let wrong = every_file().iter().flat_map(SourceFile::forbidden_system).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_prints_past_the_streams() {
    let wrong = every_file().iter().flat_map(SourceFile::printing).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_is_in_the_table() {
    for file in every_file() {
        let room = &file.room;
        assert!(ROOMS.iter().any(|(name, _)| name == room), "src/{room} is not in ROOMS");
    }
}

#[test]
fn the_reader_of_paths_sees_through_comments_strings_and_braces() {
    let source = r##"
        //! [`crate::comment`] /* and */
        use crate::{a, b::{self, c as d}, e::*}; /* crate::x /* nested */ */
        fn f<'a>(it: &'a str) -> char { crate::inline::call("crate::string", r#"crate::"raw"#); '"' }
        use super::super::g; pub(crate) use std::fs;
    "##;
    let paths: Vec<_> = paths(source).into_iter().map(|path| path.join("::")).collect();
    for expected in ["crate::a", "crate::b", "crate::b::c", "crate::e", "crate::inline::call"] {
        assert!(paths.contains(&expected.to_owned()), "{expected} is not in {paths:?}");
    }
    for expected in ["super::super::g", "std::fs"] {
        assert!(paths.contains(&expected.to_owned()), "{expected} is not in {paths:?}");
    }
    for wrong in ["comment", "x", "string", "raw"] {
        assert!(!paths.contains(&format!("crate::{wrong}")), "{wrong} is in {paths:?}");
    }
}

/// One file of `src/`.
struct SourceFile {
    path: PathBuf,
    /// The folder below `src/`, or the file's own name.
    room: String,
    /// How many modules its own is below the root.
    depth: usize,
    text: String,
}

impl SourceFile {
    fn read(path: PathBuf, src: &Path) -> Self {
        let below = path.strip_prefix(src).unwrap().with_extension("");
        let mut names: Vec<_> =
            below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if names.len() > 1 && names.last().is_some_and(|name| name == "mod") {
            names.pop();
        }
        let text = fs::read_to_string(&path).unwrap();
        Self { room: names[0].clone(), depth: names.len(), path, text }
    }

    fn complaint(&self, what: &str) -> String {
        format!("{}: {what}", self.path.display())
    }

    fn forbidden_rooms(&self) -> Vec<String> {
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == self.room) else {
            return Vec::new();
        };
        let imported = paths(&self.text).into_iter().filter_map(|path| self.imported(&path));
        let imported: BTreeSet<_> = imported.filter(|room| *room != self.room).collect();
        let wrong = imported
            .iter()
            .filter(|room| !allowed.contains(&"*") && !allowed.contains(&room.as_str()));
        wrong
            .map(|room| self.complaint(&format!("`{}` may not import `{room}`", self.room)))
            .collect()
    }

    /// The room that a path goes to: by `crate::`, or by so many `super::` that it leaves its own.
    fn imported(&self, path: &[String]) -> Option<String> {
        let ups = path.iter().take_while(|step| *step == "super").count();
        let room = match path.first()?.as_str() {
            "crate" => path.get(1)?,
            // Within `mod tests` one more `super` is needed, so that only more than that is sure.
            "super"
                if ups >= self.depth
                    && is_room(path.get(ups)?)
                    && !self.has_own(path.get(ups)?) =>
            {
                path.get(ups)?
            }
            _ => return None,
        };
        is_room(room).then(|| room.clone())
    }

    /// Whether a module beside this file has the name of a room.
    fn has_own(&self, name: &str) -> bool {
        let folder = self.path.parent().unwrap();
        self.depth > 1 && (folder.join(format!("{name}.rs")).exists() || folder.join(name).exists())
    }

    fn forbidden_system(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for path in paths(&self.text) {
            let path = path.join("::");
            for (module, rooms) in SYSTEM {
                // A bare `procfs` may be a variable; a path through it is none.
                let is_used = module.contains("::") && path == *module;
                let uses = is_used || path.starts_with(&format!("{module}::"));
                if uses && !rooms.contains(&self.room.as_str()) {
                    wrong.push(self.complaint(&format!("`{}` may not use `{path}`", self.room)));
                }
            }
        }
        wrong
    }

    fn printing(&self) -> Vec<String> {
        let tokens = tokens(&self.text);
        let calls = tokens.windows(2).filter(|pair| pair[1] == "!");
        let calls = calls.filter(|pair| PRINTING.contains(&pair[0].as_str()));
        calls
            .map(|pair| self.complaint(&format!("`{}!` prints past the streams", pair[0])))
            .collect()
    }
}

/// Whether `src/` has a folder or file of this name: other names are items of the root.
fn is_room(name: &str) -> bool {
    let src = in_repository("src");
    src.join(name).is_dir() || src.join(format!("{name}.rs")).exists()
}

fn every_file() -> Vec<SourceFile> {
    let src = in_repository("src");
    let mut folders = vec![src.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(SourceFile::read(path, &src));
            }
        }
    }
    assert!(files.len() > 20, "src/ was not found");
    files
}

/// Every path of names joined by `::`, with `{…}` spelt out and `self` left away.
fn paths(source: &str) -> Vec<Vec<String>> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if is_name(&tokens[at]) { path(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads one path from `at`, and gives where it ends.
fn path(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut steps = prefix.to_vec();
    while at < tokens.len() && is_name(&tokens[at]) {
        if tokens[at] != "self" {
            steps.push(tokens[at].clone());
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            found.push(steps);
            return at;
        }
        at += 1;
    }
    if tokens.get(at).is_some_and(|token| token == "{") {
        at += 1;
        while at < tokens.len() && tokens[at] != "}" {
            at = if is_name(&tokens[at]) { path(tokens, at, &steps, found) } else { at + 1 };
        }
        return at + 1;
    }
    found.push(steps);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and single characters; comments, strings and characters in quotes are left out.
fn tokens(source: &str) -> Vec<String> {
    let mut rest = source;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = literal(rest);
        if length > 0 {
            rest = &rest[length..];
            continue;
        }
        let length = match first {
            ':' if rest.starts_with("::") => 2,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        if !first.is_whitespace() {
            tokens.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment, string or character at the head of `rest`; 0 if there is none.
fn literal(rest: &str) -> usize {
    let through = |from: usize, end: &str| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        through(2, "\n")
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with("br\"") || rest.starts_with("r\"") {
        through(rest.find('"').unwrap() + 1, "\"")
    } else if rest.starts_with("r#") {
        let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
        through(2 + hashes, &format!("\"{}", "#".repeat(hashes)))
    } else if rest.starts_with('"') {
        quoted(rest, '"')
    } else if rest.starts_with("'\\") {
        quoted(rest, '\'')
    } else {
        // A lifetime has no second quote after one character.
        let mut chars = rest.char_indices();
        match (chars.next(), chars.next(), chars.next()) {
            (Some((_, '\'')), Some(_), Some((end, '\''))) => end + 1,
            _ => 0,
        }
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            more if more.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            more if more.starts_with("*/") => (depth, at) = (depth - 1, at + 2),
            more => at += more.chars().next().unwrap().len_utf8(),
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}
