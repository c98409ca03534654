//! The conversations' routes: shapes, filters, pages.

use crate::world::{AGENT, FIRST, World};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_conversation_with_everything() {
    let got = World::of(1).board().json(&format!("/api/v1/conversations/{FIRST}")).await;
    let communications = json!([{
        "id": "leg-0", "medium": "voice", "direction": "inbound", "state": "connected",
        "connectedAt": "2026-01-01T12:00:00.12Z", "endedAt": null, "endReason": null, "held": false, "muted": false,
    }]);
    let expected = json!({
        "id": FIRST, "active": true, "startedAt": "2026-01-01T12:00:00.000Z", "endedAt": null, "media": ["voice"],
        "vectorClock": 17, "clock": {"euw1": 8, "use1": 9}, "completeness": "repaired", "position": "1.42",
        "missing": [{"region": "use1", "from": 3, "to": 5}], "missingCount": 9, "suspect": null,
        "participants": [
            {"id": "customer-0", "role": "customer", "userId": null, "queueId": null, "active": true,
             "state": "connected", "joinedAt": "2026-01-01T12:00:00.000Z", "leftAt": null, "endReason": null,
             "held": false, "muted": false, "communications": communications},
            {"id": "agent-0", "role": "agent", "userId": AGENT, "queueId": null, "active": true,
             "state": "alerting", "joinedAt": "2026-01-01T12:00:00.000Z", "leftAt": null, "endReason": null,
             "held": false, "muted": true, "communications": communications},
        ],
    });
    assert_eq!(got, expected);
}

#[tokio::test]
async fn one_of_which_no_fact_is_known_says_where_it_is_from() {
    let page = World::of(4).board().json("/api/v1/conversations").await;
    let remembered: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| item.get("remembered")).collect();
    let from = json!({"from": "influxdb", "at": "2026-01-01T12:00:00.000Z"});
    assert_eq!(remembered, [None, None, None, Some(&from)]);
}

#[tokio::test]
async fn a_list_leaves_communications_out() {
    let page = World::of(2).board().json("/api/v1/conversations").await;
    assert_eq!(page.as_object().unwrap().len(), 5);
    assert_eq!(
        (&page["nextCursor"], &page["position"], &page["completeness"]),
        (&Value::Null, &json!("1.42"), &json!("complete"))
    );
    let first = &page["items"][0];
    assert!(first.get("position").is_none() && first.get("missing").is_none());
    assert_eq!(first["suspect"], Value::Null);
    assert_eq!(
        page["items"][1]["suspect"],
        json!({"since": "2026-01-01T12:00:00.000Z", "reason": "active for long"})
    );
    assert!(first["participants"][0].get("communications").is_none());
    assert_eq!(first["participants"][1]["userId"], AGENT);
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let board = World::of(25).board();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    let mut pages = 0;
    loop {
        let page = board.json(&format!("/api/v1/conversations?limit=10&cursor={cursor}")).await;
        seen.extend(ids(&page));
        pages += 1;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, seen.len()), (3, 25));
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn without_a_limit_a_page_has_a_hundred() {
    let page = World::of(120).board().json("/api/v1/conversations").await;
    assert_eq!(ids(&page).len(), 100);
    assert!(page["nextCursor"].is_string());
}

