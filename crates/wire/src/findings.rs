//! What a body proves, collected fact by fact.
//!
//! Snapshots in both shapes, detail events and REST reads all end here, so that one thing that is told by four
//! surfaces becomes the same fact from each. Facts are collected aside and delivered at the end: a body that turns out
//! to be refused has appended nothing. Rejected: appending as one reads, and taking back on a refusal.

use crate::{Batch, Ignored, Origin, Outcome};
use engine::{Authority, Delivery, Fact, Id, SECOND, Source, Time, Toggle, What, Word, is_end};
use smallvec::SmallVec;

/// How far `resumeTime` may lie ahead of us and still be something that happened: two clocks, not a plan.
const SKEW_MAX: i64 = 5 * SECOND;

/// The surface, the lane and the receipt of a frame: what its delivery says beside its facts.
#[derive(Clone, Copy)]
pub(crate) struct Receipt {
    pub origin: Origin,
    pub source: Source,
    pub topic: u64,
}

/// The facts and toggles of one body so far.
#[derive(Default)]
pub(crate) struct Findings {
    facts: SmallVec<[Fact; 1]>,
    toggles: Vec<Toggle>,
}

/// One communication, or a participant in the flat shape, as a snapshot shows it.
pub(crate) struct Leg<'a> {
    pub participant: &'a Id,
    pub communication: Option<&'a Id>,
    /// As written, lower case; `none` counts as absent.
    pub state: Option<Word>,
    pub alerting: Option<Time>,
    pub connected: Option<Time>,
    /// When it ended, and how good that time is; known only of what has ended.
    pub ended: Option<(Time, Authority)>,
    pub end_reason: Option<Word>,
    pub parked: Option<Time>,
    /// When it was resumed, or shall be.
    pub resumed: Option<Time>,
}

impl Leg<'_> {
    /// True when it has an end time or an end state.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() || self.state.as_ref().is_some_and(is_end)
    }

    fn in_state(&self, state: &str) -> bool {
        self.state.as_ref().is_some_and(|own| own == state)
    }

    /// A state it was in at a time that a field records.
    fn recorded(&self, state: &str, at: Time) -> Fact {
        Fact {
            participant: Some(self.participant.clone()),
            communication: self.communication.cloned(),
            at: Some(at),
            authority: Authority::Recorded,
            state: Word::new(state),
            ..Fact::new(What::State)
        }
    }

    /// The state that it is in now and that no field dates; none when that is dated or absent.
    fn undated(&self) -> Option<Fact> {
        let dated = (self.in_state("connected") && self.connected.is_some())
            || (self.in_state("alerting") && self.alerting.is_some())
            || (self.in_state("parked") && self.parked.is_some());
        let state = self.state.clone().filter(|state| !dated && state != "none")?;
        Some(Fact {
            participant: Some(self.participant.clone()),
            communication: self.communication.cloned(),
            state: Some(state),
            ..Fact::new(What::State)
        })
    }

    fn end(&self) -> Fact {
        let state = self.state.clone().filter(is_end).or_else(|| Word::new("disconnected"));
        let (at, authority) = match self.ended {
            Some((at, authority)) => (Some(at), authority),
            None => (None, Authority::Received),
        };
        Fact {
            participant: Some(self.participant.clone()),
            communication: self.communication.cloned(),
            at,
            authority,
            state,
            reason: self.end_reason.clone(),
            ..Fact::new(What::State)
        }
    }

    /// The end of the last parking. `resumeTime` is when it *should* resume (Genesys SDK field docs), so that it is
    /// a fact only when it has passed and the leg is parked no more. Someone who resumes earlier leaves no time; what
    /// is known then is that the parking at `parkTime` is over.
    fn resumption(&self, origin: Origin) -> Option<Fact> {
        if self.in_state("parked") {
            return None;
        }
        let began = self.parked.or(self.connected)?;
        let passed = |at: &Time| match self.ended {
            // Of a leg that is over it needs no clock of ours to tell.
            Some((end, _)) => *at < end,
            None => at.nanos <= origin.sent_by.saturating_add(SKEW_MAX),
        };
        let happened = |at: &Time| *at > began && passed(at);
        if let Some(at) = self.resumed.filter(happened) {
            return Some(Fact { since: Some(at), ..self.recorded("connected", at) });
        }
        let parked = self.parked.filter(|_| self.in_state("connected") && !self.is_over())?;
        Some(Fact {
            since: Some(parked),
            at: None,
            authority: Authority::Received,
            ..self.recorded("connected", parked)
        })
    }
}

impl Findings {
    /// Adds a fact under the identity of its content.
    pub fn push(&mut self, fact: Fact) {
        self.facts.push(fact.identified());
    }

    /// Adds a toggle.
    pub fn push_toggle(&mut self, toggle: Toggle) {
        self.toggles.push(toggle);
    }

    /// Adds every state that a leg's times and its current state prove.
    pub fn leg(&mut self, leg: &Leg, origin: Origin) {
        if let Some(at) = leg.alerting {
            self.push(leg.recorded("alerting", at));
        }
        if let Some(at) = leg.connected {
            self.push(leg.recorded("connected", at));
        }
        if let Some(at) = leg.parked {
            self.push(Fact { since: Some(at), ..leg.recorded("parked", at) });
        }
        if let Some(fact) = leg.resumption(origin) {
            self.push(fact);
        }
        if leg.is_over() {
            self.push(leg.end());
        } else if let Some(fact) = leg.undated() {
            self.push(fact);
        }
    }

    /// Adds the beginning and the end of a participant's after-call work.
    pub fn after_call_work(&mut self, participant: &Id, edges: [Option<(Time, Authority)>; 2]) {
        for (edge, on) in edges.into_iter().zip([true, false]) {
            let Some((at, authority)) = edge else { continue };
            let participant = Some(participant.clone());
            self.push(Fact { participant, at: Some(at), authority, on, ..Fact::new(What::AfterCallWork) });
        }
    }

    /// Adds a wrap-up code, where there is one.
    pub fn wrap_up(&mut self, participant: &Id, code: &str, at: Option<Time>, authority: Authority) {
        let Some(reason) = Word::new(code) else { return };
        let authority = if at.is_some() { authority } else { Authority::Received };
        let participant = Some(participant.clone());
        self.push(Fact { participant, at, authority, reason: Some(reason), ..Fact::new(What::WrapUp) });
    }

    /// Adds the end of a participant, where its time is known.
    pub fn left(&mut self, participant: &Id, at: Option<(Time, Authority)>) {
        if let Some((at, authority)) = at {
            let participant = Some(participant.clone());
            self.push(Fact { participant, at: Some(at), authority, ..Fact::new(What::Left) });
        }
    }

    /// Hands everything over as one delivery.
    pub fn deliver(self, conversation: Id, receipt: Receipt, out: &mut Batch) -> Outcome {
        let count = self.facts.len() + self.toggles.len();
        if count == 0 {
            return Outcome::Ignored(Ignored::Empty);
        }
        out.deliveries.push(Delivery {
            conversation,
            feed: receipt.origin.feed,
            source: receipt.source,
            topic: receipt.topic,
            received: receipt.origin.received,
            facts: self.facts,
            toggles: self.toggles,
        });
        Outcome::Facts(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
