//! The newest published changes, for those who follow along.
//!
//! A bounded ring holds what was published since somebody first asked; a follower that comes back with a position in it
//! misses nothing, and one that is too far behind is told so, instead of being handed a stream with a hole. Nothing is
//! built before the first follower comes: a program that nobody streams from pays nothing.

use engine::Change;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// How many changes are kept for followers that come back: at 100 changes a second, nearly three minutes.
pub const CHANGES_KEPT_MAX: usize = 16_384;
/// How many batches a slow follower may be behind before it has to begin anew.
const BATCHES_BEHIND_MAX: usize = 1_024;

/// The published changes, newest last.
#[derive(Debug)]
pub struct ChangeLog {
    wanted: AtomicBool,
    kept: Mutex<Kept>,
    live: broadcast::Sender<Arc<[Arc<Change>]>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The ring holds every change with a number above this.
    after: u64,
    ring: VecDeque<Arc<Change>>,
}

/// A follower's start: what it missed, and what comes.
#[derive(Debug)]
pub struct Following {
    /// The changes after the position asked for; none when some of them are gone, or none was asked for: begin with a
    /// snapshot of [`Following::seq`] or later.
    pub missed: Option<Vec<Arc<Change>>>,
    /// The number of the newest change that was published when following began.
    pub seq: u64,
    /// Every batch of changes after that.
    pub live: broadcast::Receiver<Arc<[Arc<Change>]>>,
}

impl Default for ChangeLog {
    fn default() -> Self {
        let (live, _) = broadcast::channel(BATCHES_BEHIND_MAX);
        Self { wanted: AtomicBool::new(false), kept: Mutex::default(), live }
    }
}

impl ChangeLog {
    /// Whether anybody ever followed: only then does a publisher have to build changes.
    #[must_use]
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// Begins to follow after the change number `after`, or from now on.
    #[must_use]
    pub fn follow(&self, after: Option<u64>) -> Following {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.store(true, Ordering::Release);
        let live = self.live.subscribe();
        let seq = kept.ring.back().map_or(kept.after, |newest| newest.seq);
        let missed = after
            .filter(|&after| after >= kept.after && after <= seq)
            .map(|after| kept.ring.iter().filter(|c| c.seq > after).cloned().collect());
        Following { missed, seq, live }
    }

    /// Publishes a batch that is committed; `seq` is the newest number published, built or not.
    pub fn publish(&self, changes: Vec<Change>, seq: u64) {
        let batch: Arc<[Arc<Change>]> = changes.into_iter().map(Arc::new).collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.is_empty() {
            kept.ring.clear();
            kept.after = seq;
            return;
        }
        kept.ring.extend(batch.iter().cloned());
        while kept.ring.len() > CHANGES_KEPT_MAX {
            if let Some(gone) = kept.ring.pop_front() {
                kept.after = gone.seq;
            }
        }
        let _nobody_listens = self.live.send(batch);
    }
}
