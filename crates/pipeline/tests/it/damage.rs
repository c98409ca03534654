//! Records that cannot be read: what they held is not made up, not denied, and asked for again where it lives.

use crate::world::*;
use engine::*;
use pipeline::*;
use std::path::Path;
use store::Store;
use tokio::sync::oneshot;

const LATER: i64 = NOON + 3_600 * SECOND;

fn recover(folder: &Path, now: i64) -> (Keeper, Recovery) {
    Keeper::recover(Store::open(folder, 7).unwrap(), Limits::default(), now).unwrap()
}

/// Inverts a byte of the stored facts of a conversation.
fn damage(folder: &Path, id: &str) {
    let file = rusqlite::Connection::open(folder.join("headcount.db")).unwrap();
    let sql = "UPDATE conversation SET body = substr(body, 1, 4) || x'ee' || substr(body, 6) WHERE id = ?1";
    assert_eq!(file.execute(sql, [id]).unwrap(), 1);
}

/// A folder with `ended`, which left memory, and `other` beside it.
fn two_that_ended(folder: &Path) {
    let (mut keeper, _) = recover(folder, NOON);
    let mut mail = Mail::default();
    let note = |event| FeedNote { feed: 0, at: NOON, event };
    mail.notes.push((0, note(FeedEvent::Named { name: "f".to_owned(), resends: false })));
    mail.notes.push((0, note(FeedEvent::Listening)));
    for (n, id) in ["ended", "other"].into_iter().enumerate() {
        mail.deliveries.push((n as u64 * 2 + 1, event(id, 1, What::State, "connected")));
        mail.deliveries.push((n as u64 * 2 + 2, event(id, 2, What::LifeCycle, "terminated")));
    }
    keeper.take(&mut mail, NOON).unwrap();
    keeper.commit(NOON).unwrap();
    keeper.pass_time(LATER);
    keeper.commit(LATER).unwrap();
    assert_eq!(keeper.engine().resident_count(), 0);
    keeper.close().unwrap();
    let file = rusqlite::Connection::open(folder.join("headcount.db")).unwrap();
    file.execute("DELETE FROM log WHERE position < (SELECT max(position) FROM log)", []).unwrap();
}

#[test]
fn one_that_left_memory_is_not_denied_and_a_list_without_it_is_partial() {
    let folder = tempfile::tempdir().unwrap();
    two_that_ended(folder.path());
    damage(folder.path(), "ended");
    let (mut keeper, recovered) = recover(folder.path(), LATER);
    assert_eq!(recovered.damaged, 0, "nobody looked");
    assert!(keeper.about(&Id::new("ended").unwrap(), LATER, |_| ()).is_err(), "it is not unknown");
    let (to, mut told) = oneshot::channel();
    keeper.answer(Query::Timeline(Id::new("ended").unwrap(), None, to), LATER);
    assert!(told.try_recv().is_err());
    let (to, mut told) = oneshot::channel();
    keeper.answer(
        Query::List { filter: Filter::default(), after: None, limit: 9, when: When::default(), to },
        LATER,
    );
    let page = told.try_recv().unwrap();
    let ids: Vec<_> = page.value.items.iter().map(|view| view.id.to_string()).collect();
    assert_eq!((ids, page.completeness >= Completeness::Partial), (vec!["other".to_owned()], true));

    // What is told of it from now on is taken, and all of it is asked for again.
    let mut mail =
        Mail { deliveries: vec![(0, event("ended", 3, What::State, "connected"))], ..Mail::default() };
    keeper.take(&mut mail, LATER).unwrap();
    let batch = keeper.commit(LATER).unwrap();
    assert!(batch.wishes.iter().any(|(id, why)| (id.to_string().as_str(), *why) == ("ended", "damaged")));
}

#[test]
fn one_that_lived_begins_anew_and_is_asked_for_at_once() {
    let folder = tempfile::tempdir().unwrap();
    two_that_ended(folder.path());
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    file.execute("UPDATE conversation SET resident = 1 WHERE id = 'ended'", []).unwrap();
    drop(file);
    let (mut keeper, recovered) = recover(folder.path(), LATER);
    assert_eq!(recovered.damaged, 1, "the checksum is over that column too");
    let id = Id::new("ended").unwrap();
    assert!(keeper.about(&id, LATER, |_| ()).is_err(), "it is not unknown");
    let range = keeper.engine().range(NOON, NOON + SECOND, LATER);
    assert_eq!(range.lacks.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&id]);
    assert_eq!(range.completeness, Completeness::Partial, "nobody knows what was lost of that time");
    keeper.begin(LATER);
    let batch = keeper.commit(LATER).unwrap();
    assert!(batch.wishes.iter().any(|(of, why)| *of == id && *why == "damaged"));
}
