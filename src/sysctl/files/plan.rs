//! What a program reads, in its order.
//!
//! One thing is left out: procps gives each path to glob(3), so that a file whose own name has `*`,
//! `?`, `[` or `{` in it may stand for others beside it. Here it stands for itself.

use std::fmt;
use std::path::{Path, PathBuf};

use super::parse::{LineProblem, Statement, parse};
use super::{Name, Peer, Status, statuses};
use crate::kernel::sysctl_files::{ConfigFile, Content, SYSCTL_CONF};
use crate::model::KeyPattern;

/// The statements that one program reads from the files of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Who reads.
    pub peer: Peer,
    /// What becomes of each file, in the order in which they were found.
    pub files: Vec<(PathBuf, Status)>,
    /// What is read, in the order in which it is read.
    pub statements: Vec<(Source, Statement)>,
    /// Lines that have no effect.
    pub problems: Vec<FileProblem>,
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path by which the file was read, as in `/etc/sysctl.d/99-sysctl.conf`.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

/// A line that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// Its file.
    pub file: PathBuf,
    /// The line, and what is wrong with it.
    pub problem: LineProblem,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl Plan {
    /// What `peer` reads of `files`.
    pub fn new(files: &[ConfigFile], peer: Peer) -> Self {
        let statuses = statuses(files, peer);
        let mut used: Vec<_> = files
            .iter()
            .zip(&statuses)
            .filter(|(_, status)| **status == Status::Used)
            .map(|(file, _)| file)
            .collect();
        // By the bytes of the names, over all directories; the file outside them is the last.
        used.sort_by_key(|file| (file.path == Path::new(SYSCTL_CONF), file.name()));
        let paths = files.iter().map(|file| file.path.clone());
        let mut plan = Self {
            peer,
            files: paths.zip(statuses).collect(),
            statements: Vec::new(),
            problems: Vec::new(),
        };
        for file in used {
            plan.read(file);
        }
        plan
    }

    fn read(&mut self, file: &ConfigFile) {
        let Content::Bytes(bytes) = &file.content else { return };
        let parsed = parse(bytes, self.peer);
        self.statements.extend(parsed.statements.into_iter().map(|statement| {
            (Source { file: file.path.clone(), line: statement.line }, statement)
        }));
        let problems = parsed.problems.into_iter();
        self.problems
            .extend(problems.map(|problem| FileProblem { file: file.path.clone(), problem }));
    }

    /// The patterns, for which the keys of the kernel have to be known.
    pub fn patterns(&self) -> Vec<&KeyPattern> {
        let names = self.statements.iter().map(|(_, statement)| &statement.name);
        names
            .filter_map(|name| match name {
                Name::Pattern(pattern) => Some(pattern),
                Name::Key(_) => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> ConfigFile {
        let content = Content::Bytes(text.as_bytes().to_vec());
        ConfigFile { path: path.into(), target: None, content }
    }

    #[test]
    fn files_are_read_by_name_over_all_directories_and_sysctl_conf_at_the_end() {
        let files = [
            file("/etc/sysctl.d/9.conf", "k.a = 1"),
            file("/etc/sysctl.d/ä.conf", "k.a = 1"),
            file("/run/sysctl.d/10.conf", "k.a = 1"),
            file("/usr/lib/sysctl.d/zz.conf", "k.a = 1"),
            file("/etc/sysctl.conf", "k.a = 1"),
        ];
        let order = |peer| {
            let plan = Plan::new(&files, peer);
            let sources = plan.statements.iter().map(|(source, _)| source.to_string());
            sources.collect::<Vec<_>>()
        };
        let listed = [
            "/run/sysctl.d/10.conf:1",
            "/etc/sysctl.d/9.conf:1",
            "/usr/lib/sysctl.d/zz.conf:1",
            "/etc/sysctl.d/ä.conf:1",
        ];
        assert_eq!(order(Peer::Systemd), listed);
        assert_eq!(order(Peer::Procps), [&listed[..], &["/etc/sysctl.conf:1"]].concat());
    }

    #[test]
    fn patterns_and_bad_lines_are_said() {
        let files = [file("/etc/sysctl.d/1.conf", "k.a = 1\nk.*.a = 1\n-k.b*\nwhat\n")];
        for peer in Peer::ALL {
            let plan = Plan::new(&files, peer);
            assert_eq!(plan.patterns().len(), 2);
            let problems: Vec<_> = plan.problems.iter().map(|it| it.problem.line).collect();
            assert_eq!(problems, [4]);
        }
    }
}
