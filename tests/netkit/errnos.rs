//! The catalogue of error numbers against another's.

use netkit::catalogue::errnos::{ERRNOS, name};
use nix::errno::Errno;

#[test]
fn every_number_of_linux_has_its_name() {
    let known: Vec<i32> =
        (1..256).filter(|code| Errno::from_raw(*code) != Errno::UnknownErrno).collect();
    let ours: Vec<i32> = ERRNOS.iter().map(|(code, _, _)| *code).collect();
    assert_eq!(ours, known);
    for code in known {
        assert_eq!(name(code), format!("{:?}", Errno::from_raw(code)), "{code}");
    }
}

#[test]
fn the_texts_are_those_of_the_c_library() {
    for (code, name, text) in ERRNOS {
        let said = std::io::Error::from_raw_os_error(code).to_string();
        assert_eq!(said, format!("{text} (os error {code})"), "{name}");
    }
}
