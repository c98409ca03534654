//! Holds the program's answers against the simulator's truth, difference by difference.

use crate::program::Service;
use serde_json::Value;
use std::collections::BTreeMap;

/// The simulated difference between the provider's and the cloud's clock, in milliseconds.
pub const SKEW_MS: i64 = 25;

/// The first differences, in words; none when the answers equal the truth.
pub fn differences(service: &Service, truth: &Value, dialect: &str) -> Option<String> {
    let mut found = Vec::new();
    let state = service.get("/api/v1/state");
    if state["activeInteractions"] != truth["activeInteractions"] {
        found.push(format!("active: {} is {}", state["activeInteractions"], truth["activeInteractions"]));
    }
    cells(&state, &truth["minutes"][dialect], &mut found);
    for conversation in truth["conversations"].as_array().unwrap() {
        if found.len() > 12 {
            break;
        }
        let id = conversation["id"].as_str().unwrap();
        let (status, body) = crate::program::get(&service.address, &format!("/api/v1/conversations/{id}"));
        if status != 200 {
            found.push(format!("{id}: {status}"));
            continue;
        }
        let shown: Value = serde_json::from_str(&body).unwrap();
        let timeline = service.get(&format!("/api/v1/conversations/{id}/timeline"));
        same(&format!("{id} active"), &shown["active"], &conversation["active"], &mut found);
        match dialect {
            "events" => events(id, &shown, &timeline, conversation, &mut found),
            _ => notifications(id, &shown, &timeline, conversation, &mut found),
        }
    }
    (!found.is_empty()).then(|| found.join("\n"))
}

fn same(what: &str, is: &Value, should: &Value, found: &mut Vec<String>) {
    if is != should {
        found.push(format!("{what}: {is} should be {should}"));
    }
}

fn cells(state: &Value, minutes: &Value, found: &mut Vec<String>) {
    let mut should: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for (minute, count) in minutes.as_object().unwrap() {
        let clock = minute.split('T').nth(1).unwrap();
        let (hour, minute) = (clock[..2].parse().unwrap(), clock[3..5].parse().unwrap());
        *should.entry((hour, minute)).or_default() += count.as_u64().unwrap();
    }
    for hour in 0..24 {
        for minute in 0..60 {
            let is = state["heatmap"]["data"][hour][minute].as_u64().unwrap();
            let should = should.get(&(hour, minute)).copied().unwrap_or(0);
            if is != should {
                found.push(format!("cell {hour:02}:{minute:02}: {is} should be {should}"));
            }
        }
    }
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    list.as_array().unwrap().iter().map(|one| (one["id"].as_str().unwrap(), one)).collect()
}

fn events(id: &str, shown: &Value, timeline: &Value, truth: &Value, found: &mut Vec<String>) {
    let known = by_id(&shown["participants"]);
    for (participant, should) in by_id(&truth["eventParticipants"]) {
        let Some(is) = known.get(participant) else {
            found.push(format!("{id} {participant}: unknown"));
            continue;
        };
        for field in ["role", "state", "active"] {
            same(&format!("{id} {participant} {field}"), &is[field], &should[field], found);
        }
    }
    let key = |at: &Value, who: &Value, state: &Value, clock: &Value| format!("{at} {who} {state} {clock}");
    let entries = timeline["entries"].as_array().unwrap();
    let mut is: Vec<String> =
        entries.iter().map(|e| key(&e["at"], &e["participantId"], &e["to"], &e["clock"])).collect();
    let state_or_role = |e: &Value| match e["eventType"].as_str() {
        Some("interaction.participant.roleChanged") => e["role"].clone(),
        _ => e["state"].clone(),
    };
    let facts = truth["events"].as_array().unwrap();
    let mut should: Vec<String> =
        facts.iter().map(|e| key(&e["at"], &e["participantId"], &state_or_role(e), &e["clock"])).collect();
    if let Some(pair) = out_of_order(entries) {
        found.push(format!("{id}: the timeline contradicts the clocks at {pair}"));
    }
    is.sort();
    should.sort();
    if is != should {
        found.push(format!("{id}: timeline {is:#?} should be {should:#?}"));
    }
}

