//! What `apply` found, kept beside the drop-in so that `undo` can put it back: a list of which each
//! `apply` adds the last and each `undo` takes it.
//!
//! The file's name does not end in `.conf`, so that nothing reads it at boot.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::kernel::drop_in_file::{DropInFile, Found};
use crate::model::SysctlKey;
use crate::output::sanitize;

/// How its name ends.
pub const ENDING: &str = ".saved";

/// How the name ends of what somebody had written into the drop-in when `undo --force` took it away.
pub const EDITED: &str = ".edited";

const SCHEMA: &str = "netkit.sysctl_saved/1";

/// The list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    schema: String,
    /// The oldest first.
    pub steps: Vec<Step>,
}

/// What one `apply` found, and what it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: String,
    /// The drop-in before; `None` if there was none.
    pub file_before: Option<String>,
    /// The drop-in after.
    pub content: String,
    /// The running values that were changed.
    pub running: Vec<SavedValue>,
}

/// A running value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedValue {
    key: String,
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
}

impl SavedValue {
    /// The value of `key` before and after.
    pub fn new(key: &SysctlKey, old: &str, new: &str) -> Self {
        Self { key: key.to_string(), old: old.to_owned(), new: new.to_owned() }
    }

    /// The key. A list that was read has none that is no key.
    pub fn key(&self) -> Option<SysctlKey> {
        SysctlKey::parse(&self.key).ok()
    }
}

impl Default for Saved {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), steps: Vec::new() }
    }
}

impl Saved {
    /// The list of `file`, and its text if there is one. Fails if it is none of netkit's.
    pub fn read(file: &DropInFile) -> Result<(Self, Option<String>), Failure> {
        match file.read()? {
            Found::Nothing => Ok((Self::default(), None)),
            Found::Text(text) => match Self::parse(&text) {
                Ok(saved) => Ok((saved, Some(text))),
                Err(why) => Err(not_ours(file, &why)),
            },
            Found::NoFile => Err(not_ours(file, "it is no regular file")),
            Found::NoText => Err(not_ours(file, "it is no text")),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let saved: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if saved.schema != SCHEMA {
            return Err(format!("it is `{}` and not `{SCHEMA}`", saved.schema.escape_debug()));
        }
        for value in saved.steps.iter().flat_map(|step| &step.running) {
            SysctlKey::parse(&value.key).map_err(|bad| bad.to_string())?;
            if value.old.chars().any(|c| c.is_control() && c != '\t') {
                return Err(format!("the value of {} has control characters", value.key));
            }
        }
        Ok(saved)
    }

    /// As text; `None` if nothing is left to undo, and so no file is needed.
    pub fn text(&self) -> Option<String> {
        let text = serde_json::to_string_pretty(self).ok()?;
        (!self.steps.is_empty()).then(|| format!("{text}\n"))
    }
}

fn not_ours(file: &DropInFile, why: &str) -> Failure {
    let path = sanitize(&file.path().display().to_string());
    Failure::Usage(format!(
        "{path} does not have what `netkit sysctl apply` saved: {why}\nhint: move it away"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        let key = SysctlKey::parse("net/ipv4/conf/eth0.1/tag").unwrap();
        let step = Step {
            at: "2026-01-01T00:00:00Z".to_owned(),
            file_before: None,
            content: "x\n".to_owned(),
            running: vec![SavedValue::new(&key, "32768\t60999", "1024 65535")],
        };
        Saved { steps: vec![step], ..Saved::default() }
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_an_empty_one_is_none() {
        let text = saved().text().unwrap();
        assert_eq!(Saved::parse(&text), Ok(saved()));
        assert_eq!(Saved::default().text(), None);
    }

    #[test]
    fn what_somebody_else_put_there_is_refused() {
        let text = saved().text().unwrap();
        for (from, to) in [
            ("eth0/1.tag", "../../x"),
            (SCHEMA, "netkit.sysctl_saved/2"),
            ("32768\\t60999", "1\\n2"),
            ("\"old\"", "\"alt\""),
        ] {
            let changed = text.replace(from, to);
            assert!(changed != text && Saved::parse(&changed).is_err(), "{changed}");
        }
    }
}
