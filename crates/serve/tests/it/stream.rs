//! The stream: where it begins, that it has no hole, and how it ends.

use crate::world::{AGENT, Board, FIRST, NOON, POSITION, World, conversation, entry, id, spell};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use engine::{
    Belongs, Change, Effect, History, Life, MINUTE, MovedEntry, Revision, SpellMoves, SpellView, Time,
};
use futures_util::StreamExt;
use pipeline::{ChangeLog, Position};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// One event as a client reads it.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
    comment: bool,
}

struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(board: &Board, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = Request::builder().uri(path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = board.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = read(event);
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn event(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

fn read(text: &str) -> Event {
    let (mut event, mut data) = (Event::default(), String::new());
    for line in text.lines() {
        match line.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("id", id)) => event.id = id.to_owned(),
            Some(("data", line)) => data.push_str(line),
            Some(("", _)) => event.comment = true,
            _ => {}
        }
    }
    if !data.is_empty() {
        event.data = serde_json::from_str(&data).unwrap();
    }
    event
}

fn change(seq: u64) -> Change {
    let about = [Belongs::default(), Belongs { queue: Some(id("sales")), user: Some(id(AGENT)) }].into();
    let conversation = conversation(0).id;
    Change { seq, conversation, entry: Some(entry()), revision: None, effect: None, about }
}

/// Publishes changes of these numbers.
pub fn publish(log: &ChangeLog, seqs: std::ops::RangeInclusive<u64>) {
    let newest = *seqs.end();
    log.publish(seqs.map(change).collect(), newest);
}

#[tokio::test]
async fn a_new_follower_gets_a_snapshot_and_then_each_change() {
    let board = World::of(3).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    let snapshot = stream.event("snapshot").await;
    assert_eq!(snapshot.id, "1.42");
    assert_eq!(snapshot.data["position"], "1.42");
    assert_eq!(snapshot.data["activeInteractions"], 3);
    assert_eq!(snapshot.data["completeness"], "complete");
    assert_eq!(snapshot.data["truncated"], false);
    assert_eq!(snapshot.data["conversations"].as_array().unwrap().len(), 3);
    assert!(snapshot.data["conversations"][0]["participants"][0].get("communications").is_none());

    publish(&board.changes, 43..=43);
    let mut revised = change(44);
    revised.revision = Some(Revision { place: 2, moved: 5 });
    board.changes.publish(vec![revised], 44);
    let first = stream.event("change").await;
    assert_eq!(first.id, "1.43");
    assert_eq!(first.data["conversationId"], conversation(0).id.to_string());
    assert_eq!((&first.data["revision"], &first.data["at"]), (&Value::Null, &Value::Null));
    assert_eq!((&first.data["kind"], &first.data["to"]), (&"state".into(), &"connected".into()));
    let second = stream.event("change").await;
    assert_eq!(second.id, "1.44");
    let revision = &second.data["revision"];
    assert_eq!((&revision["place"], &revision["moved"]), (&2.into(), &5.into()));
    assert_eq!((&second.data["spells"], &revision["cut"]), (&Value::Null, &true.into()), "read it again");
}

/// An effect with everything in it.
fn effect() -> Effect {
    let until = |to| SpellView { to, ..spell() };
    let life = |active| Life { active, started_at: None, ended_at: None };
    let person = conversation(0).participants.remove(0);
    let moved = MovedEntry {
        fact: engine::FactId(255),
        kind: "left",
        participant: Some(id("customer-0")),
        communication: None,
        from: Some(1),
        to: None,
    };
    let history = History {
        entries: vec![moved],
        moved: 1,
        participants: vec![(None, person)],
        conversation: Some((life(true), life(false))),
        cut: false,
    };
    Effect {
        spells: Some(SpellMoves {
            removed: vec![until(None)],
            added: vec![until(Some(Time { nanos: NOON + 1_000, digits: 6 }))],
        }),
        cells: vec![(NOON / MINUTE, 1), (NOON / MINUTE + 1, -1)],
        history: Some(Box::new(history)),
    }
}

#[tokio::test]
async fn a_change_says_what_it_did_to_spells_and_cells_and_a_late_one_what_it_corrects() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    stream.event("snapshot").await;
    let in_time = Change { effect: Some(Arc::new(Effect { history: None, ..effect() })), ..change(43) };
    let revision = Some(Revision { place: 0, moved: 1 });
    let late = Change { revision, effect: Some(Arc::new(effect())), ..change(44) };
    board.changes.publish(vec![in_time, late], 44);
    let first = stream.event("change").await.data;
    let lasting = json!({"participantId": "customer-0", "communicationId": null, "role": "customer", "userId": null,
        "queueId": null, "medium": "voice", "state": "connected", "held": false, "from": "2026-01-01T12:00:00Z",
        "to": null});
    let mut over = lasting.clone();
    over["to"] = "2026-01-01T12:00:00.000001Z".into();
    let spells = json!({"removed": [lasting], "added": [over]});
    let cells = json!([{"minute": "2026-01-01T12:00:00Z", "difference": 1},
        {"minute": "2026-01-01T12:01:00Z", "difference": -1}]);
    assert_eq!((&first["revision"], &first["spells"], &first["cells"]), (&Value::Null, &spells, &cells));
    let second = stream.event("change").await.data;
    let revision = &second["revision"];
    assert_eq!((&second["spells"], &revision["spells"], &revision["cells"]), (&spells, &spells, &cells));
    assert_eq!(
        (&revision["place"], &revision["moved"], &revision["cut"]),
        (&0.into(), &1.into(), &false.into())
    );
    let moved = json!([{"id": "000000000000000000000000000000ff", "kind": "left", "participantId": "customer-0",
        "communicationId": null, "from": 1, "to": null}]);
    assert_eq!(revision["entries"], moved);
    let who = &revision["participants"][0];
    assert_eq!((&who["participantId"], &who["before"]), (&"customer-0".into(), &Value::Null));
    assert_eq!(who["after"]["state"], "connected");
    assert_eq!(revision["conversation"]["before"]["active"], true);
    assert_eq!(
        revision["conversation"]["after"],
        json!({"active": false, "startedAt": null, "endedAt": null})
    );
}

