//! A round of repair says that a hole is closed only when all was listed and read that the hole may hide.

use crate::platform::{Command, Platform};
use crate::support::{body, run, run_by, settings, snapshot, until};
use engine::{FeedEvent, Id, SECOND};
use jiff::Timestamp;
use pipeline::{Clock, Wish};
use serde_json::json;
use source::Dialect::Notifications;
use std::time::Duration;

const NAMED: &str = "queue:q-1";
const DAY: Duration = Duration::from_secs(86_400);

fn gap(conversation: &str) -> Wish {
    Wish { conversation: Id::new(conversation).unwrap(), reason: "gap", not_before: 0 }
}

fn reads(platform: &Platform) -> usize {
    platform.count("GET /api/v2/conversations/")
}

#[tokio::test]
async fn a_list_that_is_cut_fails_the_round_until_it_is_whole() {
    let platform = Platform::start().await;
    let ended = "2001-01-01T00:00:00.000Z";
    platform.with(|state| {
        state.details = (0..100)
            .map(|n| json!({ "conversationId": format!("c-{n}"), "conversationEnd": ended }))
            .collect();
    });
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.repair_day_pages_max = 2;
    let running = run(settings);
    until("failed", || {
        running.recorder.told("failed: more than 200 conversations started on the day of") >= 1
    })
    .await;
    assert_eq!(running.recorder.told("repaired"), 0, "{:?}", running.recorder.story());
    platform.with(|state| state.details.truncate(99));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_long_hole_is_listed_day_by_day() {
    let platform = Platform::start().await;
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.look_back_first = 3 * DAY;
    let running = run(settings);
    until("repaired", || running.recorder.told("repaired") == 1).await;
    let intervals = platform.with(|state| state.intervals.clone());
    assert!((4..=5).contains(&intervals.len()), "{intervals:?}");
    let bounds: Vec<(Timestamp, Timestamp)> = intervals
        .iter()
        .map(|interval| interval.split_once('/').unwrap())
        .map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()))
        .collect();
    assert!(bounds.iter().all(|(from, to)| to.duration_since(*from).as_secs() <= 86_400), "{intervals:?}");
    assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0), "{intervals:?}");
    assert!(intervals[1].contains("T00:00:00.000Z/"), "{intervals:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_hole_that_is_older_than_can_be_listed_stays_open_and_says_why() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.live = vec!["c-live"];
        state.conversations.insert("c-live", body("c-live"));
    });
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.look_back_first = 40 * DAY;
    let running = run(settings);
    let failed = || running.recorder.told("failed: it began more than 30 days ago");
    until("failed", || failed() == 1).await;
    assert_eq!(running.recorder.heard_of("c-live"), 1, "what can be read is read");
    platform.tell(0, Command::Cut);
    until("failed again", || failed() == 2).await;
    assert_eq!(running.recorder.told("repaired"), 0, "{:?}", running.recorder.story());
    assert!(running.source.health().problems.iter().any(|problem| problem.contains("30 days")));
    running.stop().await;
}

#[tokio::test]
async fn a_round_reads_all_that_it_listed_however_little_room_there_is() {
    let platform = Platform::start().await;
    let ids = ["c-0", "c-1", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7", "c-8", "c-9"];
    platform.with(|state| {
        state.live = ids.to_vec();
        ids.iter().for_each(|id| drop(state.conversations.insert(*id, body(id))));
    });
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.repair_waiting_max = 2;
    let running = run(settings);
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!(ids.map(|id| running.recorder.heard_of(id)), [1; 10]);
    running.stop().await;
}

#[tokio::test]
async fn wishes_that_find_no_room_wait_with_who_wishes() {
    let platform = Platform::start().await;
    let ids: Vec<&'static str> = (0..100).map(|n| &*format!("c-{n}").leak()).collect();
    platform.with(|state| ids.iter().for_each(|id| drop(state.conversations.insert(id, body(id)))));
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.repair_waiting_max = 2;
    let running = run(settings);
    until("repaired", || running.recorder.told("repaired") == 1).await;
    platform.with(|state| state.hold = Some("/api/v2/conversations/"));
    // Four are being read, two wait, and the channel holds 64.
    for id in ids.iter().take(70) {
        running.wishes.send(gap(id)).await.unwrap();
    }
    until("four reads", || reads(&platform) == 4).await;
    assert!(running.wishes.try_send(gap("c-70")).is_err(), "there is no room");
    platform.release();
    for id in ids.iter().skip(70) {
        running.wishes.send(gap(id)).await.unwrap();
    }
    until("all of them", || ids.iter().all(|id| running.recorder.heard_of(id) == 1)).await;
    running.stop().await;
}

#[tokio::test]
async fn what_a_gap_makes_the_engine_wish_for_is_of_the_round() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    // It began days ago and ended in the hole: no list has it.
    platform.with(|state| state.conversations.insert("c-old", body("c-old")));
    running.recorder.settle(false);
    platform.tell(0, Command::Cut);
    until("the round waits", || running.recorder.with(|record| record.asked_settled) == 2).await;
    // Its read fails before the round knows of it.
    for _ in 0..3 {
        platform.once("/api/v2/conversations/c-old", 503, &[], json!({ "code": "service.unavailable" }));
    }
    running.wishes.send(gap("c-old")).await.unwrap();
    until("three tries", || reads(&platform) == 3).await;
    until("the failure", || running.metrics().contains(r#"headcount_repairs_total{result="failed"} 1"#))
        .await;
    assert_eq!(running.recorder.told("repaired"), 1);
    running.recorder.settle(true);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    assert_eq!(running.recorder.heard_of("c-old"), 1, "read before the hole counts as closed");
    running.stop().await;
}

#[tokio::test]
async fn a_read_that_finds_no_room_in_the_mailbox_three_times_has_failed() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.live = vec!["c-1"];
        state.conversations.insert("c-1", body("c-1"));
    });
    let running = run(settings(&platform, Notifications, NAMED));
    running.recorder.drop_next(3);
    until("failed", || running.recorder.told("failed") == 1).await;
    let story = running.recorder.story();
    assert!(story.iter().any(|word| word.contains("no room in the mailbox")), "{story:?}");
    assert_eq!(running.recorder.told("repaired"), 0);
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!(running.recorder.heard_of("c-1"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_hole_begins_when_the_feed_was_last_heard_by_a_clock_that_was_set_back() {
    let platform = Platform::start().await;
    let noon = Clock::system().now();
    let clock = Clock::manual(noon);
    let running = run_by(clock.clone(), settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    let set_back = noon - 3_600 * SECOND;
    clock.set(set_back);
    platform.tell(0, Command::Text(snapshot("c-1")));
    until("the conversation", || running.recorder.heard_of("c-1") == 1).await;
    // The loss is noticed half an hour later.
    clock.set(set_back + 1_800 * SECOND);
    platform.tell(0, Command::Cut);
    until("lost", || running.recorder.told("lost") == 1).await;
    let heard = running.recorder.with(|record| {
        record.notes.iter().find_map(|note| match note.event {
            FeedEvent::Lost { last_heard, .. } => Some(last_heard),
            _ => None,
        })
    });
    let heard = heard.unwrap();
    assert!((set_back - 30 * SECOND..=set_back).contains(&heard), "{} s", (heard - set_back) / SECOND);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    let interval = platform.with(|state| state.intervals.last().unwrap().clone());
    let from: Timestamp = interval.split('/').next().unwrap().parse().unwrap();
    assert!(from.as_nanosecond() <= i128::from(set_back), "{interval}");
    running.stop().await;
}
