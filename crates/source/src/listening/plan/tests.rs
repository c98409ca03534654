//! Topics are shared out over channels.

use super::*;
use engine::Id;

fn users(range: std::ops::Range<usize>) -> impl Iterator<Item = TopicTarget> {
    range.map(|n| TopicTarget::User(Id::new(&format!("u{n}")).unwrap()))
}

#[test]
fn a_thousand_topics_fill_a_channel_and_nothing_moves() {
    let mut plan = Plan::default();
    let shares = plan.add(users(0..2_500));
    assert_eq!(
        shares.iter().map(|s| (s.channel, s.topics.len())).collect::<Vec<_>>(),
        [(0, 1000), (1, 1000), (2, 500)]
    );
    assert_eq!(plan.add(users(0..2_500)), []);
    let shares = plan.add(users(2_500..2_501));
    assert_eq!(shares, [Share { channel: 2, topics: users(2_500..2_501).map(|u| u.topic()).collect() }]);
}

#[test]
fn what_no_channel_is_left_for_is_counted() {
    let mut plan = Plan::default();
    let shares = plan.add(users(0..TOPICS_OF_CHANNEL_MAX * CHANNELS_MAX + 7));
    assert_eq!((shares.len(), plan.len()), (CHANNELS_MAX, TOPICS_OF_CHANNEL_MAX * CHANNELS_MAX));
    assert_eq!(plan.left_over(), 7);
    plan.add(users(0..TOPICS_OF_CHANNEL_MAX * CHANNELS_MAX + 7));
    assert_eq!(plan.left_over(), 7, "those that were found again are no others");
}
