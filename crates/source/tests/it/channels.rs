//! Notification channels: subscriptions, watchdog, overlap, re-creation.

use crate::platform::{Command, Platform, text_frame};
use crate::support::{notice, run, settings, snapshot, until};
use source::Dialect::Notifications;
use std::time::Duration;

const NAMED: &str = "queue:q-1";
/// An address of this machine that is not of loopback.
const ELSEWHERE: &str = "0.0.0.0";

#[tokio::test]
async fn without_tls_only_hosts_that_were_named_are_listened_to() {
    for (named, socket_host) in [(ELSEWHERE, ELSEWHERE), ("influxdb", "127.0.0.1"), ("influxdb", ELSEWHERE)] {
        let platform = Platform::start().await;
        platform.with(|state| state.socket_host = Some(socket_host));
        let mut settings = settings(&platform, Notifications, NAMED);
        settings.endpoints = settings.endpoints.allowing_plain(named.parse().unwrap());
        let running = run(settings);
        if named == "influxdb" && socket_host == ELSEWHERE {
            let channels = "POST /api/v2/notifications/channels".to_owned();
            until("a second channel", || {
                platform.with(|state| state.requests.iter().filter(|asked| **asked == channels).count() > 1)
            })
            .await;
            assert_eq!(running.recorder.told("listening"), 0);
        } else {
            until("listening", || running.recorder.told("listening") == 1).await;
        }
    }
}

#[tokio::test]
async fn what_is_discovered_is_subscribed_and_delivers() {
    let platform = Platform::start().await;
    platform.with(|state| (state.users, state.queues) = (vec!["u-1", "u-2"], vec!["q-1"]));
    let running = run(settings(&platform, Notifications, "discover"));
    until("listening", || running.recorder.told("listening") == 1).await;
    let topics = platform.with(|state| state.channels[0].clone());
    assert_eq!(
        topics,
        [
            "v2.routing.queues.q-1.conversations",
            "v2.users.u-1?conversations&presence&routingStatus",
            "v2.users.u-2?conversations&presence&routingStatus",
        ]
    );
    platform.tell(0, Command::Text(snapshot("c-1")));
    until("the conversation", || running.recorder.heard_of("c-1") == 1).await;
    until("repaired", || running.recorder.told("repaired") == 1).await;
    assert_eq!(running.recorder.story()[..2], ["named notifications-1 false", "listening"]);
    assert!(running.source.health().is_connected());
    assert!(running.metrics().contains(r#"headcount_feed_connected{feed="notifications-1"} 1"#));
    running.stop().await;
}

#[tokio::test]
async fn a_queue_that_is_new_is_found_and_subscribed_on_the_same_channel() {
    let platform = Platform::start().await;
    platform.with(|state| state.queues = vec!["q-1"]);
    let mut settings = settings(&platform, Notifications, "discover");
    settings.timing.rediscover_every = Duration::from_millis(20);
    let running = run(settings);
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.with(|state| state.queues = vec!["q-1", "q-2"]);
    until("its topic", || {
        platform.with(|s| s.channels[0].contains(&"v2.routing.queues.q-2.conversations".into()))
    })
    .await;
    assert_eq!(platform.with(|state| state.channels.len()), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_rejected_topic_is_reported_with_its_permission_and_takes_no_other_with_it() {
    let platform = Platform::start().await;
    let topic = "v2.users.u-1?conversations&presence&routingStatus";
    platform.with(|state| state.rejected.insert(topic.to_owned(), "conversation:communication:view"));
    let running = run(settings(&platform, Notifications, "queue:q-1,user:u-1"));
    until("listening", || running.recorder.told("listening") == 1).await;
    let rejected = running.source.health().rejected;
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].topic, topic);
    assert!(rejected[0].to_string().contains("conversation:communication:view"));
    let limits = running.recorder.limits();
    assert!(
        limits.iter().flatten().any(|reason| reason.contains("conversation:communication:view")),
        "{limits:?}"
    );
    assert_eq!(
        platform.count("POST /api/v2/notifications/channels/channel-0/subscriptions?ignoreErrors=true"),
        1
    );
    running.stop().await;
}

#[tokio::test]
async fn more_than_a_thousand_topics_take_a_second_channel_and_go_in_chunks() {
    let platform = Platform::start().await;
    let topics = (0..1_050).map(|n| format!("user:u-{n}")).collect::<Vec<_>>().join(",");
    let running = run(settings(&platform, Notifications, &topics));
    until("both listen", || running.recorder.told("listening") == 2).await;
    let mut sizes = platform.with(|state| state.channels.iter().map(Vec::len).collect::<Vec<_>>());
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 1_000]);
    assert_eq!(platform.count("POST /api/v2/notifications/channels/channel-"), 11);
    assert_eq!(
        (running.recorder.told("named notifications-1"), running.recorder.told("named notifications-2")),
        (1, 1)
    );
    running.stop().await;
}

