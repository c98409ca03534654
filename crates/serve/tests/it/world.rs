//! A made-up engine: it holds views that a test chose and answers a reader's questions from them.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use engine::{
    Activity, Authority, CommunicationView, Completeness, ConversationView, Explained, FactId, FeedIntervals,
    FeedView, Hidden, Id, Identity, Interval, Missing, MissingDots, Named, ParticipantView, Placed,
    RangeView, Rule, SpellView, Suspicion, Time, TimelineEntry, UserView, Word,
};
use pipeline::{
    Answer, Clock, Gathered, Page, Position, Query, Reader, ReaderBackend, Summary, Telemetry, reader_pair,
};
use prometheus_client::registry::Registry;
use serde_json::Value;
use serve::{App, Zone, ZoneRules};
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

/// 2026-01-01T12:00:00Z in nanoseconds.
pub const NOON: i64 = 1_767_268_800_000_000_000;
/// Where every made-up answer stands.
pub const POSITION: Position = Position { epoch: 1, seq: 42 };
/// The id of the first conversation of [`World::of`].
pub const FIRST: &str = "00000000-0000-4000-8000-000000000000";
/// The agent of every conversation.
pub const AGENT: &str = "a6e4b8e0-0000-4000-8000-00000000000a";

/// The data folder of an engine that has none.
const NOWHERE: &str = "nowhere";

/// What the engine knows.
#[derive(Clone)]
pub struct World {
    pub summary: Summary,
    pub conversations: Vec<ConversationView>,
    pub timeline: Vec<TimelineEntry>,
    pub spells: Vec<SpellView>,
    pub why: Vec<Explained>,
    pub user: UserView,
    /// Where the engine stands when it is asked; its summary may be older.
    pub stands: Position,
    /// When nobody listened; where there is nothing, every time is partial.
    pub unknown: Vec<(i64, i64)>,
}

/// The routes, and the engine's side of them.
pub struct Board {
    pub router: Router,
    pub summary: Arc<arc_swap::ArcSwap<Summary>>,
    pub changes: Arc<pipeline::ChangeLog>,
    pub telemetry: Arc<Telemetry>,
}

/// An answer, read to its end.
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl World {
    /// So many active conversations of a customer and an agent, each.
    pub fn of(conversations: usize) -> Self {
        let summary = Summary {
            position: POSITION,
            active: conversations as u64,
            activity: Activity { newest_minute: Some(NOON / engine::MINUTE), counts: vec![0; 1_440] },
            last_updated: Some(Time::from_nanos(NOON).to_millis()),
            suspects: 0,
            remembered: 0,
            completeness: Completeness::Complete,
            complete_from: Some(NOON - 3_600 * engine::SECOND),
            feeds: vec![FeedView {
                name: "events".to_owned(),
                connected: true,
                completeness: Completeness::Complete,
                reason: None,
                since: NOON,
            }],
            not_ready: Vec::new(),
            store_trouble: None,
        };
        Self {
            summary,
            conversations: (0..conversations).map(conversation).collect(),
            timeline: vec![entry()],
            spells: vec![spell()],
            why: vec![explained()],
            user: UserView {
                presence: Some((word("On Queue"), Some(Time::from_nanos(NOON)))),
                routing_status: None,
            },
            stands: POSITION,
            unknown: Vec::new(),
        }
    }

    /// The routes over this world.
    pub fn board(self) -> Board {
        self.board_in("UTC")
    }

    /// The routes over this world, in a zone.
    pub fn board_in(self, zone: &str) -> Board {
        self.board_on(zone, Clock::manual(NOON + 90 * engine::SECOND))
    }

    /// The routes over this world, in a zone and at a time.
    pub fn board_on(self, zone: &str, clock: Clock) -> Board {
        let (reader, backend) = reader_pair(self.summary.clone());
        let (summary, changes) = (backend.summary.clone(), backend.changes.clone());
        tokio::spawn(self.answer(backend));
        let (router, telemetry) = routes_at(reader, zone, clock, Path::new(NOWHERE));
        Board { router, summary, changes, telemetry }
    }

    /// The routes over an engine that has stopped.
    pub fn stopped() -> Router {
        let (reader, backend) = reader_pair(Self::of(0).summary);
        drop(backend);
        routes_over(reader)
    }

    async fn answer(self, mut backend: ReaderBackend) {
        while let Some(query) = backend.queries.recv().await {
            let found = |id: &Id| self.conversations.iter().find(|view| view.id == *id).cloned();
            match query {
                Query::Conversation(id, when, to) => {
                    drop(to.send(stand(found(&id).filter(|_| known(when.at) && known(when.known_at)))));
                }
                Query::Timeline(id, at, to) => {
                    drop(to.send(stand(found(&id).filter(|_| known(at)).map(|_| self.timeline.clone()))));
                }
                Query::Timelines(ids, to) => {
                    let all = ids.iter().map(|id| found(id).map(|_| self.timeline.clone())).collect();
                    drop(to.send(stand(all)));
                }
                Query::Spells(id, at, to) => {
                    drop(to.send(stand(found(&id).filter(|_| known(at)).map(|_| self.spells.clone()))));
                }
                Query::Range(from, until, to) => drop(to.send(stand(self.range(from, until)))),
                Query::Activity(question, to) => {
                    let minutes = question.minutes();
                    let range = self.range(minutes.start * engine::MINUTE, minutes.end * engine::MINUTE);
                    let (sums, outgrown) = (question.nothing(), Vec::new());
                    let question = *question;
                    drop(to.send(stand(Gathered { question, sums, outgrown, stored: None, range })));
                }
                Query::State(_, to) => drop(to),
                Query::Why(id, of, to) => {
                    let of_it = |e: &&Explained| of.is_none() || e.entry.participant == of;
                    drop(
                        to.send(stand(found(&id).map(|_| self.why.iter().filter(of_it).cloned().collect()))),
                    );
                }
                Query::User(id, to) => {
                    drop(to.send(stand((id.to_string() == AGENT).then(|| self.user.clone()))));
                }
                Query::List { filter, after, limit, when: _, to } => {
                    let mut pass = self
                        .conversations
                        .iter()
                        .filter(|view| filter.matches(view))
                        .filter(|view| after.as_ref().is_none_or(|after| view.id > *after));
                    let items: Vec<_> = pass.by_ref().take(limit).cloned().collect();
                    let next = pass.next().and(items.last()).map(|view| view.id.clone());
                    let active = self.conversations.iter().filter(|view| view.active).count() as u64;
                    let page = stand(Page { items, next, active });
                    drop(to.send(Answer { position: self.stands, ..page }));
                }
            }
        }
    }
}

