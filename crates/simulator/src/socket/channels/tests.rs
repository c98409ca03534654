//! The limits and verdicts of notification channels.

use super::*;

#[test]
fn the_twenty_first_channel_evicts_the_one_used_longest_ago() {
    let mut channels = Channels::default();
    let ids: Vec<Uuid> = (0..20).map(|at| channels.create("me", at).id).collect();
    channels.set_topics(ids[0], vec!["v2.users.1.presence".to_owned()], 50);
    channels.create("somebody else", 60);
    channels.create("me", 70);
    assert!(channels.get(ids[0], 80).is_some(), "it was used lately");
    assert!(channels.get(ids[1], 80).is_none());
    assert_eq!(channels.of_client("me").count(), 20);
}

#[test]
fn a_channel_expires_after_a_day_and_subscribing_extends_it() {
    let mut channels = Channels::default();
    let id = channels.create("me", 0).id;
    channels.set_topics(id, Vec::new(), 1_000);
    assert!(channels.get(id, LIFETIME_MS + 999).is_some());
    assert!(channels.get(id, LIFETIME_MS + 1_000).is_none());
}

#[test]
fn a_combined_topic_is_listened_to_under_its_single_names() {
    let mut channels = Channels::default();
    let id = channels.create("me", 0).id;
    let combined = "v2.users.1?presence&conversations";
    assert_eq!(channels.judge(combined), Verdict::Permitted);
    channels.set_topics(id, vec![combined.to_owned()], 0);
    assert_eq!(channels.listeners("v2.users.1.conversations"), [id]);
    assert_eq!(channels.listeners("v2.users.1.presence"), [id]);
    assert!(channels.listeners("v2.users.1.routingStatus").is_empty());
    channels.set_topics(id, Vec::new(), 0);
    assert!(channels.is_idle());
}

#[test]
fn topics_are_judged_by_name_and_permission() {
    let mut channels = Channels::default();
    channels.reject("v2.routing.queues.");
    let topic = "v2.routing.queues.1.conversations";
    assert_eq!(channels.judge(topic), Verdict::Missing("conversation:communication:view"));
    for topic in ["", "v2", "v2.users..presence", "v2.users.a.b.presence", "v2.users.1?presence&nothing"] {
        assert_eq!(channels.judge(topic), Verdict::Invalid, "{topic}");
    }
    assert_eq!(channels.judge(&format!("v2.users.{}?presence", "1".repeat(200))), Verdict::Invalid);
}
