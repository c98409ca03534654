//! The invariants, by name, and those that are checked each time something is shown.

use crate::truth::{Page, Told};
use crate::world::World;
use engine::{Activity, Batch, Change, Engine, FactId, Id, Shown, TimelineEntry};
use simulator::{Dialect, Millis};
use std::collections::{BTreeMap, BTreeSet};

/// What must hold, whatever happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invariant {
    /// Every fact that is shown happened.
    NothingInvented,
    /// A fact is shown behind all that its clock proves to precede it, or is marked late; a timeline never contradicts a
    /// clock.
    CausalOrder,
    /// Every count is the size of a set that can be listed.
    CountsAreSets,
    /// What is shown follows from the set of facts alone, however it came together.
    FunctionOfTheSet,
    /// Change numbers go up by one, and never come again with another meaning.
    NumbersOnce,
    /// No life of a node has the incarnation of another, so that no dot is minted twice.
    IncarnationsOnce,
    /// What was shown is there after a crash.
    NothingForgotten,
    /// A conversation's `vectorClock` never decreases.
    ClocksOnlyGrow,
    /// Queues stay within their bounds, and the world comes to an end.
    BoundsKept,
    /// A feed's intervals cover all time since it was named without gaps, and a complete one has no hole.
    CompleteIsWhole,
    /// Where an answer claims to be complete or repaired, it equals the truth.
    NoFalseClaim,
    /// Once faults have stopped, what REST can tell is known.
    RepairHeals,
    /// The answer as known at an instant is the one that was given then.
    AsKnownThen,
    /// A stop and a start change nothing that is shown.
    StopChangesNothing,
    /// Two nodes that claim to be complete give one answer.
    NodesAgree,
    /// A node comes back from any crash.
    NodeStarts,
    /// Nothing but a full disk keeps a node from committing.
    NodeRuns,
    /// The platform's own frames are never refused.
    NothingRefused,
    /// No order of events makes anything panic.
    NothingPanics,
}

/// An invariant that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// In words.
    pub what: String,
}

impl Broken {
    pub(crate) fn new(invariant: Invariant, what: String) -> Self {
        Self { invariant, what }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} does not hold: {}", self.invariant, self.what)
    }
}

/// What the outside has seen of a node.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Conversations of which REST was asked whether a hold is over, and has not said it.
    pub doubtful: BTreeSet<Id>,
    seq: u64,
    incarnation: u32,
    /// The facts that were shown of each conversation.
    facts: BTreeMap<Id, BTreeSet<FactId>>,
    /// In the order in which they were published.
    published: BTreeMap<Id, Vec<FactId>>,
    vector_clocks: BTreeMap<Id, u64>,
    /// Answers, by conversation and the instant of the commit that they followed.
    pub answers: BTreeMap<(Id, i64), String>,
    /// How many were active, and the activity of the day, by the instant of the commit that they followed.
    pub states: BTreeMap<i64, (u64, Activity)>,
    /// When it was first known to listen, also after a crash.
    pub listened_since: Option<Millis>,
    /// Instants of its clock at which a frame left the cloud for a feed and nobody was there, by the feed's name.
    pub unheard: BTreeMap<String, Vec<i64>>,
    /// Its clock went back: an instant may mean two.
    pub clock_was_set: bool,
}

/// Every how many answers one is remembered.
const REMEMBERED_ONE_IN: u64 = 7;

impl World {
    /// Something was committed and may be seen: every invariant that can be checked now is.
    pub fn shown(&mut self, node: usize, batch: &Batch, clock: i64) -> Result<(), Broken> {
        if batch.is_empty() {
            return Ok(());
        }
        let stage = &self.stage;
        self.sheet.read(|| stage.truth(self.now));
        let remember = self.rng.u64(..REMEMBERED_ONE_IN) == 0;
        let traced = self.trace.is_on();
        let known = &mut self.nodes[node];
        let Some(life) = &known.life else { return Ok(()) };
        let engine = life.keeper.engine();
        if engine.feeds(clock).iter().any(|feed| feed.connected) {
            known.seen.listened_since.get_or_insert(self.now);
        }
        counts(engine, clock)?;
        if engine.held_count() as usize > held_max(&known.plan.limits) {
            return Err(Broken::new(
                Invariant::BoundsKept,
                format!("{} facts are held", engine.held_count()),
            ));
        }
        let mut touched = BTreeSet::new();
        for publish in &batch.changes {
            known.seen.number(publish.seq)?;
            touched.insert(publish.conversation.clone());
            let Some(change) = life.keeper.change(publish) else { continue };
            let page = self.sheet.page(&change.conversation);
            let page = page.ok_or_else(|| invented(&change.conversation, "no such conversation"))?;
            if traced {
                self.trace.say(self.now, || format!("n{node}: shows {}", line(&change)));
            }
            known.seen.publish(&change, publish.fact, page, self.plan.dialect)?;
        }
        // What waits stands in its minute already, and had not been shown.
        if remember
            && engine.held_count() == 0
            && let Some(at) = life.keeper.last_commit()
        {
            known.seen.states.insert(at, (engine.active_count(), engine.activity()));
        }
        for id in touched {
            let Some(shown) = engine.show(&id, clock) else { continue };
            follows_from_the_set(engine, &id, &shown, clock)?;
            in_causal_order(&id, &shown, self.sheet.page(&id))?;
            known.seen.clock_grows(&id, shown.conversation().vector_clock)?;
            if remember && let Some(at) = life.keeper.last_commit() {
                known.seen.answers.insert((id, at), answer(&shown));
            }
        }
        Ok(())
    }

