//! A machine stands still while one frame lies in a buffer: none of that time was heard.

use crate::platform::{Command, Platform};
use crate::support::{Running, event, run_by, settings, snapshot, until};
use engine::{FeedEvent, SECOND};
use pipeline::Clock;
use source::Dialect;

const NOON: i64 = 1_772_366_400 * SECOND;
const PAUSE: i64 = 60 * SECOND;

/// When each loss says that the feed was last heard.
fn last_heard(running: &Running) -> Vec<i64> {
    running.recorder.with(|record| {
        let lost = record.notes.iter().filter_map(|note| match &note.event {
            FeedEvent::Lost { last_heard, .. } => Some(*last_heard),
            _ => None,
        });
        lost.collect()
    })
}

async fn a_pause_is_a_hole(dialect: Dialect, topics: &str, frame: fn(&str) -> String) {
    let platform = Platform::start().await;
    let clock = Clock::manual(NOON);
    let running = run_by(clock.clone(), settings(&platform, dialect, topics));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(frame("c-1")));
    until("the first", || running.recorder.heard_of("c-1") == 1).await;
    // A minute is gone in no time; a frame of before it is read, and the peer says no more.
    clock.set(NOON + PAUSE);
    platform.tell(0, Command::Text(frame("c-2")));
    until("lost at once", || last_heard(&running).len() == 1).await;
    assert!(last_heard(&running)[0] < NOON + SECOND, "{:?}", running.recorder.story());
    until("listening again", || running.recorder.told("listening") == 2).await;
    until("what came is kept", || running.recorder.heard_of("c-2") == 1).await;
    running.stop().await;
}

#[tokio::test]
async fn of_a_notification_socket() {
    a_pause_is_a_hole(Dialect::Notifications, "queue:q-1", snapshot).await;
}

#[tokio::test]
async fn of_an_events_socket() {
    a_pause_is_a_hole(Dialect::Events, "discover", |conversation| event(conversation, conversation)).await;
}

#[tokio::test]
async fn a_pause_in_which_nothing_came_is_noticed_without_a_ping() {
    for dialect in [Dialect::Notifications, Dialect::Events] {
        let platform = Platform::start().await;
        let clock = Clock::manual(NOON);
        let running = run_by(clock.clone(), settings(&platform, dialect, "queue:q-1"));
        until("listening", || running.recorder.told("listening") == 1).await;
        platform.with(|state| state.mute = true);
        clock.set(NOON + PAUSE);
        until("lost", || last_heard(&running).len() == 1).await;
        assert!(last_heard(&running)[0] < NOON + SECOND);
        assert!(platform.with(|state| state.said.iter().all(|said| !said.contains("ping"))), "{dialect}");
        running.stop().await;
    }
}

/// What a pause hides is not heard even when it is too short for the socket to be given up: the peer says no more behind
/// the frame that lay in the buffer.
async fn a_short_pause_is_not_heard(dialect: Dialect, topics: &str, frame: fn(&str) -> String) {
    let platform = Platform::start().await;
    let clock = Clock::manual(NOON);
    let running = run_by(clock.clone(), settings(&platform, dialect, topics));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(frame("c-1")));
    until("the first", || running.recorder.heard_of("c-1") == 1).await;
    clock.set(NOON + 20 * SECOND);
    platform.tell(0, Command::Text(frame("c-2")));
    until("the second", || running.recorder.heard_of("c-2") == 1).await;
    clock.set(NOON + 2 * PAUSE);
    until("lost", || last_heard(&running).len() == 1).await;
    assert!(last_heard(&running)[0] < NOON + SECOND, "{:?}", running.recorder.story());
    running.stop().await;
}

#[tokio::test]
async fn a_short_one_of_a_notification_socket() {
    a_short_pause_is_not_heard(Dialect::Notifications, "queue:q-1", snapshot).await;
}

#[tokio::test]
async fn a_short_one_of_an_events_socket() {
    a_short_pause_is_not_heard(Dialect::Events, "discover", |conversation| event(conversation, conversation))
        .await;
}
