//! A defect that panics somewhere in a source: it is named, said to the ledger, and everything begins again.

use crate::platform::{Command, Platform};
use crate::support::{Running, event, run, settings, snapshot, until};
use source::Dialect::{Events, Notifications};

/// The feed is lost once, listens again, and hears what comes; then it stops in order, without a word to the ledger.
async fn comes_back(platform: &Platform, running: Running, text: impl Fn(&str) -> String) {
    until("listening", || running.recorder.told("listening") == 1).await;
    running.recorder.panic_next();
    platform.tell(0, Command::Text(text("c-1")));
    until("lost", || running.recorder.told("lost: a defect of the program") == 1).await;
    until("named", || running.faults().iter().any(|reason| reason.contains("feeds"))).await;
    until("listening again", || running.recorder.told("listening") == 2).await;
    assert!(running.faults().is_empty());
    assert!(running.metrics().contains(r#"headcount_reconnects_total{reason="panicked"} 1"#));
    let newest = platform.opened() - 1;
    platform.tell(newest, Command::Text(text("c-2")));
    until("the second", || running.recorder.heard_of("c-2") == 1).await;
    assert!(running.source.health().is_connected());
    let recorder = running.recorder.clone();
    running.stop().await;
    assert_eq!(recorder.told("lost"), 1, "{:?}", recorder.story());
}

#[tokio::test]
async fn a_socket_that_panics_is_lost_and_all_begins_again() {
    let platform = Platform::start().await;
    platform.with(|state| state.queues = vec!["q-1"]);
    let running = run(settings(&platform, Notifications, "queue:q-1"));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    comes_back(&platform, running, snapshot).await;
}

#[tokio::test]
async fn an_events_feed_that_panics_is_lost_and_begins_again() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Events, "discover"));
    comes_back(&platform, running, |conversation| event(conversation, &format!("e-{conversation}"))).await;
}

#[tokio::test]
async fn a_repair_that_panics_does_not_leave_holes_that_nobody_closes() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.live = vec!["c-1"];
        state.conversations.insert("c-1", crate::support::body("c-1"));
    });
    let settings = settings(&platform, Notifications, "queue:q-1");
    let running = run(settings);
    running.recorder.panic_next();
    until("named", || !running.faults().is_empty()).await;
    until("repaired", || running.recorder.told("repaired") >= 1).await;
    assert!(running.recorder.heard_of("c-1") >= 1);
    running.stop().await;
}
