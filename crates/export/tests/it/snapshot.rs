//! Beside a service that runs, of histories with holes, and of damaged ones.

use crate::history::{self, START};
use crate::rows::{LATER, all, lines, stream};
use engine::{FeedEvent, FeedNote, Id, Limits, SECOND};
use export::{Ask, ExportError, Format, Manifest, Only, Target, What, to_disk, to_stream};
use pipeline::{Keeper, Mail, Past};
use std::fs;
use std::path::Path;
use store::Store;

fn exported(past: &Past, ask: &Ask) -> Manifest {
    let out = tempfile::tempdir().unwrap();
    to_disk(past, ask, &Target::Folder(out.path().join("out"), 1_000), &mut |_| ()).unwrap().manifest
}

/// Everything in a folder but what SQLite keeps beside the file.
fn bytes(folder: &Path) -> [Vec<u8>; 2] {
    ["headcount.db", "lock"].map(|name| fs::read(folder.join(name)).unwrap())
}

#[test]
fn a_running_service_is_read_as_it_stands_and_not_kept_from_working() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = history::begin(folder.path());
    let mut truth = history::Truth::default();
    // Some have left memory, some are in memory and laid down before, some are in the log alone.
    for first in [0, 3_000, 6_000] {
        history::turn(&mut keeper, first..first + 500, &mut truth);
    }
    assert!(keeper.engine().resident_count() < 1_500);
    let past = Past::open(folder.path(), LATER).unwrap();
    assert!(past.is_running());
    assert_eq!(past.position(), keeper.position());
    let ask = all(What::Spells, Format::Ndjson);
    let before = lines(&past, &ask);
    assert_eq!(before.len() as u64, 1_500 * history::SPELLS);
    for number in [0, 3_001, 6_499] {
        let id = history::conversation(number);
        let answer = keeper.about(&id, LATER, |shown| shown.spells().len());
        let told = before.iter().filter(|spell| spell["conversationId"] == id.to_string()).count();
        assert_eq!(answer.unwrap().value, Some(told));
    }
    // What is committed meanwhile is not in it, neither here nor there.
    history::turn(&mut keeper, 9_000..9_500, &mut truth);
    assert_eq!(lines(&past, &ask), before);
    assert_eq!(lines(&Past::open(folder.path(), LATER).unwrap(), &ask).len() as u64, 2_000 * history::SPELLS);
    keeper.close().unwrap();
    assert_eq!(lines(&past, &ask), before);
}

#[test]
fn reading_changes_nothing_and_a_service_may_start_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 200);
    let before = bytes(folder.path());
    let past = Past::open(folder.path(), LATER).unwrap();
    assert!(!past.is_running());
    let rows = stream(&past, &all(What::Facts, Format::Parquet));
    assert_eq!(bytes(folder.path()), before);
    let opened = Store::open(folder.path(), 1).unwrap();
    assert_eq!(opened.incarnation.get(), 2);
    assert_eq!(stream(&past, &all(What::Facts, Format::Parquet)), rows);
    let missing = Past::open(&folder.path().join("missing"), LATER).unwrap_err().to_string();
    assert!(missing.contains("--data"), "{missing}");
    assert!(!folder.path().join("missing").exists());
}

#[test]
fn a_live_conversation_has_a_spell_without_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = &mut history::begin(folder.path());
    let mut mail = Mail::default();
    mail.deliveries.push((1, history::delivery(0, history::facts(0).remove(0))));
    keeper.take(&mut mail, START + SECOND).unwrap();
    keeper.commit(START + SECOND).unwrap();
    let past = Past::open(folder.path(), LATER).unwrap();
    let spells = lines(&past, &all(What::Spells, Format::Ndjson));
    assert_eq!(spells.len(), 1);
    assert!(spells[0]["to"].is_null() && spells[0]["state"] == "contacting");
    let later = Ask { from: Some(LATER), ..all(What::Spells, Format::Ndjson) };
    assert_eq!(lines(&past, &later).len(), 1, "it lasts into every later range");
}

#[test]
fn no_export_hides_that_something_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = history::begin(folder.path());
    history::turn(&mut keeper, 0..200, &mut history::Truth::default());
    let (lost, back) = (START + 300 * SECOND, START + 400 * SECOND);
    let mut mail = Mail::default();
    let lose = FeedEvent::Lost { reason: "the socket closed".to_owned(), last_heard: lost };
    mail.notes.push((1, FeedNote { feed: 0, at: back, event: lose }));
    mail.notes.push((2, FeedNote { feed: 0, at: back, event: FeedEvent::Listening }));
    keeper.take(&mut mail, back).unwrap();
    keeper.commit(back).unwrap();
    history::turn(&mut keeper, 20_000..20_100, &mut history::Truth::default());
    let past = Past::open(folder.path(), LATER).unwrap();
    let between =
        |from, to| exported(&past, &Ask { from: Some(from), to: Some(to), ..all(What::Cells, Format::Csv) });
    let whole = between(START, lost);
    assert_eq!((whole.completeness.as_str(), whole.holes.len()), ("complete", 0));
    let cut = between(START, START + 500 * SECOND);
    assert_eq!(cut.completeness, "unknown");
    let [hole] = &cut.holes[..] else { panic!("{:?}", cut.holes) };
    assert_eq!(hole.from.as_deref(), Some("2026-01-01T00:05:00.000Z"));
    assert_eq!(hole.to, "2026-01-01T00:06:40.000Z");
    assert_eq!(hole.reason.as_deref(), Some("the socket closed"));
    // Of what a service that runs may commit still, nothing is claimed.
    let ahead = between(past.as_of(), past.as_of() + SECOND);
    assert_eq!(ahead.completeness, "unknown");
    assert!(ahead.holes[0].reason.as_deref().unwrap().contains("not been committed"));
    // A feed that died a moment ago is noticed within a minute.
    let fresh = between(past.as_of() - 30 * SECOND, past.as_of() - SECOND);
    assert_eq!(fresh.completeness, "unknown");
    let settled = between(past.as_of() - 90 * SECOND, past.as_of() - 61 * SECOND);
    assert_eq!(settled.completeness, "complete");
    drop(keeper);
    // Nor of the time since one that was stopped.
    let past = Past::open(folder.path(), LATER).unwrap();
    let since = exported(
        &past,
        &Ask { from: Some(LATER - SECOND), to: Some(LATER), ..all(What::Cells, Format::Csv) },
    );
    assert_eq!(since.completeness, "unknown");
    assert_eq!(since.holes[0].reason.as_deref(), Some("Headcount was not running"));
}

