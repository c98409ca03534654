//! Frames that are whole, cut, hostile, and about nobody.

use super::*;

fn told(frame: &str) -> Option<String> {
    whose(frame.as_bytes()).map(|id| id.to_string())
}

#[test]
fn a_frame_tells_whose_it_is_though_it_is_cut() {
    let snapshot = r#"{"topicName":"v2.routing.queues.q.conversations","eventBody":{"id":"c-1","participants":[{"id":"p"#;
    assert_eq!(told(snapshot).as_deref(), Some("c-1"));
    let detail = r#"{"eventBody" : { "eventTime":1,"conversationId" : "c-2","participantId":"p-1"}}"#;
    assert_eq!(told(detail).as_deref(), Some("c-2"));
    let event = r#"{"eventId":"e","eventType":"x","data":{"interactionId":"c-3","participantId":"p"}}"#;
    assert_eq!(told(event).as_deref(), Some("c-3"));
}

#[test]
fn where_nothing_tells_nobody_is_named() {
    for frame in [
        "",
        "{",
        r#"{"id":"c"}"#,
        r#"{"eventBody":{"id":7}}"#,
        r#"{"eventBody":{"id":"c"#,
        r#"{"eventBody":{"id":"a\"b"}}"#,
    ] {
        assert_eq!(told(frame), None, "{frame}");
    }
    let far = format!(r#"{{"eventBody":{{"x":"{}","id":"c"}}}}"#, "x".repeat(5_000));
    assert_eq!(told(&far), None);
    assert_eq!(whose(&[0xff; 9_000]), None);
    let long = format!(r#"{{"eventBody":{{"id":"{}"}}}}"#, "x".repeat(3_000));
    assert_eq!(told(&long), None, "no id is so long");
}
