//! Cells by what events are about: each event counted once, whatever is laid down, replaced, merged, removed and damaged.

use crate::fixtures::{START, conversation, id, open};
use engine::{Facets, Id, MINUTE, StoredConversation, Time, Word, contributions};
use std::collections::BTreeMap;
use std::path::Path;
use store::{CellInterval, CellQuestion, Commit, Removal, Store};

const INTERVALS: [CellInterval; 3] = [CellInterval::Minute, CellInterval::Hour, CellInterval::Day];
const FIRST: i64 = START / MINUTE;

/// A conversation of `facts` events, one each `every` minutes from `minute` minutes behind the start on.
fn told(number: u64, facts: u64, minute: i64, every: i64) -> StoredConversation {
    let mut stored = conversation(number, false);
    stored.facts = (0..facts).map(|n| crate::fixtures::fact(number * 100 + n)).collect();
    for (n, (fact, _)) in (0..).zip(&mut stored.facts) {
        fact.at = Some(Time::from_nanos(START + (minute + n * every) * MINUTE));
        fact.queue = Some(id(number % 2));
        fact.medium = Word::new(if number.is_multiple_of(3) { "chat" } else { "voice" });
    }
    stored
}

fn commit(store: &mut Store, seq: u64, laid_down: &[StoredConversation]) {
    let commit = Commit { committed_at: START, incarnation: 1, seq, laid_down, ..Commit::default() };
    store.commit(&commit).expect("committed");
}

fn merge_all(store: &mut Store) {
    let mut after = Some(0);
    while let Some(at) = after {
        after = store.merge_cells(at).expect("merged").next;
    }
}

fn all(interval: CellInterval, filter: Facets) -> CellQuestion {
    let (from, to) = (FIRST - 9_000, FIRST + 90_000);
    let (from, to) = (from.div_euclid(interval.minutes()), to.div_euclid(interval.minutes()));
    CellQuestion { filter, interval, from, to }
}

fn asked(store: &Store, question: &CellQuestion) -> (BTreeMap<i64, i64>, usize) {
    let mut sums = question.nothing();
    store.commit_reader_for(question).expect("opened").sum(question, &mut sums).expect("read");
    let cells = (question.from..).zip(&sums.counts).filter(|(_, n)| **n != 0).map(|(unit, n)| (unit, *n));
    (cells.collect(), sums.damaged.len())
}

fn by_queue(number: u64) -> Facets {
    Facets { queue: Some(id(number)), ..Facets::default() }
}

/// That the store answers what these conversations add, for every interval and some filters.
#[track_caller]
fn holds(store: &Store, of: &[StoredConversation]) {
    let filters = [
        Facets::default(),
        by_queue(0),
        by_queue(1),
        by_queue(77),
        Facets { medium: Word::new("chat"), ..by_queue(0) },
        Facets { role: Word::new("agent"), ..Facets::default() },
    ];
    for (interval, filter) in INTERVALS.iter().flat_map(|i| filters.iter().map(|f| (*i, f.clone()))) {
        let mut should = BTreeMap::new();
        for one in of {
            contributions(one, None, |minute, facets| {
                if facets.pass(&filter) {
                    *should.entry(minute.div_euclid(interval.minutes())).or_insert(0) += 1;
                }
            });
        }
        assert_eq!(asked(store, &all(interval, filter.clone())), (should, 0), "{interval:?} {filter:?}");
    }
}

fn pages(folder: &Path) -> [i64; 4] {
    let file = rusqlite::Connection::open(folder.join("headcount.db")).expect("opened");
    ["cell_part", "cell_minutes", "cell_hours", "cell_days"].map(|table| {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("counted")
    })
}

#[test]
fn what_left_memory_is_counted_in_parts_and_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let told = [told(1, 5, 0, 1), told(2, 7, 30, 50), told(3, 4, 1_000, 2_000)];
    commit(&mut store, 1, &told[..2]);
    commit(&mut store, 2, &told[2..]);
    holds(&store, &told);
    assert_eq!(pages(folder.path()), [2, 0, 0, 0]);
    merge_all(&mut store);
    holds(&store, &told);
    let [parts, minutes, hours, days] = pages(folder.path());
    assert_eq!(parts, 0);
    assert!(minutes > hours && hours > days && days > 0, "{minutes} {hours} {days}");
    commit(&mut store, 3, &[conversation(8, true)]);
    assert_eq!(pages(folder.path())[0], 0, "what stays in memory adds nothing");
}