#[tokio::test]
async fn each_filter_reaches_the_engine() {
    let board = World::of(4).board();
    for (query, found) in [
        ("active=true", 4),
        ("active=false", 0),
        ("role=agent", 4),
        ("role=AGENT", 4),
        ("role=supervisor", 0),
        ("state=alerting", 4),
        ("role=customer&state=alerting", 0),
        ("medium=voice", 2),
        ("medium=internalMessage", 2),
        ("medium=internalmessage", 0),
        (&format!("userId={AGENT}"), 4),
        ("userId=somebody%20else", 0),
        ("queueId=support", 0),
        ("suspect=true", 1),
        ("suspect=false", 3),
        ("active=&role=&queueId=&userId=&medium=&state=&limit=&cursor=", 4),
    ] {
        let page = board.json(&format!("/api/v1/conversations?{query}")).await;
        assert_eq!(ids(&page).len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_timeline_says_absent_as_null() {
    let got = World::of(1).board().json(&format!("/api/v1/conversations/{FIRST}/timeline")).await;
    let expected = json!({
        "conversationId": FIRST, "completeness": "complete", "position": "1.42",
        "entries": [{
            "id": "00000000000000000000000000000011", "at": null, "effectiveAt": "2026-01-01T12:00:00Z", "receivedAt": "2026-01-01T12:00:00.000Z",
            "participantId": "customer-0", "communicationId": null, "kind": "state", "from": null, "to": "connected",
            "role": null, "userId": null, "queueId": null, "medium": null, "reason": null, "source": "events",
            "late": true, "concurrent": false, "vectorClock": 3, "clock": {"use1": 3},
        }],
    });
    assert_eq!(got, expected);
}

#[tokio::test]
async fn spells_last_until_null() {
    let got = World::of(1).board().json(&format!("/api/v1/conversations/{FIRST}/spells")).await;
    let expected = json!({
        "completeness": "complete", "position": "1.42",
        "items": [{
            "participantId": "customer-0", "communicationId": null, "role": "customer", "userId": null,
            "queueId": null, "medium": "voice", "state": "connected", "held": false,
            "from": "2026-01-01T12:00:00Z", "to": null,
        }],
    });
    assert_eq!(got, expected);
}

#[tokio::test]
async fn a_user_as_it_stands() {
    let got = World::of(0).board().json(&format!("/api/v1/users/{AGENT}")).await;
    let expected = json!({
        "id": AGENT, "presence": "On Queue", "presenceSince": "2026-01-01T12:00:00.000000000Z",
        "routingStatus": null, "routingStatusSince": null, "position": "1.42", "completeness": "complete",
    });
    assert_eq!(got, expected);
}

#[tokio::test]
async fn an_id_may_be_any_text() {
    let mut world = World::of(1);
    world.conversations[0].id = crate::world::id("call/17 <b>&?ü");
    let got = world.board().json("/api/v1/conversations/call%2F17%20%3Cb%3E%26%3F%C3%BC").await;
    assert_eq!(got["id"], "call/17 <b>&?ü");
}

#[tokio::test]
async fn every_fact_is_explained() {
    let board = World::of(1).board();
    let got = board.json(&format!("/api/v1/conversations/{FIRST}/why")).await;
    assert_eq!(
        (&got["conversationId"], &got["participantId"], &got["position"]),
        (&FIRST.into(), &Value::Null, &"1.42".into())
    );
    let mut fact = got["facts"][0].clone();
    let timeline = board.json(&format!("/api/v1/conversations/{FIRST}/timeline")).await;
    for (field, value) in timeline["entries"][0].as_object().unwrap() {
        assert_eq!(fact.as_object_mut().unwrap().remove(field).as_ref(), Some(value), "{field}");
    }
    let other = json!({"id": "00000000000000000000000000000012", "kind": "left", "to": null,
        "participantId": "agent-0", "communicationId": null, "effectiveAt": "2026-01-01T12:00:00Z"});
    let expected = json!({
        "place": null, "hidden": "noChange", "feed": "notifications-1", "incarnation": 3, "authority": "recorded",
        "identity": "hold", "placed": {"rule": "lifeCycle", "by": other}, "concurrentWith": [other],
        "concurrentCount": 1,
    });
    assert_eq!(fact, expected);
}

#[tokio::test]
async fn one_participant_is_explained_and_an_unknown_one_is_a_problem() {
    let board = World::of(1).board();
    let got = board.json(&format!("/api/v1/conversations/{FIRST}/why?participantId=customer-0")).await;
    assert_eq!((got["facts"].as_array().unwrap().len(), &got["participantId"]), (1, &"customer-0".into()));
    for (path, status, code) in [
        (format!("{FIRST}/why?participantId=nobody"), 404, "unknown_participant"),
        ("nothing/why".to_owned(), 404, "unknown_conversation"),
        (format!("{FIRST}/why?participant=customer-0"), 400, "bad_parameter"),
    ] {
        let response = board.get(&format!("/api/v1/conversations/{path}")).await;
        assert_eq!((response.status.as_u16(), &response.json()["code"]), (status, &code.into()), "{path}");
    }
}

#[tokio::test]
async fn as_it_was_known_at_an_instant() {
    let board = World::of(1).board();
    for below in ["", "/timeline", "/spells"] {
        let path = format!("/api/v1/conversations/{FIRST}{below}");
        let mut then = board.json(&format!("{path}?known_at=2026-01-01T13:00:30%2B01:00")).await;
        assert_eq!(then.as_object_mut().unwrap().remove("knownAt"), Some(json!("2026-01-01T12:00:30.000Z")));
        assert_eq!(then, board.json(&path).await, "{path}");
        for (query, status, code, says) in [
            ("known_at=2026-01-01T11:59:59Z", 404, "unknown_conversation", "at 2026-01-01T11:59:59.000Z"),
            ("known_at=2026-01-01T12:01:31Z", 400, "bad_parameter", "must not be in the future"),
            ("known_at=2026-01-01T12:00:30", 400, "bad_parameter", "with its zone"),
            ("knownAt=2026-01-01T12:00:30Z", 400, "bad_parameter", "knownAt"),
        ] {
            let response = board.get(&format!("{path}?{query}")).await;
            let problem = response.json();
            assert_eq!(
                (response.status.as_u16(), &problem["code"]),
                (status, &code.into()),
                "{path}?{query}"
            );
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        }
    }
}
