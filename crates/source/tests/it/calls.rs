//! Tokens and REST calls: one refresh, waits that are obeyed, errors that name what to do.

use crate::platform::Platform;
use crate::support::{run, settings, until};
use outward::Level;
use serde_json::json;
use source::Dialect::Notifications;
use source::check;
use std::time::{Duration, Instant};

#[tokio::test]
async fn one_token_serves_however_many_ask() {
    let platform = Platform::start().await;
    let topics = (0..3_000).map(|n| format!("user:u-{n}")).collect::<Vec<_>>().join(",");
    let running = run(settings(&platform, Notifications, &topics));
    until("three listen", || running.recorder.told("listening") == 3).await;
    assert_eq!(platform.count("POST /oauth/token"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_401_in_mid_life_is_answered_by_one_fresh_token() {
    let platform = Platform::start().await;
    platform.with(|state| state.live = vec!["c-1", "c-2", "c-3", "c-4"]);
    let running = run(settings(&platform, Notifications, "queue:q-1"));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    platform.with(|state| state.token_valid = 99);
    platform.tell(0, crate::platform::Command::Cut);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    assert_eq!(platform.count("POST /oauth/token"), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_429_is_obeyed_by_every_call() {
    let platform = Platform::start().await;
    platform.once("/api/v2/notifications/channels", 429, &[("retry-after", "1")], json!({}));
    let (running, began) = (run(settings(&platform, Notifications, "queue:q-1")), Instant::now());
    until("listening", || running.recorder.told("listening") == 1).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(
        platform.with(|s| s.requests[..3].to_vec()),
        ["POST /oauth/token", "POST /api/v2/notifications/channels", "POST /api/v2/notifications/channels",]
    );
    running.stop().await;
}

#[tokio::test]
async fn a_429_of_the_login_host_is_obeyed() {
    let platform = Platform::start().await;
    platform.once("/oauth/token", 429, &[("retry-after", "1")], json!({}));
    let (running, began) = (run(settings(&platform, Notifications, "queue:q-1")), Instant::now());
    until("listening", || running.recorder.told("listening") == 1).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(platform.count("POST /oauth/token"), 2);
    running.stop().await;
}

#[tokio::test]
async fn wrong_credentials_say_where_to_look_and_are_tried_slowly() {
    let platform = Platform::start().await;
    let refusal = json!({ "error": "invalid_client", "description": "authentication failed" });
    platform.once("/oauth/token", 400, &[], refusal);
    let running = run(settings(&platform, Notifications, "queue:q-1"));
    until("a problem", || {
        running
            .source
            .health()
            .feeds
            .iter()
            .any(|f| f.problem.as_ref().is_some_and(|p| p.contains("GENESYS")))
    })
    .await;
    let health = running.source.health();
    let problem = health.feeds[0].problem.as_ref().unwrap();
    for word in
        ["GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_ENVIRONMENT", "invalid_client", "no UUID"]
    {
        assert!(problem.contains(word), "{problem} lacks {word}");
    }
    assert!(!problem.contains("the-secret") && !problem.contains("the-client"), "{problem}");
    assert!(!format!("{:?}", settings(&platform, Notifications, "queue:q-1")).contains("the-secret"));
    assert_eq!(platform.count("POST /oauth/token"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_check_names_what_is_missing() {
    let platform = Platform::start().await;
    platform.with(|state| {
        state.users = vec!["u-1"];
        state.queues = vec!["q-1"];
        state
            .rejected
            .insert("v2.routing.queues.q-1.conversations".to_owned(), "conversation:communication:view");
    });
    let missing = json!({
        "code": "missing.permissions", "status": 403,
        "message": "You are missing the following permission(s): analytics:conversationDetail:view",
    });
    platform.once("/api/v2/analytics/conversations/details", 403, &[], missing);
    let findings = check(&settings(&platform, Notifications, "discover")).await;
    let level = |name: &str| findings.iter().find(|f| f.name == name).map(|f| f.level);
    for name in ["token", "queues", "users", "channel", "user topic", "live conversations", "clock"] {
        assert_eq!(level(name), Some(Level::Ok), "{name} in {findings:?}");
    }
    let remedy = |name: &str| findings.iter().find(|f| f.name == name).unwrap().remedy.clone().unwrap();
    assert_eq!(level("queue topic"), Some(Level::Problem));
    assert!(remedy("queue topic").contains("conversation:communication:view"));
    assert_eq!(level("conversation details"), Some(Level::Warning));
    assert!(remedy("conversation details").contains("analytics:conversationDetail:view"));
}

#[tokio::test]
async fn a_check_stops_where_there_is_no_token() {
    let platform = Platform::start().await;
    platform.once("/oauth/token", 401, &[], json!({ "error": "invalid_client" }));
    let findings = check(&settings(&platform, Notifications, "discover")).await;
    assert_eq!(findings.iter().map(|f| (f.name, f.level)).collect::<Vec<_>>(), [("token", Level::Problem)]);
    assert!(findings[0].detail.contains("GENESYS_CLIENT_SECRET"));
}

#[tokio::test]
async fn one_old_date_refuses_no_frame() {
    use crate::platform::Command;
    use crate::support::snapshot;
    let platform = Platform::start().await;
    let now = jiff::Timestamp::from_nanosecond(pipeline::Clock::system().now().into()).unwrap();
    let old = |hours: i64| {
        let then = now - jiff::SignedDuration::from_hours(hours);
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap()
    };
    platform.with(|state| state.date = Some(old(0).leak()));
    let running = run(settings(&platform, Notifications, "queue:q-1"));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    // A cache answers, and a balancer whose clock is off.
    let (cached, wrong) = (old(5), old(9));
    let answer = || json!({ "results": [] });
    let activity = "/api/v2/analytics/conversations/activity/query";
    platform.once(activity, 200, &[("date", &cached), ("age", "18000")], answer());
    platform.tell(0, Command::Cut);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    platform.once(activity, 200, &[("date", &wrong)], answer());
    platform.tell(1, Command::Cut);
    until("repaired once more", || running.recorder.told("repaired") == 3).await;
    let frame = snapshot("c-1").replace("2026-03-01T12:00:00", &now.to_string()[..19]);
    platform.tell(2, Command::Text(frame));
    until("the conversation", || running.recorder.heard_of("c-1") == 1).await;
    assert_eq!(running.recorder.told("refused"), 0);
    running.stop().await;
}
