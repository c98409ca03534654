//! Held and muted: values that go back and forth, so that content alone does not identify a change.
//!
//! A hold is known by when it began (`startHoldTime`), so every copy of "on hold since T" is one fact and a late one
//! cannot flip anything back. That it is over is told without a time; the fact is "the hold of T is over", known once.
//! Mutes have no time at all: the n-th change of a leg is the fact.
//!
//! Changes without a time are taken in order of arrival, from one lane (feed and topic) per conversation: the first one
//! heard, until another lane shows a frame that proves a newer fact than any known, which is the newest by proof. A
//! frame that proves nothing new on another lane is a second copy and says nothing. That a hold is over, nothing in
//! a frame proves unless it shows something newer than the hold: a repair is asked for, and a REST read tells the hold's
//! own times. So soon that two frames may have changed places it is not even told on such a word. A hold that is told
//! shortly behind another frame may have changed places with its own end, and asks for a read as well. Should a hold that was told to be over turn out to last, a read says so as a fact of its own, and the end it has
//! one day is another. A mute is taken as said, whose order nothing proves, and asks for a read too, which tells how it
//! stands a little later.

use crate::conversation::{Conversation, is_whole};
use crate::entry::NO_TIME;
use crate::fold::Communication;
use crate::limits::{Limits, REORDER_NS};
use crate::{Authority, Delivery, Fact, FactId, Source, Time, Toggle, What};

/// The facts that a frame's toggles amount to.
#[derive(Debug, Default)]
pub(crate) struct Minted {
    pub facts: Vec<Fact>,
    /// Two frames may have changed places: ask for a repair.
    pub doubtful: bool,
}

/// Reads a frame's toggles against what is known before it.
pub(crate) fn mint(conversation: &mut Conversation, frame: &Delivery, limits: &Limits) -> Minted {
    let mut minted = Minted::default();
    if frame.toggles.is_empty() {
        return minted;
    }
    let lane = (frame.feed, frame.topic);
    let newest_before = conversation.newest().map_or(NO_TIME, |t| t.nanos);
    let newest = frame.newest();
    let trusted = frame.source == Source::Rest
        || newest > newest_before
        || conversation.lane().is_none_or(|l| l == lane);
    if trusted && frame.source != Source::Rest && is_whole(frame.source) {
        conversation.follow_lane(lane);
    }
    let crowded = frame.received.saturating_sub(conversation.last_received) < REORDER_NS;
    let folded = conversation.folded();
    for toggle in &frame.toggles {
        let known = folded.participants.iter().flat_map(|p| &p.communications);
        let names = &conversation.names;
        let mut leg = known.filter(|c| names.same_id(c.id, Some(&toggle.communication)));
        let leg = leg.next();
        if leg.is_some_and(|l| l.ended.is_some()) {
            minted.of_ended(toggle, frame, conversation);
            continue;
        }
        let unknown = Known { held_since: NO_TIME, over_since: NO_TIME, ..Known::default() };
        let known = Known { crowded, ..leg.map_or(unknown, Known::of) };
        read(toggle, known, trusted, frame, limits, &mut minted);
    }
    minted
}

impl Delivery {
    /// The newest instant that it proves.
    fn newest(&self) -> i64 {
        self.facts.iter().filter_map(|fact| fact.at).map(|at| at.nanos).max().unwrap_or(NO_TIME)
    }
}

impl Minted {
    /// Of what has ended, a hold that has a time is history all the same. That it is over came by unread, if it came, so that a
    /// repair is asked for.
    fn of_ended(&mut self, toggle: &Toggle, frame: &Delivery, conversation: &Conversation) {
        if let (What::Held, true, Some(_)) = (toggle.what, toggle.on, toggle.since) {
            let fact = began(toggle);
            self.doubtful |=
                frame.source != Source::Rest && !conversation.entries.iter().any(|e| e.is(fact.id));
            self.facts.push(fact);
        }
    }
}

/// How a leg's toggles stand before a frame.
#[derive(Clone, Copy, Default)]
struct Known {
    held: bool,
    held_since: i64,
    over_since: i64,
    muted: bool,
    mutes: u32,
    holds: u32,
    /// Another frame came so shortly before that the two may have changed places.
    crowded: bool,
}

impl Known {
    fn of(leg: &Communication) -> Self {
        Self {
            held: leg.held,
            held_since: leg.held_since,
            over_since: leg.over_since,
            muted: leg.muted,
            mutes: leg.mutes,
            holds: leg.holds,
            crowded: false,
        }
    }
}

fn read(toggle: &Toggle, k: Known, trusted: bool, frame: &Delivery, limits: &Limits, minted: &mut Minted) {
    let rest = frame.source == Source::Rest;
    match (toggle.what, toggle.on, toggle.since) {
        (What::Held, true, Some(since)) if rest && !k.held && k.over_since == since.nanos => {
            // Told to be over by a frame that had changed places with another: it lasts. Or the read was asked for before
            // that frame, and answered late: the next one tells.
            minted.facts.push(Fact { since: toggle.since, ..nth(toggle, k.holds) });
            minted.doubtful = true;
        }
        (What::Held, true, Some(since)) => {
            // Its end may have come before it, and said nothing then.
            let is_news = k.held_since != since.nanos && k.over_since != since.nanos;
            minted.doubtful |= is_news && k.crowded && !rest;
            minted.facts.push(began(toggle));
        }
        (What::Held, true, None) if trusted && !k.held => minted.facts.push(nth(toggle, k.holds)),
        (What::Held, false, _) if trusted && k.held => {
            let timed = k.held_since != NO_TIME;
            let soon = frame.received.saturating_sub(k.held_since) < limits.toggle_settle_ns;
            let proven = timed && frame.newest() > k.held_since;
            minted.doubtful |= !rest && !proven;
            // A read tells ends as facts of their own, with their times; without one it is older than the hold.
            if !timed || proven || !(rest || soon) {
                minted.facts.push(unheld(toggle, k));
            }
        }
        (What::Muted, on, _) if trusted && on != k.muted => {
            minted.facts.push(nth(toggle, k.mutes));
            minted.doubtful |= !rest;
        }
        _ => {}
    }
}

/// A hold is known by when it began.
fn began(toggle: &Toggle) -> Fact {
    let mut fact = blank(toggle);
    (fact.since, fact.at, fact.authority) = (toggle.since, toggle.since, Authority::Recorded);
    fact.identified()
}

/// The hold that lasts is over: known by when it began, unless that has no time, or was told already and mended.
fn unheld(toggle: &Toggle, k: Known) -> Fact {
    let since = (k.held_since != NO_TIME).then(|| Time::from_nanos(k.held_since));
    if since.is_none() || k.over_since == k.held_since {
        return Fact { since, ..nth(toggle, k.holds) };
    }
    Fact { since, ..blank(toggle) }.identified()
}

fn blank(toggle: &Toggle) -> Fact {
    let mut fact = Fact::new(toggle.what);
    fact.participant = Some(toggle.participant.clone());
    fact.communication = Some(toggle.communication.clone());
    fact.on = toggle.on;
    fact
}

/// The n-th change of a toggle without a time.
fn nth(toggle: &Toggle, n: u32) -> Fact {
    let mut fact = blank(toggle);
    let what = [toggle.what as u8, u8::from(toggle.on)];
    fact.id = FactId::of_content(&[b"toggle", &what, toggle.communication.key(), &n.to_le_bytes()]);
    fact
}
