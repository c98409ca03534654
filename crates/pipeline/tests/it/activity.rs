//! Cells by what events are about equal those of all events, whatever is in memory, laid down, told late, removed or
//! recovered; and each interval goes at an age of its own.

use crate::retention::*;
use crate::world::*;
use engine::*;
use pipeline::*;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use store::{Commit, OutboxBounds, Outgoing, Store};

fn question(keeper: &Keeper, interval: CellInterval) -> CellQuestion {
    let cells = keeper.store().cells(i64::MIN, i64::MAX).unwrap();
    let (first, last) = (cells.first().map_or(0, |cell| cell.0), cells.last().map_or(0, |cell| cell.0));
    let (from, to) = (first.div_euclid(interval.minutes()), last.div_euclid(interval.minutes()) + 1);
    CellQuestion { filter: Facets::default(), interval, from, to }
}

fn asked(keeper: &Keeper, question: CellQuestion, now: i64) -> Result<BTreeMap<i64, u64>, NotKept> {
    let view = keeper.gather(question, now).unwrap().value.finish().unwrap()?;
    assert_eq!(view.damaged, []);
    Ok((view.question.from..).zip(view.counts).filter(|(_, events)| *events > 0).collect())
}

#[track_caller]
fn add_up(keeper: &Keeper, now: i64) -> u64 {
    let all: BTreeMap<i64, u64> = keeper.store().cells(i64::MIN, i64::MAX).unwrap().into_iter().collect();
    for interval in [CellInterval::Minute, CellInterval::Hour, CellInterval::Day] {
        let mut should = BTreeMap::new();
        all.iter()
            .for_each(|(minute, n)| *should.entry(minute.div_euclid(interval.minutes())).or_insert(0) += n);
        assert_eq!(asked(keeper, question(keeper, interval), now), Ok(should), "{interval:?}");
    }
    all.values().sum()
}

fn merge_all(keeper: &mut Keeper) {
    let mut after = Some(0);
    while let Some(at) = after {
        after = keeper.merge_cells(at).unwrap().next;
    }
}

fn forget(keeper: &mut Keeper, what: Retention, now: i64) -> ForgottenCells {
    let mut sum = ForgottenCells::default();
    loop {
        let step = keeper.forget_cells(what, now).unwrap();
        (sum.by_age, sum.by_size) = (sum.by_age + step.by_age, sum.by_size + step.by_size);
        if !step.more {
            return sum;
        }
    }
}

#[test]
fn they_add_up_to_all_events_over_late_facts_restarts_and_removals() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 12);
    let events = add_up(&keeper, now);
    merge_all(&mut keeper);
    assert_eq!(add_up(&keeper, now), events);
    let late = NOON + 3 * DAY + 30 * SECOND;
    turn(&mut keeper, vec![at("day-3", 70, What::Joined, "connected", late)], now);
    assert!(keeper.engine().knows(&id("day-3")), "it was taken up again");
    assert_eq!(add_up(&keeper, now), events + 1);
    keeper.close().unwrap();
    let mut keeper = recover(folder.path(), now);
    assert_eq!(add_up(&keeper, now), events + 1, "by the log, before it is laid down again");
    let later = now + 3_600 * SECOND;
    turn(&mut keeper, vec![at("lasts", 71, What::Joined, "connected", later)], later);
    assert!(!keeper.engine().knows(&id("day-3")));
    assert_eq!(add_up(&keeper, later), events + 2);
    assert_eq!(run(&mut keeper, KEEP, later).by_age, 2);
    let again = NOON + 60 * SECOND;
    turn(&mut keeper, vec![at("day-0", 72, What::Joined, "connected", again)], later);
    assert_eq!(add_up(&keeper, later), events + 2, "what was removed is not counted again");
    merge_all(&mut keeper);
    assert_eq!(add_up(&keeper, later), events + 2);
}

