//! Looking for a word in every page.

use super::list::{Entry, Form, ListReport};
use super::live::Now;
use super::page::{Page, Section};
use super::pages;
use super::topics;

/// The topics whose name or page has `word`, in any capitals; those that are called so come first.
pub fn search(word: &str) -> ListReport {
    let wanted = word.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for topic in topics::all() {
        if has(&topic.name) || topic.aliases().iter().any(|alias| has(alias)) {
            named.push(Entry::new(&topic, Some(pages::summary(&topic).to_owned())));
        } else if let Some(found) = spoken(&pages::page(&topic, &Now::untold())).find(|it| has(it))
        {
            others.push(Entry::new(&topic, Some(found)));
        }
    }
    named.append(&mut others);
    ListReport::new(Some(word.to_owned()), named, Form::Lines)
}

/// What a page says itself, piece by piece: without its drawing, and without other pages' names.
fn spoken(page: &Page) -> impl Iterator<Item = String> {
    let is_drawn = |section: &&Section| matches!(section, Section::Diagram { .. });
    let sections = page.sections.iter().filter(move |section| !is_drawn(section));
    let words = sections.flat_map(Section::words).map(|(name, text)| match name.as_str() {
        "" => text,
        name => format!("{name}: {text}"),
    });
    let commands = page.commands.iter().map(|it| format!("{}: {}", it.line, it.shows));
    [page.summary.clone()].into_iter().chain(words).chain(commands)
}