impl World {
    fn range(&self, from: i64, to: i64) -> RangeView {
        let unknown = |&(from, to)| Interval { from, to, completeness: Completeness::Unknown, reason: None };
        let mut range = range(from, to);
        match range.feeds.first_mut() {
            Some(_) if self.summary.feeds.is_empty() => range.feeds.clear(),
            Some(feed) if !self.unknown.is_empty() => {
                feed.intervals = self.unknown.iter().map(unknown).collect();
            }
            _ => {}
        }
        range
    }
}

impl Board {
    /// `GET`.
    pub async fn get(&self, path: &str) -> Response {
        ask(&self.router, Method::GET, path).await
    }

    /// `GET` of JSON that is there.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status, StatusCode::OK, "{path}: {}", response.text());
        assert_eq!(response.headers["content-type"], "application/json");
        response.json()
    }
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks the routes, and reads the answer to its end.
pub async fn ask(router: &Router, method: Method, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
    Response { status, headers, body }
}

/// The routes over somebody else's engine.
pub fn routes_over(reader: Reader) -> Router {
    let clock = Clock::manual(NOON + 90 * engine::SECOND);
    routes_at(reader, "UTC", clock, Path::new(NOWHERE)).0
}

/// The routes over somebody else's engine and clock.
pub fn routes_over_at(reader: Reader, clock: Clock) -> Board {
    routes_on(reader, clock, Path::new(NOWHERE))
}

/// The routes over somebody else's engine, clock and data folder.
pub fn routes_on(reader: Reader, clock: Clock, data: &Path) -> Board {
    let summary = Arc::new(arc_swap::ArcSwap::new(reader.summary()));
    let changes = reader.changes().clone();
    let (router, telemetry) = routes_at(reader, "UTC", clock, data);
    Board { router, summary, changes, telemetry }
}

fn routes_at(reader: Reader, zone: &str, clock: Clock, data: &Path) -> (Router, Arc<Telemetry>) {
    let mut registry = Registry::default();
    let telemetry = Telemetry::new(&mut registry);
    let app = App {
        reader,
        registry: Arc::new(registry),
        telemetry: telemetry.clone(),
        clock,
        data: data.to_owned(),
        hosts: "board.example.org".parse().unwrap(),
        zone: in_zone(zone),
        title: "demo".to_owned(),
        note: Some("made-up data".to_owned()),
    };
    (serve::router(app), telemetry)
}

