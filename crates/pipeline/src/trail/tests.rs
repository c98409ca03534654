//! The log stays within its bound, and every row that goes is covered.

use super::*;
use engine::Admitted;

fn stored(id: &Id) -> StoredConversation {
    StoredConversation {
        id: id.clone(),
        resident: true,
        active: true,
        started_at: None,
        ended_at: None,
        dropped: 0,
        facts: Vec::new(),
    }
}

fn id(n: u64) -> Id {
    Id::new(&format!("c{n}")).unwrap()
}

#[test]
fn a_short_log_lays_nothing_down() {
    let mut trail = Trail::default();
    trail.add(1, [id(1), id(2)].iter());
    let covered = trail.cover(|_| false, |id| Some(stored(id)));
    assert!(covered.laid_down.is_empty());
    assert_eq!(covered.forget_below, None);
}

#[test]
fn a_conversation_is_laid_down_once_for_all_rows_written_before() {
    let mut trail = Trail::default();
    let busy = id(1);
    for log in 1..=3 {
        let row: Vec<Id> = (0..LOG_FACTS_MAX / 2).map(|_| busy.clone()).collect();
        trail.add(log, row.iter());
    }
    let covered = trail.cover(|_| false, |id| Some(stored(id)));
    assert_eq!(covered.laid_down.len(), 1);
    assert_eq!(covered.forget_below, Some(2));
    trail.note(4, &Batch::default(), &covered.laid_down);
    let row: Vec<Id> = (0..LOG_FACTS_MAX).map(|_| id(2)).collect();
    trail.add(5, row.iter());
    let covered = trail.cover(|_| false, |id| Some(stored(id)));
    assert!(covered.laid_down.is_empty(), "rows 2 and 3 were covered when it was laid down");
    assert_eq!(covered.forget_below, Some(5));
}

#[test]
fn what_is_laid_down_with_a_commit_counts_as_covered() {
    let mut trail = Trail::default();
    let batch = Batch { admitted: Vec::<Admitted>::new(), ..Batch::default() };
    trail.note(7, &batch, &[stored(&id(9))]);
    assert_eq!(trail.laid.get(&id(9)), Some(&7));
}