/// The first place at which an entry's clock is dominated by that of an entry before it.
fn out_of_order(entries: &[Value]) -> Option<usize> {
    let dominated = |a: &Value, b: &Value| {
        let (a, b) = (a["clock"].as_object()?, b["clock"].as_object()?);
        let within = a.iter().all(|(region, n)| b.get(region).is_some_and(|m| m.as_u64() >= n.as_u64()));
        Some(within && a != b)
    };
    (0..entries.len())
        .find(|&at| entries[..at].iter().any(|before| dominated(&entries[at], before) == Some(true)))
}

fn notifications(id: &str, shown: &Value, timeline: &Value, truth: &Value, found: &mut Vec<String>) {
    let known = by_id(&shown["participants"]);
    for (participant, should) in by_id(&truth["participants"]) {
        let Some(is) = known.get(participant) else {
            found.push(format!("{id} {participant}: unknown"));
            continue;
        };
        for field in ["role", "userId", "queueId", "active", "state", "endReason", "held", "muted"] {
            same(&format!("{id} {participant} {field}"), &is[field], &should[field], found);
        }
        let legs = by_id(&is["communications"]);
        for (leg, should) in by_id(&should["communications"]) {
            let Some(is) = legs.get(leg) else {
                found.push(format!("{id} {participant} {leg}: unknown"));
                continue;
            };
            let fields =
                ["medium", "direction", "state", "connectedAt", "endedAt", "endReason", "held", "muted"];
            for field in fields {
                same(&format!("{id} {leg} {field}"), &is[field], &should[field], found);
            }
        }
    }
    order_of_facts(id, timeline, truth, found);
}

/// The timeline's communication states and holds against the truth's facts: all there, in order within a communication,
/// and in order across them wherever the times differ by more than the clocks do.
fn order_of_facts(id: &str, timeline: &Value, truth: &Value, found: &mut Vec<String>) {
    let entries = timeline["entries"].as_array().unwrap();
    let mut places = Vec::new();
    for fact in truth["facts"].as_array().unwrap() {
        // When it rang and when it was muted has no time on the notifications' surfaces; the states themselves are
        // compared above.
        if ["alerting", "muted", "unmuted"].iter().any(|kind| fact["kind"] == *kind) {
            continue;
        }
        let told =
            |e: &Value| e["communicationId"] == fact["communicationId"] && kind(e) == fact["kind"].as_str();
        let exact = entries.iter().position(|e| told(e) && e["at"] == fact["at"]);
        // An unhold that only snapshots told has no time of its own.
        let untimed =
            || entries.iter().position(|e| told(e) && fact["kind"] == "unheld" && e["at"].is_null());
        match exact.or_else(untimed) {
            Some(place) => places.push((fact, place)),
            None => found.push(format!("{id}: {fact} is not in the timeline")),
        }
    }
    for (n, (later, place)) in places.iter().enumerate() {
        for (earlier, before) in &places[..n] {
            let apart = millis(&later["at"]) - millis(&earlier["at"]);
            let told = earlier["communicationId"] == later["communicationId"] || apart > SKEW_MS;
            if told && apart > 0 && before >= place {
                found.push(format!("{id}: {earlier} stands behind {later}"));
            }
        }
    }
}

/// The truth's word for a timeline entry.
fn kind(entry: &Value) -> Option<&'static str> {
    let to = entry["to"].as_str()?;
    match (entry["kind"].as_str()?, to) {
        ("held", "true") => Some("held"),
        ("held", _) => Some("unheld"),
        ("state", "connected") if entry["from"] == "parked" => Some("resumed"),
        ("state", "connected") => Some("connected"),
        ("state", "parked") => Some("parked"),
        ("state", "disconnected" | "terminated") => Some("ended"),
        _ => None,
    }
}

/// Milliseconds within a day and hour, enough to tell times of one run apart.
fn millis(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_millisecond()
}
