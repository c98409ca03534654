//! What was committed comes back, at once and after a restart.

use crate::fixtures::{START, batch, conversation, id, open, recover, replay};
use engine::{Completeness, Id, LedgerRow, StoredConversation, Time, UserRow, UserWhat, Word};
use store::{Commit, Opened, Store};

fn user(number: u64, value: &str) -> UserRow {
    UserRow {
        user: id(number),
        what: if number.is_multiple_of(2) { UserWhat::Presence } else { UserWhat::RoutingStatus },
        value: Word::new(value).expect("a word"),
        at: (number > 1).then_some(Time { nanos: START, digits: 6 }),
        received: START + 1,
    }
}

fn interval(from: i64, to: Option<i64>, state: Completeness) -> LedgerRow {
    let (name, reason) = ("events".to_owned(), "the socket closed".to_owned());
    LedgerRow { feed: 3, name, from, to, state, listening: to.is_none(), reason }
}

fn memory() -> Option<engine::Memory> {
    Some(engine::Memory { told_at: START, participants: Vec::new() })
}

#[test]
fn everything_of_a_commit_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let (users, first) = ([user(1, "idle"), user(2, "busy")], batch(1, 700));
    let ledger = [interval(0, None, Completeness::Complete), interval(5, Some(9), Completeness::Unknown)];
    let laid_down = [conversation(1, true), conversation(2, false), conversation(3, true)];
    let lost = |n, clock, removed_until| store::Inherited {
        conversation: id(n),
        clock,
        removed_until,
        remembered: memory(),
    };
    let again = [lost(9, 4, Some(START - 1)), lost(2, 6, None)];
    let commit = Commit {
        committed_at: START,
        incarnation: 1,
        seq: 700,
        admitted: &first,
        cells: &[(10, 3), (-4, 1)],
        users: &users,
        ledger: &ledger,
        laid_down: &laid_down,
        inherited: &again,
        heard_until: None,
        forget_log_below: None,
        outgoing: None,
    };
    assert_eq!(store.commit(&commit), Ok(1));
    assert_eq!(store.commit(&Commit { committed_at: START + 1, seq: 701, ..Commit::default() }), Ok(2));
    let before = (recover(&mut store), replay(&store));
    store.close().expect("closed");

    let Opened { mut store, seq, .. } = Store::open(folder.path(), 1).expect("opened");
    assert_eq!(seq, 701);
    let (recovered, kept) = recover(&mut store);
    let logged = replay(&store);
    assert_eq!(((recovered, kept), logged), before);
    let ((recovered, mut kept), logged) = before;
    assert_eq!((recovered.conversations, recovered.log_rows, recovered.damaged), (2, 2, 0));
    assert_eq!((recovered.facts, recovered.last_committed_at), (704, Some(START + 1)));
    kept.users.sort_by_key(|row| row.what as u8);
    assert_eq!(kept.users, [users[1].clone(), users[0].clone()]);
    assert_eq!(kept.users[0].at.map(|at| at.digits), Some(6));
    // Facts of the second are stored: they speak, and nothing is remembered.
    let [of_unknown, of_stored] = again;
    kept.inherited.sort_by_key(|row| row.clock);
    assert_eq!(kept.inherited, [of_unknown, store::Inherited { remembered: None, ..of_stored }]);
    assert_eq!(kept.ledger, ledger);
    assert_eq!(kept.cells, [(-4, 1), (10, 3)]);
    assert_eq!(kept.conversations, [laid_down[0].clone(), laid_down[2].clone()]);
    assert_eq!(logged[0].admitted, first);
    assert_eq!((logged[0].position, logged[0].committed_at, logged[0].incarnation), (1, START, 1));
    assert_eq!(logged[1].admitted, []);
}

#[test]
fn newer_rows_replace_older_ones_and_cells_add_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let rounds = [
        (user(2, "busy"), interval(5, None, Completeness::Unknown), conversation(4, true), [(7, 5), (8, 1)]),
        (
            user(2, "away"),
            interval(5, Some(9), Completeness::Repaired),
            conversation(4, false),
            [(7, -2), (8, -1)],
        ),
    ];
    for (user, interval, conversation, cells) in &rounds {
        let commit = Commit {
            cells,
            users: std::slice::from_ref(user),
            ledger: std::slice::from_ref(interval),
            laid_down: std::slice::from_ref(conversation),
            ..Commit::default()
        };
        store.commit(&commit).expect("committed");
    }
    let (_, kept) = recover(&mut store);
    let (user, interval, conversation, _) = rounds[1].clone();
    assert_eq!((kept.users, kept.ledger), (vec![user], vec![interval]));
    assert_eq!(kept.conversations, []);
    assert_eq!(store.load(&conversation.id), Ok(Some(conversation)));
    assert_eq!(store.cells(0, 100), Ok(vec![(7, 3)]));
}

