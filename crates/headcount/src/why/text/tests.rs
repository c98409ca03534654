//! The explanation as a person reads it.

use super::*;
use serde_json::{Value, json};

fn fact(id: &str, place: Value, more: Value) -> Value {
    let mut fact = json!({
        "id": id, "at": "2026-01-01T12:00:00.120Z", "effectiveAt": "2026-01-01T12:00:00.120Z",
        "receivedAt": "2026-01-01T12:00:01.000Z", "participantId": "5a1c8e1e-0f6d-4c0b-9a53-4f6f9a0b7c11",
        "communicationId": null, "kind": "joined", "from": null, "to": null, "role": "agent", "userId": "user-1",
        "queueId": null, "medium": null, "reason": null, "source": "snapshot", "late": false, "place": place,
        "hidden": null, "feed": "notifications-1", "authority": "recorded", "identity": "once",
        "placed": {"rule": "time", "by": null}, "concurrentWith": [], "concurrentCount": 0,
    });
    for (name, value) in more.as_object().unwrap() {
        fact[name] = value.clone();
    }
    fact
}

fn other(id: &str) -> Value {
    json!({"id": id, "kind": "joined", "to": null, "participantId": "p", "communicationId": null,
        "effectiveAt": "2026-01-01T12:00:00.120Z"})
}

fn why(facts: Vec<Value>) -> Why {
    let answer = json!({"conversationId": "c", "participantId": null, "facts": facts, "completeness": "partial",
        "position": "1.42"});
    serde_json::from_value(answer).unwrap()
}

fn story() -> Why {
    let behind = json!({
        "at": "2026-01-01T12:00:00.095Z", "effectiveAt": "2026-01-01T12:00:00.120000001Z", "kind": "state",
        "communicationId": "77aa01bc-0f6d-4c0b-9a53-4f6f9a0b7c11", "medium": "voice", "from": "connected",
        "to": "terminated", "reason": "peer", "late": true, "placed": {"rule": "lifeCycle", "by": other("a")},
        "concurrentWith": [other("elsewhere")], "concurrentCount": 3,
    });
    let hidden = json!({"kind": "held", "to": "true", "at": "2026-01-02T09:00:00Z", "hidden": "noChange",
        "effectiveAt": "2026-01-02T09:00:00Z", "identity": "hold"});
    why(vec![fact("a", json!(0), json!({})), fact("b", json!(1), behind), fact("c", Value::Null, hidden)])
}

#[test]
fn one_block_a_fact() {
    let expected = "\
conversation c
3 facts known, 2 in the timeline, 1 late; partial as of position 1.42. Times are UTC, of 2026-01-01
where no date is given.

  agent         5a1c8e1e-0f6d-4c0b-9a53-4f6f9a0b7c11, user user-1

#1    12:00:00.120  agent 5a1c8e1e joined
    came from   notifications-1, a notification with the whole conversation; received 12:00:01.000
    its time    12:00:00.120 (the field that records it)
    one fact    that it is there: whoever says so again says nothing new
    placed      by its own time; nothing stands before it

#2    12:00:00.120000001  agent 5a1c8e1e state connected -> terminated (peer), voice 77aa01bc
    came from   notifications-1, a notification with the whole conversation; received 12:00:01.000
    its time    12:00:00.095 (the field that records it)
    one fact    it happens once: another report of it is a copy, whatever time that one gives
    placed      by the life of a communication, which runs one way: behind #1 joined, although its
                own time is 25 ms earlier
    late        it came after its place had been shown
    concurrent  neither before nor after joined of participant p, 2 more

-     2026-01-02T09:00:00Z  agent 5a1c8e1e held true
    not shown   it stood so already, or the communication was over: nothing changed
    came from   notifications-1, a notification with the whole conversation; received 12:00:01.000
    its time    2026-01-02T09:00:00Z (the field that records it)
    one fact    when the hold began: every report of that hold is a copy
    placed      by its own time; nothing stands before it
";
    assert_eq!(spelt_out(&story(), 100), expected);
}

#[test]
fn lines_keep_to_the_width_unless_a_word_is_longer() {
    for width in [40, 60, 80, 140] {
        for line in spelt_out(&story(), width).lines() {
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= width || words <= 3, "{width}: {line}");
        }
    }
}

#[test]
fn spans_of_time_are_said_in_the_unit_that_fits() {
    let at = |fraction: &str| between("2026-01-01T12:00:00Z", &format!("2026-01-01T12:{fraction}Z"));
    for (to, said) in [
        ("00:00.000000001", Some("1 ns")),
        ("00:00.025", Some("25 ms")),
        ("00:01.5", Some("1.500 s")),
        ("02:03", Some("2 min 3 s")),
        ("00:00", None),
    ] {
        assert_eq!(at(to).as_deref(), said, "{to}");
    }
    assert_eq!(between("nonsense", "2026-01-01T12:00:00Z"), None);
}

#[test]
fn words_of_a_newer_service_are_shown_as_they_are() {
    let new = json!({"source": "carrier", "identity": "seal", "authority": "sworn", "hidden": "whim",
        "placed": {"rule": "decree", "by": null}});
    let text = spelt_out(&why(vec![fact("a", Value::Null, new)]), 100);
    assert!(["carrier", "seal", "sworn", "whim", "decree"].iter().all(|word| text.contains(word)), "{text}");
}