#[test]
fn all_who_read_a_long_range_see_one_commit() {
    let (folder, mut before) = (tempfile::tempdir().expect("a folder"), Vec::new());
    let mut store = open(folder.path());
    for seq in 1..=4 {
        let question = all(CellInterval::Minute, by_queue(1));
        let (should, mut sums) = (asked(&store, &question), question.nothing());
        let mut reader = store.commit_reader_for(&question).expect("opened");
        before.push(told(seq * 2 + 1, 400, 0, 20));
        commit(&mut store, seq, &before);
        merge_all(&mut store);
        reader.sum(&question, &mut sums).expect("read");
        let events = should.0.values().sum::<i64>();
        assert_eq!(sums.counts.iter().sum::<i64>(), events);
        assert_eq!(events as u64, (seq - 1) * 400);
    }
}

#[test]
fn what_is_laid_down_again_is_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let (first, longer) = (told(4, 3, 0, 10), told(4, 6, 0, 10));
    commit(&mut store, 1, std::slice::from_ref(&first));
    commit(&mut store, 2, std::slice::from_ref(&first));
    assert_eq!(pages(folder.path())[0], 1, "the same again changes nothing, and writes nothing");
    holds(&store, std::slice::from_ref(&first));
    merge_all(&mut store);
    commit(&mut store, 3, std::slice::from_ref(&longer));
    holds(&store, std::slice::from_ref(&longer));
    merge_all(&mut store);
    let again = StoredConversation { resident: true, ..longer.clone() };
    commit(&mut store, 4, &[again]);
    holds(&store, &[]);
    commit(&mut store, 5, &[longer.clone(), first.clone()]);
    holds(&store, std::slice::from_ref(&first));
    merge_all(&mut store);
    holds(&store, &[first]);
}

#[test]
fn cells_outlive_what_is_removed_and_do_not_count_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let told = [told(1, 5, 0, 10), told(2, 4, 0, 10)];
    commit(&mut store, 1, &told);
    let horizon = START + 45 * MINUTE;
    store.remove(&[Removal { conversation: id(1), clock: 9 }], horizon).expect("removed");
    holds(&store, &told);
    let inherited =
        [store::Inherited { conversation: id(1), clock: 9, removed_until: Some(horizon), remembered: None }];
    let again = crate::cells::told(1, 8, 0, 10);
    for seq in [2, 3] {
        let (inherited, laid_down) = (&inherited, std::slice::from_ref(&again));
        store.commit(&Commit { seq, inherited, laid_down, ..Commit::default() }).expect("committed");
        let (cells, _) = asked(&store, &all(CellInterval::Minute, by_queue(1)));
        let should: BTreeMap<i64, i64> = (0..8).map(|n| (FIRST + n * 10, 1)).collect();
        assert_eq!(cells, should, "five of them were counted before they were removed");
    }
}

#[test]
fn a_damaged_page_is_named_and_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    commit(&mut store, 1, &[told(1, 5, 0, 1)]);
    merge_all(&mut store);
    let harm = |sql: &str| {
        let file = rusqlite::Connection::open(folder.path().join("headcount.db")).expect("opened");
        file.execute_batch(sql).expect("harmed");
    };
    harm("UPDATE cell_hours SET events = events + 1");
    let question = all(CellInterval::Hour, Facets::default());
    assert_eq!(asked(&store, &question), (BTreeMap::new(), 1));
    assert_eq!(asked(&store, &all(CellInterval::Day, Facets::default())).1, 0, "its own time alone");
    let later = CellQuestion { from: question.from + 20_000, to: question.to + 20_000, ..question.clone() };
    assert_eq!(asked(&store, &later).1, 0);
    commit(&mut store, 2, &[told(2, 3, 0, 1)]);
    merge_all(&mut store);
    let (cells, damaged) = asked(&store, &question);
    assert_eq!((cells.values().sum::<i64>(), damaged), (3, 1), "what came later is counted");
    let mut named = Vec::new();
    store.check(&mut |what| named.push(what.table), &mut |_| ()).expect("checked");
    assert_eq!(named, ["cell_hours"]);
    commit(&mut store, 3, &[told(3, 2, 0, 1)]);
    harm("UPDATE cell_part SET short = substr(short, 2), body = substr(body, 2)");
    assert_eq!(asked(&store, &later).1, 1, "of which time a part is that cannot be read nobody knows");
    merge_all(&mut store);
    assert_eq!(pages(folder.path())[0], 1, "it stays to be named");
}

