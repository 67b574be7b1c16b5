//! A second network namespace.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::sched::{CloneFlags, setns};

/// A process in a network namespace of its own, which ends with this.
pub struct Other {
    child: Child,
    _stdin: ChildStdin,
}

impl Other {
    /// Starts it, and waits until it is inside and `lo` is up.
    pub fn new() -> Self {
        Self::after("ip link set lo up")
    }

    /// The same where `lo` was never up.
    pub fn without_lo() -> Self {
        Self::after("true")
    }

    fn after(line: &str) -> Self {
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", &format!("{line}; echo inside; exec cat")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "inside\n");
        let stdin = child.stdin.take().unwrap();
        Self { child, _stdin: stdin }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file of its network namespace.
    pub fn path(&self) -> PathBuf {
        Path::new("/proc").join(self.pid().to_string()).join("ns/net")
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Its end of file would end it too; waiting leaves no zombie.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `body` gives in the network namespace of the file at `path`, where a thread goes for it.
pub fn within<T: Send>(path: &Path, body: impl FnOnce() -> T + Send) -> T {
    let namespace = File::open(path).unwrap();
    std::thread::scope(|scope| {
        let there = scope.spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            body()
        });
        there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
