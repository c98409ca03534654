//! What is too old goes, and says so: nothing that is still needed goes, and nothing that is left claims to be whole.

use crate::world::*;
use engine::*;
use pipeline::*;
use prometheus_client::registry::Registry;
use std::path::Path;
use std::time::Duration;
use store::{LastTold, OutboxBounds, Store, StoreError};

pub const DAY: i64 = 86_400 * SECOND;
pub const KEEP: Retention =
    Retention { facts_ns: Some(10 * DAY), bytes_max: None, minutes_ns: None, hours_ns: None, days_ns: None };

pub fn recover(folder: &Path, now: i64) -> Keeper {
    Keeper::recover(Store::open(folder, 7).unwrap(), Limits::default(), now).unwrap().0
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// An event that happened, and came, at an instant.
pub fn at(conversation: &str, n: u64, what: What, state: &str, at: i64) -> Delivery {
    let mut delivery = event(conversation, n, what, state);
    delivery.received = at;
    delivery.facts.iter_mut().for_each(|fact| fact.at = Some(Time::from_nanos(at).to_millis()));
    delivery
}

/// Takes all of it in one turn, and commits.
pub fn turn(keeper: &mut Keeper, deliveries: Vec<Delivery>, now: i64) {
    let deliveries = deliveries.into_iter().enumerate().map(|(n, one)| (n as u64, one)).collect();
    keeper.take(&mut Mail { deliveries, ..Mail::default() }, now).unwrap();
    keeper.pass_time(now);
    let done = keeper.commit(now).unwrap();
    keeper.reuse(done);
}

fn listens(keeper: &mut Keeper, from: i64) {
    let note = |event, at| FeedNote { feed: 0, at, event };
    let named = FeedEvent::Named { name: "events".to_owned(), resends: false };
    let notes = vec![(0, note(named, from)), (0, note(FeedEvent::Listening, from))];
    keeper.take(&mut Mail { notes, ..Mail::default() }, from).unwrap();
    let done = keeper.commit(from).unwrap();
    keeper.reuse(done);
}

/// A whole conversation of four facts that ends at an instant.
fn whole(conversation: &str, end: i64) -> Vec<Delivery> {
    vec![
        at(conversation, 1, What::LifeCycle, "in-progress", end - 30 * SECOND),
        at(conversation, 2, What::Joined, "connected", end - 20 * SECOND),
        at(conversation, 3, What::Left, "disconnected", end - SECOND),
        at(conversation, 4, What::LifeCycle, "disconnected", end),
    ]
}

/// Plays one conversation a day for `days` days, with an hour after each in which it leaves memory, and one that lasts.
pub fn history(folder: &Path, days: i64) -> (Keeper, i64) {
    let mut keeper = recover(folder, NOON);
    listens(&mut keeper, NOON - SECOND);
    turn(&mut keeper, vec![at("lasts", 1, What::LifeCycle, "in-progress", NOON)], NOON);
    for day in 0..days {
        let end = NOON + day * DAY + 60 * SECOND;
        for (n, delivery) in whole(&format!("day-{day}"), end).into_iter().enumerate() {
            turn(&mut keeper, vec![delivery], end + n as i64);
        }
        turn(
            &mut keeper,
            vec![at("lasts", 9 + day as u64, What::Joined, "connected", end + 3_600 * SECOND)],
            end + 7_200 * SECOND,
        );
    }
    (keeper, NOON + (days - 1) * DAY + 10_000 * SECOND)
}

/// One run, to its end.
pub fn run(keeper: &mut Keeper, what: Retention, now: i64) -> Removed {
    let (mut sum, mut after) = (Removed::default(), LastTold::default());
    loop {
        let step = keeper.remove_old(what, after, now).unwrap();
        (sum.by_age, sum.by_size) = (sum.by_age + step.by_age, sum.by_size + step.by_size);
        let Some(next) = step.next else { return sum };
        after = next;
    }
}

fn shown(keeper: &Keeper, name: &str, now: i64) -> Option<ConversationView> {
    keeper.about(&id(name), now, |shown| shown.conversation()).unwrap().value
}

#[test]
fn what_ended_before_the_horizon_goes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    let cells = keeper.store().cells(i64::MIN, i64::MAX).unwrap();
    assert_eq!(run(&mut keeper, KEEP, now), Removed { by_age: 10, ..Removed::default() });
    let horizon = keeper.engine().horizon().unwrap();
    assert!(horizon > NOON + 9 * DAY && horizon <= now - 10 * DAY);
    for day in 0..20 {
        assert_eq!(shown(&keeper, &format!("day-{day}"), now).is_some(), day >= 10, "day {day}");
    }
    assert!(shown(&keeper, "lasts", now).unwrap().active, "what lasts stays, however old");
    assert_eq!(keeper.store().cells(i64::MIN, i64::MAX).unwrap(), cells, "cells outlive facts");
    assert_eq!(run(&mut keeper, KEEP, now), Removed::default(), "all that was to go has gone");
    let answer = keeper.about(&id("day-3"), now, |_| ()).unwrap();
    assert_eq!((answer.value, answer.completeness), (None, Completeness::Unknown));
    assert!(answer.removed_until.is_some_and(|until| until <= horizon));
    assert_eq!(keeper.about(&id("never"), now, |_| ()).unwrap().removed_until, None);
}

