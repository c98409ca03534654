//! Recovery: what was laid down, then the log behind it, published again as it was when it was new.

use crate::keeper::Beginning;
use crate::trail::Trail;
use crate::{Keeper, Recovery};
use engine::{Engine, Id, LedgerRow, Limits, StoredConversation, Time, UserRow};
use store::{Damaged, Opened, Recover, Store, StoreError};

impl Keeper {
    /// Brings back what an opened store holds, at `now` in nanoseconds since the epoch.
    ///
    /// # Errors
    /// When the store cannot be read. Damaged records are set aside and counted.
    pub fn recover(opened: Opened, limits: Limits, now: i64) -> Result<(Self, Recovery), StoreError> {
        let Opened { mut store, incarnation, epoch, seq, .. } = opened;
        let mut back = Back::new(Engine::new(limits, incarnation.get(), seq), now);
        let base = store.recover(&mut back)?;
        let replayed = back.replay(&store, base.damaged)?;
        let heard = replayed.last_committed_at.max(base.last_committed_at);
        // What was received and not stored yet when the last life ended is lost: nothing is known since then.
        let heard_until = heard.unwrap_or(now).min(base.heard_until.unwrap_or(i64::MAX));
        back.engine.resumed(seq, heard_until);
        let recovered = Recovery {
            incarnation: incarnation.get(),
            conversations: base.conversations,
            facts: replayed.facts,
            damaged: base.damaged + back.damaged,
            last_committed_at: heard,
        };
        let with = Beginning {
            trail: back.trail,
            epoch,
            incarnation: incarnation.get(),
            last_updated: replayed.last_updated.or(heard).map(|at| Time::from_nanos(at).to_millis()),
            now,
        };
        Ok((Self::new(back.engine, store, with), recovered))
    }
}

/// An engine on its way back.
struct Back {
    engine: Engine,
    trail: Trail,
    cells: Vec<(i64, u64)>,
    now: i64,
    damaged: u64,
}

#[derive(Default)]
struct Replayed {
    facts: u64,
    last_committed_at: Option<i64>,
    last_updated: Option<i64>,
}

impl Back {
    fn new(engine: Engine, now: i64) -> Self {
        Self { engine, trail: Trail::default(), cells: Vec::new(), now, damaged: 0 }
    }

    /// The log behind what was laid down, published again as it was.
    fn replay(&mut self, store: &Store, damaged: u64) -> Result<Replayed, StoreError> {
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
                if !self.engine.knows(&admitted.conversation) {
                    self.hydrate(store, &admitted.conversation)?;
                }
                self.engine.replay(admitted, row.committed_at);
            }
            let told = self.engine.take_batch();
            self.engine.reuse(told);
        }
        self.engine.replayed(damaged + self.damaged > 0, self.now);
        for (minute, count) in std::mem::take(&mut self.cells) {
            self.engine.restore_cell(minute, count);
        }
        Ok(replayed)
    }

    fn hydrate(&mut self, store: &Store, id: &Id) -> Result<(), StoreError> {
        match store.load(id) {
            Ok(Some(stored)) => self.engine.restore(&stored, self.now),
            Ok(None) => {}
            Err(StoreError::Damaged(what)) => {
                self.damaged(what);
                self.engine.restore_damaged(id, self.now);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Recover for Back {
    fn user(&mut self, row: UserRow) {
        self.engine.restore_user(row);
    }

    fn ledger(&mut self, row: LedgerRow) {
        self.engine.restore_ledger(row);
    }

    fn cell(&mut self, minute: i64, count: u64) {
        self.cells.push((minute, count));
    }

    fn conversation(&mut self, stored: StoredConversation) {
        self.engine.restore(&stored, self.now);
    }

    fn inherited(&mut self, conversation: Id, clock: u64) {
        self.engine.inherit(conversation, clock);
    }

    fn damaged(&mut self, what: Damaged) {
        self.damaged += 1;
        tracing::error!(?what, "a damaged record was set aside; the rest was loaded");
    }
}
