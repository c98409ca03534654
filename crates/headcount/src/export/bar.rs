//! How far an export has come: a bar that moves on a terminal, a line now and then elsewhere.

use crate::logging::Log;
use ::export::Progress;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often the bar moves, and how often a line is said where there is no terminal.
const MOVES_EVERY: Duration = Duration::from_millis(200);
const SAID_EVERY: Duration = Duration::from_secs(10);
/// Cells of the bar.
const WIDTH: u64 = 24;

/// What shows it, on standard error.
pub struct Bar<'a> {
    log: &'a Log,
    begun: Instant,
    next: Instant,
    terminal: bool,
    drawn: bool,
}

impl<'a> Bar<'a> {
    /// Begins at nothing. A short export shows nothing.
    pub fn begin(log: &'a Log) -> Self {
        let (begun, terminal) = (Instant::now(), stderr().is_terminal());
        let next = begun + if terminal { MOVES_EVERY } else { SAID_EVERY };
        Self { log, begun, next, terminal, drawn: false }
    }

    /// Shows it when it is time to.
    pub fn show(&mut self, progress: Progress) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + if self.terminal { MOVES_EVERY } else { SAID_EVERY };
        self.drawn = self.terminal;
        let line = line(progress, now - self.begun);
        if self.terminal {
            let _nobody_looks = stderr().write_all(format!("\r{line}\x1b[K").as_bytes());
        } else {
            self.log.say(&line);
        }
    }

    /// Clears it away.
    pub fn end(self) {
        if self.drawn {
            let _nobody_looks = stderr().write_all(b"\r\x1b[K");
        }
    }
}

/// The bar in words.
fn line(progress: Progress, taken: Duration) -> String {
    let Progress { conversations, conversations_in_all, rows, files } = progress;
    let so_far = format!("{rows} rows, {files} files, {} s", taken.as_secs());
    if conversations_in_all == 0 {
        return so_far;
    }
    // What the log alone holds is not counted beforehand.
    let done = conversations.min(conversations_in_all);
    let full = usize::try_from(done * WIDTH / conversations_in_all).unwrap_or_default();
    let empty = usize::try_from(WIDTH).unwrap_or_default().saturating_sub(full);
    let percent = done * 100 / conversations_in_all;
    let left = taken.as_secs() * (conversations_in_all - done) / done.max(1);
    format!("[{}{}] {percent:3} %  {so_far}, about {left} s left", "#".repeat(full), " ".repeat(empty))
}

#[cfg(test)]
mod tests;