#[test]
fn what_was_removed_stays_removed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    run(&mut keeper, KEEP, now);
    let stands = |keeper: &Keeper| {
        let known = (0..20).map(|day| shown(keeper, &format!("day-{day}"), now).is_some());
        (known.collect::<Vec<_>>(), keeper.engine().horizon(), keeper.engine().active_count())
    };
    let before = stands(&keeper);
    keeper.close().unwrap();
    assert_eq!(stands(&recover(folder.path(), now)), before, "though the log tells of it still");
}

#[test]
fn of_the_time_before_the_horizon_nothing_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    let whole = keeper.engine().range(NOON, now, now);
    assert_eq!(whole.completeness, Completeness::Complete);
    run(&mut keeper, KEEP, now);
    let horizon = keeper.engine().horizon().unwrap();
    let range = keeper.engine().range(NOON, now, now);
    assert_eq!(range.completeness, Completeness::Unknown);
    let told: Vec<_> =
        range.feeds[0].intervals.iter().map(|i| (i.to, i.completeness, i.reason.as_deref())).collect();
    assert_eq!(told, [(horizon, Completeness::Unknown, Some(REMOVED)), (now, Completeness::Complete, None)]);
    assert_eq!(check_intervals(&range.feeds[0].intervals, NOON, now, &[NOON + DAY]), Ok(()));
    assert_eq!(keeper.engine().completeness_then(NOON + 5 * DAY, now), Completeness::Unknown);
    assert_eq!(keeper.engine().completeness_then(horizon + DAY, now), Completeness::Complete);
    let kept = shown(&keeper, "day-15", now).unwrap();
    assert_eq!(kept.completeness, Completeness::Complete, "what is there is there as a whole");
    drop(keeper);
    let past = Past::open(folder.path(), now).unwrap();
    let holes = past.holes(NOON, horizon + 1);
    assert_eq!(holes[0].1.reason.as_deref(), Some(REMOVED), "an export's manifest names it");
}

/// A conversation that was removed, told of again: by the whole of it, and a fact that is new.
fn told_again(folder: &Path) -> (Keeper, i64) {
    let (mut keeper, now) = history(folder, 20);
    run(&mut keeper, KEEP, now);
    let mut again = whole("day-3", NOON + 3 * DAY + 60 * SECOND);
    again.push(at("day-3", 7, What::Joined, "connected", now));
    again.iter_mut().for_each(|delivery| delivery.received = now);
    turn(&mut keeper, again, now);
    (keeper, now)
}

#[test]
fn a_removed_conversation_that_is_told_of_again_is_never_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = told_again(folder.path());
    let view = shown(&keeper, "day-3", now).unwrap();
    assert_eq!(view.completeness, Completeness::Partial);
    assert_eq!(view.vector_clock, 4 + 5, "its clock goes on from where it stood");
    let mut read = at("day-3", 8, What::Joined, "connected", now + SECOND);
    read.source = Source::Rest;
    turn(&mut keeper, vec![read], now + SECOND);
    let before = shown(&keeper, "day-3", now + SECOND).unwrap();
    assert_eq!(before.completeness, Completeness::Partial, "whatever a REST read tells");
    keeper.close().unwrap();
    let later = now + 2 * SECOND;
    let after = shown(&recover(folder.path(), later), "day-3", later).unwrap();
    assert!(after.completeness >= Completeness::Partial);
    assert_eq!((after.vector_clock, after.active), (before.vector_clock, before.active));
}

