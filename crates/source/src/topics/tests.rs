//! Topics: parsed, combined, and shared out over channels.

use super::*;

fn users(range: std::ops::Range<usize>) -> impl Iterator<Item = TopicTarget> {
    range.map(|n| TopicTarget::User(Id::new(&format!("u{n}")).unwrap()))
}

#[test]
fn a_list_survives_being_written_and_read() {
    let topics: Topics = " queue:q-1, user:6f1b9a3e-0d6f-4a57-9e0f-0a1b2c3d4e5f ,".parse().unwrap();
    assert_eq!(topics.to_string(), "queue:q-1,user:6f1b9a3e-0d6f-4a57-9e0f-0a1b2c3d4e5f");
    assert_eq!(topics.to_string().parse::<Topics>().unwrap(), topics);
    assert_eq!("Discover".parse::<Topics>().unwrap(), Topics::Discover);
}

#[test]
fn an_error_names_the_item() {
    let error = |text: &str| text.parse::<Topics>().unwrap_err().to_string();
    assert!(error("queue:q,team:t").contains("\"team:t\""));
    assert!(error("queue:q,u-17").contains("\"u-17\""));
    assert!(error("user:a?b&c").contains("\"user:a?b&c\""));
    assert!(error("user:").contains("empty"));
    assert!(error(" , ").contains("discover"));
}

#[test]
fn a_combined_topic_keeps_within_200_characters() {
    let id = Id::new(&"x".repeat(engine::ID_BYTES_MAX)).unwrap();
    assert!(TopicTarget::User(id).topic().len() <= 200);
}

#[test]
fn a_thousand_topics_fill_a_channel_and_nothing_moves() {
    let mut plan = Plan::default();
    let (shares, _) = plan.add(users(0..2_500));
    assert_eq!(
        shares.iter().map(|s| (s.channel, s.topics.len())).collect::<Vec<_>>(),
        [(0, 1000), (1, 1000), (2, 500)]
    );
    assert_eq!(plan.add(users(0..2_500)), (vec![], 0));
    let (shares, _) = plan.add(users(2_500..2_501));
    assert_eq!(shares, [Share { channel: 2, topics: users(2_500..2_501).map(|u| u.topic()).collect() }]);
}

#[test]
fn what_no_channel_is_left_for_is_counted() {
    let mut plan = Plan::default();
    let (shares, without) = plan.add(users(0..TOPICS_OF_CHANNEL_MAX * CHANNELS_MAX + 7));
    assert_eq!((shares.len(), without, plan.len()), (CHANNELS_MAX, 7, TOPICS_OF_CHANNEL_MAX * CHANNELS_MAX));
}