#[tokio::test]
async fn an_announced_close_is_bridged_without_loss() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Notifications, NAMED));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Text(notice("v2.system.socket_closing")));
    until("the second socket", || platform.opened() == 2).await;
    platform.tell(0, Command::Text(snapshot("c-old")));
    platform.tell(1, Command::Text(snapshot("c-new")));
    until("both", || running.recorder.heard_of("c-old") == 1 && running.recorder.heard_of("c-new") == 1)
        .await;
    platform.tell(0, Command::Cut);
    platform.tell(1, Command::Text(snapshot("c-after")));
    until("the rest", || running.recorder.heard_of("c-after") == 1).await;
    assert_eq!((running.recorder.told("lost"), platform.with(|s| s.channels.len())), (0, 1));
    assert!(platform.with(|s| s.lines[0].name == s.lines[1].name), "the same channel");
    assert!(running.metrics().contains(r#"headcount_reconnects_total{reason="socket_closing"} 1"#));
    running.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_gone_is_made_again() {
    for (notice_of, word) in [
        ("v2.system.no_longer_subscribed.channel-0", "lost: the channel lost its subscriptions"),
        ("v2.system.token_revoked.channel-0", "lost: the token"),
    ] {
        let platform = Platform::start().await;
        let running = run(settings(&platform, Notifications, NAMED));
        until("listening", || running.recorder.told("listening") == 1).await;
        platform.tell(0, Command::Text(notice(notice_of)));
        until("listening again", || running.recorder.told("listening") == 2).await;
        assert_eq!(running.recorder.told(word), 1, "{:?}", running.recorder.story());
        assert_eq!(
            platform.with(|s| s.channels.clone()),
            vec![vec!["v2.routing.queues.q-1.conversations"]; 2]
        );
        assert_eq!(platform.with(|s| s.tokens), if word.contains("token") { 2 } else { 1 });
        running.stop().await;
    }
}

#[tokio::test]
async fn a_refused_handshake_makes_a_new_channel_and_a_cut_does_not() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Notifications, NAMED));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Cut);
    until("listening again", || running.recorder.told("listening") == 2).await;
    assert_eq!(platform.with(|s| s.channels.len()), 1);
    platform.with(|state| state.gone.insert(0));
    platform.tell(1, Command::Cut);
    until("a new channel", || running.recorder.told("listening") == 3).await;
    assert_eq!(platform.with(|s| (s.channels.len(), s.lines[2].name.clone())), (2, "channel-1".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn silence_is_pinged_and_a_mute_server_is_left() {
    let platform = Platform::start().await;
    let mut settings = settings(&platform, Notifications, NAMED);
    settings.timing.ping_after = Duration::from_millis(50);
    settings.timing.pong_timeout = Duration::from_millis(400);
    let running = run(settings);
    until("two pings", || platform.with(|s| s.said.iter().filter(|said| said.contains("ping")).count() >= 2))
        .await;
    assert_eq!(running.recorder.told("lost"), 0, "its answers keep the socket");
    platform.with(|state| state.mute = true);
    until("lost", || running.recorder.told("lost: nothing was heard") >= 1).await;
    platform.with(|state| state.mute = false);
    until("listening again", || running.recorder.told("listening") >= 2).await;
    assert!(running.metrics().contains(r#"headcount_reconnects_total{reason="silent"}"#));
    running.stop().await;
}

#[tokio::test]
async fn bad_frames_are_refused_by_name_and_the_socket_lives_on() {
    let platform = Platform::start().await;
    let running = run(settings(&platform, Notifications, NAMED));
    until("listening", || running.recorder.told("listening") == 1).await;
    platform.tell(0, Command::Raw(text_frame(&vec![b'x'; 50 << 20])));
    platform.tell(0, Command::Raw(text_frame(b"\xff\xfe{}")));
    platform.tell(0, Command::Text("no json".to_owned()));
    platform.tell(0, Command::Text("[".repeat(5_000)));
    platform.tell(0, Command::Text(r#"{"topicName":"v9.of.somebody.else","eventBody":{}}"#.to_owned()));
    platform.tell(0, Command::Text(snapshot("c-1")));
    until("the good one", || running.recorder.heard_of("c-1") == 1).await;
    let metrics = running.metrics();
    for reason in ["too_large", "not_utf8", "not_json", "too_deep"] {
        let line = format!("headcount_refused_frames_total{{reason=\"{reason}\"}} 1");
        assert!(metrics.contains(&line), "{line} in {metrics}");
        assert_eq!(running.recorder.told(&format!("refused: {reason}")), 1, "the ledger is told");
    }
    assert!(metrics.contains(r#"headcount_refused_frames_total{reason="unknown_topic"} 1"#));
    assert_eq!(running.recorder.told("refused: unknown_topic"), 0, "it said nothing of ours");
    assert_eq!((platform.opened(), running.recorder.told("lost")), (1, 0));
    running.stop().await;
}

#[tokio::test]
async fn a_machine_whose_clock_is_off_takes_the_platforms_word_for_the_time() {
    let platform = Platform::start().await;
    let frame = || snapshot("c-1").replace("2026-03-01", "2099-03-01");
    let running = run(settings(&platform, Notifications, NAMED));
    until("repaired", || running.recorder.told("repaired") == 1).await;
    platform.tell(0, Command::Text(frame()));
    until("refused", || running.recorder.told("refused: future_time") == 1).await;
    platform.with(|state| state.date = Some("Sun, 01 Mar 2099 12:00:01 GMT"));
    platform.tell(0, Command::Cut);
    until("repaired again", || running.recorder.told("repaired") == 2).await;
    platform.tell(1, Command::Text(frame()));
    until("the conversation", || running.recorder.heard_of("c-1") == 1).await;
    running.stop().await;
}