    /// A node came back: all that was shown of it must be there.
    pub fn check_return(&mut self, node: usize, incarnation: u32, seq: u64) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        let known = &mut self.nodes[node];
        let Some(life) = &known.life else { return Ok(()) };
        if incarnation <= known.seen.incarnation {
            let what = format!("{incarnation} after {}", known.seen.incarnation);
            return Err(Broken::new(Invariant::IncarnationsOnce, what));
        }
        known.seen.incarnation = incarnation;
        if seq < known.seen.seq {
            let what = format!("the position is {seq}, and {} was shown", known.seen.seq);
            return Err(Broken::new(Invariant::NumbersOnce, what));
        }
        known.seen.seq = seq;
        for (id, facts) in &known.seen.facts {
            let there = life.about(id, clock, |shown| shown.why(None)).value.unwrap_or_default();
            let there: BTreeSet<FactId> = there.iter().map(|fact| fact.entry.fact).collect();
            if let Some(gone) = facts.difference(&there).next() {
                let what = format!("{id} lacks the fact {:032x}", gone.0);
                return Err(Broken::new(Invariant::NothingForgotten, what));
            }
        }
        counts(life.keeper.engine(), clock)
    }
}

impl Seen {
    fn number(&mut self, seq: u64) -> Result<(), Broken> {
        if seq != self.seq + 1 {
            let what = format!("{seq} follows {}", self.seq);
            return Err(Broken::new(Invariant::NumbersOnce, what));
        }
        self.seq = seq;
        Ok(())
    }

    fn publish(
        &mut self,
        change: &Change,
        fact: FactId,
        page: &Page,
        dialect: Dialect,
    ) -> Result<(), Broken> {
        let id = &change.conversation;
        if let Some(entry) = &change.entry {
            happened(id, entry, page, dialect)?;
        }
        let earlier = self.published.entry(id.clone()).or_default();
        let late = change.revision.is_some() || change.entry.as_ref().is_some_and(|entry| entry.late);
        if let Some(told) = page.events.get(&fact).filter(|_| !late) {
            let ahead = |other: &&FactId| page.events.get(*other).is_some_and(|other| other.has_seen(told));
            if let Some(ahead) = earlier.iter().find(ahead) {
                let what = format!("{id}: {:032x} came behind {:032x}, which had seen it", fact.0, ahead.0);
                return Err(Broken::new(Invariant::CausalOrder, what));
            }
        }
        earlier.push(fact);
        self.facts.entry(id.clone()).or_default().insert(fact);
        Ok(())
    }

    fn clock_grows(&mut self, id: &Id, vector_clock: u64) -> Result<(), Broken> {
        let known = self.vector_clocks.entry(id.clone()).or_default();
        if vector_clock < *known {
            let what = format!("{id}: {vector_clock} after {known}");
            return Err(Broken::new(Invariant::ClocksOnlyGrow, what));
        }
        *known = vector_clock;
        Ok(())
    }
}

/// Whether an entry of a timeline says what the truth says.
pub(crate) fn happened(id: &Id, entry: &TimelineEntry, page: &Page, dialect: Dialect) -> Result<(), Broken> {
    let holds = match dialect {
        Dialect::Events => page.events.get(&entry.fact).is_some_and(|told| says(entry, told)),
        _ => went_through(entry, page),
    };
    if holds { Ok(()) } else { Err(invented(id, &format!("{entry:?}"))) }
}

fn says(entry: &TimelineEntry, told: &Told) -> bool {
    let to = entry.to.as_ref().map(engine::Word::as_str);
    let value = if entry.kind == "role" { told.role } else { Some(told.state) };
    let at = entry.at.map(|at| at.nanos / 1_000_000);
    entry.participant == told.participant && to == value && at == Some(told.at)
}

