//! From a conversation to its rows.

use crate::ask::{Ask, What};
use crate::encoder::Encoder;
use crate::error::ExportError;
use crate::table::Value;
use engine::{Arrival, Fact, MINUTE, Shown, Time, Word};
use pipeline::Past;
use std::io::Write;

/// Minutes that are read at once.
const MINUTES_AT_ONCE: i64 = 7 * 24 * 60;

/// Writes the rows of a conversation that are asked for; how many.
pub(crate) fn of_conversation<W: Write + Send>(
    ask: &Ask,
    shown: &Shown<'_>,
    to: &mut Encoder<W>,
) -> Result<u64, ExportError> {
    match ask.what {
        What::Facts => facts(ask, shown, to),
        What::Changes => changes(ask, shown, to),
        What::Spells => spells(ask, shown, to),
        What::Cells => Ok(0),
    }
}

/// Writes the cells that are asked for, and tells how many after each few.
pub(crate) fn cells<W: Write + Send>(
    ask: &Ask,
    past: &Past,
    to: &mut Encoder<W>,
    mut told: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let (from, until) = ask.bounds();
    let first = from.div_euclid(MINUTE) + i64::from(from.rem_euclid(MINUTE) != 0);
    let last = (until.saturating_sub(1)).div_euclid(MINUTE);
    let (mut at, mut rows) = (first, 0);
    while let Some(next) = past.first_cell(at, last)? {
        let end = next.saturating_add(MINUTES_AT_ONCE).min(last);
        for (minute, events) in past.cells(next, end)? {
            let minute = Time { nanos: minute.saturating_mul(MINUTE), digits: 0 };
            to.row(&[Value::Time(minute), Value::count(events)])?;
            rows += 1;
        }
        told(rows);
        at = end.saturating_add(1);
    }
    Ok(rows)
}

fn facts<W: Write + Send>(ask: &Ask, shown: &Shown<'_>, to: &mut Encoder<W>) -> Result<u64, ExportError> {
    let mut rows = 0;
    for (fact, arrival) in shown.evidence() {
        if ask.holds(fact.at.map_or(arrival.received, |at| at.nanos)) {
            fact_row(shown, &fact, &arrival, to)?;
            rows += 1;
        }
    }
    Ok(rows)
}

fn fact_row<W: Write + Send>(
    shown: &Shown<'_>,
    fact: &Fact,
    arrival: &Arrival,
    to: &mut Encoder<W>,
) -> Result<(), ExportError> {
    let feed = shown.feed_name(arrival.feed);
    let stamp = fact.stamp.as_deref();
    let clock: Vec<(Word, u64)> = stamp
        .map(|stamp| stamp.clock.iter().map(|(region, n)| (region.clone(), n)).collect())
        .unwrap_or_default();
    to.row(&[
        Value::Id(shown.id()),
        Value::Fact(fact.id),
        Value::Text(fact.what.as_str()),
        Value::id(&fact.participant),
        Value::id(&fact.communication),
        Value::time(fact.at),
        Value::Text(fact.authority.as_str()),
        Value::time(fact.since),
        if fact.what.is_switch() { Value::Flag(fact.on) } else { Value::Null },
        Value::word(&fact.state),
        Value::word(&fact.role),
        Value::id(&fact.user),
        Value::id(&fact.queue),
        Value::word(&fact.medium),
        Value::word(&fact.direction),
        Value::word(&fact.reason),
        stamp.map_or(Value::Null, |stamp| Value::Text(stamp.dot.actor.as_str())),
        stamp.map_or(Value::Null, |stamp| Value::count(stamp.dot.counter.get())),
        if stamp.is_some() { Value::Clock(&clock) } else { Value::Null },
        Value::Time(Time::from_nanos(arrival.received)),
        Value::Time(Time::from_nanos(arrival.published)),
        feed.as_deref().map_or(Value::Null, Value::Text),
        Value::Text(arrival.source.as_str()),
        Value::Flag(arrival.late),
    ])
}

fn changes<W: Write + Send>(ask: &Ask, shown: &Shown<'_>, to: &mut Encoder<W>) -> Result<u64, ExportError> {
    let (mut rows, completeness) = (0, shown.completeness().as_str());
    for entry in shown.timeline().iter().filter(|entry| ask.takes_change(entry)) {
        to.row(&[
            Value::Id(shown.id()),
            Value::Fact(entry.fact),
            Value::time(entry.at),
            Value::Time(entry.effective_at),
            Value::Time(entry.received_at),
            Value::id(&entry.participant),
            Value::id(&entry.communication),
            Value::Text(entry.kind),
            Value::word(&entry.from),
            Value::word(&entry.to),
            Value::word(&entry.role),
            Value::id(&entry.user),
            Value::id(&entry.queue),
            Value::word(&entry.medium),
            Value::word(&entry.reason),
            Value::Text(entry.source),
            Value::Flag(entry.late),
            Value::Flag(entry.concurrent),
            Value::count(entry.vector_clock),
            Value::Clock(&entry.clock),
            Value::Text(completeness),
        ])?;
        rows += 1;
    }
    Ok(rows)
}

fn spells<W: Write + Send>(ask: &Ask, shown: &Shown<'_>, to: &mut Encoder<W>) -> Result<u64, ExportError> {
    let (mut rows, completeness) = (0, shown.completeness().as_str());
    for spell in shown.spells().iter().filter(|spell| ask.takes_spell(spell)) {
        to.row(&[
            Value::Id(shown.id()),
            Value::Id(&spell.participant),
            Value::id(&spell.communication),
            Value::word(&spell.role),
            Value::id(&spell.user),
            Value::id(&spell.queue),
            Value::word(&spell.medium),
            Value::word(&spell.state),
            Value::Flag(spell.held),
            Value::Time(spell.from),
            Value::time(spell.to),
            Value::Text(completeness),
        ])?;
        rows += 1;
    }
    Ok(rows)
}
