//! Facts out of decisions, in the shapes that `wire` gives them.

use crate::cursor::Cursor;
use causal::{Dot, VectorClock};
use engine::{Authority, Fact, FactId, Id, SECOND, Stamp, Time, Toggle, What, Word};
use std::num::NonZeroU64;
use std::sync::Arc;

/// Noon of some day, in nanoseconds since the epoch.
pub(super) const NOON: i64 = 1_767_268_800 * SECOND;
/// Who emits stamped events.
const REGIONS: [&str; 3] = ["a", "b", "c"];

pub(super) fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn word(text: &str) -> Option<Word> {
    Word::new(text)
}

/// An instant near noon: few enough to coincide, far enough apart to fall into several minutes.
fn instant(from: &mut Cursor<'_>) -> Time {
    const STEPS_NS: [i64; 4] = [1, 1_000_000, SECOND, 20 * SECOND];
    let (count, digits) = (i64::from(from.byte() % 16), [9, 3, 0, 3]);
    let step = from.below(4);
    Time { nanos: NOON + count * STEPS_NS[step], digits: digits[step] }
}

/// A well-formed causal history: each event of a region has seen all before it there, and maybe what another region knew.
pub(super) fn history(from: &mut Cursor<'_>) -> Vec<Stamp> {
    let mut knows: [VectorClock<Word>; 3] = Default::default();
    let mut stamps = Vec::new();
    for _ in 0..from.below(12) {
        let (region, other) = (from.below(3), from.below(4));
        if let Some(theirs) = knows.get(other).cloned() {
            knows[region].merge(&theirs);
        }
        let dot = knows[region].increment(word(REGIONS[region]).expect("a word"));
        stamps.push(Stamp { dot, clock: knows[region].clone() });
    }
    stamps
}

/// A stamp such as a broken gateway could send: its own event is in the clock, and nothing else is certain.
fn hostile_stamp(from: &mut Cursor<'_>) -> Stamp {
    const COUNTERS: [u64; 8] = [0, 1, 2, 3, 4, 5, 1_500, u64::MAX];
    let own = from.below(3);
    let mut clock = VectorClock::new();
    for (n, region) in REGIONS.iter().enumerate() {
        let counter = from.pick(&COUNTERS).max(u64::from(n == own));
        if let Some(counter) = NonZeroU64::new(counter) {
            clock.observe(&Dot { actor: word(region).expect("a word"), counter });
        }
    }
    let actor = word(REGIONS[own]).expect("a word");
    let counter = NonZeroU64::new(clock.get(&actor)).expect("its own event");
    Stamp { dot: Dot { actor, counter }, clock }
}

/// An event of the `events` dialect: one of the history, or a stray with any stamp or none.
pub(super) fn event(from: &mut Cursor<'_>, history: &[Stamp], hostile: bool) -> Fact {
    let number = from.byte() % 32;
    let told = history.get(usize::from(number)).filter(|_| !hostile);
    let what = from.pick(&[What::Joined, What::Role, What::Left, What::State, What::LifeCycle]);
    let mut fact = Fact::new(what);
    if what != What::LifeCycle {
        fact.participant = Some(id(from.pick(&["p", "q"])));
    }
    fact.state = word(from.pick(&["connected", "alerting", "disconnected", "ended", "strange", ""]));
    fact.role = word(from.pick(&["agent", "supervisor", ""]));
    if what == What::LifeCycle {
        fact.role = None;
        fact.state = fact.state.or_else(|| word("in-progress"));
    }
    (fact.at, fact.authority) = (Some(instant(from)), Authority::Recorded);
    fact.stamp = match told {
        Some(stamp) => Some(Arc::new(stamp.clone())),
        None if hostile && from.flag() => Some(Arc::new(hostile_stamp(from))),
        None => None,
    };
    fact.id = FactId::of_event(&number.to_string());
    fact
}

/// A fact of a snapshot, a detail event or a REST read.
pub(super) fn evidence(from: &mut Cursor<'_>) -> Fact {
    let participant = Some(id(from.pick(&["p", "q"])));
    let leg = Some(id(from.pick(&["l", "m"])));
    let (what, of_leg) = [
        (What::Joined, false),
        (What::Joined, true),
        (What::State, true),
        (What::State, true),
        (What::State, true),
        (What::State, false),
        (What::Held, true),
        (What::AfterCallWork, false),
        (What::WrapUp, false),
        (What::Left, false),
        (What::LifeCycle, false),
    ][from.below(11)];
    let mut fact = Fact::new(what);
    fact.participant = participant.filter(|_| what != What::LifeCycle);
    fact.communication = leg.filter(|_| of_leg);
    let needs_time = matches!(what, What::Left | What::LifeCycle | What::Held | What::AfterCallWork);
    if needs_time || from.below(4) > 0 {
        fact.at = Some(instant(from));
        fact.authority = from.pick(&[Authority::Recorded, Authority::Reported, Authority::Derived]);
    }
    attributes(&mut fact, from);
    fact.identified()
}

fn attributes(fact: &mut Fact, from: &mut Cursor<'_>) {
    match (fact.what, fact.communication.is_some()) {
        (What::Joined, true) => {
            fact.medium = word(from.pick(&["voice", "chat"]));
            fact.direction = word(from.pick(&["inbound", ""]));
        }
        (What::Joined, false) => {
            fact.role = word(from.pick(&["agent", "customer", "acd"]));
            fact.user = Id::new(from.pick(&["u", "v", ""])).ok();
            fact.queue = Id::new(from.pick(&["w", ""])).ok();
        }
        (What::State, _) => {
            const STATES: [&str; 8] = [
                "alerting",
                "connected",
                "terminated",
                "disconnected",
                "parked",
                "dialing",
                "contacting",
                "strange",
            ];
            fact.state = word(from.pick(&STATES));
            if fact.state.as_ref().is_some_and(engine::is_end) {
                fact.reason = word(from.pick(&["client", "peer", ""]));
            } else if fact.state == word("parked") {
                fact.since = fact.at;
            }
        }
        (What::Held, _) => {
            fact.on = from.flag();
            fact.since = if fact.on { fact.at } else { Some(instant(from)) };
        }
        (What::AfterCallWork, _) => fact.on = from.flag(),
        (What::WrapUp, _) => fact.reason = word(from.pick(&["sale", "other"])),
        _ => {}
    }
}

/// A toggle as a snapshot shows it.
pub(super) fn toggle(from: &mut Cursor<'_>) -> Toggle {
    let what = from.pick(&[What::Held, What::Muted]);
    let on = from.flag();
    let since = (what == What::Held && from.flag()).then(|| instant(from));
    Toggle {
        what,
        participant: id(from.pick(&["p", "q"])),
        communication: id(from.pick(&["l", "m"])),
        on,
        since,
    }
}