#[test]
fn a_damaged_record_is_counted_and_ends_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    // Enough for the first to have left memory; the log that would bring them back goes.
    history::make(folder.path(), 2_500);
    let ask = all(What::Spells, Format::Ndjson);
    let damaged = history::conversation(5);
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    file.execute("DELETE FROM log WHERE position < (SELECT max(position) FROM log)", []).unwrap();
    let whole = exported(&Past::open(folder.path(), LATER).unwrap(), &ask);
    let changed = file.execute(
        "UPDATE conversation SET checksum = checksum + 1 WHERE id = unhex(?1, '-')",
        [damaged.to_string()],
    );
    assert_eq!(changed, Ok(1));
    drop(file);
    let past = Past::open(folder.path(), LATER).unwrap();
    let told = exported(&past, &ask);
    assert_eq!((whole.damaged_records, told.damaged_records), (0, 1));
    assert_eq!(told.rows, whole.rows - history::SPELLS);
    let error = to_stream(&past, &ask, Vec::new()).unwrap_err();
    assert!(
        matches!(error, ExportError::Damaged(_)) && error.to_string().contains(&damaged.to_string()),
        "{error}"
    );
    // Also of a range; and one that was in memory, of which not even the time is known.
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    let in_memory = history::conversation(7).to_string();
    let changed = file.execute("UPDATE conversation SET resident = 1 WHERE id = unhex(?1, '-')", [in_memory]);
    assert_eq!(changed, Ok(1));
    drop(file);
    let both = Past::open(folder.path(), LATER).unwrap();
    for (from, lacking) in [(START, 2), (LATER - SECOND, 1)] {
        let ask = Ask { from: Some(from), to: Some(LATER), ..ask.clone() };
        assert_eq!(exported(&both, &ask).damaged_records, lacking);
    }
    assert_eq!(exported(&both, &ask).damaged_records, 2);
    let one = Ask { only: Only { conversation: Some(damaged), ..Only::default() }, ..ask.clone() };
    assert_eq!((exported(&past, &one).damaged_records, exported(&past, &one).rows), (1, 0));
    let other = Only { conversation: Some(history::conversation(6)), ..Only::default() };
    assert_eq!(lines(&past, &Ask { only: other, ..ask }).len() as u64, history::SPELLS);
}

#[test]
fn what_waited_for_its_causes_is_there_once_the_service_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::open(folder.path(), 7).unwrap();
    let (mut keeper, _) = Keeper::recover(opened, Limits::default(), START).unwrap();
    let mut mail = Mail::default();
    for (number, counter) in [(1, 1), (2, 3)] {
        let mut fact = history::facts(0).remove(number as usize);
        let region = engine::Word::new("use1").unwrap();
        let counter = std::num::NonZeroU64::new(counter).unwrap();
        let clock = [(region.clone(), counter.get())].into_iter().collect();
        let dot = causal::Dot { actor: region, counter };
        fact.stamp = Some(std::sync::Arc::new(engine::Stamp { dot, clock }));
        mail.deliveries.push((number, history::delivery(0, fact)));
    }
    keeper.take(&mut mail, START).unwrap();
    keeper.commit(START).unwrap();
    assert_eq!(keeper.engine().held_count(), 1);
    let facts = |past: &Past| lines(past, &all(What::Facts, Format::Ndjson));
    let running = facts(&Past::open(folder.path(), LATER).unwrap());
    assert_eq!(running.len(), 1, "the service does not show it yet");
    assert_eq!(running[0]["clock"], serde_json::json!({"use1": 1}));
    drop(keeper);
    assert_eq!(facts(&Past::open(folder.path(), LATER).unwrap()).len(), 2);
}

#[test]
fn ids_are_told_in_the_order_of_their_texts_wherever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 3_000);
    let past = Past::open(folder.path(), LATER).unwrap();
    let ids: Vec<String> = lines(&past, &all(What::Facts, Format::Ndjson))
        .iter()
        .map(|fact| fact["conversationId"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.is_sorted());
    let mut met = Vec::new();
    let middle = Id::new(&ids[ids.len() / 2]).unwrap();
    let note = |found: pipeline::Found<'_>, met: &mut Vec<Id>| {
        if let pipeline::Found::Conversation(shown) = found {
            met.push(shown.id().clone());
        }
        std::ops::ControlFlow::Continue(())
    };
    past.each(None, Some(&middle), |found| note(found, &mut met)).unwrap();
    let behind: std::collections::BTreeSet<&String> =
        ids.iter().filter(|id| **id > middle.to_string()).collect();
    assert_eq!(met.len(), behind.len());
}
