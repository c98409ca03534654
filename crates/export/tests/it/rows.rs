//! Rows against the truth by construction.

use crate::history::{self, START, Sums};
use engine::{Id, MINUTE, SECOND, Word};
use export::{Ask, Format, Only, What, to_stream};
use pipeline::Past;
use serde_json::Value;
use std::collections::BTreeMap;

pub const LATER: i64 = START + 3_600 * SECOND;

pub fn all(what: What, format: Format) -> Ask {
    Ask { what, format, from: None, to: None, only: Only::default() }
}

pub fn stream(past: &Past, ask: &Ask) -> Vec<u8> {
    let mut out = Vec::new();
    to_stream(past, ask, &mut out).unwrap();
    out
}

pub fn lines(past: &Past, ask: &Ask) -> Vec<Value> {
    let text = String::from_utf8(stream(past, ask)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An instant as it was written, in milliseconds.
pub fn ms(value: &Value) -> i64 {
    value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn past(conversations: u64) -> (Past, history::Truth) {
    let folder = tempfile::tempdir().unwrap();
    let truth = history::make(folder.path(), conversations);
    // The file stays open although its folder goes.
    (Past::open(folder.path(), LATER).unwrap(), truth)
}

fn sums(spells: &[Value]) -> BTreeMap<(String, String, String), Sums> {
    let mut sums: BTreeMap<_, Sums> = BTreeMap::new();
    for spell in spells {
        let text = |name: &str| spell[name].as_str().unwrap().to_owned();
        let sums = sums.entry((text("queueId"), text("role"), text("state"))).or_default();
        sums.spells += 1;
        sums.taken_ms += u64::try_from(ms(&spell["to"]) - ms(&spell["from"])).unwrap();
    }
    sums
}

#[test]
fn spells_equal_the_truth_and_come_by_conversation() {
    let (past, truth) = past(2_300);
    let spells = lines(&past, &all(What::Spells, Format::Ndjson));
    assert_eq!(sums(&spells), truth.sums);
    let key = |spell: &Value| {
        let text = |name: &str| spell[name].as_str().unwrap_or_default().to_owned();
        (text("conversationId"), text("participantId"), text("communicationId"), ms(&spell["from"]))
    };
    assert!(spells.is_sorted_by_key(key));
    let first = spells.iter().find(|s| s["conversationId"] == history::conversation(0).to_string()).unwrap();
    assert_eq!(first["userId"], history::user(0));
    assert_eq!(first["medium"], history::medium(0));
}

#[test]
fn facts_changes_and_cells_add_up() {
    let (past, truth) = past(2_000);
    let facts = lines(&past, &all(What::Facts, Format::Ndjson));
    assert_eq!(facts.len() as u64, truth.facts);
    assert_eq!(lines(&past, &all(What::Changes, Format::Ndjson)).len() as u64, truth.facts);
    let mut by_minute: BTreeMap<i64, u64> = BTreeMap::new();
    // Of a leg, cells count when it connects and when it ends; of a participant without one, every state.
    let counts = |fact: &&Value| {
        fact["communicationId"].is_null() || fact["state"] == "connected" || fact["state"] == "disconnected"
    };
    for fact in facts.iter().filter(counts) {
        *by_minute.entry(ms(&fact["at"]).div_euclid(60_000)).or_default() += 1;
    }
    let cells = lines(&past, &all(What::Cells, Format::Ndjson));
    let cells: BTreeMap<i64, u64> =
        cells.iter().map(|c| (ms(&c["minute"]) / 60_000, c["events"].as_u64().unwrap())).collect();
    assert_eq!(cells, by_minute);
}

#[test]
fn ranges_that_touch_hold_each_row_once_and_spells_where_they_overlap() {
    let (past, _) = past(600);
    let (a, b) = (START + 7 * SECOND, START + 15 * SECOND);
    let between = |what, from, to| lines(&past, &Ask { from, to, ..all(what, Format::Ndjson) }).len();
    for what in [What::Facts, What::Changes] {
        let parts =
            [between(what, None, Some(a)), between(what, Some(a), Some(b)), between(what, Some(b), None)];
        assert_eq!(parts.iter().sum::<usize>(), between(what, None, None));
        assert!(parts.iter().all(|rows| *rows > 0));
    }
    let ms = |nanos: i64| nanos / 1_000_000;
    let inside = (0..600)
        .flat_map(history::parts)
        .filter(|part| part.from_ms < ms(b) && part.from_ms + part.taken_ms as i64 > ms(a));
    assert_eq!(between(What::Spells, Some(a), Some(b)), inside.count());
    // A cell is of the range that holds its minute's first instant.
    let whole = START + MINUTE;
    let cells = |from, to| between(What::Cells, from, to);
    assert_eq!(cells(Some(START), Some(START + 1)), 1);
    assert_eq!(cells(Some(START + 1), Some(whole)), 0);
    assert_eq!(cells(None, Some(whole)) + cells(Some(whole), None), cells(None, None));
}

/// Nearly all have left memory, and are found by their spans.
#[test]
fn a_range_of_a_long_history_has_what_the_whole_has_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = history::begin(folder.path());
    let (groups, apart) = (12, 100_000);
    for group in 0..groups {
        history::turn(&mut keeper, group * apart..group * apart + 40, &mut history::Truth::default());
    }
    keeper.close().unwrap();
    // The log would bring back those that left memory.
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    file.execute("DELETE FROM log WHERE position < (SELECT max(position) FROM log)", []).unwrap();
    let past = Past::open(folder.path(), LATER).unwrap();
    let begin = |group: u64| START / 1_000_000 + (group * apart) as i64 * history::APART_MS;
    for what in [What::Facts, What::Changes, What::Spells] {
        let whole = lines(&past, &all(what, Format::Ndjson));
        let instants = |row: &Value| match what {
            What::Spells => (ms(&row["from"]), ms(&row["to"])),
            What::Facts => (ms(&row["at"]), ms(&row["at"])),
            _ => (ms(&row["effectiveAt"]), ms(&row["effectiveAt"])),
        };
        for (from, to) in [
            (Some(begin(3) + 9_000), Some(begin(5) + 400)),
            (Some(begin(4) + 1_700), Some(begin(4) + 1_701)),
            (Some(begin(7) - 9_000), Some(begin(7))),
            (Some(begin(groups - 1) + 2_000), None),
            (None, Some(begin(0) + 1)),
        ] {
            let within = |row: &&Value| {
                let (first, last) = instants(row);
                to.is_none_or(|to| first < to) && from.is_none_or(|from| first >= from || last > from)
            };
            let nanos = |at: Option<i64>| at.map(|at| at * 1_000_000);
            let ask = Ask { from: nanos(from), to: nanos(to), ..all(what, Format::Ndjson) };
            let should: Vec<_> = whole.iter().filter(within).cloned().collect();
            assert_eq!(lines(&past, &ask), should, "{what:?} from {from:?} to {to:?}");
        }
    }
}

#[test]
fn filters_take_the_rows_that_bear_them() {
    let (past, _) = past(900);
    let only = |only: Only| lines(&past, &Ask { only, ..all(What::Spells, Format::Ndjson) });
    let id = |text: &str| Id::new(text).ok();
    let word = |text: &str| Word::new(text);
    let of = |wanted: &dyn Fn(u64) -> bool| (0..900).filter(|n| wanted(*n)).count();
    let queue = history::queue(3);
    assert_eq!(
        only(Only { queue: id(&queue), ..Only::default() }).len(),
        5 * of(&|n| history::queue(n) == queue)
    );
    let user = history::user(4);
    assert_eq!(
        only(Only { user: id(&user), ..Only::default() }).len(),
        3 * of(&|n| history::user(n) == user)
    );
    let agents = only(Only { role: word("agent"), medium: word("chat"), ..Only::default() });
    assert_eq!(agents.len(), 3 * of(&|n| history::medium(n) == "chat"));
    let one = Only { conversation: Some(history::conversation(17)), ..Only::default() };
    assert_eq!(only(one).len(), 5);
    assert_eq!(only(Only { conversation: id("nobody"), ..Only::default() }).len(), 0);
}

#[test]
fn csv_has_the_same_rows() {
    let (past, _) = past(50);
    for what in What::ALL {
        let csv = String::from_utf8(stream(&past, &all(what, Format::Csv))).unwrap();
        let records: Vec<&str> = csv.split_terminator("\r\n").collect();
        let lines = lines(&past, &all(what, Format::Ndjson));
        assert_eq!(records.len(), lines.len() + 1, "{what:?}");
        let columns = lines[0].as_object().unwrap();
        assert_eq!(records[0].split(',').count(), columns.len());
        assert!(records[0].split(',').all(|name| columns.contains_key(name)));
    }
}
