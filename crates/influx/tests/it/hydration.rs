//! After a lost disk: every clock as it was, and who was on each conversation that lived, from each version, in both
//! schemas; and a failure that stops nothing.

use crate::sending::settings_for;
use crate::stand_in::StandIn;
use crate::world::{NOON, World, event, history, settings};
use engine::*;
use influx::{Schema, legacy};
use std::collections::BTreeMap;

pub async fn own_clocks(world: &World) -> BTreeMap<String, u64> {
    let last =
        |timeline: &[engine::TimelineEntry]| timeline.iter().map(|entry| entry.vector_clock).max().unwrap();
    world.entries().await.into_iter().map(|(id, timeline)| (id.to_string(), last(&timeline))).collect()
}

pub async fn told(settings: &influx::Settings) -> (BTreeMap<String, u64>, Option<String>) {
    let told = legacy(settings, NOON + 3_600 * SECOND).await;
    let clocks = told.conversations.into_iter().map(|row| (row.conversation.to_string(), row.clock));
    (clocks.collect(), told.clocks_cut)
}

/// Of each conversation that looks live, its live participants with state and role, by what is told.
pub async fn remembered(settings: &influx::Settings) -> BTreeMap<String, Vec<[String; 3]>> {
    let told = legacy(settings, NOON + 3_600 * SECOND).await;
    assert_eq!(told.states_cut, None);
    let rows = told.conversations.into_iter().filter_map(|row| Some((row.conversation, row.remembered?)));
    let word = |word: Option<Word>| word.map(|word| word.to_string()).unwrap_or_default();
    let who = |p: MemoryOfParticipant| [p.id.to_string(), word(p.state), word(p.role)];
    rows.map(|(id, memory)| {
        let mut participants: Vec<_> = memory.participants.into_iter().map(who).collect();
        participants.sort();
        (id.to_string(), participants)
    })
    .collect()
}

/// The same by what the service shows.
pub async fn shown(world: &World) -> BTreeMap<String, Vec<[String; 3]>> {
    let filter = Filter { active: Some(true), ..Filter::default() };
    let page = world.pipeline.reader().list(filter, None, 1_000, When::default()).await.unwrap().value;
    let word = |word: Option<Word>| word.map(|word| word.to_string()).unwrap_or_default();
    let who = |p: ParticipantView| [p.id.to_string(), word(p.state), word(p.role)];
    page.items
        .into_iter()
        .map(|view| {
            let live = view.participants.into_iter().filter(|p| p.active);
            let mut participants: Vec<_> = live.map(who).collect();
            participants.sort();
            (view.id.to_string(), participants)
        })
        .collect()
}

/// Conversations of every kind of end, and of none.
pub fn ends() -> Vec<Delivery> {
    let life = |conversation: &str, n: u64, ms: i64, state: &str| {
        let mut delivery = event(conversation, n, ms, state);
        let mut fact = Fact::new(What::LifeCycle);
        fact.state = Word::new(state);
        fact.at = delivery.facts[0].at;
        fact.authority = Authority::Recorded;
        fact.id = FactId::of_event(&format!("{conversation}-life-{n}"));
        delivery.facts = std::iter::once(fact).collect();
        delivery
    };
    vec![
        // Both are there; one has left; both have.
        event("both", 1, 0, "connected"),
        event("both", 2, 5, "alerting"),
        event("one", 1, 0, "connected"),
        event("one", 2, 5, "connected"),
        event("one", 3, 9, "disconnected"),
        event("none", 1, 0, "connected"),
        event("none", 3, 9, "terminated"),
        // It came back.
        event("back", 1, 0, "disconnected"),
        event("back", 3, 9, "held"),
        // The end of the conversation is the end of all who were there; without it those who left are not.
        event("over", 1, 0, "connected"),
        life("over", 2, 7, "ended"),
        life("lives", 1, 0, "active"),
        event("lives", 2, 5, "connected"),
        event("lives", 4, 8, "disconnected"),
        // What is old and was never told to end.
        event("days ago", 1, -3 * 86_400_000, "connected"),
        event("days ago", 2, 1, "connected"),
    ]
}

#[tokio::test]
async fn who_was_on_each_live_conversation_comes_back() {
    for version in [1, 2, 3] {
        for schema in [Schema::Tutorial, Schema::Compact] {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            world.submit(ends()).await;
            world.until("it is committed", || world.seq() == 16).await;
            world.until("the server has all", || world.status().lag_changes == 0).await;
            let wanted = shown(&world).await;
            assert_eq!(wanted.keys().collect::<Vec<_>>(), ["back", "both", "days ago", "lives", "one"]);
            world.stop().await;
            assert_eq!(
                remembered(&settings_for(&server, Some(schema))).await,
                wanted,
                "v{version} {schema:?}"
            );
            server.points();
        }
    }
}

#[tokio::test]
async fn the_highest_clock_of_each_conversation_comes_back() {
    for version in [1, 2, 3] {
        for schema in [Schema::Tutorial, Schema::Compact] {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            let mut all = history(30, 9);
            // One of two days ago, and one that is older than is asked for.
            all.push(event("yesterday", 1, -2 * 86_400_000, "connected"));
            all.push(event("long ago", 1, -8 * 86_400_000, "connected"));
            world.submit(all).await;
            // The day's activity has the newest events only.
            world.settled(270).await;
            let mut wanted = own_clocks(&world).await;
            assert_eq!(wanted.remove("long ago"), Some(1));
            world.stop().await;
            server.points();
            assert_eq!(
                told(&settings_for(&server, Some(schema))).await,
                (wanted, None),
                "v{version} {schema:?}"
            );
            let asked = server.look(|inside| inside.asked);
            assert!((8..30).contains(&asked), "slices grow: {asked}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_warning() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (clocks, cut) = told(&settings(&format!("http://{nobody}/"), "calls")).await;
    assert!(clocks.is_empty() && cut.unwrap().contains("cannot be reached"));
}

#[tokio::test]
async fn a_first_start_has_nothing_to_warn_of() {
    let server = StandIn::start(3).await;
    let nothing = (BTreeMap::new(), None);
    // First there is no database, then one without our tables.
    for _ in 0..2 {
        assert_eq!(told(&settings_for(&server, None)).await, nothing);
        assert_eq!(remembered(&settings_for(&server, None)).await, BTreeMap::new());
        server.look(|inside| {
            inside.three.databases.entry("calls".to_owned()).or_default().with("other,a=b events=1i 5")
        });
    }
}

#[tokio::test]
async fn a_question_that_would_look_into_too_many_files_is_asked_in_parts() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        let world = World::start(folder.path(), settings_for(&server, Some(schema)));
        let days_ago = |days: i64| event(&format!("d{days}"), 1, -days * 86_400_000, "connected");
        world.submit((0..7).map(days_ago).collect()).await;
        world.until("it is committed", || world.seq() == 7).await;
        world.until("the server has all", || world.status().lag_changes == 0).await;
        let wanted = own_clocks(&world).await;
        world.stop().await;
        server.look(|inside| inside.three.files = 40);
        assert_eq!(told(&settings_for(&server, Some(schema))).await, (wanted, None), "{schema:?}");
    }
}
