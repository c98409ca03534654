//! Held and muted: values that go back and forth, so that content alone does not identify a change.
//!
//! A hold is known by when it began (`startHoldTime`), so every copy of "on hold since T" is one fact and a late one
//! cannot flip anything back. That it is over is told without a time; the fact is "the hold of T is over", known once.
//! Mutes have no time at all: the n-th change of a leg is the fact.
//!
//! Changes without a time are taken in order of arrival, from one lane (feed and topic) per conversation: the first one
//! heard, until another lane shows a frame that proves a newer fact than any known, which is the newest by proof. A
//! frame that proves nothing new on another lane is a second copy and says nothing. A hold that is over so soon that two
//! frames may have changed places is taken as said, and a repair is asked for: a REST read tells the hold's own times.
//! The same goes for every mute, whose order nothing proves: a read a little later tells how it stands.

use crate::conversation::{Conversation, is_whole};
use crate::entry::NO_TIME;
use crate::limits::Limits;
use crate::{Authority, Delivery, Fact, FactId, Source, Toggle, What};

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
    let newest = frame.facts.iter().filter_map(|f| f.at).map(|t| t.nanos).max().unwrap_or(NO_TIME);
    let trusted =
        frame.source == Source::Rest || newest > newest_before || conversation.lane.is_none_or(|l| l == lane);
    if trusted && frame.source != Source::Rest && is_whole(frame.source) {
        conversation.lane = Some(lane);
    }
    let folded = conversation.folded();
    for toggle in &frame.toggles {
        let known = folded.participants.iter().flat_map(|p| &p.communications);
        let names = &conversation.names;
        let mut leg = known.filter(|c| names.same_id(c.id, Some(&toggle.communication)));
        let leg = leg.next();
        if leg.is_some_and(|l| l.ended.is_some()) {
            continue;
        }
        let now =
            leg.map_or((false, NO_TIME, false, 0, 0), |l| (l.held, l.held_since, l.muted, l.mutes, l.holds));
        read(toggle, now, trusted, frame, limits, &mut minted);
    }
    minted
}

type Known = (bool, i64, bool, u32, u32);

fn read(
    toggle: &Toggle,
    known: Known,
    trusted: bool,
    frame: &Delivery,
    limits: &Limits,
    minted: &mut Minted,
) {
    let (held, held_since, muted, mutes, holds) = known;
    match (toggle.what, toggle.on, toggle.since) {
        (What::Held, true, Some(_)) => {
            let mut fact = blank(toggle);
            (fact.since, fact.at, fact.authority) = (toggle.since, toggle.since, Authority::Recorded);
            minted.facts.push(fact.identified());
        }
        (What::Held, true, None) if trusted && !held => minted.facts.push(nth(toggle, holds)),
        (What::Held, false, _) if trusted && held && held_since == NO_TIME => {
            minted.facts.push(nth(toggle, holds))
        }
        (What::Held, false, _) if trusted && held && held_since <= frame.received => {
            let mut fact = blank(toggle);
            fact.since = Some(crate::Time::from_nanos(held_since));
            minted.facts.push(fact.identified());
            minted.doubtful |= frame.source != Source::Rest
                && frame.received.saturating_sub(held_since) < limits.toggle_settle_ns;
        }
        (What::Muted, on, _) if trusted && on != muted => {
            minted.facts.push(nth(toggle, mutes));
            minted.doubtful |= frame.source != Source::Rest;
        }
        _ => {}
    }
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
