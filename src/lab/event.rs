//! What the worker inside the namespace tells the process that started it, one JSON object a line.

use serde::{Deserialize, Serialize};

use super::report::Diagnosed;
use super::stage::Step;

/// Something that the worker tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A call was made.
    Step(Step),
    /// The condition is there.
    Made {
        /// The process that holds it.
        pid: u32,
        /// Whether it is in a user namespace of its own.
        has_user_ns: bool,
    },
    /// netkit was asked.
    Diagnosed {
        /// What it found, and whether that is so.
        diagnosed: Diagnosed,
        /// What it says to people, where that is wanted.
        text: Option<String>,
    },
    /// The condition cannot be made here.
    Cannot {
        /// Why.
        why: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// All was done; the condition is held.
    Done,
}