/// A zone by the rules of this program, whatever the host's are.
fn in_zone(name: &str) -> Zone {
    ZoneRules::among(None).zone(name).unwrap()
}

fn stand<T>(value: T) -> Answer<T> {
    Answer { value, position: POSITION, completeness: Completeness::Complete, removed_until: None }
}

/// Nothing was known before noon.
fn known(at: Option<i64>) -> bool {
    at.is_none_or(|at| at >= NOON)
}

fn range(from: i64, to: i64) -> RangeView {
    let interval = Interval { from, to, completeness: Completeness::Partial, reason: Some("why".to_owned()) };
    RangeView {
        from,
        to,
        completeness: Completeness::Partial,
        feeds: vec![FeedIntervals {
            name: "events".to_owned(),
            connected: true,
            completeness: Completeness::Partial,
            intervals: vec![interval],
            truncated: false,
        }],
        lacking: 7,
        lacks: vec![(id(FIRST), missing())],
    }
}

fn missing() -> Missing {
    let dots = vec![MissingDots { region: word("use1"), from: 3, to: 5 }];
    Missing { dots, dots_count: 9, dropped: 2 }
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

/// The conversation of this number; ids ascend with it.
pub fn conversation(number: usize) -> ConversationView {
    let started = Time::from_millis(NOON / 1_000_000);
    let person = |role: &str, state: &str| ParticipantView {
        id: id(&format!("{role}-{number}")),
        role: Some(word(role)),
        user: (role == "agent").then(|| id(AGENT)),
        queue: None,
        active: true,
        state: Some(word(state)),
        joined_at: Some(started),
        left_at: None,
        end_reason: None,
        held: false,
        muted: role == "agent",
        communications: vec![communication(number)],
    };
    ConversationView {
        id: id(&format!("00000000-0000-4000-8000-{number:012x}")),
        active: true,
        started_at: Some(started),
        ended_at: None,
        media: vec![word(if number.is_multiple_of(2) { "voice" } else { "internalMessage" })],
        vector_clock: 17,
        clock: vec![(word("euw1"), 8), (word("use1"), 9)],
        completeness: Completeness::Repaired,
        missing: missing(),
        suspect: (number == 1).then(|| Suspicion { since: started, reason: "active for long".to_owned() }),
        remembered_at: (number == 3).then_some(started),
        participants: vec![person("customer", "connected"), person("agent", "alerting")],
    }
}

fn communication(number: usize) -> CommunicationView {
    CommunicationView {
        id: id(&format!("leg-{number}")),
        medium: Some(word("voice")),
        direction: Some(word("inbound")),
        state: Some(word("connected")),
        connected_at: Some(Time { nanos: NOON + 120_000_000, digits: 2 }),
        ended_at: None,
        end_reason: None,
        held: false,
        muted: false,
    }
}

/// An entry in which everything that may be absent is, but for the participant and what it became.
pub fn entry() -> TimelineEntry {
    TimelineEntry {
        state: Some(word("connected")),
        fact: FactId(17),
        at: None,
        effective_at: Time { nanos: NOON, digits: 0 },
        received_at: Time::from_millis(NOON / 1_000_000),
        participant: Some(id("customer-0")),
        communication: None,
        kind: "state",
        from: None,
        to: Some(word("connected")),
        role: None,
        user: None,
        queue: None,
        medium: None,
        reason: None,
        source: "events",
        late: true,
        concurrent: false,
        vector_clock: 3,
        clock: vec![(word("use1"), 3)],
    }
}

pub fn spell() -> SpellView {
    SpellView {
        participant: id("customer-0"),
        communication: None,
        role: Some(word("customer")),
        user: None,
        queue: None,
        medium: Some(word("voice")),
        state: Some(word("connected")),
        held: false,
        from: Time { nanos: NOON, digits: 0 },
        to: None,
    }
}

fn explained() -> Explained {
    let other = Named {
        fact: FactId(18),
        kind: "left",
        to: None,
        participant: Some(id("agent-0")),
        communication: None,
        effective_at: Time { nanos: NOON, digits: 0 },
    };
    Explained {
        entry: entry(),
        place: None,
        hidden: Some(Hidden::NoChange),
        feed: Some("notifications-1".to_owned()),
        incarnation: 3,
        authority: Authority::Recorded,
        identity: Identity::Hold,
        placed: Placed { rule: Rule::LifeCycle, by: Some(other.clone()) },
        concurrent: vec![other],
        concurrent_count: 1,
    }
}
