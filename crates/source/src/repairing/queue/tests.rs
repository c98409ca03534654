//! Wishes: each conversation once, none before its time.

use super::*;

fn id(name: &str) -> Id {
    Id::new(name).unwrap()
}

#[test]
fn each_waits_once_and_the_earlier_time_counts() {
    let mut queue = Queue::default();
    queue.want(id("a"), 30);
    queue.want(id("b"), 20);
    queue.want(id("a"), 10);
    queue.want(id("a"), 40);
    assert_eq!((queue.next_due(), queue.len()), (Some(10), 2));
    assert_eq!(queue.due(20).cloned().collect::<Vec<_>>(), [id("a"), id("b")]);
    assert_eq!(queue.take(9), None);
    assert_eq!(queue.take(15), Some(id("a")));
    assert!(!queue.contains(&id("a")) && queue.contains(&id("b")));
    assert_eq!(queue.take(15), None);
    assert_eq!(queue.take(20), Some(id("b")));
    assert_eq!(queue.next_due(), None);
}
