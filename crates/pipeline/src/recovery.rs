//! Recovery: what was laid down, then the log behind it, published again as it was when it was new.
//!
//! At any time a few rows of the store are in memory besides what the engine keeps anyway, however long the history is.

use crate::keeper::Beginning;
use crate::trail::Trail;
use crate::{Keeper, Recovery};
use engine::{Engine, Id, LedgerRow, Limits, StoredConversation, TakenUp, Time, UserRow};
use std::collections::VecDeque;
use store::{Damaged, Inherited, Opened, Recover, Store, StoreError};

impl Keeper {
    /// Brings back what an opened store holds, at `now` in nanoseconds since the epoch.
    ///
    /// # Errors
    /// When the store cannot be read. Damaged records are set aside and counted.
    pub fn recover(opened: Opened, limits: Limits, now: i64) -> Result<(Self, Recovery), StoreError> {
        let (incarnation, epoch) = (opened.incarnation.get(), opened.epoch);
        let mut back = brought_back(opened, limits, now)?;
        back.engine.resumed(back.seq, back.heard_until, now);
        let recovered = Recovery {
            incarnation,
            conversations: back.conversations,
            facts: back.facts,
            in_memory: back.engine.resident_count(),
            active: back.engine.active_count(),
            size_bytes: back.store.size_bytes(),
            seq: back.seq,
            damaged: back.damaged,
            last_committed_at: back.last_committed_at,
            look_back_to: back.engine.look_back_to(back.last_committed_at.unwrap_or(now).min(now)),
        };
        let last_updated = back.last_updated.or(back.last_committed_at);
        let with = Beginning {
            trail: back.trail,
            epoch,
            incarnation,
            last_updated: last_updated.map(|at| Time::from_nanos(at).to_millis()),
            last_commit: back.last_committed_at,
            now,
        };
        Ok((Self::new(back.engine, back.store, with), recovered))
    }
}

/// Minutes with events that are kept aside until the log is replayed: a day, since the engine forgets older ones.
const CELLS_MAX: usize = 1_440;

/// All that an opened store holds, in an engine that has not resumed.
pub(crate) struct BroughtBack {
    pub engine: Engine,
    pub store: Store,
    pub trail: Trail,
    /// The last change number that was published.
    pub seq: u64,
    /// Since when nothing is known, if nobody runs on the store: what was received and not stored yet is lost.
    pub heard_until: i64,
    /// Conversations that were laid down and live on.
    pub conversations: u64,
    /// Facts replayed from the log.
    pub facts: u64,
    /// Records that could not be read.
    pub damaged: u64,
    /// Of those, the ones that are no conversation.
    pub damaged_elsewhere: u64,
    /// Of those, the conversations that were in memory.
    pub damaged_in_memory: Vec<Damaged>,
    pub last_committed_at: Option<i64>,
    /// When facts were committed last.
    pub last_updated: Option<i64>,
}

/// Reads it all, at `now`.
pub(crate) fn brought_back(opened: Opened, limits: Limits, now: i64) -> Result<BroughtBack, StoreError> {
    let Opened { mut store, incarnation, seq, .. } = opened;
    let mut back = Back::new(Engine::new(limits, incarnation.get(), seq), now);
    let base = store.recover(&mut back)?;
    store.removed_before()?.into_iter().for_each(|at| back.engine.removed_before(at));
    let replayed = back.replay(&store)?;
    back.begin_damaged_anew(&store)?;
    let heard = replayed.last_committed_at.max(base.last_committed_at);
    Ok(BroughtBack {
        engine: back.engine,
        store,
        trail: back.trail,
        seq,
        heard_until: heard.unwrap_or(now).min(base.heard_until.unwrap_or(i64::MAX)),
        conversations: base.conversations,
        facts: replayed.facts,
        damaged: back.damaged,
        damaged_elsewhere: back.damaged_elsewhere,
        damaged_in_memory: back.damaged_in_memory,
        last_committed_at: heard,
        last_updated: replayed.last_updated,
    })
}

/// An engine on its way back.
struct Back {
    engine: Engine,
    trail: Trail,
    /// The newest.
    cells: VecDeque<(i64, u64)>,
    now: i64,
    /// Records that were set aside.
    damaged: u64,
    /// Those of conversations that were in memory, or that the log tells of.
    lost: Vec<String>,
    damaged_in_memory: Vec<Damaged>,
    damaged_elsewhere: u64,
}

#[derive(Default)]
struct Replayed {
    facts: u64,
    last_committed_at: Option<i64>,
    last_updated: Option<i64>,
}

