//! Directories in which no file of a socket can be made, in words. Pure.

use std::path::Path;

use crate::catalogue::errnos;
use crate::kernel::scratch_directory::{LONGEST_PATH, OfNoUse, VARIABLE};
use crate::output::sanitize;

/// What helps where no directory is of use.
const HINT: &str = "set TMPDIR to a directory in which you may make files";

/// What has to be known where another directory, `used`, was.
pub fn notes(of_no_use: &[OfNoUse], used: &Path) -> Vec<String> {
    let used = sanitize(&used.display().to_string());
    let note = |it: &OfNoUse| format!("{}; {used} was used instead: {HINT}", why(it));
    of_no_use.first().map(note).into_iter().collect()
}

/// What is said of the paths that need one where there is none.
pub fn none_of(of_no_use: &[OfNoUse]) -> String {
    let all: Vec<_> = of_no_use.iter().map(why).collect();
    format!("there is no directory for the file of a socket: {}; {HINT}", all.join("; "))
}

/// `TMPDIR=/nonexistent is of no use: ENOENT (2) in mkdir: No such file or directory`
fn why(it: &OfNoUse) -> String {
    let place = sanitize(&it.place.display().to_string());
    let place = if it.is_named { format!("{VARIABLE}={place}") } else { place };
    if it.call == "bind" {
        return format!(
            "{place} is too long: the path of a Unix socket has {LONGEST_PATH} bytes at most \
             (unix(7), sun_path)"
        );
    }
    let (name, text) = (errnos::name(it.code), errnos::text(it.code));
    format!("{place} is of no use: {name} ({}) in {}: {text}", it.code, it.call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_no_use(place: &str, call: &'static str, code: i32) -> OfNoUse {
        OfNoUse { place: place.into(), is_named: place != "/tmp", call, code }
    }

    #[test]
    fn what_is_wrong_with_a_directory_is_told_with_what_was_used_and_what_helps() {
        let noted = |it| notes(&[it], Path::new("/dev/shm")).remove(0);
        assert_eq!(
            noted(of_no_use("/a\nb", "mkdir", 2)),
            "TMPDIR=/a\\u{a}b is of no use: ENOENT (2) in mkdir: No such file or directory; /dev/shm \
             was used instead: set TMPDIR to a directory in which you may make files"
        );
        assert!(
            noted(of_no_use("/tmp", "mknod", 28)).starts_with("/tmp is of no use: ENOSPC (28)")
        );
        assert!(noted(of_no_use("/a", "bind", 36)).contains("107 bytes at most"));
        assert_eq!(notes(&[], Path::new("/tmp")), [""; 0]);
        let nowhere = none_of(&[of_no_use("/a", "mkdir", 30), of_no_use("/tmp", "mkdir", 30)]);
        assert_eq!(nowhere.matches("EROFS (30)").count(), 2, "{nowhere}");
    }
}
