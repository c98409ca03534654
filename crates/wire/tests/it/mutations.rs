//! Ten million broken frames: none panics, each has one of four outcomes, and only facts append.
//!
//! The corpus is the valid payloads of every family; a mutation changes bytes, cuts, splices two frames, repeats a
//! piece, doubles keys, nests, or puts huge numbers. Seeded, so that a failure can be had again. The number comes from
//! `HEADCOUNT_MUTATIONS`; by default it is all ten million where the build is optimised and a fiftieth where it is not.

use crate::support::{count, frame, origin};
use fastrand::Rng;
use wire::{Batch, Limits, Outcome, decode_conversation, decode_event, decode_notification};

const EVENTS: [&str; 3] = [
    r#"{"eventId":"6f1c0f5e-0000-4000-8000-000000000001","eventType":"interaction.participant.joined","timestamp":"2026-11-23T10:00:00.250Z","data":{"interactionId":"6f1c0f5e-0000-4000-8000-000000000002","participantId":"p1","state":"connected","role":"agent","region":"use1","vectorClock":{"use1":9,"euw1":8}}}"#,
    r#"{"eventId":"e2","eventType":"interaction.lifecycleStateChange","timestamp":1795428000250,"data":{"interactionId":"c1","state":"in-progress"}}"#,
    r#"{"eventType":"subscription","data":{"subscriptionId":"s1"}}"#,
];

const NESTED: &str = r#"{"id":"c1","startTime":"2026-11-23T10:00:00Z","participants":[{"id":"p1","purpose":"agent","userId":"u1","queueId":"q1","connectedTime":"2026-11-23T10:00:01Z","endTime":"2026-11-23T10:09:00Z","startAcwTime":"2026-11-23T10:09:00Z","wrapup":{"code":"w"},"attributes":{"a":"\u00e9"},"calls":[{"id":"k1","state":"terminated","direction":"inbound","held":true,"muted":false,"startHoldTime":"2026-11-23T10:02:00Z","connectedTime":"2026-11-23T10:00:01Z","disconnectedTime":"2026-11-23T10:09:00Z","disconnectType":"transfer.noanswer","segments":[{"type":"Hold","startTime":"2026-11-23T10:02:00Z"}]}],"emails":[{"id":"k2","state":"parked","parkTime":"2026-11-23T10:05:00Z","resumeTime":"2026-12-01T10:00:00Z"}]}]}"#;

const FLAT: &str = r#"{"id":"c1","participants":[{"id":"p1","state":"alerting","purpose":"agent","user":{"id":"u1"},"queue":{"id":"q1"},"startTime":"2026-11-23T10:00:00Z"}]}"#;

const DETAIL: &str = r#"{"eventTime":1795428000000,"conversationId":"c1","participantId":"p1","sessionId":"k1","mediaType":"VOICE","direction":"INBOUND","userId":"u1","disconnectType":"CLIENT","interactingDurationMs":60000,"heldDurationMs":3}"#;

const ACTIVITY: &str = r#"{"routingStatus":{"status":"IDLE","startTime":"2026-11-23T10:00:00Z"},"presence":{"presenceDefinition":{"systemPresence":"BUSY"},"modifiedDate":"2026-11-23T10:00:00Z"}}"#;

fn corpus() -> Vec<Vec<u8>> {
    let notifications = [
        frame("v2.users.u1.conversations", NESTED),
        frame("v2.routing.queues.q1.conversations.calls", FLAT),
        frame("v2.detail.events.conversation.c1.user.end", DETAIL),
        frame("v2.users.u1.activity", ACTIVITY),
        frame("v2.system.socket_closing", "{}"),
        r#"{"result":"200","status":"subscribed"}"#.to_owned(),
    ];
    let texts = EVENTS.map(ToOwned::to_owned).into_iter().chain(notifications).chain([NESTED.to_owned()]);
    texts.map(String::into_bytes).collect()
}

/// Changes a frame in one way.
fn mutate(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    const PIECES: [&str; 12] = [
        "18446744073709551616",
        "-9223372036854775809",
        "1e999",
        "0.1",
        "null",
        "{}",
        "[]",
        "\"\"",
        "\\ud800",
        "\u{0}",
        "9999-12-31T23:59:59Z",
        "true",
    ];
    let at = rng.usize(..=bytes.len());
    match rng.u8(..10) {
        0..=2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.u8(..);
            }
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = b"{}[]\",:0-\\"[rng.usize(..10)];
            }
        }
        4 => bytes.truncate(at),
        5 => {
            let other = rng.choice(corpus).unwrap();
            bytes.truncate(at);
            bytes.extend_from_slice(&other[rng.usize(..other.len())..]);
        }
        6 => {
            let end = (at + rng.usize(..60)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        7 => drop(bytes.splice(at..at, rng.choice(PIECES).unwrap().bytes())),
        8 => put_value(bytes, at, rng.choice(PIECES).unwrap()),
        _ => {
            let opener = if rng.bool() { "[" } else { "{\"a\":" };
            drop(bytes.splice(at..at, opener.repeat(rng.usize(..80)).into_bytes()));
        }
    }
}

/// Replaces the text behind the next colon, so that the frame mostly stays JSON.
fn put_value(bytes: &mut Vec<u8>, from: usize, value: &str) {
    let Some(colon) = bytes[from..].iter().position(|b| *b == b':').map(|at| from + at + 1) else {
        return;
    };
    let end =
        bytes[colon..].iter().position(|b| matches!(b, b',' | b'}')).map_or(bytes.len(), |at| colon + at);
    drop(bytes.splice(colon..end, value.bytes()));
}

fn mutations() -> u64 {
    let default = if cfg!(debug_assertions) { 200_000 } else { 10_000_000 };
    std::env::var("HEADCOUNT_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn every_byte_sequence_has_one_of_four_outcomes() {
    let (corpus, limits, total) = (corpus(), Limits::default(), mutations());
    let decoders = [decode_event, decode_notification, decode_conversation];
    let mut rng = Rng::with_seed(0x4845_4144);
    let [mut facts, mut control, mut ignored, mut refused] = [0u64; 4];
    let (mut bytes, mut batch) = (Vec::new(), Batch::default());
    for _ in 0..total {
        let source = rng.usize(..corpus.len());
        bytes.clone_from(&corpus[source]);
        for _ in 0..rng.u8(1..=3) {
            mutate(&mut bytes, &corpus, &mut rng);
        }
        let dialect = if rng.u8(..8) == 0 {
            rng.usize(..3)
        } else {
            usize::from(source >= 3) + usize::from(source == 9)
        };
        let outcome = decoders[dialect](&bytes, origin(), &limits, &mut batch);
        let appended = count(&batch);
        match outcome {
            Outcome::Facts(told) => {
                facts += 1;
                assert!(told >= 1 && appended == told as usize, "{}", String::from_utf8_lossy(&bytes));
                batch.deliveries.clear();
                batch.users.clear();
                continue;
            }
            Outcome::Control(_) => control += 1,
            Outcome::Ignored(_) => ignored += 1,
            Outcome::Refused(_) => refused += 1,
        }
        assert_eq!(appended, 0, "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(facts + control + ignored + refused, total);
    for (outcomes, share) in [(facts, 20), (control, 100), (ignored, 1_000), (refused, 2)] {
        assert!(
            outcomes >= total / share / 2,
            "the mutations miss a path: {facts} {control} {ignored} {refused}"
        );
    }
}
