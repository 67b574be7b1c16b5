//! Which kernel an image would boot: the newest whose modules or files it has.
//!
//! A boot loader takes the newest unless somebody chose another, and nothing in the image says that
//! as plainly.

use std::fs;
use std::path::Path;

use super::rooted_path::{below, resolve};
use crate::model::KernelRelease;

/// Where a kernel leaves its release, and what its names begin with there.
const PLACES: [(&str, &str); 5] = [
    ("/lib/modules", ""),
    ("/usr/lib/modules", ""),
    ("/boot", "vmlinuz-"),
    ("/boot", "vmlinux-"),
    ("/boot", "config-"),
];

/// The newest release of the kernels of the system at `root`, as their names have it.
pub fn newest(root: &Path) -> Option<String> {
    let names = PLACES.iter().flat_map(|(directory, prefix)| {
        let names = names(root, Path::new(directory)).into_iter();
        names.filter_map(move |name| name.strip_prefix(prefix).map(str::to_owned))
    });
    let releases = names.filter_map(move |name| Some((name.parse::<KernelRelease>().ok()?, name)));
    // Of two with the same number, either is judged alike; the last in the order of names is shown.
    releases.max().map(|(_, name)| name)
}

fn names(root: &Path, directory: &Path) -> Vec<String> {
    let entries = resolve(root, directory).and_then(|path| fs::read_dir(below(root, &path)));
    let entries = entries.into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            fs::create_dir_all(root.path().join(path)).unwrap();
        }
        root
    }

    #[test]
    fn the_newest_kernel_is_the_one() {
        let newest = |paths: &[&str]| newest(image(paths).path());
        assert_eq!(newest(&["etc", "lib/modules/extra"]), None);
        let modules = ["usr/lib/modules/6.12.9-amd64", "usr/lib/modules/6.9.1-amd64"];
        assert_eq!(newest(&modules).as_deref(), Some("6.12.9-amd64"));
        let boot = ["boot/vmlinuz-5.4.0-90-generic", "boot/initrd.img-6.1.0", "boot/grub"];
        assert_eq!(newest(&boot).as_deref(), Some("5.4.0-90-generic"));
    }

    #[test]
    fn a_link_does_not_lead_out_of_the_image() {
        let root = image(&["usr/lib/modules/4.4.0", "outside/modules/6.1.0"]);
        std::os::unix::fs::symlink("/usr/lib", root.path().join("lib")).unwrap();
        assert_eq!(newest(root.path()).as_deref(), Some("4.4.0"));
    }
}
