//! Files that the user names: read whole, and no larger than a person writes them.

use std::io::{self, Read as _};
use std::path::Path;

use super::error::io_text;
use super::proc_root::open_file;

/// The most bytes that are read.
const MOST_BYTES: u64 = 1 << 20;

/// The text of the file at `path`; why not, in words that do not name it.
pub fn read(path: &Path) -> Result<String, String> {
    text(path).map_err(|error| io_text(&error))
}

fn text(path: &Path) -> io::Result<String> {
    let file = open_file(path)?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::other(format!("it is longer than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_is_said() {
        assert!(read(Path::new("/nowhere")).unwrap_err().starts_with("ENOENT"));
        assert!(read(Path::new("/dev/zero")).unwrap_err().contains("longer than 1 MiB"));
        assert!(read(Path::new("/proc")).unwrap_err().starts_with("EISDIR"));
    }
}
