//! The verdict, once faults have stopped and everything that can heal has healed.
//!
//! An answer that claims to be complete or repaired must equal the truth. In the `notifications` dialect REST tells
//! everything, so it must equal the truth whatever it claims; in the `events` dialect, where nothing can be asked for,
//! what is missing must be named. Cells are recounted here from what each conversation shows of its facts, by rules
//! written once more.

use crate::truth::{Page, Told, id_of, same};
use crate::watch::{Broken, Invariant, answer, first_difference, happened};
use crate::world::World;
use engine::{
    Authority, Completeness, Explained, FactId, Filter, Id, ParticipantView, Time, check_intervals,
};
use pipeline::WhenFull;
use simulator::{Conversation, Dialect, Millis, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// A mailbox of fewer facts than this is full now and then.
const FEW_FACTS: usize = 100;
/// How far back intervals are asked for: longer than any world lasts.
const RANGE_NS: i64 = 3_600 * engine::SECOND;

impl World {
    /// Speaks the verdict over every node, then stops and starts each and looks again.
    pub fn judge(&mut self) -> Result<(), Broken> {
        let truth = self.stage.truth(self.now);
        let stage = &self.stage;
        self.sheet.outdated();
        self.sheet.read(|| stage.truth(self.now));
        for node in 0..self.nodes.len() {
            self.judge_node(node, &truth)?;
            truth.conversations.iter().try_for_each(|one| self.judge_past(node, &id_of(one.id)))?;
        }
        self.nodes_agree(&truth)?;
        for node in 0..self.nodes.len() {
            self.stop_and_start(node, &truth)?;
        }
        Ok(())
    }

    fn judge_node(&mut self, node: usize, truth: &Truth) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        let known = &self.nodes[node];
        let Some(life) = &known.life else {
            return Err(Broken::new(Invariant::NodeStarts, format!("node {node} is down at the end")));
        };
        if !life.is_idle() && !self.plan.rest_ends {
            let what = format!("node {node} is still busy when everything has stopped: {:?}", life.repairer);
            return Err(Broken::new(Invariant::BoundsKept, what));
        }
        let strict = self.plan.dialect == Dialect::Notifications;
        let engine = life.keeper.engine();
        let (mut cells, mut all_heard) = (BTreeMap::new(), true);
        let begins = truth.conversations.iter().any(|one| self.heard_beginning(node, one));
        for one in &truth.conversations {
            let id = id_of(one.id);
            let why = life.about(&id, clock, |shown| shown.why(None));
            let told = life.about(&id, clock, |shown| shown.conversation());
            why.value.iter().flatten().filter_map(counted_at).for_each(|at| {
                *cells.entry(at.minute()).or_default() += 1;
            });
            let Some(page) = self.sheet.page(&id) else { continue };
            for fact in why.value.iter().flatten() {
                happened(&id, &fact.entry, page, self.plan.dialect)?;
            }
            // The answers about everything speak of the time since somebody listened first.
            let since = known.seen.listened_since.unwrap_or(Millis::MAX);
            let began_unheard = !strict && page.events.values().any(|told| told.happened_at < since);
            let heard: BTreeSet<_> = why.value.iter().flatten().map(|fact| fact.entry.fact).collect();
            // Whether a hold is over is for REST to say, and nobody answers.
            let doubtful = self.plan.rest_ends && known.seen.doubtful.contains(&id);
            let unknowable = doubtful || (!strict && self.cannot_know(page, &heard, begins));
            if unknowable {
                all_heard = false;
                self.unknowable.insert(id.clone());
            }
            all_heard &= !began_unheard;
            let began_unread = !self.is_healed(&id) && one.started_at.0 < since;
            let differs = match &told.value {
                None if began_unread => {
                    all_heard = false;
                    None
                }
                None if !strict && (page.events.is_empty() || began_unheard) => None,
                _ if unknowable => None,
                None => Some("it is unknown".to_owned()),
                Some(view) if strict => differs(view, one),
                Some(view) => {
                    let lacks = page.events.iter().find(|(fact, _)| !heard.contains(*fact));
                    let lacks = lacks.map(|(_, told)| format!("it lacks {told:?}"));
                    lacks.or_else(|| event_view_differs(view, one))
                }
            };
            all_heard &= self.may_differ(node, &id, told.completeness, differs)?;
        }
        // REST brings all that can be read.
        let whole = all_heard && (strict || engine.completeness(clock) <= Completeness::Repaired);
        self.judge_counts(node, truth, &cells, whole)?;
        self.judge_intervals(node)?;
        self.judge_memory(node)
    }

    /// Whether a conversation is told as it was, where it may be told otherwise; `differs`: in what it is not. Of one that
    /// nobody ever heard of, the ledger as a whole must tell.
    fn may_differ(
        &self,
        node: usize,
        id: &Id,
        told: Completeness,
        differs: Option<String>,
    ) -> Result<bool, Broken> {
        let strict = self.plan.dialect == Dialect::Notifications;
        match differs {
            Some(what) if told <= Completeness::Repaired => {
                let what = format!("node {node}, {id} ({}): {what}", told.as_str());
                Err(Broken::new(Invariant::NoFalseClaim, what))
            }
            Some(what) if strict && self.is_healed(id) => {
                Err(Broken::new(Invariant::RepairHeals, format!("node {node}, {id}: {what}")))
            }
            Some(_) => Ok(!strict),
            None => Ok(true),
        }
    }

    /// An answer about an instant that claims to be complete lacks nothing that had happened by then. Of what nobody can
    /// know to be missing, nothing is asked; nor where our clock is off, so that the instants of the sources cannot be held
    /// against the times in which nobody listened.
    fn judge_past(&self, node: usize, id: &Id) -> Result<(), Broken> {
        let known = &self.nodes[node];
        let (Some(life), Some(page)) = (&known.life, self.sheet.page(id)) else { return Ok(()) };
        let (clock, since) = (known.clock(self.now), known.seen.listened_since.unwrap_or(Millis::MAX));
        let events = self.plan.dialect != Dialect::Notifications && !self.unknowable.contains(id);
        let events = events && self.plan.clock_steps.is_none();
        if !events || page.events.values().any(|told| told.happened_at < since) {
            return Ok(());
        }
        let why = life.about(id, clock, |shown| shown.why(None)).value.unwrap_or_default();
        let heard: BTreeSet<_> = why.iter().map(|fact| fact.entry.fact).collect();
        for (_, lost) in page.events.iter().filter(|(fact, _)| !heard.contains(*fact)) {
            let at = lost.at.saturating_mul(1_000_000);
            let then = life.about(id, clock, |shown| shown.conversation_at(at)).value.flatten();
            if let Some(then) = then.filter(|then| then.completeness <= Completeness::Repaired) {
                let claim = then.completeness.as_str();
                let what = format!("node {node}, {id} at {at} ({claim}): it lacks {lost:?}");
                return Err(Broken::new(Invariant::NoFalseClaim, what));
            }
        }
        Ok(())
    }

    /// What is told of each feed's time, interval by interval, against the frames that found nobody there.
    fn judge_intervals(&self, node: usize) -> Result<(), Broken> {
        let known = &self.nodes[node];
        let to = known.clock(self.now);
        // A frame that was read late, behind a full mailbox, may hide for so long that its socket had died.
        let piles_up =
            known.plan.mailbox.when_full == WhenFull::Block && known.plan.mailbox.facts_max < FEW_FACTS;
        let sure = !known.seen.clock_was_set && !piles_up;
        let Some(life) = known.life.as_ref().filter(|_| sure) else { return Ok(()) };
        let from = to - RANGE_NS;
        for feed in life.keeper.engine().range(from, to, to).feeds {
            let unheard = known.seen.unheard.get(&feed.name).map_or(&[][..], Vec::as_slice);
            check_intervals(&feed.intervals, from, to, unheard).map_err(|broken| {
                let what = format!("node {node}, feed {}: {broken}", feed.name);
                Broken::new(Invariant::CompleteIsWhole, what)
            })?;
        }
        Ok(())
    }

    /// Whether a node heard a conversation begin, so that it knows that beginnings are told.
    fn heard_beginning(&self, node: usize, one: &Conversation) -> bool {
        let known = &self.nodes[node];
        let Some(life) = &known.life else { return false };
        let (id, clock) = (id_of(one.id), known.clock(self.now));
        let begins =
            |e: &engine::TimelineEntry| e.kind == "lifeCycle" && same(e.to.as_ref(), Some("in-progress"));
        let heard = life.about(&id, clock, |shown| shown.timeline().iter().any(begins));
        heard.value.unwrap_or_default()
    }

    /// Whether nothing that was heard tells that something is missing: it was lost on a socket that lives, behind all that
    /// came, or it is a beginning where none was ever told.
    fn cannot_know(&self, page: &Page, heard: &BTreeSet<FactId>, begins: bool) -> bool {
        let lost = || page.events.iter().filter(|(fact, _)| !heard.contains(*fact));
        let known = |other: &&FactId| heard.contains(*other);
        let is_seen = |(_, lost): (&FactId, &Told)| {
            page.events.iter().filter(|(fact, _)| known(fact)).any(|(_, told)| told.has_seen(lost))
        };
        let untold = !begins && lost().any(|(_, told)| told.participant.is_none());
        let silent = self.plan.network.losses > 0.0 && lost().next().is_some() && !lost().any(is_seen);
        untold || silent
    }

    /// Counts and cells: of the sets always, of the truth where that is claimed.
    fn judge_counts(
        &self,
        node: usize,
        truth: &Truth,
        cells: &BTreeMap<i64, u64>,
        whole: bool,
    ) -> Result<(), Broken> {
        let Some(life) = &self.nodes[node].life else { return Ok(()) };
        let engine = life.keeper.engine();
        let stored = life.keeper.store().cells(i64::MIN / 2, i64::MAX / 2);
        let stored = stored.map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
        let stored: BTreeMap<i64, u64> = stored.into_iter().collect();
        if stored != *cells {
            let what = format!("node {node}: cells {stored:?}, and the facts give {cells:?}");
            return Err(Broken::new(Invariant::CountsAreSets, what));
        }
        self.judge_cells(node, cells)?;
        let events: u64 = engine.activity().counts.iter().sum();
        if events != cells.values().sum::<u64>() {
            let what = format!("node {node}: {events} in memory, {cells:?} in the facts");
            return Err(Broken::new(Invariant::CountsAreSets, what));
        }
        if whole && engine.active_count() != truth.active_interactions {
            let what =
                format!("node {node}: {} active, not {}", engine.active_count(), truth.active_interactions);
            return Err(Broken::new(Invariant::NoFalseClaim, what));
        }
        let minutes = match self.plan.dialect {
            Dialect::Events => &truth.minutes.events,
            _ => &truth.minutes.notifications,
        };
        let should: u64 = minutes.values().sum();
        if whole && events != should {
            let what = format!("node {node}: {cells:?} should be {minutes:?}");
            return Err(Broken::new(Invariant::NoFalseClaim, what));
        }
        Ok(())
    }

    /// What was answered once is what is answered for that instant still.
    fn judge_memory(&self, node: usize) -> Result<(), Broken> {
        let known = &self.nodes[node];
        let clock = known.clock(self.now);
        let Some(life) = known.life.as_ref().filter(|_| !known.seen.clock_was_set) else { return Ok(()) };
        for ((id, at), then) in &known.seen.answers {
            let now = life.about(id, clock, |shown| shown.known_at(*at).map(|shown| answer(&shown)));
            let now = now.value.flatten().unwrap_or_default();
            if now != *then {
                let what = format!("node {node}, {id} at {at}: {}", first_difference(&now, then));
                return Err(Broken::new(Invariant::AsKnownThen, what));
            }
        }
        self.judge_states(node)
    }

    /// Whoever claims to be complete says the same as any other who does.
    fn nodes_agree(&self, truth: &Truth) -> Result<(), Broken> {
        for one in &truth.conversations {
            let id = id_of(one.id);
            if self.unknowable.contains(&id) {
                continue;
            }
            let mut told: Option<(usize, String)> = None;
            for node in &self.nodes {
                let Some(life) = &node.life else { continue };
                let about = life.about(&id, node.clock(self.now), |shown| shown.conversation());
                let Some(view) = about.value.filter(|_| about.completeness <= Completeness::Repaired) else {
                    continue;
                };
                let mut people: Vec<_> = view.participants.iter().collect();
                people.sort_by(|a, b| a.id.cmp(&b.id));
                let people: Vec<_> = people.into_iter().map(essence).collect();
                let said = format!("{} {people:#?}", view.active);
                match &told {
                    Some((other, theirs)) if *theirs != said => {
                        let what = first_difference(&said, theirs);
                        let what = format!("{id}: node {} against node {other}: {what}", node.index);
                        return Err(Broken::new(Invariant::NodesAgree, what));
                    }
                    Some(_) => {}
                    None => told = Some((node.index, said)),
                }
            }
        }
        Ok(())
    }

    fn stop_and_start(&mut self, node: usize, truth: &Truth) -> Result<(), Broken> {
        let before = self.stand(node, truth);
        self.stop(node)?;
        self.start(node)?;
        let after = self.stand(node, truth);
        if before != after {
            let what = format!("node {node}: {}", first_difference(&after, &before));
            return Err(Broken::new(Invariant::StopChangesNothing, what));
        }
        Ok(())
    }

    /// All that a node shows, but for what is known to be missing.
    fn stand(&self, node: usize, truth: &Truth) -> String {
        let known = &self.nodes[node];
        let clock = known.clock(self.now);
        let Some(life) = &known.life else { return String::new() };
        let engine = life.keeper.engine();
        let active = Filter { active: Some(true), ..Filter::default() };
        let listed: Vec<Id> = engine.list(&active, None, clock).map(|view| view.id).collect();
        let all = truth.conversations.iter().map(|one| {
            let shown = life.about(&id_of(one.id), clock, answer);
            shown.value.unwrap_or_default()
        });
        let all: Vec<String> = all.collect();
        format!("{listed:#?}\n{:?}\n{}", engine.activity(), all.join("\n"))
    }
}