impl Back {
    fn new(engine: Engine, now: i64) -> Self {
        Self {
            engine,
            trail: Trail::default(),
            cells: VecDeque::new(),
            now,
            damaged: 0,
            lost: Vec::new(),
            damaged_in_memory: Vec::new(),
            damaged_elsewhere: 0,
        }
    }

    /// The log behind what was laid down, published again as it was.
    fn replay(&mut self, store: &Store) -> Result<Replayed, StoreError> {
        let (mut position, mut replayed) = (0, Replayed::default());
        while let Some(row) = store.replay_after(position)? {
            position = row.position;
            replayed.last_committed_at = Some(row.committed_at);
            if !row.admitted.is_empty() {
                replayed.last_updated = Some(row.committed_at);
            }
            replayed.facts += row.admitted.iter().filter(|admitted| !admitted.arrival.waits).count() as u64;
            self.trail.add(position, row.admitted.iter().map(|a| &a.conversation));
            for admitted in row.admitted {
                if self.is_removed(store, &admitted.conversation, position)? {
                    continue;
                }
                if !self.engine.knows(&admitted.conversation) {
                    self.hydrate(store, &admitted.conversation)?;
                }
                self.engine.replay(admitted, row.committed_at);
            }
            let told = self.engine.take_batch();
            self.engine.reuse(told);
        }
        self.engine.replayed(self.damaged > 0, self.now);
        for (minute, count) in std::mem::take(&mut self.cells) {
            self.engine.restore_cell(minute, count);
        }
        Ok(replayed)
    }

    /// Whether what a row of the log tells of a conversation was removed since.
    fn is_removed(&mut self, store: &Store, id: &Id, position: u64) -> Result<bool, StoreError> {
        if self.engine.horizon().is_none() || (self.engine.knows(id) && !self.engine.was_removed(id)) {
            return Ok(false);
        }
        match store.removed(id) {
            Ok(gone) => Ok(gone.is_some_and(|gone| position <= gone.position)),
            Err(StoreError::Damaged(what)) => {
                self.set_aside(&what);
                self.engine.restore_damaged(id, self.now);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn set_aside(&mut self, what: &Damaged) {
        self.damaged += 1;
        tracing::error!(%what, "a damaged record was set aside; the rest was loaded");
    }

    /// Conversations that were in memory and whose record is damaged begin anew: partial, and to be read again. One whose id
    /// itself is damaged is not found by it, and is not made up.
    fn begin_damaged_anew(&mut self, store: &Store) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.lost) {
            let Ok(id) = Id::new(&id) else { continue };
            if self.engine.knows(&id) {
                // The log told of it; what was wished for while it was replayed is forgotten.
                self.engine.wish_damaged(&id);
                continue;
            }
            match store.load(&id) {
                Err(StoreError::Damaged(_)) => self.engine.restore_damaged(&id, self.now),
                other => drop(other?),
            }
        }
        Ok(())
    }

    fn hydrate(&mut self, store: &Store, id: &Id) -> Result<(), StoreError> {
        match store.load(id) {
            Ok(Some(stored)) => self.engine.restore(&stored, self.now),
            Ok(None) => {}
            Err(StoreError::Damaged(what)) => {
                if !self.lost.contains(&what.row) {
                    self.set_aside(&what);
                    self.lost.push(what.row);
                }
                self.engine.restore_damaged(id, self.now);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Recover for Back {
    type Prepared = TakenUp;

    fn prepare(stored: StoredConversation) -> TakenUp {
        TakenUp::of(&stored)
    }

    fn user(&mut self, row: UserRow) {
        self.engine.restore_user(row);
    }

    fn ledger(&mut self, row: LedgerRow) {
        self.engine.restore_ledger(row);
    }

    fn cell(&mut self, minute: i64, count: u64) {
        if self.cells.len() == CELLS_MAX {
            self.cells.pop_front();
        }
        self.cells.push_back((minute, count));
    }

    fn conversation(&mut self, prepared: TakenUp) {
        self.engine.admit_taken_up(prepared, self.now);
    }

    fn inherited(&mut self, row: Inherited) {
        if let Some(memory) = row.remembered {
            self.engine.remember(row.conversation.clone(), memory, self.now);
        }
        match row.removed_until {
            Some(until) => self.engine.inherit_removed(row.conversation, row.clock, until),
            None => self.engine.inherit(row.conversation, row.clock),
        }
    }

    fn damaged(&mut self, what: Damaged) {
        self.set_aside(&what);
        self.damaged_elsewhere += u64::from(what.table != "conversation");
        match what.table {
            "ledger" => self.engine.lose_ledger_rows(),
            "conversation" => {
                self.lost.push(what.row.clone());
                self.damaged_in_memory.push(what);
            }
            _ => {}
        }
    }
}
