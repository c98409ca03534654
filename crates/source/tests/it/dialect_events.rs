//! The `events` dialect: confirmation, watchdog, reconnect, stale tokens.

use crate::platform::{Command, Platform};
use crate::support::{event, run, settings, until};
use outward::Level;
use source::Dialect::Events;
use source::check;
use std::time::Duration;

#[tokio::test]
async fn it_listens_once_confirmed_and_comes_back_after_a_cut() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Events, "discover"));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(event("c-1", "e-1")));
    until("the event", || running.recorder.heard_of("c-1") == 1).await;
    platform.tell(0, Command::Cut);
    until("listening again", || running.recorder.told("listening") == 2).await;
    platform.tell(1, Command::Text(event("c-2", "e-2")));
    until("the second event", || running.recorder.heard_of("c-2") == 1).await;
    assert_eq!(running.recorder.story()[..2], ["named events true", "listening"]);
    assert_eq!(running.recorder.told("lost"), 1);
    let said = platform.with(|state| state.said.clone());
    assert!(said.iter().all(|text| text.contains("interaction.participant.roleChanged")), "{said:?}");
    assert_eq!(
        platform.with(|s| (s.tokens, s.lines[1].query.clone())),
        (1, "access_token=secret-token-1".to_owned())
    );
    assert!(
        running.metrics().contains(
            r#"headcount_events_received_total{organisation="test",feed="events",dialect="events"}"#
        )
    );
    running.stop().await;
}

#[tokio::test]
async fn a_stale_token_at_the_handshake_is_replaced() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Events, "discover"));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.with(|state| state.token_valid = 2);
    platform.tell(0, Command::Cut);
    until("listening again", || running.recorder.told("listening") == 2).await;
    assert_eq!(platform.count("POST /oauth/token"), 2);
    running.stop().await;
}

#[tokio::test]
async fn without_a_confirmation_it_does_not_claim_to_listen() {
    let platform = Platform::start().await;
    platform.with(|state| state.unconfirmed = true);
    let mut settings = settings(&platform, Events, "discover");
    settings.timing.confirm_timeout = Duration::from_millis(50);
    let running = run(settings);
    until("a second try", || platform.opened() >= 2).await;
    assert_eq!((running.recorder.told("listening"), running.recorder.told("lost")), (0, 0));
    assert!(!running.source.health().is_connected());
    platform.with(|state| state.unconfirmed = false);
    until("listening", || running.recorder.told("listening") == 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_mute_gateway_is_left() {
    let platform = Platform::start().await;
    let mut settings = settings(&platform, Events, "discover");
    settings.timing.events_ping_after = Duration::from_millis(50);
    settings.timing.pong_timeout = Duration::from_millis(400);
    let running = run(settings);
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.with(|state| state.mute = true);
    until("lost", || running.recorder.told("lost: nothing was heard") == 1).await;
    platform.with(|state| state.mute = false);
    until("listening again", || running.recorder.told("listening") == 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_check_tries_the_handshake() {
    let platform = Platform::start().await;
    let findings = check(&settings(&platform, Events, "discover")).await;
    let seen: Vec<_> = findings.iter().map(|finding| (finding.name, finding.level)).collect();
    assert_eq!(seen, [("token", Level::Ok), ("events socket", Level::Ok)]);
}

#[tokio::test]
async fn a_throttled_handshake_waits_as_long_as_it_was_told() {
    let platform = Platform::start().await;
    platform.with(|state| state.throttle_next = true);
    let running = run(settings(&platform, Events, "discover"));
    until("a second handshake", || platform.with(|state| state.handshakes.len()) == 2).await;
    let apart = platform.with(|state| state.handshakes[1] - state.handshakes[0]);
    assert!(apart >= std::time::Duration::from_secs(1), "{apart:?}");
    running.stop().await;
}

#[tokio::test]
async fn refused_frames_are_told_to_the_ledger_once_a_batch() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Events, "discover"));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(r#"{"eventType":"weather.changed"}"#.to_owned()));
    platform.tell(0, Command::Text(r#"{"eventType":"interaction.participant.left","data":{}}"#.to_owned()));
    platform.tell(0, Command::Text(event("c-1", "e-1")));
    until("the event", || running.recorder.heard_of("c-1") == 1).await;
    let refused: Vec<String> =
        running.recorder.story().into_iter().filter(|word| word.starts_with("refused")).collect();
    assert_eq!(refused, ["refused: missing_id"]);
    running.stop().await;
}
