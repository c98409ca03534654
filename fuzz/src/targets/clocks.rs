//! The causal stamp of an event: `data.region` and `data.vectorClock`.
//!
//! The first byte bounds the entries, then a line is the region and the rest the clock, both put as they are where they
//! stand in a frame. A clock proves an order, so what comes out must be what the text says, by a reader of its own.

use super::frames;
use engine::{Stamp, WORD_BYTES_MAX};
use serde_json::Value;
use wire::{Limits, Outcome, Refused, decode_event};

/// Takes a bound, a region and a clock.
pub(crate) fn run(bytes: &[u8]) {
    let Some((&bound, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (region, clock) = text.split_once('\n').unwrap_or(("\"a\"", text));
    let limits = Limits { clock_entries_max: usize::from(bound % 65), ..Limits::default() };
    let frame = frame(region, clock);
    let (outcome, batch) = frames::check(decode_event, frame.as_bytes(), &limits);
    let Ok(Value::Object(event)) = serde_json::from_str::<Value>(&frame) else {
        return assert!(!matches!(outcome, Outcome::Facts(_)), "facts of what is no JSON object");
    };
    let stamp = batch.deliveries.first().and_then(|d| d.facts.first()).and_then(|f| f.stamp.as_deref());
    let is_plain = event.len() == 4 && event["data"].as_object().is_some_and(|data| data.len() == 5);
    if is_plain && frame.matches("\"vectorClock\"").count() == 1 {
        compare(&event["data"], &outcome, stamp, &limits);
    }
}

fn frame(region: &str, clock: &str) -> String {
    format!(
        r#"{{"eventId":"e","eventType":"interaction.participant.joined","timestamp":"2026-11-23T10:00:00Z","data":{{"interactionId":"c","participantId":"p","state":"connected","region":{region},"vectorClock":{clock}}}}}"#
    )
}

/// Holds a stamp against the JSON tree of the same frame.
fn compare(data: &Value, outcome: &Outcome, stamp: Option<&Stamp>, limits: &Limits) {
    let Some(stamp) = stamp else {
        if let (Outcome::Facts(_), Value::Object(clock), Some(region)) =
            (outcome, &data["vectorClock"], data["region"].as_str())
        {
            let own = clock.get(region).and_then(Value::as_u64);
            assert!(own.is_none_or(|own| own == 0), "a whole stamp was passed over");
        }
        return;
    };
    assert_eq!(Some(stamp.dot.actor.as_str()), data["region"].as_str());
    assert!(stamp.clock.len() <= limits.clock_entries_max);
    let told = data["vectorClock"].as_object();
    for (region, counter) in told.into_iter().flatten() {
        assert!(region.len() <= WORD_BYTES_MAX, "a region that a word would cut was taken");
        let known = stamp.clock.iter().find(|(name, _)| *name == region.as_str()).map_or(0, |(_, n)| n);
        assert_eq!(Some(known), counter.as_u64(), "{region} counts otherwise than the text says");
    }
    assert_eq!(stamp.clock.get(&stamp.dot.actor), stamp.dot.counter.get());
    assert_ne!(*outcome, Outcome::Refused(Refused::BadClock));
}
