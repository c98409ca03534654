//! Holes are closed by REST, and what cannot be closed is said.

use crate::platform::{Command, Platform};
use crate::support::{body, run, settings, until};
use engine::Id;
use pipeline::{Clock, Wish};
use serde_json::json;
use source::Dialect::Notifications;

const NAMED: &str = "queue:q-1";

fn wish(conversation: &str, not_before: i64) -> Wish {
    Wish { conversation: Id::new(conversation).unwrap(), reason: "test", not_before }
}

#[tokio::test]
async fn after_a_cut_the_live_and_the_ended_conversations_are_read() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    platform.with(|state| {
        state.live = vec!["c-live"];
        state.details = vec![
            json!({ "conversationId": "c-ended", "conversationEnd": "2100-01-01T00:00:00.000Z" }),
            json!({ "conversationId": "c-long-ago", "conversationEnd": "2001-01-01T00:00:00.000Z" }),
            json!({ "conversationId": "c-forgotten" }),
        ];
        for id in ["c-live", "c-ended", "c-long-ago"] {
            state.conversations.insert(id, body(id));
        }
    });
    platform.tell(0, Command::Cut);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    assert_eq!(["c-live", "c-ended", "c-long-ago"].map(|id| running.recorder.heard_of(id)), [1, 1, 0]);
    assert_eq!(running.recorder.told("gone: c-forgotten"), 1);
    let mut story = running.recorder.story();
    story.retain(|word| !word.starts_with("gone"));
    let tail: Vec<&str> =
        story[story.len() - 3..].iter().map(|word| word.split(':').next().unwrap()).collect();
    assert_eq!(tail, ["lost", "listening", "repaired"]);
    let metrics = running.metrics();
    assert!(metrics.contains(r#"headcount_repairs_total{result="ok"} 2"#), "{metrics}");
    assert!(metrics.contains(r#"headcount_repairs_total{result="gone"} 1"#), "{metrics}");
    running.stop().await;
}

#[tokio::test]
async fn a_missing_permission_is_named_and_a_later_round_mends_it() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.live = vec!["c-1"];
        state.conversations.insert("c-1", body("c-1"));
    });
    let missing = json!({
        "code": "missing.permissions", "status": 403,
        "message": "You are missing the following permission(s): conversation:communication:view",
    });
    platform.once("/api/v2/conversations/c-1", 403, &[], missing);
    let running = run(settings(&platform, Notifications, NAMED));
    until("failed", || running.recorder.told("failed") == 1).await;
    let story = running.recorder.story();
    let reason = story.iter().find(|word| word.starts_with("failed")).unwrap();
    assert!(reason.contains("conversation:communication:view"), "{reason}");
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!(running.recorder.heard_of("c-1"), 1);
    assert!(running.metrics().contains(r#"headcount_repairs_total{result="forbidden"} 1"#));
    running.stop().await;
}

#[tokio::test]
async fn a_read_that_fails_is_tried_again() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.live = vec!["c-1"];
        state.conversations.insert("c-1", body("c-1"));
    });
    platform.once("/api/v2/conversations/c-1", 503, &[], json!({ "code": "service.unavailable" }));
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!((running.recorder.heard_of("c-1"), running.recorder.told("failed")), (1, 0));
    running.stop().await;
}

#[tokio::test]
async fn wishes_are_granted_once_and_not_before_their_time() {
    let platform = Platform::start().await;
    platform.with(|state| {
        for id in ["c-now", "c-later", "c-never"] {
            state.conversations.insert(id, body(id));
        }
    });
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    let now = Clock::system().now();
    let later = now + engine::SECOND / 2;
    running.wishes.send(wish("c-never", now + 3_600 * engine::SECOND)).await.unwrap();
    for _ in 0..5 {
        running.wishes.send(wish("c-later", later)).await.unwrap();
    }
    running.wishes.send(wish("c-now", now)).await.unwrap();
    until("the later one", || running.recorder.heard_of("c-later") == 1).await;
    assert!(Clock::system().now() >= later);
    assert_eq!(["c-now", "c-later", "c-never"].map(|id| running.recorder.heard_of(id)), [1, 1, 0]);
    assert_eq!(platform.count("GET /api/v2/conversations/c-later"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_conversation_is_read_once_at_a_time() {
    let platform = Platform::start().await;
    platform.with(|state| {
        for id in ["c-1", "c-2"] {
            state.conversations.insert(id, body(id));
        }
    });
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    platform.with(|state| state.hold = Some("/api/v2/conversations/c-1"));
    let reads = || platform.count("GET /api/v2/conversations/c-1");
    running.wishes.send(wish("c-1", 0)).await.unwrap();
    until("the first read", || reads() == 1).await;
    for id in ["c-1", "c-2"] {
        running.wishes.send(wish(id, 0)).await.unwrap();
    }
    until("what was wished for later", || running.recorder.heard_of("c-2") == 1).await;
    assert_eq!(reads(), 1, "two answers could overtake one another");
    platform.release();
    until("the second answer", || running.recorder.heard_of("c-1") == 2).await;
    assert_eq!(reads(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_large_conversation_is_read_and_one_that_cannot_be_is_asked_for_ever_more_rarely() {
    let platform = Platform::start().await;
    let mut large = body("c-large");
    let message = json!({ "messageURI": "m".repeat(350), "messageTime": "2026-03-01T12:00:00.000Z" });
    large["participants"][0]["messages"] =
        json!([{ "id": "k-2", "state": "connected", "messages": vec![message; 3_600] }]);
    assert!(large.to_string().len() > 1_300_000);
    platform.with(|state| {
        state.live = vec!["c-large", "c-small"];
        state.conversations.insert("c-large", large);
        state.conversations.insert("c-small", body("c-small"));
    });
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!((running.recorder.heard_of("c-large"), running.recorder.heard_of("c-small")), (1, 1));
    platform.with(|state| state.conversations.insert("c-large", json!({ "id": 7 })));
    platform.tell(0, Command::Cut);
    until("the reason", || running.recorder.told("repaired but for 1") == 1).await;
    assert_eq!(running.recorder.heard_of("c-small"), 2, "the others are read");
    assert!(running.metrics().contains(r#"headcount_repairs_total{result="unreadable"} 1"#));
    running.stop().await;
}
