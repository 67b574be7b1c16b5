//! The pages of families, types, options and calls.

use crate::catalogue::connect_errnos::ConnectErrno;
use crate::catalogue::sockets::{CallError, SocketCall, SocketWord};
use crate::catalogue::{bind_errnos, connect_errnos};
use crate::explain::page::{Command, Page, Section};

/// The page of a family, type or option.
pub(super) fn word(word: &SocketWord, kind: &'static str) -> Page {
    Page {
        kind: Some(kind),
        summary: word.meaning.to_owned(),
        sections: vec![
            Section::facts([("form", word.form)]),
            Section::points("Traps", word.traps.iter().copied()),
        ],
        see_also: vec!["sockets".to_owned()],
        sources: vec![word.source.to_owned()],
        ..Page::default()
    }
}

/// The page of a call.
pub(super) fn call(call: &SocketCall) -> Page {
    let mut page = Page {
        kind: Some("socket call"),
        summary: call.meaning.to_owned(),
        sections: vec![
            Section::facts([
                ("Python", call.form),
                ("called by", call.who),
                ("beneath", call.beneath),
                ("gives", call.gives),
            ]),
            Section::points("Traps", call.traps.iter().copied()),
        ],
        see_also: vec!["sockets".to_owned()],
        sources: sources(call),
        ..Page::default()
    };
    let errors = errors(call).into_iter().filter(|(_, errors)| !errors.is_empty());
    page.sections.extend(errors.map(|(heading, errors)| Section::facts_of(heading, errors)));
    page.commands.extend(call.look.map(|line| Command::new(line, "looks at it")));
    page
}

/// Its errors under their headings. Those of bind(2) and connect(2) have catalogues of their own, by
/// which `netkit bind` and `netkit connect` judge.
fn errors(call: &SocketCall) -> [(&'static str, Vec<CallError>); 2] {
    let of_connect =
        |errors: &[ConnectErrno]| errors.iter().map(|it| (it.name, it.meaning)).collect::<Vec<_>>();
    let (internet, unix) = match call.name {
        "bind" => (bind_errnos::INTERNET.to_vec(), bind_errnos::UNIX.to_vec()),
        "connect" | "connect_ex" => {
            (of_connect(&connect_errnos::INTERNET), of_connect(&connect_errnos::UNIX))
        }
        _ => return [("Errors", call.errors.to_vec()), ("", Vec::new())],
    };
    [("Errors, of TCP and UDP", internet), ("Errors of a Unix socket", unix)]
}

/// The pages of the system calls beneath, and Python's own text.
fn sources(call: &SocketCall) -> Vec<String> {
    let words = call.beneath.split([' ', ',']).filter(|word| word.ends_with("(2)"));
    let own = ["CPython, Modules/socketmodule.c and Lib/socket.py"];
    words.chain(own).map(str::to_owned).collect()
}