/// What is told of a participant, apart from times that are estimates where no surface gave one.
fn essence(p: &ParticipantView) -> impl std::fmt::Debug {
    let legs: Vec<_> = p
        .communications
        .iter()
        .map(|c| (c.id.clone(), c.state.clone(), c.connected_at, c.ended_at, c.end_reason.clone(), c.held))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    (p.id.clone(), p.role.clone(), p.user.clone(), p.active, p.state.clone(), p.held, p.muted, legs)
}

/// The instant at which a fact is counted in a cell; none when it is not.
fn counted_at(fact: &Explained) -> Option<Time> {
    let entry = &fact.entry;
    let at = entry.at?;
    let to = entry.to.as_ref().map_or("", engine::Word::as_str);
    let counts = match (entry.source, entry.kind) {
        ("events", "role") => true,
        ("events", _) => entry.to.is_some(),
        (_, "state") => {
            let moves = matches!(to, "connected" | "parked" | "disconnected" | "terminated");
            fact.place.is_some() && moves && fact.authority >= Authority::Reported
        }
        _ => false,
    };
    counts.then_some(at)
}

/// How a view differs from the truth of the `notifications` dialect.
fn differs(view: &engine::ConversationView, truth: &Conversation) -> Option<String> {
    if view.active != truth.active {
        return Some(format!("active is {}", view.active));
    }
    for should in &truth.participants {
        let id = id_of(should.id);
        let Some(is) = view.participants.iter().find(|p| p.id == id) else {
            return Some(format!("participant {id} is unknown"));
        };
        let user = should.user_id.map(id_of);
        let queue = should.queue_id.map(id_of);
        let right = same(is.role.as_ref(), Some(should.role))
            && (is.user == user && is.queue == queue)
            && (is.active, is.held, is.muted) == (should.active, should.held, should.muted)
            && same(is.state.as_ref(), Some(should.state))
            && same(is.end_reason.as_ref(), should.end_reason);
        if !right {
            return Some(format!("{is:#?} should be {should:#?}"));
        }
        for should in &should.communications {
            let id = id_of(should.id);
            let Some(is) = is.communications.iter().find(|c| c.id == id) else {
                return Some(format!("communication {id} is unknown"));
            };
            let at = |time: Option<Time>| time.map(|time| time.nanos / 1_000_000);
            let right = same(is.medium.as_ref(), Some(should.medium))
                && same(is.direction.as_ref(), Some(should.direction))
                && same(is.state.as_ref(), Some(should.state))
                && same(is.end_reason.as_ref(), should.end_reason)
                && (is.held, is.muted) == (should.held, should.muted)
                && at(is.connected_at) == should.connected_at.map(|at| at.0)
                && at(is.ended_at) == should.ended_at.map(|at| at.0);
            if !right {
                return Some(format!("{is:#?} should be {should:#?}"));
            }
        }
    }
    let known = truth.participants.len();
    (view.participants.len() != known).then(|| format!("{} participants", view.participants.len()))
}

/// How a view differs from the truth of the `events` dialect.
fn event_view_differs(view: &engine::ConversationView, truth: &Conversation) -> Option<String> {
    if view.active != truth.active {
        return Some(format!("active is {}", view.active));
    }
    let told: Vec<_> = truth.event_participants.iter().collect();
    for should in told {
        let id = id_of(should.id);
        let spoken_of = truth.events.iter().any(|event| event.participant_id == Some(should.id));
        let Some(is) = view.participants.iter().find(|p| p.id == id) else {
            match spoken_of {
                true => return Some(format!("participant {id} is unknown")),
                false => continue,
            }
        };
        let right = same(is.role.as_ref(), Some(should.role))
            && same(is.state.as_ref(), Some(should.state))
            && is.active == should.active;
        if !right {
            return Some(format!("{is:#?} should be {should:#?}"));
        }
    }
    None
}
