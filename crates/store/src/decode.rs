//! Rows that a start reads, decoded by the other cores while this one goes on reading.
//!
//! Rows are lifted off the file as they lie, some dozens at a time, go to the workers in turn, and come back in the order in
//! which they lie in the file: what is made of them depends on no scheduler. At any time there are as many such portions
//! as twice the workers, each of some 32 KiB or one row, so memory does not grow with the file. What does not fill a
//! portion is decoded here, and so is everything where there is one core.

use crate::record::{Malformed, RowError};
use crate::{Damaged, StoreError, read};
use rusqlite::{Row, Rows};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// Rows of a portion at most.
const PORTION_ROWS: usize = 64;
/// With so many bytes a portion is full.
const PORTION_BYTES: usize = 32 << 10;
/// Workers at most: more of them outrun whoever reads.
const WORKERS_MAX: usize = 4;
/// Portions that a worker has at most.
const PORTIONS_EACH: usize = 2;

/// A row without its body, which lies elsewhere.
pub(crate) trait Lifted: Sized + Send {
    /// The table it comes from.
    const TABLE: &'static str;
    /// The column that numbers the rows, which ascend by it.
    const NUMBER: usize;
    /// What it says.
    type Record;
    /// Takes one off the file; its body is added to `bytes`.
    fn lift(row: &Row<'_>, bytes: &mut Vec<u8>) -> Result<Self, RowError>;
    /// What it is known by.
    fn key(&self) -> String;
    /// What it and its body say.
    fn decode(&self, body: &[u8]) -> Result<Self::Record, Malformed>;
}

/// Some rows behind one another.
struct Portion<L> {
    /// Each, and where its body ends.
    rows: Vec<(Result<L, Damaged>, usize)>,
    bytes: Vec<u8>,
}

/// What became of a portion, and the room that it had.
struct Decoded<L, T> {
    records: Vec<Result<T, Damaged>>,
    room: Portion<L>,
}

/// A worker: what it is given, and what it gives back.
struct Worker<L, T> {
    todo: SyncSender<Portion<L>>,
    done: Receiver<Decoded<L, T>>,
}

/// Rows that are still to be lifted.
struct Source<'a, 'r> {
    rows: &'a mut Rows<'r>,
    /// The number of the last one.
    last: &'a mut i64,
    ended: Result<bool, StoreError>,
}

/// Decodes all rows, makes `work` of each record on some thread, and hands that over in their order. `last` is the number of
/// the last row that was lifted.
///
/// # Errors
/// When a row cannot be read; those before it were handed over.
pub(crate) fn each<L: Lifted, T: Send>(
    rows: &mut Rows<'_>,
    last: &mut i64,
    work: impl Fn(L::Record) -> T + Sync,
    mut take: impl FnMut(Result<T, Damaged>),
) -> Result<(), StoreError> {
    let mut source = Source { rows, last, ended: Ok(false) };
    let first = source.lift(Portion::<L>::default());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let wanted = if source.has_ended() || cores == 1 { 0 } else { cores.min(WORKERS_MAX) };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted).map_while(|_| start(scope, &work)).collect();
        match workers.len() {
            0 => alone(&mut source, first, &work, &mut take),
            _ => in_turn(&mut source, first, &workers, &mut take),
        }
    });
    source.ended.map(|_| ())
}

/// A worker; none where the system has no room for another thread.
fn start<'scope, L: Lifted + 'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: &'scope (impl Fn(L::Record) -> T + Sync),
) -> Option<Worker<L, T>> {
    let (todo, given) = sync_channel::<Portion<L>>(PORTIONS_EACH);
    let (give, done) = sync_channel(PORTIONS_EACH);
    let body = move || {
        for portion in given {
            if give.send(portion.decode(work)).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("decode".to_owned()).spawn_scoped(scope, body).ok()?;
    Some(Worker { todo, done })
}

fn alone<L: Lifted, T>(
    source: &mut Source<'_, '_>,
    mut next: Portion<L>,
    work: &impl Fn(L::Record) -> T,
    take: &mut impl FnMut(Result<T, Damaged>),
) {
    while !next.rows.is_empty() {
        let decoded = next.decode(work);
        decoded.records.into_iter().for_each(&mut *take);
        next = source.lift(decoded.room);
    }
}

/// Gives portions to the workers in turn, and takes them back in the same turn. A worker that is gone panicked, which the
/// scope it ran in tells.
fn in_turn<L: Lifted, T>(
    source: &mut Source<'_, '_>,
    mut next: Portion<L>,
    workers: &[Worker<L, T>],
    take: &mut impl FnMut(Result<T, Damaged>),
) {
    let turn = |number: usize| workers.get(number % workers.len());
    let (mut given, mut taken) = (0, 0);
    while !next.rows.is_empty() || taken < given {
        let mut room = Portion::default();
        if next.rows.is_empty() || given - taken == workers.len() * PORTIONS_EACH {
            let Some(decoded) = turn(taken).and_then(|worker| worker.done.recv().ok()) else { return };
            decoded.records.into_iter().for_each(&mut *take);
            (taken, room) = (taken + 1, decoded.room);
        }
        if !next.rows.is_empty() {
            if turn(given).is_none_or(|worker| worker.todo.send(next).is_err()) {
                return;
            }
            given += 1;
            next = source.lift(room);
        }
    }
}

impl Source<'_, '_> {
    fn has_ended(&self) -> bool {
        !matches!(self.ended, Ok(false))
    }

    /// As many of the next rows as make a portion.
    fn lift<L: Lifted>(&mut self, mut into: Portion<L>) -> Portion<L> {
        into.rows.clear();
        into.bytes.clear();
        while !self.has_ended() && into.rows.len() < PORTION_ROWS && into.bytes.len() < PORTION_BYTES {
            if let Err(error) = self.lift_one(&mut into) {
                self.ended = Err(error);
            }
        }
        into
    }

    fn lift_one<L: Lifted>(&mut self, into: &mut Portion<L>) -> Result<(), StoreError> {
        let Some(row) = self.rows.next()? else {
            self.ended = Ok(true);
            return Ok(());
        };
        *self.last = row.get(L::NUMBER)?;
        let begins = into.bytes.len();
        let lifted = read::decoded(L::TABLE, row, |row| L::lift(row, &mut into.bytes))?;
        if lifted.is_err() {
            into.bytes.truncate(begins);
        }
        into.rows.push((lifted, into.bytes.len()));
        Ok(())
    }
}

impl<L> Default for Portion<L> {
    fn default() -> Self {
        Self { rows: Vec::new(), bytes: Vec::new() }
    }
}

impl<L: Lifted> Portion<L> {
    fn decode<T>(mut self, work: &impl Fn(L::Record) -> T) -> Decoded<L, T> {
        let (mut begins, bytes) = (0, self.bytes.as_slice());
        let one = |(lifted, ends): (Result<L, Damaged>, usize)| {
            let body = bytes.get(begins..ends).unwrap_or_default();
            begins = ends;
            let lifted = lifted?;
            let damaged = |Malformed(why)| Damaged { table: L::TABLE, row: lifted.key(), why };
            lifted.decode(body).map(work).map_err(damaged)
        };
        let records = self.rows.drain(..).map(one).collect();
        Decoded { records, room: self }
    }
}

#[cfg(test)]
mod tests;
