//! What is not listened to is asked for again, and said to be missing until it is heard.

use crate::platform::Platform;
use crate::support::{Running, run, settings, until};
use engine::{FeedEvent, SECOND};
use serde_json::json;
use source::Dialect::Notifications;
use std::time::Duration;

const USERS: &str = "/api/v2/users?";
const ON_CHANNEL: &str = "/api/v2/notifications/channels/channel-0/subscriptions";

async fn organisation() -> Platform {
    let platform = Platform::start().await;
    platform.with(|state| {
        (state.users, state.queues) = (vec!["u-1", "u-2", "u-3"], vec!["q-1"]);
        state.page_entities = Some(2);
    });
    platform
}

fn user_topics(platform: &Platform) -> usize {
    platform
        .with(|state| state.channels.iter().flatten().filter(|topic| topic.starts_with("v2.users.")).count())
}

/// Waits until all is heard, and a round has read what was not.
async fn until_whole(running: &Running) {
    until("all is heard", || running.recorder.limits().last() == Some(&None)).await;
    let heard = running.recorder.with(|record| record.notes.len());
    until("repaired", || {
        let is_repair = |note: &engine::FeedNote| note.event == FeedEvent::Repaired;
        running.recorder.with(|record| record.notes.iter().skip(heard - 1).any(is_repair))
    })
    .await;
}

#[tokio::test]
async fn a_passing_failure_of_a_list_costs_seconds_and_is_a_hole_with_its_reason() {
    for failing in [USERS, "/api/v2/users?pageSize=100&pageNumber=2", "/api/v2/routing/queues"] {
        let platform = organisation().await;
        let busy = json!({ "code": "service.unavailable", "message": "busy", "status": 503 });
        platform.once(failing, 503, &[], busy);
        let running = run(settings(&platform, Notifications, "discover"));
        until_whole(&running).await;
        assert_eq!(user_topics(&platform), 3, "{failing}");
        let limits = running.recorder.limits();
        assert!(limits.iter().flatten().any(|reason| reason.contains("503")), "{limits:?}");
        let since = running.recorder.with(|record| {
            let since = record.notes.iter().filter_map(|note| match &note.event {
                FeedEvent::Limited { limit: Some(limit) } => Some((limit.since, note.at)),
                _ => None,
            });
            since.collect::<Vec<_>>()
        });
        assert!(
            since.iter().all(|(since, at)| at - since > 500 * SECOND),
            "from the look back on: {since:?}"
        );
        assert_eq!(running.source.health().problems, Vec::<String>::new());
        running.stop().await;
    }
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_said_for_as_long_as_that_is_so() {
    let platform = organisation().await;
    let forbidden = json!({
        "code": "missing.permissions", "status": 403,
        "message": "You are missing the following permission(s): directory:user:view",
    });
    for _ in 0..3 {
        platform.once(USERS, 403, &[], forbidden.clone());
    }
    let mut settings = settings(&platform, Notifications, "discover");
    settings.timing.rediscover_every = Duration::from_millis(200);
    let running = run(settings);
    until("what may be read is heard", || running.recorder.told("listening") == 1).await;
    let health = running.source.health();
    assert!(health.problems.iter().any(|problem| problem.contains("directory:user:view")), "{health:?}");
    let limits = running.recorder.limits();
    assert!(
        limits.last().unwrap().as_ref().is_some_and(|why| why.contains("directory:user:view")),
        "{limits:?}"
    );
    until_whole(&running).await;
    assert_eq!((user_topics(&platform), platform.with(|state| state.once.len())), (3, 0));
    running.stop().await;
}

#[tokio::test]
async fn a_new_queue_whose_one_call_failed_is_subscribed_all_the_same() {
    let platform = organisation().await;
    let mut settings = settings(&platform, Notifications, "discover");
    settings.timing.rediscover_every = Duration::from_millis(50);
    let running = run(settings);
    until_whole(&running).await;
    platform.once(ON_CHANNEL, 502, &[], json!({}));
    platform.with(|state| state.queues = vec!["q-1", "q-2"]);
    until("its call failed", || platform.with(|state| state.once.is_empty())).await;
    let topic = "v2.routing.queues.q-2.conversations".to_owned();
    until("its topic", || platform.with(|state| state.channels[0].contains(&topic))).await;
    until_whole(&running).await;
    assert!(running.recorder.limits().iter().flatten().any(|why| why.contains("502")));
    running.stop().await;
}

#[tokio::test]
async fn a_topic_that_an_answer_leaves_out_is_not_taken_for_heard() {
    let platform = organisation().await;
    let topic = "v2.users.u-2?conversations&presence&routingStatus".to_owned();
    platform.with(|state| state.left_out.insert(topic.clone()));
    let running = run(settings(&platform, Notifications, "discover"));
    until_whole(&running).await;
    assert!(platform.with(|state| state.channels[0].contains(&topic)));
    let limits = running.recorder.limits();
    assert!(limits.iter().flatten().any(|why| why.contains("left out 1")), "{limits:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_is_named_by_the_feed_from_the_start() {
    let platform = organisation().await;
    platform.once("/oauth/token", 400, &[], json!({ "error": "invalid_client" }));
    let mut settings = settings(&platform, Notifications, "discover");
    settings.timing.credentials_retry = Duration::from_millis(300);
    let running = run(settings);
    let named = |text: &str| text.contains("client id and secret");
    until("the reason", || {
        running.source.health().feeds.iter().any(|feed| feed.problem.as_deref().is_some_and(named))
    })
    .await;
    assert!(running.metrics().contains(r#"headcount_feed_connected{feed="notifications-1"} 0"#));
    running.recorder.with(|record| {
        let said =
            |note: &engine::FeedNote| matches!(&note.event, FeedEvent::Failing { reason } if named(reason));
        assert!(record.notes.iter().any(said), "{:?}", record.notes);
    });
    until_whole(&running).await;
    assert_eq!(user_topics(&platform), 3, "and it is tried again");
    running.stop().await;
}
