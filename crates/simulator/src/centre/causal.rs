//! The stamps of a gateway that runs in several regions.
//!
//! Each event of a conversation is emitted by one region: mostly the conversation's home, now and then another one.
//! A region counts its own events of that conversation and stamps each with all it had seen of it. Regions hear of
//! each other's events after a delay, so two events that do not follow from each other may be truly concurrent; an
//! event that does follow (a leave after its join, the end after everything) waits until its region has heard of the
//! cause. Rejected: one clock for all conversations of a region (a consumer would have to hold back one
//! conversation until it had seen all others).

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::time::Millis;

/// The regions that `--regions` can name, in the order in which they are added.
pub const REGIONS: [&str; 8] = ["use1", "euw1", "apse2", "usw2", "euc1", "apne1", "sae1", "cac1"];

/// Slowest replication between two regions.
const DELAY_MS_MAX: Millis = 1_500;

/// How often an event is emitted away from home.
const AWAY: f64 = 0.35;

type Clock = [u64; REGIONS.len()];

/// Who emitted an event and what it had seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CausalStamp {
    pub region: &'static str,
    /// By region, own entry included, no zero entries.
    pub clock: BTreeMap<&'static str, u64>,
}

/// What an event follows from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The conversation's first event.
    None,
    /// The start, the participant's own events and the latest of the one who came before it.
    Participant(usize),
    /// Everything that happened.
    All,
}

struct Sent {
    participant: Option<usize>,
    clock: Clock,
    /// When each region hears of it.
    heard_at: [Millis; REGIONS.len()],
}

/// The causal history of one conversation.
pub struct Causal {
    regions: usize,
    home: usize,
    seen: [Clock; REGIONS.len()],
    sent: Vec<Sent>,
}

impl Causal {
    /// A conversation that nothing is known of, among `regions` regions (1 or more).
    pub fn new(rng: &mut Rng, regions: usize) -> Self {
        Self { regions, home: rng.usize(..regions), seen: Default::default(), sent: Vec::new() }
    }

    /// Emits one event at `now` for `participant`, none being the conversation itself.
    pub fn stamp(
        &mut self,
        rng: &mut Rng,
        now: Millis,
        participant: Option<usize>,
        cause: Cause,
    ) -> CausalStamp {
        let region = if rng.f64() < AWAY { rng.usize(..self.regions) } else { self.home };
        let mut clock = self.seen[region];
        for sent in &self.sent {
            if sent.heard_at[region] <= now || self.follows(sent, cause) {
                merge(&mut clock, &sent.clock);
            }
        }
        clock[region] += 1;
        self.seen[region] = clock;
        let delay = |_| now + rng.i64(1..=DELAY_MS_MAX);
        self.sent.push(Sent { participant, clock, heard_at: std::array::from_fn(delay) });
        let entries = REGIONS.iter().zip(clock).filter(|(_, count)| *count > 0);
        CausalStamp { region: REGIONS[region], clock: entries.map(|(name, count)| (*name, count)).collect() }
    }

    fn follows(&self, sent: &Sent, cause: Cause) -> bool {
        match cause {
            Cause::None => false,
            Cause::All => true,
            Cause::Participant(slot) => {
                sent.participant.is_none_or(|earlier| earlier == slot || earlier + 1 == slot)
            }
        }
    }
}

fn merge(into: &mut Clock, other: &Clock) {
    for (mine, theirs) in into.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
