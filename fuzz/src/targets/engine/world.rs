//! An engine with what stands around it in the program: a store, a log, a clock.

use super::checks;
use super::facts::{self, NOON, id};
use crate::cursor::Cursor;
use engine::*;
use std::collections::BTreeMap;

/// The conversations there are.
pub(super) const NAMES: [&str; 3] = ["c", "d", "00000000-0000-4000-8000-000000000000"];

/// A batch of the log: under which incarnation, when, what.
type Row = (u32, i64, Vec<Admitted>);

/// An engine, a store and a clock.
pub(super) struct World {
    pub engine: Engine,
    pub limits: Limits,
    pub now: i64,
    /// Nothing is said whose meaning is its order of arrival.
    pub orderly: bool,
    /// Each conversation speaks one dialect only.
    is_events: [bool; 3],
    /// Regions count wrong.
    pub hostile: bool,
    /// Whether bounds are so tight that facts find no room.
    pub tight: bool,
    /// The causal history of each conversation.
    history: Vec<Vec<Stamp>>,
    /// What was handed in and not lost since, fact by fact.
    pub told: Vec<Delivery>,
    told_committed: usize,
    stored: BTreeMap<Id, StoredConversation>,
    log: Vec<Row>,
    pub cells: BTreeMap<i64, i64>,
    seq: u64,
    incarnation: u32,
    follow: bool,
}

impl World {
    pub fn new(from: &mut Cursor<'_>) -> Self {
        let kind = from.byte();
        let [orderly, tight, follow, hostile] = [1, 2, 4, 8].map(|bit| kind & bit != 0);
        let tight = tight && !orderly;
        let limits = if tight {
            Limits {
                busy_facts: 4,
                conversation_facts_max: 6,
                hold_count_max: 2,
                hold_bytes_max: 2_000,
                ended_grace_ns: SECOND,
                ..Limits::default()
            }
        } else {
            Limits::default()
        };
        let dialects = from.byte();
        let history = (0..NAMES.len()).map(|_| facts::history(from)).collect();
        let mut engine = Engine::new(limits, 1, 0);
        engine.follow(follow);
        Self {
            engine,
            limits,
            now: NOON + 60 * SECOND,
            orderly,
            is_events: [1, 2, 4].map(|bit| dialects & bit != 0),
            hostile,
            tight,
            history,
            told: Vec::new(),
            told_committed: 0,
            stored: BTreeMap::new(),
            log: Vec::new(),
            cells: BTreeMap::new(),
            seq: 0,
            incarnation: 1,
            follow,
        }
    }

    /// One to three facts about one conversation.
    pub fn deliver(&mut self, from: &mut Cursor<'_>) {
        let of = from.below(NAMES.len());
        let events = self.is_events[of];
        let count = if events { 1 } else { 1 + from.below(3) };
        let fact = |_| match events {
            true => facts::event(from, &self.history[of], self.hostile),
            false => facts::evidence(from),
        };
        let facts = (0..count).map(fact).collect();
        let source = if events {
            Source::Events
        } else {
            from.pick(&[Source::Snapshot, Source::MediaSnapshot, Source::Detail, Source::Rest])
        };
        let delivery = Delivery {
            conversation: id(NAMES[of]),
            feed: from.byte() as u16 % 2,
            source,
            topic: u64::from(from.byte() % 2),
            received: self.received(),
            facts,
            toggles: Vec::new(),
        };
        self.hand_in(delivery);
    }

    /// A copy of an earlier delivery.
    pub fn deliver_again(&mut self, from: &mut Cursor<'_>) {
        if self.told.is_empty() {
            return;
        }
        let at = usize::from(from.pair()) % self.told.len();
        let copy = Delivery { received: self.received(), ..self.told[at].clone() };
        self.hand_in(copy);
    }

    /// A snapshot that shows toggles: their meaning is in their order.
    pub fn toggle(&mut self, from: &mut Cursor<'_>) {
        let of = from.below(NAMES.len());
        if self.orderly || self.is_events[of] {
            return;
        }
        let facts = (0..from.below(2)).map(|_| facts::evidence(from)).collect();
        let delivery = Delivery {
            conversation: id(NAMES[of]),
            feed: 0,
            source: from.pick(&[Source::Snapshot, Source::Rest]),
            topic: u64::from(from.byte() % 2),
            received: self.received(),
            facts,
            toggles: vec![facts::toggle(from)],
        };
        self.hand_in(delivery);
    }

    fn hand_in(&mut self, delivery: Delivery) {
        self.hydrate(&delivery.conversation);
        self.engine.handle(delivery.clone(), self.now);
        self.told.push(delivery);
    }

    /// What has no time of its own stands where it was received: there the receipt is part of what is said.
    fn received(&self) -> i64 {
        if self.orderly { NOON + 60 * SECOND } else { self.now }
    }

    fn hydrate(&mut self, id: &Id) {
        if !self.engine.knows(id)
            && let Some(stored) = self.stored.get(id)
        {
            self.engine.restore(stored, self.now);
        }
    }

    pub fn note(&mut self, from: &mut Cursor<'_>) {
        let reason = || "why".to_owned();
        let last_heard = self.now - i64::from(from.byte()) * SECOND;
        let event = match from.below(8) {
            0 => FeedEvent::Named { name: from.pick(&["n", "m"]).to_owned(), resends: from.flag() },
            1 | 2 => FeedEvent::Listening,
            3 => FeedEvent::Lost { reason: reason(), last_heard },
            4 => FeedEvent::Failing { reason: reason() },
            5 => FeedEvent::Limited {
                limit: from.flag().then(|| Limit { reason: reason(), since: last_heard }),
            },
            6 => FeedEvent::Repaired,
            _ => FeedEvent::RepairFailed { reason: reason() },
        };
        self.engine.handle_feed(FeedNote { feed: u16::from(from.byte() % 3), at: self.now, event });
    }

