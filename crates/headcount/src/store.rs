//! `headcount store`: looks after the data folder of a service that is stopped.
//!
//! `check` finds damage, `repair` saves the rest into a new folder, `stats` says how much is stored. None of them changes the
//! folder that it looks at; a folder in use is refused, since what a running service writes would look like damage.

mod check;
mod repair;
mod stats;

use crate::cli::{StoreCommand, StoreFolder};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use store::{Damaged, Store};

/// Where the data lies when nobody says.
const DATA_DEFAULT: &str = "./headcount-data";
/// Records between two words of progress.
const PROGRESS_STEP: u64 = 50_000;

/// Does what was asked for.
///
/// # Errors
/// When the folder cannot be read, and when damage was found.
pub fn run(command: &StoreCommand) -> anyhow::Result<()> {
    match command {
        StoreCommand::Check(options) => check::run(options),
        StoreCommand::Repair(options) => repair::run(options),
        StoreCommand::Stats(options) => stats::run(options),
    }
}

fn look(options: &StoreFolder) -> anyhow::Result<(PathBuf, Store)> {
    let named = options.data.clone().or_else(|| std::env::var_os("HEADCOUNT_DATA").map(PathBuf::from));
    let folder = named.unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
    let store = Store::look(&folder)?.store;
    Ok((folder, store))
}

/// What the loss of a record costs, for people.
fn cost(damaged: &Damaged) -> &'static str {
    match damaged.table {
        "log" => "the facts of one commit, of conversations that were not laid down since",
        "conversation" => {
            "all facts of this conversation; while it is live it is read again from the platform"
        }
        "ledger" => "an interval of the ledger: all time before counts as unknown",
        "cell" => "the activity of this minute",
        "user_state" => "this user's presence or status, until it is told again",
        _ => "nothing by itself: what it damaged is listed by record; a repaired folder is free of it",
    }
}

/// Says how far a long run is, to a person that waits for it.
struct Progress {
    what: &'static str,
    shown: bool,
}

impl Progress {
    fn new(what: &'static str) -> Self {
        Self { what, shown: false }
    }

    fn at(&mut self, records: u64) {
        if records.is_multiple_of(PROGRESS_STEP) && std::io::stderr().is_terminal() {
            self.shown = true;
            let _nobody_reads = write!(std::io::stderr(), "\r{records} records {}", self.what);
        }
    }

    fn over(&self) {
        if self.shown {
            let _nobody_reads = writeln!(std::io::stderr());
        }
    }
}