#[test]
fn each_interval_goes_at_its_age_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    merge_all(&mut keeper);
    let [minutes, hours, days] =
        [CellInterval::Minute, CellInterval::Hour, CellInterval::Day].map(|one| question(&keeper, one));
    let before = asked(&keeper, hours.clone(), now);
    let keep = Retention { minutes_ns: Some(5 * DAY), ..Retention::default() };
    assert!(forget(&mut keeper, keep, now).by_age > 0);
    let Err(NotKept { from }) = asked(&keeper, minutes.clone(), now) else { panic!("minutes are gone") };
    assert!(from * MINUTE <= now - 5 * DAY && from * MINUTE > now - 5 * DAY - 3_600 * SECOND);
    assert_eq!(asked(&keeper, hours.clone(), now), before);
    let kept: u64 = asked(&keeper, CellQuestion { from, ..minutes.clone() }, now).unwrap().values().sum();
    assert_eq!(keeper.store().cells(0, i64::MAX).unwrap().iter().map(|cell| cell.1).sum::<u64>(), kept);
    assert_eq!(forget(&mut keeper, keep, now), ForgottenCells::default());

    let late = NOON + DAY;
    turn(&mut keeper, vec![at("day-1", 80, What::Joined, "connected", late)], now);
    assert_eq!(keeper.store().cells(0, late / MINUTE).unwrap(), [], "no minute begins anew");
    let with_it = asked(&keeper, hours.clone(), now).unwrap().values().sum::<u64>();
    assert_eq!(with_it, before.unwrap().values().sum::<u64>() + 1);

    let keep = Retention { minutes_ns: Some(3 * DAY), hours_ns: Some(4 * DAY), days_ns: None, ..keep };
    forget(&mut keeper, keep, now);
    assert!(asked(&keeper, hours, now).is_err());
    assert_eq!(asked(&keeper, days, now).unwrap().values().sum::<u64>(), with_it);

    let first = keeper.store().cells_kept().unwrap().minutes.unwrap() * MINUTE;
    keeper.close().unwrap();
    let past = Past::open(folder.path(), now).unwrap();
    let (cells, all) = (past.holes_of_cells(NOON, now), past.holes(NOON, now));
    let Interval { to, completeness, .. } = cells[0].1;
    assert_eq!((to, completeness), (first, Completeness::Unknown), "an export of cells does not hide it");
    assert_eq!(cells[1..], all, "of all else nothing has gone");
}

#[test]
fn by_size_minutes_go_last_and_never_those_of_two_days() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    merge_all(&mut keeper);
    let tight = Retention { bytes_max: Some(1), ..Retention::default() };
    let done = forget(&mut keeper, tight, now);
    assert!(done.by_size > 0 && done.by_age == 0, "{done:?}");
    let oldest = keeper.store().oldest_minute_page().unwrap().unwrap();
    assert!(oldest * MINUTE >= now - 2 * DAY - 3_600 * SECOND && oldest * MINUTE <= now - DAY);
    let roomy = Retention { bytes_max: Some(1 << 40), ..Retention::default() };
    assert_eq!(forget(&mut keeper, roomy, now), ForgottenCells::default());
}

#[test]
fn while_the_disk_refuses_nothing_is_told_that_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 2);
    keeper.store().bound_growth(Some(0)).unwrap();
    let many = (100..900).map(|n| at(&format!("new-{n}"), n, What::LifeCycle, "in-progress", now));
    let deliveries = many.enumerate().map(|(n, one)| (n as u64, one)).collect();
    keeper.take(&mut Mail { deliveries, ..Mail::default() }, now).unwrap();
    keeper.commit(now).expect_err("the disk is full");
    let asked_for = question(&keeper, CellInterval::Minute);
    assert!(keeper.gather(asked_for.clone(), now).is_err());
    assert_eq!(keeper.merge_cells(0).unwrap().next, None);
    keeper.store().bound_growth(None).unwrap();
    let done = keeper.commit(now).unwrap();
    keeper.reuse(done);
    add_up(&keeper, now);
}

#[tokio::test]
async fn minutes_that_went_before_a_follower_took_them_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), 7).unwrap().store;
    store.begin_outbox(true).unwrap();
    let old = NOON / MINUTE - 10 * 1_440;
    let cells = [(old, 3), (NOON / MINUTE, 1)];
    let bounds = OutboxBounds::default();
    let outgoing = Some(Outgoing { after_seq: 0, conversations: &[], passed: 0, bounds });
    let commit = Commit {
        committed_at: NOON - 1,
        incarnation: 1,
        seq: 4,
        cells: &cells,
        outgoing,
        ..Commit::default()
    };
    store.commit(&commit).unwrap();
    store.forget_cells(CellInterval::Minute, old + 1_440).unwrap();
    store.close().unwrap();
    let telemetry = Telemetry::new(&mut Registry::default());
    let settings = Settings { outbox: Some(bounds), ..Settings::default() };
    let pipeline =
        Pipeline::start(folder.path(), settings, telemetry.clone(), Clock::manual(NOON), 7).unwrap();
    let mut follower = Follower::open(folder.path(), "test", &pipeline.reader(), telemetry).unwrap();
    let portion = follower.take(100).unwrap().unwrap();
    assert_eq!(portion.minutes, [NOON / MINUTE]);
    follower.acknowledge(&portion).unwrap();
    assert_eq!(pipeline.reader().followers().status()[0].missed_changes, 1);
}