#[test]
fn what_is_told_again_is_counted_once() {
    let counted = |folder: &Path, again: bool| {
        let (keeper, _) = if again { told_again(folder) } else { history(folder, 20) };
        keeper.store().cells(i64::MIN, i64::MAX).unwrap().iter().map(|(_, events)| events).sum::<u64>()
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(counted(one.path(), true), counted(two.path(), false) + 1, "the one fact that is new");
}

#[test]
fn one_that_was_told_again_is_removed_again_with_its_clock() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = told_again(folder.path());
    turn(&mut keeper, vec![at("day-3", 9, What::LifeCycle, "disconnected", now + SECOND)], now + SECOND);
    turn(&mut keeper, Vec::new(), now + DAY);
    let later = now + 40 * DAY;
    turn(&mut keeper, vec![at("lasts", 99, What::Joined, "connected", later)], later);
    let clock = shown(&keeper, "day-3", later).unwrap().vector_clock;
    run(&mut keeper, KEEP, later);
    assert_eq!(shown(&keeper, "day-3", later), None);
    assert_eq!(keeper.store().removed(&id("day-3")).unwrap().unwrap().clock, clock);
    keeper.close().unwrap();
    let keeper = recover(folder.path(), later);
    assert_eq!(shown(&keeper, "day-3", later), None);
}

#[test]
fn by_size_the_oldest_go_until_it_fits_and_the_last_two_days_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    let used = keeper.store().used_bytes().unwrap();
    let fits = Retention { bytes_max: Some(used), ..Retention::default() };
    assert_eq!(run(&mut keeper, fits, now), Removed::default());
    let tight = Retention { bytes_max: Some(1), ..Retention::default() };
    assert_eq!(run(&mut keeper, tight, now), Removed { by_size: 18, ..Removed::default() });
    for day in 0..20 {
        assert_eq!(shown(&keeper, &format!("day-{day}"), now).is_some(), day >= 18, "day {day}");
    }
    assert!(keeper.engine().horizon().unwrap() <= now - 2 * DAY);
}

#[test]
fn what_a_follower_has_not_taken_yet_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 5);
    keeper.hand_out(Some(OutboxBounds { age_ns_max: 100 * DAY, ..OutboxBounds::default() }), 0);
    turn(&mut keeper, whole("waits", now), now);
    turn(&mut keeper, Vec::new(), now + DAY);
    turn(&mut keeper, vec![at("lasts", 98, What::Joined, "connected", now + 30 * DAY)], now + 30 * DAY);
    assert_eq!(run(&mut keeper, KEEP, now + 30 * DAY).by_age, 5, "what went to nobody goes");
    assert!(shown(&keeper, "waits", now + 30 * DAY).is_some());
    let newest = keeper.store().last_position();
    keeper.hand_out(Some(OutboxBounds::default()), newest);
    turn(&mut keeper, vec![at("lasts", 99, What::Joined, "connected", now + 31 * DAY)], now + 31 * DAY);
    assert_eq!(run(&mut keeper, KEEP, now + 31 * DAY).by_age, 1, "and what was taken");
}

