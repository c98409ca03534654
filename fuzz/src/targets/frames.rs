//! Frames of both dialects, and answers to REST reads.
//!
//! The first byte chooses the decoder, the rest is the frame. Whatever it is, the outcome is one of four and adds up: facts
//! append exactly as many as they say, everything else appends nothing, and what was appended is bounded by the frame.

use engine::{Fact, Id, Word};
use wire::{Batch, Limits, Origin, Outcome, decode_conversation, decode_event, decode_notification};

type Decoder = fn(&[u8], Origin, &Limits, &mut Batch) -> Outcome;

/// When every frame is received: 2026-11-23T12:00:00Z.
const RECEIVED: i64 = 1_795_435_200 * engine::SECOND;
/// Bytes of a frame for each fact or toggle at least: the densest is a leg (`{"id":"a"}`).
const BYTES_PER_FACT_MIN: usize = 4;
/// The longest text of a control message.
const TEXT_BYTES_MAX: usize = 200;

/// Takes a decoder's number and a frame.
pub(crate) fn run(bytes: &[u8]) {
    let Some((&choice, frame)) = bytes.split_first() else { return };
    let decoders: [Decoder; 3] = [decode_event, decode_notification, decode_conversation];
    let decode = decoders[usize::from(choice) % decoders.len()];
    let tight = Limits {
        frame_bytes_max: 4_096,
        body_bytes_max: 4_096,
        depth_max: 8,
        participants_max: 3,
        ..Limits::default()
    };
    let limits = if choice >= 128 { tight } else { Limits::default() };
    let outcome = check(decode, frame, &limits);
    let again = check(decode, frame, &limits);
    assert_eq!(outcome, again, "the same frame has another outcome");
}

/// Decodes a frame and checks that its outcome adds up.
pub(crate) fn check(decode: Decoder, frame: &[u8], limits: &Limits) -> (Outcome, Batch) {
    let mut batch = Batch::default();
    let outcome =
        decode(frame, Origin { feed: 3, received: RECEIVED, sent_by: RECEIVED }, limits, &mut batch);
    let appended =
        batch.users.len() + batch.deliveries.iter().map(|d| d.facts.len() + d.toggles.len()).sum::<usize>();
    match &outcome {
        Outcome::Facts(told) => {
            assert!(*told >= 1 && appended == *told as usize, "{told} told, {appended} appended");
            assert!(frame.len() <= limits.frame_bytes_max.max(limits.body_bytes_max));
            assert!(appended * BYTES_PER_FACT_MIN <= frame.len(), "{appended} of {} bytes", frame.len());
            assert!(batch.deliveries.len() <= 1, "one frame is about one conversation");
        }
        other => {
            assert_eq!(batch, Batch::default(), "{other:?} appended something");
            let _bounded = wire::whose(frame);
        }
    }
    if let Outcome::Control(control) = &outcome {
        assert!(format!("{control:?}").len() <= 6 * TEXT_BYTES_MAX + 100, "{control:?}");
    }
    batch.deliveries.iter().flat_map(|d| &d.facts).for_each(check_fact);
    (outcome, batch)
}

/// That a fact can be kept: its time is possible, its ids and words can be made again from their texts.
fn check_fact(fact: &Fact) {
    if let Some(at) = fact.at {
        assert!(at.nanos <= RECEIVED + 60 * engine::MINUTE, "in the future: {fact:?}");
        assert!(at.nanos >= 946_684_800 * engine::SECOND, "before the platform: {fact:?}");
        assert!(at.digits <= 9, "{fact:?}");
        assert_eq!(wire::parse_time(&wire::format_time(at)), Some(at), "{fact:?}");
    }
    let ids = [&fact.participant, &fact.communication, &fact.user, &fact.queue];
    for id in ids.into_iter().flatten() {
        assert_eq!(Id::new(&id.to_string()).as_ref(), Ok(id));
    }
    let words = [&fact.state, &fact.role, &fact.medium, &fact.direction, &fact.reason];
    for word in words.into_iter().flatten() {
        assert_eq!(Word::new(word.as_str()).as_ref(), Some(word));
    }
    if let Some(stamp) = &fact.stamp {
        assert!(stamp.clock.contains(&stamp.dot), "a clock without its own event: {stamp:?}");
    }
}
