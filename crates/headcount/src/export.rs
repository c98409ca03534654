//! `headcount export`: history into files.
//!
//! The data folder is read as it is committed at the start, beside a service that may run on it. Rejected: asking the
//! service over HTTP (`/api/v1/export` is there for other machines; an export that was cut off could not be taken up, since
//! each answer is of another instant).

mod bar;

use crate::cli::{ExportOptions, WrongUse, print};
use crate::logging::Log;
use ::export::{Ask, Done, Field, Format, Only, Target, What, to_disk};
use anyhow::Context;
use bar::Bar;
use engine::{Id, WORD_BYTES_MAX, Word};
use jiff::Timestamp;
use pipeline::{Clock, Past};
use std::path::PathBuf;

/// The data folder where nobody says.
const DATA_DEFAULT: &str = "headcount-data";

/// Writes the files.
///
/// # Errors
/// When the options make no sense, the history cannot be read, or a file cannot be written.
pub fn run(options: &ExportOptions, log: &Log) -> anyhow::Result<()> {
    let ask = ask(options).map_err(WrongUse)?;
    let target = Target::of(options.out.clone(), ask.format.as_str(), options.part_rows);
    let past = Past::open(&data(options), Clock::system().now())?;
    let mut bar = Bar::begin(log);
    let outcome = to_disk(&past, &ask, &target, &mut |progress| bar.show(progress));
    bar.end();
    let done = outcome.context("the export is not finished; the same command goes on with it")?;
    print(&summary(&done, &target))
}

fn data(options: &ExportOptions) -> PathBuf {
    let told = std::env::var_os("HEADCOUNT_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    options.data.clone().or(told).unwrap_or_else(|| DATA_DEFAULT.into())
}

/// What the options ask for, or what is wrong with them.
fn ask(options: &ExportOptions) -> Result<Ask, String> {
    let what = What::of(&options.what).ok_or_else(|| format!("there are no {} to export", options.what))?;
    let ending = options.out.extension().and_then(|ending| ending.to_str()).and_then(Format::of);
    let format = options.format.as_deref().and_then(Format::of).or(ending).unwrap_or(Format::Parquet);
    if ending.is_some_and(|ending| ending != format) {
        return Err(format!("--out {} does not end in .{}", options.out.display(), format.as_str()));
    }
    let time = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| instant(text).ok_or_else(|| no_time(name, text))).transpose()
    };
    let (from, to) = (time("--from", &options.from)?, time("--to", &options.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err("--from must be before --to".to_owned());
    }
    let ask = Ask { what, format, from, to, only: only(options)? };
    match ask.misplaced() {
        Some(field) => {
            Err(format!("{} cannot be filtered by {}{}", options.what, option(field), instead(what)))
        }
        None => Ok(ask),
    }
}

fn only(options: &ExportOptions) -> Result<Only, String> {
    let id = |name: &str, text: &Option<String>| {
        let read = |text: &String| Id::new(text).map_err(|what| format!("{name} `{text}` is no id: {what}"));
        text.as_ref().map(read).transpose()
    };
    let word = |name: &str, text: &Option<String>, read: fn(&str) -> Option<Word>| {
        let read = |text: &String| {
            let fits = text.len() <= WORD_BYTES_MAX;
            fits.then(|| read(text))
                .flatten()
                .ok_or_else(|| format!("{name} is a word of 1 to {WORD_BYTES_MAX} bytes"))
        };
        text.as_ref().map(read).transpose()
    };
    Ok(Only {
        conversation: id("--conversation", &options.conversation)?,
        queue: id("--queue", &options.queue)?,
        user: id("--user", &options.user)?,
        role: word("--role", &options.role, Word::lower)?,
        medium: word("--medium", &options.medium, Word::new)?,
    })
}

/// An instant, or the first one of a day in UTC.
fn instant(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())?;
    i64::try_from(at.as_nanosecond()).ok()
}

fn no_time(name: &str, text: &str) -> String {
    format!("{name} `{text}` is no time with its zone (2026-05-04T09:17:00Z) and no day (2026-05-04)")
}

fn option(field: Field) -> &'static str {
    match field {
        Field::Conversation => "--conversation",
        Field::Queue => "--queue",
        Field::User => "--user",
        Field::Role => "--role",
        Field::Medium => "--medium",
    }
}

fn instead(what: What) -> &'static str {
    match what {
        What::Facts => ": a fact says what was told in it alone; changes say who was where at that time",
        What::Cells => ": a cell counts over all conversations; changes can be counted by anything",
        What::Changes | What::Spells => "",
    }
}

/// What there is now, and what is missing.
fn summary(done: &Done, target: &Target) -> String {
    let Done { manifest, files_before, was_done } = done;
    let mut text = format!(
        "{} {} in {} file(s), as of position {}; the manifest: {}\n",
        manifest.rows,
        manifest.what,
        manifest.files.len(),
        manifest.position,
        target.manifest().display()
    );
    if *was_done {
        text.push_str("all of it was there already, and is whole\n");
    } else if *files_before > 0 {
        text.push_str(&format!("{files_before} of the files were there already, and are whole\n"));
    }
    if manifest.damaged_records > 0 {
        text.push_str(&format!(
            "MISSING: {} record(s) of the history are damaged\n",
            manifest.damaged_records
        ));
    }
    if manifest.completeness != "complete" {
        let holes = manifest.holes.len();
        text.push_str(&format!(
            "the range is {}: {holes} hole(s), named in the manifest\n",
            manifest.completeness
        ));
    }
    text
}

#[cfg(test)]
mod tests;