#[tokio::test]
async fn what_corrects_history_without_an_entry_of_its_own_is_told_as_a_revision() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    stream.event("snapshot").await;
    board.changes.publish(vec![Change { entry: None, effect: Some(Arc::new(effect())), ..change(43) }], 43);
    let told = stream.event("revision").await;
    assert_eq!((told.id.as_str(), &told.data["revision"]["place"]), ("1.43", &Value::Null));
    assert_eq!(told.data["revision"]["spells"], told.data["spells"]);
    assert!(told.data.get("kind").is_none());
}

#[tokio::test]
async fn what_the_snapshot_shows_already_is_not_told_again() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    publish(&board.changes, 41..=43);
    stream.event("snapshot").await;
    assert_eq!(stream.event("change").await.id, "1.43");
}

#[tokio::test]
async fn a_snapshot_is_bounded_and_says_so() {
    let board = World::of(1_200).board();
    let snapshot = Stream::open(&board, "/api/v1/stream", None).await.event("snapshot").await;
    assert_eq!(snapshot.data["conversations"].as_array().unwrap().len(), 1_000);
    assert_eq!(snapshot.data["truncated"], true);
    assert_eq!(snapshot.data["activeInteractions"], 1_200);
}

#[tokio::test]
async fn a_follower_that_comes_back_gets_what_it_missed() {
    let board = World::of(1).board();
    board.changes.publish(Vec::new(), POSITION.seq);
    publish(&board.changes, 43..=45);
    for (path, header) in [
        ("/api/v1/stream", Some("1.43")),
        ("/api/v1/stream?lastEventId=1.43", None),
        ("/api/v1/stream?lastEventId=1.44", Some("1.43")),
    ] {
        let mut stream = Stream::open(&board, path, header).await;
        assert_eq!(stream.event("change").await.id, "1.44", "{path}");
        assert_eq!(stream.event("change").await.id, "1.45", "{path}");
    }
    let mut current = Stream::open(&board, "/api/v1/stream", Some("1.45")).await;
    publish(&board.changes, 46..=46);
    assert_eq!(current.event("change").await.id, "1.46");
}

#[tokio::test]
async fn a_position_that_cannot_be_used_means_a_snapshot() {
    let board = World::of(1).board();
    board.changes.publish(Vec::new(), POSITION.seq);
    publish(&board.changes, 43..=45);
    for told in ["2.43", "1.7", "1.99", "nonsense", "1", ""] {
        let mut stream = Stream::open(&board, "/api/v1/stream", Some(told)).await;
        assert_eq!(stream.event("snapshot").await.id, "1.42", "{told}");
    }
}

