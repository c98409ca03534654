//! What differs is written, what stands is not, and what no longer stands goes.

use super::*;
use crate::line::tags;
use crate::points::tests::entry;
use engine::{Time, Word};
use std::collections::{BTreeMap, BTreeSet};

const NOON_MS: i64 = 1_767_268_800_000;

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn at(n: u128, ms: i64) -> TimelineEntry {
    entry(n, Time::from_millis(NOON_MS + ms))
}

/// A server that keeps a point a series and time, as they all do.
#[derive(Default)]
struct Model {
    points: BTreeMap<(String, i64), String>,
}

impl Model {
    fn apply(&mut self, difference: Difference) {
        for removal in difference.removals {
            let wanted = tags(&removal.text);
            self.points.retain(|(series, time), _| {
                let has = tags(series);
                *time != removal.time || !wanted.iter().all(|tag| has.contains(tag))
            });
        }
        for line in difference.lines {
            let (rest, time) = line.rsplit_once(' ').expect("a time");
            let series =
                rest.split_once(" vector").or_else(|| rest.split_once(" interaction")).expect("fields").0;
            self.points.insert((series.to_owned(), time.parse().expect("a number")), rest.to_owned());
        }
    }
}

struct World {
    sent: Sent,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let sent = Sent::open(folder.path(), "test").expect("opened");
    sent.begin().expect("begun");
    World { sent, _folder: folder }
}

fn add(world: &World, of: &str, timeline: &[TimelineEntry], schema: Schema) -> Difference {
    let mut difference = Difference::default();
    difference.add(&id(of), timeline, schema, &world.sent).expect("added");
    difference.end(&world.sent).expect("ended");
    difference
}

/// A batch of one conversation, as the follower makes it; up to the moment at which it may be sent.
fn batch(world: &World, of: &str, timeline: &[TimelineEntry], schema: Schema) -> Difference {
    world.sent.begin().expect("begun");
    let mut difference = Difference::begin(&world.sent).expect("begun");
    difference.add(&id(of), timeline, schema, &world.sent).expect("added");
    difference.end(&world.sent).expect("ended");
    world.sent.noted().expect("noted");
    difference
}

#[test]
fn a_crash_between_sending_and_acknowledging_leaves_nothing_behind() {
    // However much of the first batch arrived, and though its conversation comes out differently the second time.
    for schema in [Schema::Tutorial, Schema::Compact] {
        for arrived in 0..=4 {
            let (world, mut model) = (world(), Model::default());
            let first = vec![at(1, 0), at(3, 0)];
            model.apply(batch(&world, "c", &first, schema));
            world.sent.acknowledge(store::Progress::default()).expect("acknowledged");

            let mut moved = vec![at(1, 0), at(2, 0), at(3, 0), at(4, 9)];
            moved[0].state = Word::new("alerting");
            let mut lost = batch(&world, "c", &moved, schema);
            lost.lines.truncate(arrived);
            if arrived == 0 {
                lost.removals.clear();
            }
            model.apply(lost);

            let mut last = vec![at(0, 0), at(1, 0), at(2, 0), at(3, 0), at(4, 9)];
            last[4].state = Word::new("disconnected");
            model.apply(batch(&world, "c", &last, schema));
            world.sent.acknowledge(store::Progress::default()).expect("acknowledged");
            let stands: BTreeMap<i64, String> = points(&id("c"), &last, schema)
                .into_iter()
                .map(|p| (p.time, p.line.text().to_owned()))
                .collect();
            let holds: BTreeMap<i64, String> =
                model.points.iter().map(|((_, time), line)| (*time, line.clone())).collect();
            assert_eq!((model.points.len(), holds), (5, stands), "{schema:?}, {arrived} lines arrived");
            assert_eq!(batch(&world, "c", &last, schema), Difference::default());
        }
    }
}

#[test]
fn what_stands_is_not_written_again() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let world = world();
        let timeline = [at(1, 0), at(2, 5)];
        assert_eq!(add(&world, "c", &timeline, schema).lines.len(), 2);
        assert_eq!(add(&world, "c", &timeline, schema), Difference::default());
        let grown = [at(1, 0), at(2, 5), at(3, 9)];
        assert_eq!(add(&world, "c", &grown, schema).lines.len(), 1);
    }
}

#[test]
fn a_late_fact_corrects_what_it_moves_and_leaves_nothing_behind() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let (world, mut model) = (world(), Model::default());
        let mut timeline = vec![at(1, 0), at(3, 0), at(4, 5)];
        model.apply(add(&world, "c", &timeline, schema));
        assert_eq!(model.points.len(), 3);
        // In front of one of the same instant, and what is known of the last one's state is better.
        timeline.insert(1, at(2, 0));
        timeline[3].state = Word::new("disconnected");
        timeline[3].role = Word::new("customer");
        let difference = add(&world, "c", &timeline, schema);
        assert_eq!(difference.removals.len(), 1, "the last one's series is another: {difference:?}");
        model.apply(difference);
        let stands: BTreeSet<String> =
            points(&id("c"), &timeline, schema).iter().map(|point| point.line.text().to_owned()).collect();
        assert_eq!(model.points.len(), 4);
        assert_eq!(model.points.values().cloned().collect::<BTreeSet<_>>(), stands);
        // And one that is not shown any more goes.
        timeline.remove(0);
        model.apply(add(&world, "c", &timeline, schema));
        assert_eq!(model.points.len(), 3);
    }
}

#[test]
fn conversations_that_draw_the_same_digits_keep_apart() {
    let (world, mut model) = (world(), Model::default());
    let ids: Vec<String> = (0..4_000).map(|n| format!("c-{n}")).collect();
    let timeline = [entry(1, Time::from_millis(NOON_MS)), entry(2, Time::from_millis(NOON_MS))];
    for _ in 0..2 {
        for id in &ids {
            model.apply(add(&world, id, &timeline, Schema::Compact));
        }
        assert_eq!(model.points.len(), 8_000, "of 10,000 digits a place, eight hundred are drawn twice");
    }
}
