//! netkit asked by netkit: the command is run as a user would run it, so that what is compared is
//! what users get, its exit code included.

use std::io;

use anyhow::{Context as _, bail};
use clap::{Args, Command, FromArgMatches};
use serde_json::Value;

use super::report::Diagnosed;
use super::scenario::Diagnosis;
use crate::kernel::Place;
use crate::output::{Aside, Format, Outcome, Screen, Style};
use crate::{bind, connect, states};

/// Asks, and compares the JSON of the answer with the claims. With a `style`, asks a second time
/// for the text.
pub fn diagnose(
    diagnosis: &Diagnosis,
    style: Option<Style>,
) -> anyhow::Result<(Diagnosed, Option<String>)> {
    let ask = |format, style| {
        diagnosis.before.iter().try_for_each(|before| before())?;
        ask(&diagnosis.command, format, style)
    };
    let (json, outcome) = ask(Format::Json, Style::PLAIN)?;
    let report: Value = serde_json::from_str(&json)
        .with_context(|| format!("`netkit {}` answered no JSON: {json}", diagnosis.command))?;
    let exit = outcome.exit.code();
    let claims = diagnosis.claims.iter().map(|claim| claim.check(&report, exit)).collect();
    let text = match style {
        Some(style) => {
            let (text, outcome) = ask(Format::Table, style)?;
            let messages = outcome.messages.iter().map(|message| format!("netkit: {message}\n"));
            Some(messages.fold(text, |text, message| text + &message))
        }
        None => None,
    };
    let command = format!("netkit {}", diagnosis.command);
    Ok((Diagnosed { command, exit, claims, report }, text))
}

/// Runs a command line (without `netkit`) here.
fn ask(line: &str, format: Format, style: Style) -> anyhow::Result<(String, Outcome)> {
    let mut answer = Vec::new();
    let mut screen = Screen { out: &mut answer, format, style };
    let here = Place::default();
    let outcome = match line.split(' ').next().unwrap_or(line) {
        "bind" => bind::run(&parsed(line)?, &here, &mut screen),
        "connect" => {
            let mut nowhere = io::sink();
            let mut aside = Aside { out: &mut nowhere, style, is_terminal: false };
            connect::run(&parsed(line)?, &here, &mut screen, &mut aside)
        }
        "states" => states::run(&parsed(line)?, &here, &mut screen),
        command => bail!("the lab does not know `netkit {command}`"),
    }?;
    Ok((String::from_utf8_lossy(&answer).into_owned(), outcome))
}

/// The arguments of a command, of which the line's first word is the name.
fn parsed<T: Args + FromArgMatches>(line: &str) -> anyhow::Result<T> {
    let command = T::augment_args(Command::new("netkit"));
    let matches = command.try_get_matches_from(line.split_whitespace())?;
    Ok(T::from_arg_matches(&matches)?)
}
