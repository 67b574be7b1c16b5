//! The page of a layer.

use crate::catalogue::layers::{Layer, STEPS};
use crate::explain::page::{Command, Page, Section};

/// The page of `layer`.
pub(super) fn layer(layer: &Layer) -> Page {
    let steps = STEPS.iter().filter(|step| step.is_at(layer.number));
    let questions: Vec<_> = steps.clone().map(|step| (step.name, step.question)).collect();
    let by_hand = steps.map(|step| (step.name, step.by_hand));
    let mut page = Page {
        kind: Some("OSI layer"),
        summary: format!("{}: {}", layer.name, layer.meaning),
        sections: vec![
            Section::facts([
                ("TCP/IP", format!("the {} layer", layer.tcp_ip)),
                ("unit", layer.unit.to_owned()),
                ("it fails", layer.failure.to_owned()),
            ]),
            Section::facts_of("What is spoken there", layer.protocols.iter().copied()),
        ],
        commands: layer.looks.iter().map(|(line, shows)| Command::new(line, shows)).collect(),
        see_also: vec!["layers".to_owned()],
        sources: vec!["ISO/IEC 7498-1".to_owned(), "RFC 1122 section 1.1.3".to_owned()],
        ..Page::default()
    };
    if !questions.is_empty() {
        page.sections.push(Section::facts_of("What a connection asks there", questions));
        page.sections.push(Section::facts_of("By hand", by_hand));
    }
    page
}
