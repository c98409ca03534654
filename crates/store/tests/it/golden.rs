//! Files as earlier versions wrote them: each opens, is upgraded, and holds what was put in.
//!
//! A golden file never changes once its format was released. `HEADCOUNT_GOLDEN=write` makes the one of the newest format:
//! `HEADCOUNT_GOLDEN=write cargo test -p store golden`.

use crate::fixtures::{START, batch, conversation, id, recover, replay};
use engine::{Completeness, Facets, LedgerRow, Memory, MemoryOfParticipant, UserRow, UserWhat, Word};
use std::fs;
use std::path::{Path, PathBuf};
use store::{
    CellInterval, CellQuestion, Commit, Gone, Inherited, Outbox, OutboxBounds, OutboxRow, Outgoing, Removal,
    Store,
};

/// The newest format, as these tests know it.
const NEWEST: i64 = 5;

fn golden(format: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}.db"))
}

fn users() -> Vec<UserRow> {
    let value = Word::new("available").expect("a word");
    vec![UserRow { user: id(1), what: UserWhat::Presence, value, at: None, received: START }]
}

fn ledger() -> Vec<LedgerRow> {
    let reason = "the socket was cut".to_owned();
    let (feed, name, state) = (0, "events".to_owned(), Completeness::Repaired);
    vec![LedgerRow { feed, name, from: START, to: Some(START + 9), state, listening: true, reason }]
}

/// What every golden file holds: three rows of the log, the first of them covered, and one of everything else.
fn fill(store: &mut Store) {
    store.inherit(&[lost()]).expect("inherited");
    let commits = [
        Commit { seq: 4, admitted: &batch(1, 4), cells: &[(7, 4)], ..Commit::default() },
        Commit { seq: 9, admitted: &batch(2, 5), users: &users(), ledger: &ledger(), ..Commit::default() },
        Commit {
            seq: 12,
            admitted: &batch(3, 3),
            cells: &[(7, -1), (8, 2)],
            laid_down: &[conversation(4, false), conversation(3, true), conversation(5, false)],
            inherited: &[told_again()],
            heard_until: Some(START - 5),
            forget_log_below: Some(2),
            outgoing: Some(Outgoing {
                after_seq: 9,
                conversations: &[id(0), id(1)],
                passed: 0,
                bounds: OutboxBounds::default(),
            }),
            ..Commit::default()
        },
    ];
    for (n, commit) in commits.into_iter().enumerate() {
        let committed_at = START + n as i64;
        store.commit(&Commit { committed_at, incarnation: 1, ..commit }).expect("committed");
    }
    store.remove(&[Removal { conversation: id(5), clock: 6 }], START - 9).expect("removed");
}

/// A conversation that was removed and told of again.
fn told_again() -> Inherited {
    Inherited { conversation: id(6), clock: 3, removed_until: Some(START - 10), remembered: None }
}

/// A conversation of a disk that was lost, with what a follower's sink had last told of it.
fn lost() -> Inherited {
    let told = MemoryOfParticipant {
        id: id(7),
        state: Word::new("connected"),
        role: Word::new("agent"),
        user: Some(id(8)),
        queue: None,
        medium: Word::new("voice"),
    };
    let remembered = Some(Memory { told_at: START - 20, participants: vec![told] });
    Inherited { conversation: id(0), clock: 17, removed_until: None, remembered }
}

/// What is left of earlier histories: nothing in a file that knew none.
fn inherited(format: i64) -> Vec<Inherited> {
    let mut lost = lost();
    lost.remembered = lost.remembered.filter(|_| format >= 4);
    [(2, lost), (3, told_again())]
        .into_iter()
        .filter(|(since, _)| format >= *since)
        .map(|(_, row)| row)
        .collect()
}