    pub fn drop_facts(&mut self, from: &mut Cursor<'_>) {
        let of = id(from.pick(&NAMES));
        self.hydrate(&of);
        let (feed, facts) = (u16::from(from.byte() % 3), u64::from(from.byte()));
        self.engine.handle_dropped(feed, &of, Dropped { facts, since: self.now, until: self.now });
    }

    pub fn user(&mut self, from: &mut Cursor<'_>) {
        let what = from.pick(&[UserWhat::Presence, UserWhat::RoutingStatus]);
        let value = Word::new(from.pick(&["busy", "idle"])).expect("a word");
        let at = from.flag().then(|| Time::from_nanos(NOON + i64::from(from.byte())));
        self.engine.handle_user(UserFact { user: id("u"), what, value, at, received: self.now });
    }

    /// Time passes, and what is due happens. All of a turn happened at one instant: it is committed before.
    pub fn pass_time(&mut self, from: &mut Cursor<'_>) {
        self.commit();
        self.now += [1, 1_000, SECOND, 6 * SECOND, 61 * SECOND][from.below(5)];
        self.engine.handle_timeout(self.now);
        let wake = self.engine.wake_at();
        assert!(wake.is_none_or(|at| at > self.now), "it wants to be woken at once, for ever");
        // What left memory can be brought back only from the store.
        self.commit();
    }

    /// The clock is set back: as the keeper does, nobody waits for an instant of the old time.
    pub fn step_back(&mut self, from: &mut Cursor<'_>) {
        self.commit();
        self.now -= (1 + i64::from(from.byte() % 90)) * SECOND;
        self.engine.release_all(self.now);
        self.commit();
    }

    /// Conversations of which all is in the log are laid down, and stay.
    pub fn lay_down(&mut self, from: &mut Cursor<'_>) {
        let of = id(from.pick(&NAMES));
        if self.engine.waits(&of) {
            return;
        }
        self.commit();
        if let Some(stored) = self.engine.lay_down(&of) {
            self.stored.insert(of, stored);
        }
    }

    /// Makes all of it durable.
    pub fn commit(&mut self) {
        let batch = self.engine.take_batch();
        for publish in &batch.changes {
            self.seq += 1;
            assert_eq!(publish.seq, self.seq, "changes are numbered without holes");
        }
        assert_eq!(self.engine.seq(), self.seq);
        assert_eq!(
            self.engine.changes(&batch.changes),
            batch.changes.iter().filter_map(|p| self.engine.change(p)).collect::<Vec<_>>(),
            "many changes are told like each alone"
        );
        for &(minute, difference) in &batch.cells {
            *self.cells.entry(minute).or_default() += difference;
        }
        self.cells.retain(|_, count| *count != 0);
        for stored in &batch.laid_down {
            self.stored.insert(stored.id.clone(), stored.clone());
        }
        self.log.push((self.incarnation, self.now, batch.admitted.clone()));
        self.told_committed = self.told.len();
        self.engine.reuse(batch);
    }

    /// The program stops and starts again; what was not committed is lost, unless it stopped in good order.
    pub fn restart(&mut self, from: &mut Cursor<'_>) {
        let clean = from.flag();
        if clean {
            self.commit();
        }
        self.told.truncate(self.told_committed);
        let recovered = self.recovered();
        let mut before = std::mem::replace(&mut self.engine, recovered);
        self.incarnation += 1;
        self.engine.follow(self.follow);
        if clean && !self.tight {
            // After a start nobody waits for what came before it.
            before.release_all(self.now);
            for name in NAMES {
                checks::same_after_restart(&before, &self.engine, &id(name), self);
            }
        }
    }

    /// A new engine with what the store and the log hold.
    fn recovered(&self) -> Engine {
        let mut engine = Engine::new(self.limits, self.incarnation + 1, self.seq);
        self.stored.values().filter(|s| s.resident).for_each(|s| engine.restore(s, self.now));
        for (_, at, admitted) in &self.log {
            for admitted in admitted {
                if let Some(stored) = self.stored.get(&admitted.conversation)
                    && !engine.knows(&admitted.conversation)
                {
                    engine.restore(stored, self.now);
                }
                engine.replay(admitted.clone(), *at);
            }
            let told = engine.take_batch();
            engine.reuse(told);
        }
        engine.replayed(false, self.now);
        for (&minute, &count) in &self.cells {
            engine.restore_cell(minute, u64::try_from(count).unwrap_or_default());
        }
        engine.resumed(self.seq, self.now, self.now);
        engine.release_unreleased(self.now);
        engine
    }

    /// Everything that is known of a conversation, in memory or laid down.
    pub fn whole(&self, id: &Id) -> Option<StoredConversation> {
        self.engine.lay_down(id).or_else(|| self.stored.get(id).cloned())
    }

    /// Nobody waits any more: holds what is known against what was told.
    pub fn end(&mut self) {
        self.engine.release_all(self.now);
        self.commit();
        assert_eq!(self.engine.held_count(), 0);
        checks::cells_equal_a_recount(self);
        if self.orderly {
            checks::same_in_another_order(self);
        }
    }
}
