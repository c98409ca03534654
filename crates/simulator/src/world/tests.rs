//! The world in virtual time: what the events dialect stamps, and what the truth counts.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::truth::Event;

const START: Millis = 1_700_000_000_000;

fn played(options: &Options) -> Truth {
    let mut world = World::new(options, START);
    world.centre.open(START);
    let mut now = START;
    while let (Some(due), false) = (world.play(now), world.is_finished()) {
        now = now.max(due);
    }
    world.truth(now)
}

fn options() -> Options {
    Options { conversations: 300, rate: 200.0, regions: 3, clock_skew_ms: 25, ..Options::default() }
}

fn knows(clock: &BTreeMap<&'static str, u64>, other: &Event) -> bool {
    let region = other.region.expect("a region");
    clock.get(region).is_some_and(|count| *count >= other.clock[region])
}

#[test]
fn one_seed_tells_one_truth() {
    let text = |options: &Options| serde_json::to_string(&played(options)).expect("JSON");
    assert!(text(&options()) == text(&options()));
    assert!(text(&options()) != text(&Options { seed: 2, ..options() }));
}

#[test]
fn clocks_count_each_regions_own_events_and_never_contradict_themselves() {
    for conversation in played(&options()).conversations {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for event in &conversation.events {
            let region = event.region.expect("a region");
            let count = counts.entry(region).or_default();
            *count += 1;
            assert_eq!(event.clock[region], *count, "a region numbers its own events from 1");
            assert!(event.clock.values().all(|count| *count > 0));
            // Whatever a clock knows, it knows with all that that event knew.
            for known in conversation.events.iter().filter(|other| knows(&event.clock, other)) {
                assert!(known.clock.iter().all(|(region, count)| event.clock[region] >= *count));
            }
        }
    }
}

#[test]
fn events_have_seen_what_they_follow_from() {
    let mut concurrent = 0;
    for conversation in played(&options()).conversations {
        let events = &conversation.events;
        for (index, event) in events.iter().enumerate() {
            for earlier in &events[..index] {
                assert!(event.region != earlier.region || event.at > earlier.at, "a region's clock ascends");
                let same = event.participant_id == earlier.participant_id;
                if same || earlier.participant_id.is_none() || event.state == "ended" {
                    assert!(knows(&event.clock, earlier), "{event:?} follows from {earlier:?}");
                }
                concurrent += usize::from(!knows(&event.clock, earlier));
                assert!(!knows(&earlier.clock, event));
            }
        }
    }
    assert!(concurrent > 100, "some events are concurrent, {concurrent}");
}

#[test]
fn minutes_count_what_the_conversations_say() {
    let truth = played(&options());
    let events: usize = truth.conversations.iter().map(|one| one.events.len()).sum();
    assert_eq!(truth.minutes.events.values().sum::<u64>(), events as u64);
    let mut minutes: BTreeMap<String, u64> = BTreeMap::new();
    for fact in truth.conversations.iter().flat_map(|one| &one.facts) {
        if ["connected", "ended", "parked", "resumed"].contains(&fact.kind) {
            *minutes.entry(format!("{}Z", &fact.at.to_string()[..16])).or_default() += 1;
        }
    }
    assert_eq!(minutes, truth.minutes.notifications);
}

#[test]
fn final_states_follow_from_the_events_and_facts() {
    let truth = played(&options());
    let active = truth.conversations.iter().filter(|one| one.active).count();
    assert_eq!(truth.active_interactions, active as u64);
    assert_eq!(truth.active_over_time.last().map(|point| point.active), Some(active as u64));
    for conversation in &truth.conversations {
        for participant in &conversation.event_participants {
            let last = conversation.events.iter().rfind(|event| event.participant_id == Some(participant.id));
            let last = last.expect("every participant has joined");
            assert_eq!((Some(participant.role), participant.state), (last.role, last.state));
        }
        for leg in conversation.participants.iter().flat_map(|one| &one.communications) {
            let of_leg = |fact: &&truth::Fact| fact.communication_id == leg.id;
            let at = |kind: &str| {
                conversation.facts.iter().filter(of_leg).find(|fact| fact.kind == kind).map(|fact| fact.at)
            };
            assert_eq!((leg.connected_at, leg.ended_at), (at("connected"), at("ended")));
            assert_eq!(conversation.facts.iter().rfind(of_leg).map(|fact| fact.state), Some(leg.state));
        }
    }
}

#[test]
fn an_endless_run_keeps_no_history() {
    let options = Options { rate: 200.0, conversations: 0, ..options() };
    let mut world = World::new(&options, START);
    world.centre.open(START);
    let mut now = START;
    while let Some(due) = world.play(now).filter(|due| *due < START + 150_000) {
        now = now.max(due);
    }
    let truth = world.truth(now);
    assert!(truth.conversations.iter().all(|one| one.events.is_empty() && one.facts.is_empty()));
    let ended = truth.conversations.iter().filter_map(|one| one.ended_at);
    assert!(
        ended.min().is_some_and(|at| at.0 >= now - 95_000),
        "ended ones go after a minute and their wrap-up"
    );
}
