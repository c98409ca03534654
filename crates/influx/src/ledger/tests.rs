//! What is told once is not told again, what changed is taken back as it stood, and every row is one of its own.

use super::*;
use crate::points::tests::entry;
use engine::Time;
use std::collections::BTreeSet;

const NOON_MS: i64 = 1_767_268_800_000;

struct World {
    sent: Sent,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let sent = Sent::open(folder.path(), "test").expect("opened");
    World { sent, _folder: folder }
}

fn at(n: u128, ms: i64, clock: u64) -> TimelineEntry {
    TimelineEntry { vector_clock: clock, ..entry(n, Time::from_millis(NOON_MS + ms)) }
}

fn id() -> Id {
    Id::new("c 1").expect("an id")
}

/// What waits after a timeline was noted; it counts as arrived then.
fn noted(world: &World, timeline: &[TimelineEntry]) -> Vec<String> {
    Ledger { sent: &world.sent, schema: Schema::Tutorial, own_from: 0 }.add(&id(), timeline).expect("added");
    let waiting = world.sent.waiting(100).expect("read").into_iter().map(|row| row.line).collect();
    world.sent.arrived(i64::MAX).expect("noted");
    waiting
}

/// A row without the time, with what it tells of left out.
fn short(line: &str) -> String {
    let (tags, fields) = line.split_at(series_bytes(line));
    let row = tags.rsplit_once(",row=").expect("a row").1;
    let fields = fields.trim().rsplit_once(' ').expect("a time").0;
    format!("{row}: {fields}")
}

#[test]
fn what_changed_is_taken_back_as_it_stood_and_told_anew() {
    let world = world();
    let first = noted(&world, &[at(1, 0, 1)]);
    assert_eq!(first.len(), 1);
    assert!(
        first[0]
            .starts_with("participant_state,interactionId=c\\ 1,participantId=p\\ 1,state=connected,fact=")
    );
    assert_eq!(short(&first[0]), "1: vector_clock=1i,role=\"agent\",revision=1i,weight=1i");
    assert_eq!(noted(&world, &[at(1, 0, 1)]), Vec::<String>::new(), "it stands");
    let moved = noted(&world, &[at(1, 7, 2)]);
    let time = |line: &str| line.rsplit_once(' ').expect("a time").1.to_owned();
    assert_eq!(
        moved.iter().map(|line| short(line)).collect::<Vec<_>>(),
        [
            "2: vector_clock=1i,role=\"agent\",revision=2i,weight=-1i",
            "3: vector_clock=2i,role=\"agent\",revision=3i,weight=1i"
        ]
    );
    assert_eq!(time(&moved[0]), time(&first[0]), "no range has one without the other");
    assert_ne!(time(&moved[1]), time(&first[0]));
    let gone = noted(&world, &[]);
    assert_eq!(
        gone.iter().map(|line| short(line)).collect::<Vec<_>>(),
        ["4: vector_clock=2i,role=\"agent\",revision=4i,weight=-1i"]
    );
    assert_eq!(noted(&world, &[]), Vec::<String>::new(), "it is taken back once");
    let back = noted(&world, &[at(1, 0, 1)]);
    assert_eq!(short(&back[0]), "5: vector_clock=1i,role=\"agent\",revision=5i,weight=1i");
    let keys: BTreeSet<(&str, String)> = [&first, &moved, &gone, &back]
        .into_iter()
        .flatten()
        .map(|line| (line.get(..series_bytes(line)).expect("tags"), time(line)))
        .collect();
    assert_eq!(keys.len(), 5, "no key comes twice");
}

#[test]
fn a_minutes_rows_sum_up_to_its_events() {
    let world = world();
    let ledger = Ledger { sent: &world.sent, schema: Schema::Tutorial, own_from: 0 };
    for events in [3, 3, 10, 4] {
        ledger.cell(7, events).expect("noted");
    }
    let lines: Vec<String> = world.sent.waiting(100).expect("read").into_iter().map(|row| row.line).collect();
    assert_eq!(
        lines,
        [
            "participant_activity,row=1 events=3i,revision=1i 420000000000",
            "participant_activity,row=2 events=7i,revision=2i 420000000000",
            "participant_activity,row=3 events=-6i,revision=3i 420000000000"
        ]
    );
}

#[test]
fn what_was_refused_does_not_stand_and_is_not_taken_back() {
    let world = world();
    let ledger = Ledger { sent: &world.sent, schema: Schema::Tutorial, own_from: 0 };
    ledger.add(&id(), &[at(1, 0, 1), at(2, 5, 2)]).expect("added");
    ledger.cell(7, 3).expect("noted");
    let waiting = world.sent.waiting(100).expect("read");
    for row in [&waiting[0], &waiting[2]] {
        world.sent.refuse(row.number).expect("noted");
    }
    world.sent.arrived(i64::MAX).expect("noted");
    let again = noted(&world, &[at(2, 5, 2)]);
    assert_eq!(again, Vec::<String>::new(), "nothing is taken back that never stood");
    ledger.cell(7, 5).expect("noted");
    let line = world.sent.waiting(100).expect("read").remove(0).line;
    assert_eq!(line, "participant_activity,row=2 events=5i,revision=2i 420000000000");
}

#[test]
fn a_fact_of_two_conversations_has_two_names() {
    let (one, other) = (SentPoint::hash(b"a"), SentPoint::hash(b"b"));
    assert_ne!(name(one, 5), name(other, 5));
    assert_eq!(tag_of(-1), "ffffffffffffffff");
}