#[test]
fn cells_are_read_by_minute_with_both_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let cells = [(1, 1), (2, 2), (3, 3), (4, 4)];
    store.commit(&Commit { cells: &cells, ..Commit::default() }).expect("committed");
    assert_eq!(store.cells(2, 3), Ok(vec![(2, 2), (3, 3)]));
    assert_eq!(store.cells(3, 2), Ok(vec![]));
}

#[test]
fn a_conversation_is_found_by_its_id_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let laid_down = [conversation(3, false), conversation(4, true)];
    assert_eq!(store.load(&id(3)), Ok(None));
    store.commit(&Commit { laid_down: &laid_down, ..Commit::default() }).expect("committed");
    for stored in &laid_down {
        assert_eq!(store.load(&stored.id).as_ref(), Ok(&Some(stored.clone())));
    }
    assert_eq!(store.load(&id(5)), Ok(None));
    assert_eq!(store.load(&Id::new("CALL-3").expect("an id")), Ok(None));
}

#[test]
fn pages_of_what_left_memory_ascend_by_the_text_of_the_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let mut laid_down: Vec<_> = (0..40).map(|n| conversation(n, n % 4 == 0)).collect();
    laid_down.push(StoredConversation { id: Id::new("Ähre").expect("an id"), ..conversation(1, false) });
    store.commit(&Commit { laid_down: &laid_down, ..Commit::default() }).expect("committed");

    let mut pages: Vec<Id> = Vec::new();
    loop {
        let page = store.ids_after(pages.last(), 7).expect("read");
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        pages.extend(page.into_iter().map(|id| id.expect("sound")));
    }
    laid_down.retain(|stored| !stored.resident);
    laid_down.sort_by_key(|stored| stored.id.to_string());
    let read = |id| store.load(id).expect("sound").expect("there");
    assert_eq!(pages.iter().map(read).collect::<Vec<_>>(), laid_down);
    assert!(pages.is_sorted(), "the order of ids in memory is the same");
}

#[test]
fn its_size_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let before = store.size_bytes();
    let admitted = batch(1, 5000);
    store.commit(&Commit { admitted: &admitted, ..Commit::default() }).expect("committed");
    assert!(store.size_bytes() > before + 100_000);
}

#[test]
fn texts_and_uuids_come_in_one_order_from_wherever() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let uuids = (0..40_u128).map(|n| Id::from_uuid(((n * n) << 118 | n << 60).to_be_bytes()));
    let texts =
        ["0", "00000000-0000-0000-2z", "4", "4000", "40000000-", "7f~", "a", "call-1", "é", "00000000"];
    let texts = texts.iter().map(|text| Id::new(text).expect("an id"));
    let mut ids: Vec<Id> = uuids.chain(texts).collect();
    let laid_down: Vec<_> = ids
        .iter()
        .map(|id| engine::StoredConversation { id: id.clone(), ..conversation(5, false) })
        .collect();
    store.commit(&Commit { laid_down: &laid_down, ..Commit::default() }).expect("committed");
    ids.sort();
    let behind = |after: Option<&Id>, limit| -> Vec<Id> {
        let ids = store.ids_after(after, limit).expect("read");
        ids.into_iter().map(|id| id.expect("sound")).collect()
    };
    assert_eq!((behind(None, 99), behind(None, 0)), (ids.clone(), vec![]));
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(behind(Some(id), 99), ids[at + 1..], "behind {id}");
        assert_eq!(behind(Some(id), 2), ids[at + 1..ids.len().min(at + 3)]);
        assert_eq!(store.load(id).expect("read").map(|stored| stored.id).as_ref(), Some(id));
    }
    let mut walked = Vec::new();
    store
        .each_laid_down(ids.get(9), |each| {
            let store::Each::Conversation(stored) = each else { unreachable!("it is sound") };
            walked.push(stored.id);
            std::ops::ControlFlow::Continue(())
        })
        .expect("read");
    assert_eq!(walked, ids[10..]);
    drop(store);
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).expect("opened");
    let mut statement = file.prepare("SELECT id FROM readable_conversation ORDER BY id").expect("prepared");
    let shown = statement.query_map([], |row| row.get(0)).expect("read");
    let shown: Vec<String> = shown.map(|text| text.expect("a text")).collect();
    assert_eq!(shown, ids.iter().map(Id::to_string).collect::<Vec<_>>(), "people read texts");
}
