//! The newest word of each counts, whatever the order of the rows; bounds hold.

use super::*;

fn row(id: &str, participant: Option<&str>, at: i64, state: Option<&str>) -> Told {
    let text = |text: &str| text.to_owned();
    Told {
        id: text(id),
        at: Some(at),
        participant: participant.map(text),
        state: state.map(text),
        medium: Some(text("voice")),
        ..Told::default()
    }
}

fn live(rows: Vec<Told>) -> Vec<(String, i64, Vec<String>)> {
    let mut last = Last::default();
    for row in rows {
        assert!(last.take(row));
    }
    let who = |memory: Memory| memory.participants.iter().map(|p| p.id.to_string()).collect();
    last.live().0.into_iter().map(|(id, memory)| (id.to_string(), memory.told_at, who(memory))).collect()
}

#[test]
fn the_newest_word_counts_in_any_order() {
    let rows = vec![
        row("a", Some("p"), 1, Some("connected")),
        row("a", Some("p"), 2, Some("disconnected")),
        row("a", Some("q"), 1, None),
        row("b", Some("p"), 3, Some("connected")),
        row("b", None, 4, Some("ended")),
        row("c", Some("p"), 9, Some("disconnected")),
        row("c", None, 8, Some("active")),
        row("no id \u{7}", Some("p"), 3, Some("connected")),
        row("d", Some(""), 7, Some("connected")),
    ];
    let wanted = vec![("c".to_owned(), 9, vec![]), ("a".to_owned(), 2, vec!["q".to_owned()])];
    assert_eq!(live(rows.clone()), wanted);
    assert_eq!(live(rows.into_iter().rev().collect()), wanted);
}

#[test]
fn of_many_participants_the_newest_are_kept() {
    let rows = (0..100).map(|n| row("a", Some(&format!("p{n}")), n, Some("connected")));
    let (_, told_at, who) = live(rows.collect()).remove(0);
    assert_eq!((told_at, who.len()), (99, PARTICIPANTS_MAX));
    assert_eq!(who[0], "p99");
}

#[test]
fn what_has_no_room_is_said() {
    let mut last = Last { told: TOLD_MAX - 1, ..Last::default() };
    assert!(!last.take(row("a", Some("p"), 1, Some("connected"))));
    assert!(!last.take(row("b", None, 1, None)));
}
