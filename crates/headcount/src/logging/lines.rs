//! Lines on their way to standard error, which may take them slowly, badly or never.
//!
//! A thread of its own writes; whoever has a line puts it into a queue bounded in bytes and goes on. A line that finds no
//! room, or that is refused, is lost and counted, and how many were is said once lines get through again: a log that has
//! holes must say so. Rejected: `tracing-appender`, which counts what found no room but not what was refused, and says
//! neither; and a queue bounded in lines, since a line may be long.

use prometheus_client::metrics::counter::Counter;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long to wait until an output that has no room at present is tried again.
const FULL_AGAIN: Duration = Duration::from_millis(20);

/// The way to the output. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
    done: Condvar,
    lost: Counter,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// A line has been taken and is not written yet.
    under_way: bool,
    /// Nobody writes.
    dead: bool,
}

impl Lines {
    /// Lines that a thread of their own writes into `output`.
    pub fn into(output: impl Write + Send + 'static) -> Self {
        let lines = Self(Arc::default());
        let shared = lines.0.clone();
        let thread = std::thread::Builder::new().name("log".to_owned());
        if thread.spawn(move || shared.write_all_to(output)).is_err() {
            lines.0.lock().dead = true;
        }
        lines
    }

    /// Hands over a line, or counts it as lost. Never waits for the output.
    pub fn put(&self, line: Vec<u8>) {
        let mut waiting = self.0.lock();
        if waiting.dead || waiting.bytes + line.len() > WAITING_BYTES_MAX {
            self.0.lost.inc();
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        self.0.more.notify_one();
    }

    /// Counts what was lost.
    pub fn lost(&self) -> &Counter {
        &self.0.lost
    }

    /// Waits until all that was handed over is written, for at most `limit`; whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut waiting = self.0.lock();
        while waiting.under_way || !waiting.lines.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || waiting.dead {
                return false;
            }
            waiting = self.0.done.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut output: impl Write) {
        let mut said = 0;
        loop {
            let line = self.next();
            if write_line(&mut output, &line).is_err() {
                self.lost.inc();
            } else if let lost @ 1.. = self.lost.get() - said {
                // Goes through the queue like every line, in its format.
                tracing::warn!(lost, "lines of the log were lost: standard error did not take them");
                said += lost;
            }
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut waiting = self.lock();
        loop {
            waiting.under_way = false;
            if let Some(line) = waiting.lines.pop_front() {
                waiting.bytes -= line.len();
                waiting.under_way = true;
                return line;
            }
            self.done.notify_all();
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Writes a line, for as long as the output takes.
fn write_line(output: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match output.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => line = line.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::park_timeout(FULL_AGAIN),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
