//! Wishes that find no room wait, each conversation once, and those of a gap go first.

use super::*;

fn id(name: &str) -> Id {
    Id::new(name).unwrap()
}

#[test]
fn what_finds_no_room_goes_later_and_gaps_go_first() {
    let (source, mut wished) = mpsc::channel(2);
    let mut wishes = Wishes::new(source);
    for name in ["a", "b", "c", "b"] {
        assert!(wishes.add(id(name), "suspect", 10, 5));
    }
    for name in ["c", "d", "e"] {
        assert!(wishes.add(id(name), GAP, 20, 5));
    }
    let mut came = Vec::new();
    let mut gaps_wait = Vec::new();
    while wishes.wait() {
        wishes.send();
        gaps_wait.push(wishes.gaps_wait());
        while let Ok(wish) = wished.try_recv() {
            came.push((wish.conversation.to_string(), wish.reason, wish.not_before));
        }
    }
    let expected =
        [("c", GAP, 20), ("d", GAP, 20), ("e", GAP, 20), ("a", "suspect", 15), ("b", "suspect", 15)];
    assert_eq!(came, expected.map(|(name, reason, at)| (name.to_owned(), reason, at)));
    assert_eq!(gaps_wait, [true, false, false]);
}

#[test]
fn without_a_source_nothing_is_kept() {
    let (source, wished) = mpsc::channel(2);
    drop(wished);
    let mut wishes = Wishes::new(source);
    assert!(wishes.add(id("a"), GAP, 0, 0) && wishes.add(id("b"), "suspect", 0, 0));
    wishes.send();
    assert!(!wishes.wait());
}

#[test]
fn all_but_those_of_gaps_are_bounded() {
    let (source, _wished) = mpsc::channel(1);
    let mut wishes = Wishes::new(source);
    let add = |wishes: &mut Wishes, n: usize, reason| wishes.add(id(&format!("c{n}")), reason, 0, 0);
    assert!((0..OTHERS_MAX).all(|n| add(&mut wishes, n, "suspect")));
    assert!(!add(&mut wishes, OTHERS_MAX, "suspect"), "it is lost, and said to be");
    assert!(add(&mut wishes, 0, "suspect"), "it waits already");
    assert!(add(&mut wishes, OTHERS_MAX, GAP));
}
