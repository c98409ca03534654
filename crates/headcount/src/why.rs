//! `headcount why`: every fact of a conversation, where it came from, and why it stands where it stands.
//!
//! The running service is asked over HTTP; of one that is stopped, the data folder is read. Both give the same JSON, which
//! is either printed as it is or spelt out for a person. Rejected: reading the folder of a running service (what it shows
//! is not all on disk as conversations, and two readers of one log would have to agree).

mod answer;
mod ask;
mod folder;
mod text;
mod words;

use crate::cli::{WhyOptions, WrongUse, print};
use anyhow::Context;
use engine::Id;

/// Columns of a line where the width of the terminal is not known.
const WIDTH_DEFAULT: usize = 100;
/// Narrower than this nothing is readable, wider than this neither.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=140;

/// Prints the explanation.
///
/// # Errors
/// When nothing answers, the folder cannot be read, or the conversation is not known.
pub fn run(options: &WhyOptions) -> anyhow::Result<()> {
    let wanted = Wanted::of(options)?;
    let body = match &options.data {
        Some(folder) => folder::read(folder, &wanted)?,
        None => ask::ask(options.url.as_deref(), &wanted)?,
    };
    if options.json {
        return print(&(body.trim_end().to_owned() + "\n"));
    }
    let answer: answer::Why = serde_json::from_str(&body).context("the answer is not one of headcount's")?;
    print(&text::spelt_out(&answer, width()))
}

/// What is asked for.
#[derive(Debug)]
struct Wanted {
    conversation: Id,
    participant: Option<Id>,
}

impl Wanted {
    fn of(options: &WhyOptions) -> anyhow::Result<Self> {
        let id = |text: &str| {
            Id::new(text).map_err(|what| anyhow::Error::new(WrongUse(format!("`{text}` is no id: {what}"))))
        };
        Ok(Self {
            conversation: id(&options.id)?,
            participant: options.participant.as_deref().map(id).transpose()?,
        })
    }
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(terminal).unwrap_or(WIDTH_DEFAULT).clamp(*WIDTHS.start(), *WIDTHS.end())
}