/// What waits for followers: nothing in a file that knew none.
fn outbox(format: i64) -> Vec<OutboxRow> {
    let row = OutboxRow {
        position: 3,
        committed_at: START + 2,
        after_seq: 9,
        seq: 12,
        conversations: Some(vec![id(0), id(1)]),
        minutes: vec![7, 8],
    };
    if format < 2 { Vec::new() } else { vec![row] }
}

/// The events of agents, of all days.
fn events_by_filter(store: &Store) -> i64 {
    let filter = Facets { role: Word::new("agent"), ..Facets::default() };
    let question = CellQuestion { filter, interval: CellInterval::Day, from: 0, to: 30_000 };
    let mut sums = question.nothing();
    store.commit_reader_for(&question).expect("opened").sum(&question, &mut sums).expect("read");
    assert_eq!(sums.damaged, []);
    sums.counts.iter().sum()
}

fn holds_what_was_put_in(file: &Path, format: i64) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(file, folder.path().join("headcount.db")).expect("copied");
    for life in 2..4 {
        let opened = Store::open(folder.path(), 99).expect("opened");
        assert_eq!((opened.incarnation.get(), opened.epoch, opened.seq), (life, 41, 12));
        assert_eq!(opened.upgraded_from, (life == 2 && format < NEWEST).then_some(format));
        let mut store = opened.store;
        let (found, mut kept) = recover(&mut store);
        assert_eq!((found.damaged, found.log_rows, found.facts), (0, 2, 11));
        assert_eq!(found.heard_until, Some(START - 5));
        assert_eq!((kept.users, kept.ledger), (users(), ledger()));
        assert_eq!(kept.cells, [(7, 3), (8, 2)]);
        kept.inherited.sort_by_key(|row| row.removed_until.is_some());
        assert_eq!(kept.inherited, inherited(format));
        let (gone, horizon) = (Gone { clock: 6, until: START - 9, position: 3 }, START - 9);
        assert_eq!(store.removed(&id(5)), Ok((format >= 3).then_some(gone)));
        assert_eq!(store.removed_before(), Ok((format >= 3).then_some(horizon)));
        assert_eq!(kept.conversations, [conversation(3, true)]);
        assert_eq!(store.load(&id(4)), Ok(Some(conversation(4, false))));
        assert_eq!(events_by_filter(&store), 4, "of the conversation that is not in memory");
        let log: Vec<_> = replay(&store).into_iter().map(|row| (row.position, row.admitted)).collect();
        assert_eq!(log, [(2, batch(2, 5)), (3, batch(3, 3))]);
        let reader = Outbox::open(folder.path()).expect("opened");
        assert_eq!(reader.after(0, 100), Ok(outbox(format)));
        store.close().expect("closed");
    }
}

#[test]
fn an_upgraded_file_is_what_a_new_one_is() {
    let tables = |file: &Path| {
        let connection = rusqlite::Connection::open(file).expect("opened");
        let sql = "SELECT name, sql FROM sqlite_schema ORDER BY name";
        let mut statement = connection.prepare(sql).expect("prepared");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("asked");
        rows.collect::<Result<Vec<(String, Option<String>)>, _>>().expect("read")
    };
    let made = tempfile::tempdir().expect("a folder");
    drop(Store::open(made.path(), 1).expect("opened"));
    for format in 1..NEWEST {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("headcount.db");
        fs::copy(golden(format), &file).expect("copied");
        drop(Store::open(folder.path(), 1).expect("opened"));
        assert_eq!(tables(&file), tables(&made.path().join("headcount.db")));
    }
}

#[test]
fn every_golden_file_opens_and_holds_what_was_put_in() {
    if std::env::var("HEADCOUNT_GOLDEN").is_ok_and(|wish| wish == "write") {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), 41).expect("opened").store;
        fill(&mut store);
        store.close().expect("closed");
        fs::copy(folder.path().join("headcount.db"), golden(NEWEST)).expect("copied");
    }
    (1..=NEWEST).for_each(|format| holds_what_was_put_in(&golden(format), format));
}