#[tokio::test]
async fn a_running_service_removes_by_itself_and_counts_it() {
    let folder = tempfile::tempdir().unwrap();
    let (keeper, now) = history(folder.path(), 100);
    keeper.close().unwrap();
    let telemetry = Telemetry::new(&mut Registry::default());
    let settings = Settings { retention: KEEP, ..Settings::default() };
    let clock = Clock::manual(now);
    let pipeline = Pipeline::start(folder.path(), settings, telemetry.clone(), clock.clone(), 7).unwrap();
    let removed = || telemetry.removed_conversations.get_or_create(&Reason { reason: "age" }).get();
    // What the log tells of is in memory after a start; an hour later no more.
    clock.set(now + 3_600 * SECOND);
    let next = at("lasts", 999, What::Joined, "connected", now + 3_600 * SECOND);
    pipeline.intake().submit(vec![next], Vec::new()).await;
    let all = async {
        while removed() < 90 {
            clock.set(clock.now() + SECOND / 1_000);
            tokio::task::yield_now().await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(20), all).await;
    assert!(all.is_ok(), "{} went", removed());
    let reader = pipeline.reader();
    let gone = reader.conversation(id("day-3"), When { at: None, known_at: Some(now) }).await.unwrap();
    assert!(gone.value.is_none() && gone.removed_until.is_some());
    assert!(reader.conversation(id("day-95"), When::default()).await.unwrap().value.is_some());
    assert!(telemetry.removed_before.get() > (NOON + 89 * DAY) / SECOND);
    let then = reader
        .list(Filter::default(), None, 10, When { at: Some(NOON + 5 * DAY), known_at: None })
        .await
        .unwrap();
    assert_eq!(then.completeness, Completeness::Unknown, "a list as of then says that it lacks some");
    assert_eq!(removed(), 90);
}

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_while_removes_nothing() {
    const YEARS: i64 = 600 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let (keeper, now) = history(folder.path(), 30);
    keeper.close().unwrap();
    let telemetry = Telemetry::new(&mut Registry::default());
    let settings = Settings { retention: KEEP, ..Settings::default() };
    // The clock is wrong at the start, then right, then wrong again.
    let clock = Clock::manual_pair(now + YEARS, 0);
    let pipeline = Pipeline::start(folder.path(), settings, telemetry.clone(), clock.clone(), 7).unwrap();
    let removed = || telemetry.removed_conversations.get_or_create(&Reason { reason: "age" }).get();
    let until = async |what: &str, confirmed: bool, holds: &dyn Fn() -> bool| {
        let waiting = async {
            while !holds() {
                // Where time stands, a run that came before what it waits for is the last one; where it runs, hours pass.
                let now = clock.moment();
                clock.set_both(now.wall + SECOND / 1_000, now.boot + SECOND / 1_000);
                if confirmed {
                    clock.witness(now.wall);
                }
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "never came: {what}");
    };
    let waits = || telemetry.retention_waits.get() == 1;
    until("it waits", false, &waits).await;
    clock.set_both(now, DAY);
    clock.witness(now);
    assert!(clock.trusted_now().is_err() && waits() && removed() == 0);
    clock.set_both(now + 2 * DAY / 24, DAY + 2 * DAY / 24);
    clock.witness(clock.now());
    until("what is old goes", true, &|| removed() >= 19).await;
    clock.set(clock.now() + YEARS);
    until("it waits again", false, &waits).await;
    let gone = removed();
    assert!(gone <= 21, "{gone} went, and no more are older than it keeps by a clock that is right");
    clock.set(clock.now() - YEARS);
    let listed = pipeline.reader().list(Filter::default(), None, 50, When::default()).await.unwrap();
    assert_eq!((removed(), listed.value.items.len()), (gone, 31 - usize::try_from(gone).unwrap()));
}

#[test]
fn what_was_told_of_after_the_horizon_stays_however_long_ago_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    let late = |name: &str, received| {
        let mut late = at(name, 7, What::Joined, "connected", NOON + 2 * DAY + 50 * SECOND);
        late.received = received;
        late
    };
    turn(&mut keeper, vec![late("day-2", now)], now);
    turn(&mut keeper, Vec::new(), now + 7_200 * SECOND);
    let later = now + DAY;
    turn(&mut keeper, vec![late("day-4", later)], later);
    assert!(keeper.engine().knows(&id("day-4")) && !keeper.engine().knows(&id("day-2")));
    // Day 10 has ended before the horizon by now, too.
    assert_eq!(run(&mut keeper, KEEP, later).by_age, 11 - 2);
    for (day, kept) in [(2, "told of since"), (4, "in memory")] {
        assert!(shown(&keeper, &format!("day-{day}"), later).is_some(), "{kept}");
    }
    assert_eq!(run(&mut keeper, KEEP, later + 11 * DAY).by_age, 9 + 1, "and goes in its turn");
    assert_eq!(shown(&keeper, "day-2", later), None);
}

#[test]
fn what_is_left_of_a_removed_one_and_cannot_be_read_makes_it_partial_and_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 20);
    assert!(run(&mut keeper, KEEP, now).by_age > 0);
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    assert!(file.execute("UPDATE removed SET vector_clock = vector_clock + 1", []).unwrap() > 0);
    let asked = |keeper: &Keeper| keeper.about(&id("day-3"), now, |shown| shown.conversation());
    assert!(matches!(asked(&keeper), Err(StoreError::Damaged(_))), "it was there once");
    let told = at("day-3", 9, What::Joined, "connected", now + SECOND);
    keeper.take(&mut Mail { deliveries: vec![(0, told)], ..Mail::default() }, now + SECOND).unwrap();
    let batch = keeper.commit(now + SECOND).unwrap();
    assert!(batch.wishes.contains(&(id("day-3"), "damaged")), "{:?}", batch.wishes);
    let again = asked(&keeper).unwrap();
    assert!(again.completeness >= Completeness::Partial, "{:?}", again.completeness);
    assert_eq!(again.value.map(|shown| shown.active), Some(true));
}