#[test]
fn sums_in_front_that_are_not_those_of_the_rows_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    commit(&mut store, 1, &[told(1, 5, 0, 1)]);
    commit(&mut store, 2, &[told(2, 2, 900, 1)]);
    merge_all(&mut store);
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).expect("opened");
    file.execute_batch("UPDATE cell_hours SET short = zeroblob(length(short))").expect("harmed");
    let hours = |filter| asked(&store, &all(CellInterval::Hour, filter));
    assert_eq!(hours(Facets::default()), (BTreeMap::new(), pages(folder.path())[2].cast_unsigned() as usize));
    assert_eq!(hours(by_queue(0)).1, 0, "what lies behind them is sound");
    let mut named = Vec::new();
    store.check(&mut |what| named.push(what.table), &mut |_| ()).expect("checked");
    assert!(!named.is_empty() && named.iter().all(|table| *table == "cell_hours"), "{named:?}");
}

#[test]
fn minutes_go_first_and_are_not_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let told = [told(1, 9, 0, 30), told(2, 3, 6_000, 1)];
    let cells: Vec<(i64, i64)> = (0..9).map(|n| (FIRST + n * 30, 1)).collect();
    store
        .commit(&Commit { seq: 1, laid_down: &told, cells: &cells, ..Commit::default() })
        .expect("committed");
    merge_all(&mut store);
    let forgotten = store.forget_cells(CellInterval::Minute, FIRST + 5_000).expect("forgotten");
    assert!(forgotten.pages >= 4 && !forgotten.more, "{forgotten:?}");
    let kept = store.cells_kept().expect("read").minutes.expect("a horizon");
    assert!(kept <= FIRST + 5_000 && kept > FIRST + 5_000 - 60);
    assert_eq!(asked(&store, &all(CellInterval::Minute, Facets::default())).0.values().sum::<i64>(), 3);
    assert_eq!(asked(&store, &all(CellInterval::Hour, Facets::default())).0.values().sum::<i64>(), 12);
    assert_eq!(store.cells(0, i64::MAX).expect("read"), []);
    let late = [crate::cells::told(3, 2, 10, 1)];
    let cells = [(FIRST + 10, 2), (FIRST + 6_000, 1)];
    store
        .commit(&Commit { seq: 2, laid_down: &late, cells: &cells, ..Commit::default() })
        .expect("committed");
    assert_eq!(store.cells(0, i64::MAX).expect("read"), [(FIRST + 6_000, 1)]);
    merge_all(&mut store);
    assert_eq!(asked(&store, &all(CellInterval::Minute, Facets::default())).0.values().sum::<i64>(), 3);
    assert_eq!(asked(&store, &all(CellInterval::Hour, Facets::default())).0.values().sum::<i64>(), 14);
    assert_eq!(store.forget_cells(CellInterval::Minute, FIRST).expect("nothing").pages, 0);
    assert_eq!(store.cells_kept().expect("read").minutes, Some(kept), "it never goes back");
}

#[test]
fn a_salvaged_folder_has_the_pages() {
    let (folder, into) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut store = open(folder.path());
    let told = [told(1, 9, 0, 30), told(2, 3, 6_000, 1)];
    commit(&mut store, 1, &told[..1]);
    merge_all(&mut store);
    commit(&mut store, 2, &told[1..]);
    store.forget_cells(CellInterval::Minute, FIRST + 100).expect("forgotten");
    let questions = INTERVALS.map(|interval| all(interval, by_queue(1)));
    let before = questions.each_ref().map(|question| asked(&store, question));
    let kept = store.cells_kept().expect("read");
    assert!(
        kept.minutes.is_some() && before.iter().all(|(cells, damaged)| !cells.is_empty() && *damaged == 0)
    );
    store.close().expect("closed");
    let new = into.path().join("new");
    let old = Store::look(folder.path()).expect("opened").store;
    assert_eq!(old.salvage(&new, START, &mut |_| (), &mut |_| ()).expect("salvaged").lost, 0);
    let store = open(&new);
    assert_eq!(questions.each_ref().map(|question| asked(&store, question)), before);
    assert_eq!(store.cells_kept(), Ok(kept));
}

#[test]
fn a_long_page_is_followed_by_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let many: Vec<_> = (0..400)
        .map(|number| {
            let mut one = told(number, 40, 0, 1);
            for (n, (fact, _)) in (0..).zip(&mut one.facts) {
                fact.user = Some(Id::from_uuid((u128::from(number) << 90 | n).to_be_bytes()));
                fact.participant = fact.user.clone();
            }
            one
        })
        .collect();
    for (seq, some) in (1..).zip(many.chunks(50)) {
        commit(&mut store, seq, some);
        merge_all(&mut store);
    }
    let [parts, minutes, ..] = pages(folder.path());
    assert!(parts == 0 && minutes > 1, "{minutes} pages of one hour");
    holds(&store, &many);
}