#[tokio::test]
async fn changes_that_are_gone_from_the_log_are_not_skipped() {
    let board = World::of(1).board();
    publish(&board.changes, 43..=45);
    let mut stream = Stream::open(&board, "/api/v1/stream", Some("1.40")).await;
    assert_eq!(stream.event("snapshot").await.id, "1.42");
}

#[tokio::test]
async fn a_hole_ends_the_stream_with_a_reset() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    stream.event("snapshot").await;
    publish(&board.changes, 44..=44);
    let reset = stream.event("reset").await;
    assert_eq!((reset.id.as_str(), &reset.data["action"]), ("", &"reconnect".into()));
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_follower_that_reads_too_slowly_is_told_to_come_back() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    stream.event("snapshot").await;
    for seq in 43..3_000 {
        publish(&board.changes, seq..=seq);
    }
    stream.event("reset").await;
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_signs_of_life_within_fifteen_seconds() {
    let board = World::of(1).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    stream.event("snapshot").await;
    for _ in 0..3 {
        let heard = tokio::time::timeout(std::time::Duration::from_secs(15), stream.next()).await;
        assert!(heard.expect("within 15 s").expect("a comment").comment);
    }
}

#[tokio::test]
async fn streams_are_bounded_in_number() {
    let board = World::of(0).board();
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(Stream::open(&board, "/api/v1/stream", None).await);
    }
    let refused = board.get("/api/v1/stream").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["code"], "too_many_streams");
    open.pop();
    Stream::open(&board, "/api/v1/stream", None).await.event("snapshot").await;
}

#[tokio::test]
async fn a_snapshots_count_list_and_position_are_of_one_instant() {
    let mut world = World::of(498);
    // By the time that the engine is asked, eight have ended: the summary is of an older commit.
    (world.summary.active, world.stands) = (506, Position { seq: 50, ..POSITION });
    let board = world.board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    publish(&board.changes, 49..=51);
    let snapshot = stream.event("snapshot").await;
    assert_eq!((snapshot.id.as_str(), &snapshot.data["position"]), ("1.50", &"1.50".into()));
    assert_eq!(snapshot.data["conversations"].as_array().unwrap().len(), 498);
    assert_eq!(snapshot.data["activeInteractions"], 498);
    assert_eq!(stream.event("change").await.id, "1.51", "what the list has already is not told again");
    let listed = board.json("/api/v1/conversations?active=true&limit=1").await;
    assert_eq!((&listed["activeInteractions"], &listed["position"]), (&498.into(), &"1.50".into()));
}

#[tokio::test]
async fn no_line_of_a_snapshot_grows_with_the_number_of_conversations() {
    let board = World::of(1_000).board();
    let mut stream = Stream::open(&board, "/api/v1/stream", None).await;
    let chunk = stream.body.next().await.unwrap().unwrap();
    let longest = chunk.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
    assert!(chunk.len() > 512 << 10 && longest < 4_096, "{longest} of {}", chunk.len());
}

#[tokio::test]
async fn a_filter_of_the_stream_is_honoured_in_the_snapshot_and_in_changes() {
    let mut world = World::of(5);
    world.conversations[2].participants[1].queue = Some(id("sales"));
    let board = world.board();
    let one = format!("conversationId={FIRST}");
    let (user, nobody) = (format!("queueId=sales&userId={AGENT}"), "queueId=sales&userId=nobody");
    for (query, listed, told) in [
        ("queueId=sales", 1, true),
        ("queueId=support", 0, false),
        (user.as_str(), 1, true),
        (nobody, 0, false),
        (one.as_str(), 1, true),
        ("conversationId=other", 0, false),
    ] {
        board.changes.publish(Vec::new(), POSITION.seq);
        let mut stream = Stream::open(&board, &format!("/api/v1/stream?{query}"), None).await;
        let snapshot = stream.event("snapshot").await.data;
        assert_eq!(snapshot["conversations"].as_array().unwrap().len(), listed, "{query}");
        assert_eq!(snapshot["activeInteractions"], listed, "{query}");
        let unlike = Change { conversation: id("unlike"), about: [Belongs::default()].into(), ..change(43) };
        board.changes.publish(vec![unlike], 43);
        publish(&board.changes, 44..=44);
        // A hole tells that the ones before it were passed over.
        publish(&board.changes, 46..=46);
        let next = stream.next().await.unwrap();
        let expected = if told { ("change", "1.44") } else { ("reset", "") };
        assert_eq!((next.name.as_str(), next.id.as_str()), expected, "{query}");
    }
}