fn went_through(entry: &TimelineEntry, page: &Page) -> bool {
    let Some(participant) = &entry.participant else { return true };
    if !page.people.contains(&(participant.clone(), entry.communication.clone())) {
        return false;
    }
    let Some(leg) = &entry.communication else { return true };
    let went = |kind: &'static str| page.facts.contains(&(leg.clone(), kind));
    match (entry.kind, entry.to.as_ref().map_or("", engine::Word::as_str)) {
        ("state", "connected") => went("connected") || went("resumed"),
        ("state", "parked") => went("parked"),
        ("state", "disconnected" | "terminated") => went("ended"),
        ("held", "true") => went("held"),
        // An end of a hold without a time is told by order of arrival, and may be a frame that came very late.
        ("held", _) => went("unheld") || went("ended") || entry.at.is_none(),
        // No surface puts a time on a mute: frames that change places flip it, until a read tells how it stands.
        ("muted", _) => went("muted"),
        _ => true,
    }
}

fn invented(id: &Id, what: &str) -> Broken {
    Broken::new(Invariant::NothingInvented, format!("{id}: {what}"))
}

/// The active count is the length of the list of those that are active.
fn counts(engine: &Engine, clock: i64) -> Result<(), Broken> {
    let active = engine::Filter { active: Some(true), ..engine::Filter::default() };
    let listed = engine.list(&active, None, clock).count();
    if listed as u64 != engine.active_count() {
        let what = format!("{} are counted, {listed} are listed", engine.active_count());
        return Err(Broken::new(Invariant::CountsAreSets, what));
    }
    Ok(())
}

/// What is shown is the same as that of the set laid down and taken up again.
fn follows_from_the_set(engine: &Engine, id: &Id, shown: &Shown<'_>, clock: i64) -> Result<(), Broken> {
    let Some(stored) = engine.lay_down(id) else { return Ok(()) };
    let anew = engine.show_stored(&stored, clock);
    let (is, should) = (answer(shown), answer(&anew));
    if is != should {
        let what = format!("{id}: {}", first_difference(&is, &should));
        return Err(Broken::new(Invariant::FunctionOfTheSet, what));
    }
    Ok(())
}

/// No entry of a timeline stands behind one that had seen it.
fn in_causal_order(id: &Id, shown: &Shown<'_>, page: Option<&Page>) -> Result<(), Broken> {
    let timeline = shown.timeline();
    let told: Vec<&Told> = timeline.iter().filter_map(|entry| page?.events.get(&entry.fact)).collect();
    for (at, later) in told.iter().enumerate() {
        if let Some(earlier) = told.iter().take(at).find(|earlier| earlier.has_seen(later)) {
            return Err(Broken::new(
                Invariant::CausalOrder,
                format!("{id}: {later:?} stands behind {earlier:?}"),
            ));
        }
    }
    Ok(())
}

/// All that is shown of a conversation, apart from what is known to be missing, which may be learnt later.
pub(crate) fn answer(shown: &Shown<'_>) -> String {
    let view = engine::ConversationView {
        completeness: engine::Completeness::Complete,
        missing: engine::Missing::default(),
        suspect: None,
        ..shown.conversation()
    };
    format!("{view:#?}\n{:#?}\n{:#?}", shown.timeline(), shown.spells())
}

/// The first lines that differ.
pub(crate) fn first_difference(is: &str, should: &str) -> String {
    let mut pairs = is.lines().zip(should.lines()).enumerate();
    match pairs.find(|(_, (a, b))| a != b) {
        Some((n, (a, b))) => format!("line {n}: `{}` should be `{}`", a.trim(), b.trim()),
        None => format!("{} lines should be {}", is.lines().count(), should.lines().count()),
    }
}

/// The most that may be held: the bytes of all, at the least that one takes.
fn held_max(limits: &engine::Limits) -> usize {
    limits.hold_bytes_max / 64 + 1
}

fn line(change: &Change) -> String {
    let head = format!("#{} {}", change.seq, change.conversation);
    match &change.entry {
        Some(e) => {
            let (who, leg) = (e.participant.as_ref(), e.communication.as_ref());
            let name = |id: Option<&Id>| id.map_or("-".to_owned(), |id| id.to_string()[..8].to_owned());
            let (from, to) = (word(e.from.as_ref()), word(e.to.as_ref()));
            let late = if e.late { " late" } else { "" };
            let source = e.source;
            format!("{head} {}/{} {} {from} -> {to}{late} ({source})", name(who), name(leg), e.kind)
        }
        None => format!("{head} history"),
    }
}

fn word(word: Option<&engine::Word>) -> &str {
    word.map_or("-", engine::Word::as_str)
}
