//! The `events` dialect: each type, each identity, each stamp.

use crate::support::{check, decode, outcome};
use engine::{FactId, Source};
use wire::{Control, Ignored, Outcome, Refused, decode_event};

fn event(kind: &str, data: &str) -> String {
    format!(
        r#"{{"eventId":"e1","eventType":"{kind}","timestamp":"2026-11-23T10:00:00.250Z","data":{{"interactionId":"c1"{data}}}}}"#
    )
}

#[test]
fn each_type_is_one_fact() {
    let about = r#","participantId":"p1","state":"Connected","role":"AGENT""#;
    let time = "connected role=agent @2026-11-23T10:00:00.250Z recorded";
    for (kind, what) in [
        ("interaction.participant.joined", "joined"),
        ("interaction.participant.left", "left"),
        ("interaction.participant.roleChanged", "role"),
        ("interaction.lifecycleStateChange", "state"),
    ] {
        check(decode_event, &event(kind, about), &[&format!("{what} p1 {time}")]);
    }
}

#[test]
fn without_a_participant_it_is_about_the_conversation() {
    for kind in ["interaction.participant.joined", "interaction.lifecycleStateChange"] {
        for none in ["", r#","participantId":"""#, r#","participantId":null"#] {
            let frame = event(kind, &format!(r#"{none},"state":"in-progress""#));
            check(decode_event, &frame, &["lifeCycle in-progress @2026-11-23T10:00:00.250Z recorded"]);
        }
    }
}

#[test]
fn a_delivery_names_its_origin_and_one_lane() {
    let (_, batch) =
        decode(decode_event, &event("interaction.participant.joined", r#","participantId":"p1""#));
    let delivery = &batch.deliveries[0];
    assert_eq!((delivery.conversation.to_string().as_str(), delivery.feed, delivery.topic), ("c1", 3, 0));
    assert_eq!(delivery.source, Source::Events);
}

#[test]
fn what_says_nothing_about_a_state_or_role_is_ignored() {
    let of = |kind: &str, data: &str| outcome(decode_event, &event(kind, data));
    let participant = r#","participantId":"p1""#;
    for empty in ["", r#","state":"""#, r#","state":null,"role":null"#] {
        let data = format!("{participant}{empty}");
        assert_eq!(of("interaction.lifecycleStateChange", &data), Outcome::Ignored(Ignored::NoState));
        assert_eq!(of("interaction.participant.roleChanged", &data), Outcome::Ignored(Ignored::NoState));
        assert_eq!(of("interaction.participant.joined", &data), Outcome::Facts(1));
        assert_eq!(of("interaction.participant.left", &data), Outcome::Facts(1));
        assert_eq!(of("interaction.participant.left", empty), Outcome::Ignored(Ignored::NoState));
    }
    let sentinel = r#","role":"agent""#;
    assert_eq!(of("interaction.lifecycleStateChange", sentinel), Outcome::Ignored(Ignored::NoState));
    let role_only = format!(r#"{participant},"role":"supervisor""#);
    assert_eq!(of("interaction.participant.roleChanged", &role_only), Outcome::Facts(1));
}

#[test]
fn identity_is_the_event_id_or_else_the_content() {
    let id = |frame: &str| decode(decode_event, frame).1.deliveries[0].facts[0].id;
    let with_id = event("interaction.participant.joined", r#","participantId":"p1","state":"connected""#);
    assert_eq!(id(&with_id), FactId::of_event("e1"));
    let without = with_id.replace(r#""eventId":"e1","#, "");
    assert_eq!(id(&without), id(&with_id.replace("\"e1\"", "\"\"")));
    for (from, to) in [("joined", "left"), ("p1", "p2"), ("\"connected", "\"ended"), (".250Z", ".251Z")] {
        assert_ne!(id(&without), id(&without.replace(from, to)), "{from}");
    }
}

#[test]
fn a_timestamp_may_be_milliseconds_and_escapes_are_read() {
    let frame = r#"{"eventId":"\u0065\"1","eventType":"interaction.participant.joined","timestamp":1795428000250,
        "data":{"interactionId":"c\u0031","participantId":"p1","state":"connect\u0065d","other":[{"x":[]}]}}"#;
    check(decode_event, frame, &["joined p1 connected @2026-11-23T10:00:00.250Z recorded"]);
}

#[test]
fn a_stamp_needs_a_region_and_its_own_entry() {
    let stamp = |data: &str| {
        let data = format!(r#","participantId":"p1","state":"connected"{data}"#);
        let (_, batch) = decode(decode_event, &event("interaction.participant.joined", &data));
        batch.deliveries[0].facts[0].stamp.clone()
    };
    let full =
        stamp(r#","region":"use1","vectorClock":{"use1":9,"euw1":18446744073709551615,"apse1":0}"#).unwrap();
    assert_eq!((full.dot.actor.as_str(), full.dot.counter.get()), ("use1", 9));
    let entries: Vec<_> = full.clock.iter().map(|(actor, counter)| (actor.to_string(), counter)).collect();
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries.contains(&("euw1".to_owned(), u64::MAX)));
    for incomplete in [
        "",
        r#","region":"use1""#,
        r#","region":"use1","vectorClock":{}"#,
        r#","region":"use1","vectorClock":null"#,
        r#","vectorClock":{"use1":1}"#,
        r#","region":"use1","vectorClock":{"use1":0,"euw1":3}"#,
        r#","region":"use1","vectorClock":{"euw1":3}"#,
    ] {
        assert_eq!(stamp(incomplete), None, "{incomplete}");
    }
}

#[test]
fn a_wrong_clock_is_refused() {
    let long = format!(r#"{{"{}":1}}"#, "r".repeat(65));
    let many: Vec<String> = (0..65).map(|n| format!(r#""r{n}":1"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    for (clock, refused) in [
        (r#"{"use1":-1}"#, Refused::BadClock),
        (r#"{"use1":1.5}"#, Refused::BadClock),
        (r#"{"use1":18446744073709551616}"#, Refused::BadClock),
        (r#"{"use1":"1"}"#, Refused::BadClock),
        (r#"{"use1":1,"use1":2}"#, Refused::BadClock),
        (r#"{"":1}"#, Refused::BadClock),
        ("[1]", Refused::BadClock),
        ("7", Refused::BadClock),
        (&long, Refused::BadClock),
        (&many, Refused::TooMany),
    ] {
        let data =
            format!(r#","participantId":"p1","state":"connected","region":"use1","vectorClock":{clock}"#);
        let frame = event("interaction.participant.joined", &data);
        assert_eq!(outcome(decode_event, &frame), Outcome::Refused(refused), "{clock}");
    }
}

#[test]
fn what_is_about_the_feed() {
    let confirmed =
        |id: Option<&str>| Outcome::Control(Control::SubscriptionConfirmed { id: id.map(ToOwned::to_owned) });
    for (frame, expected) in [
        (r#"{"eventType":"subscription","data":{"subscriptionId":"s1"}}"#, confirmed(Some("s1"))),
        (r#"{"eventType":"subscription","subscriptionId":"s2"}"#, confirmed(Some("s2"))),
        (r#"{"eventType":"subscription"}"#, confirmed(None)),
        (r#"{"eventType":"heartbeat"}"#, Outcome::Control(Control::Heartbeat)),
        (r#"{"eventType":"pong","data":{}}"#, Outcome::Control(Control::Pong)),
        (r#"{"eventType":"channel.metadata"}"#, Outcome::Ignored(Ignored::EventType)),
        (r#"{"eventType":"error","message":"no"}"#, Outcome::Ignored(Ignored::EventType)),
    ] {
        assert_eq!(outcome(decode_event, frame), expected, "{frame}");
    }
}
