//! The pages of families, types, options and calls.

use crate::catalogue::sockets::{SocketCall, SocketWord};
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
    if !call.errors.is_empty() {
        page.sections.push(Section::facts_of("Errors", call.errors.iter().copied()));
    }
    page.commands.extend(call.look.map(|line| Command::new(line, "looks at it")));
    page
}

/// The pages of the system calls beneath, and Python's own text.
fn sources(call: &SocketCall) -> Vec<String> {
    let words = call.beneath.split([' ', ',']).filter(|word| word.ends_with("(2)"));
    let own = ["CPython, Modules/socketmodule.c and Lib/socket.py"];
    words.chain(own).map(str::to_owned).collect()
}
