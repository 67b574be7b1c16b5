//! A page as data: what there is to say of a topic, before anybody decides how it looks.

use serde::Serialize;

/// What is said of a topic.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// Its name.
    pub topic: String,
    /// The group that it is listed in.
    pub group: &'static str,
    /// What kind of thing it is, as in `TCP state`; `None` where the name says it.
    pub kind: Option<&'static str>,
    /// It in one sentence without a full stop.
    pub summary: String,
    /// What is there now.
    pub live: Vec<Live>,
    /// The rest, in the order of reading.
    pub sections: Vec<Section>,
    /// What shows or makes it: command lines of netkit.
    pub commands: Vec<Command>,
    /// Other topics.
    pub see_also: Vec<String>,
    /// Where it is known from.
    pub sources: Vec<String>,
}

/// A value of the running system.
#[derive(Clone, Debug, Serialize)]
pub struct Live {
    /// Of what it is the value.
    pub name: String,
    /// The value; `None` where it is not there or could not be read.
    pub value: Option<String>,
    /// Why there is none.
    #[serde(skip)]
    pub lacking: &'static str,
}

impl Live {
    /// The value, or why there is none; for people.
    pub fn text(&self) -> &str {
        match self.value.as_deref() {
            Some("") => "(empty)",
            Some(value) => value,
            None => self.lacking,
        }
    }
}

/// A command line and what it is for.
#[derive(Clone, Debug, Serialize)]
pub struct Command {
    /// The line; words in capitals are to be replaced.
    pub line: String,
    /// What it shows or does.
    pub shows: String,
}

/// A part of a page.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Section {
    /// Sentences.
    Text {
        /// What stands above it.
        heading: Option<String>,
        /// One paragraph.
        text: String,
    },
    /// Points.
    List {
        /// What stands above it.
        heading: Option<String>,
        /// Whether the order matters.
        ordered: bool,
        /// The points.
        items: Vec<String>,
    },
    /// Names and what each is.
    Facts {
        /// What stands above it.
        heading: Option<String>,
        /// In order.
        facts: Vec<Fact>,
    },
    /// Rows under headings.
    Table {
        /// What stands above it.
        heading: Option<String>,
        /// The headings.
        columns: Vec<&'static str>,
        /// As many cells in each as there are headings.
        rows: Vec<Vec<String>>,
    },
    /// A drawing, of which every space counts.
    Diagram {
        /// What stands above it.
        heading: Option<String>,
        /// From the top.
        lines: Vec<String>,
    },
}

/// A name and what it is.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// What it is.
    pub text: String,
}

impl Section {
    /// Names and texts without a heading.
    pub fn facts<N: Into<String>, T: Into<String>>(
        facts: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        Self::Facts { heading: None, facts: pairs(facts) }
    }

    /// Names and texts under `heading`.
    pub fn facts_of<N: Into<String>, T: Into<String>>(
        heading: &str,
        facts: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        Self::Facts { heading: Some(heading.to_owned()), facts: pairs(facts) }
    }

    /// Points under `heading`, in no order.
    pub fn points<T: Into<String>>(heading: &str, items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        Self::List { heading: Some(heading.to_owned()), ordered: false, items }
    }

    /// Points under `heading`, the most useful first.
    pub fn steps<T: Into<String>>(heading: &str, items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        Self::List { heading: Some(heading.to_owned()), ordered: true, items }
    }

    /// Rows under `heading`.
    pub fn table<C: Into<String>>(
        heading: &str,
        columns: &[&'static str],
        rows: impl IntoIterator<Item = Vec<C>>,
    ) -> Self {
        let row = |row: Vec<C>| row.into_iter().map(Into::into).collect();
        Self::Table {
            heading: Some(heading.to_owned()),
            columns: columns.to_vec(),
            rows: rows.into_iter().map(row).collect(),
        }
    }

    /// What stands above it.
    pub fn heading(&self) -> Option<&str> {
        match self {
            Self::Text { heading, .. }
            | Self::List { heading, .. }
            | Self::Facts { heading, .. }
            | Self::Table { heading, .. }
            | Self::Diagram { heading, .. } => heading.as_deref(),
        }
    }

    /// Its words, a piece each with the name that it stands under: for tables of everything, and for
    /// looking for a word.
    pub fn words(&self) -> Vec<(String, String)> {
        let unnamed = |text: &String| (String::new(), text.clone());
        match self {
            Self::Text { text, .. } => vec![unnamed(text)],
            Self::List { items, .. } => items.iter().map(unnamed).collect(),
            Self::Facts { facts, .. } => {
                facts.iter().map(|fact| (fact.name.clone(), fact.text.clone())).collect()
            }
            Self::Table { rows, .. } => rows.iter().map(|row| named_row(row)).collect(),
            Self::Diagram { lines, .. } => vec![(String::new(), lines.join("\n"))],
        }
    }
}

impl Command {
    /// `line`, which shows `shows`.
    pub fn new(line: &str, shows: &str) -> Self {
        Self { line: line.to_owned(), shows: shows.to_owned() }
    }
}

fn named_row(row: &[String]) -> (String, String) {
    let (name, rest) = row.split_first().map_or(("", row), |(name, rest)| (name.as_str(), rest));
    (name.to_owned(), rest.join("; "))
}

fn pairs<N: Into<String>, T: Into<String>>(facts: impl IntoIterator<Item = (N, T)>) -> Vec<Fact> {
    let facts = facts.into_iter();
    facts.map(|(name, text)| Fact { name: name.into(), text: text.into() }).collect()
}
