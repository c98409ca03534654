//! Against the simulator, which plays whole conversations and cuts the sockets every second: nothing stays missing.

use crate::recorder::Recorder;
use crate::support::{Running, run, timing, until};
use engine::{FactId, Id, is_end};
use simulator::{Options, Simulator};
use source::{Dialect, Endpoints, Settings, Timing, Topics};
use std::collections::HashSet;
use std::time::Duration;

async fn simulator(dialect: simulator::Dialect) -> Simulator {
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        dialect,
        rate: 150.0,
        conversations: 40,
        duplicates: 0.2,
        reorder_ms: 200,
        drop_socket_every: Some(Duration::from_secs(1)),
        await_subscriber: true,
        pace: 60.0,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

fn listen_to(simulator: &Simulator, dialect: Dialect) -> Running {
    let urls = simulator.urls();
    let region = Endpoints::for_environment("mypurecloud.com").unwrap();
    let endpoints = region.with_overrides(Some(&urls.login), Some(&urls.api), Some(&urls.events)).unwrap();
    run(Settings {
        organisation: "test".to_owned(),
        client_id: "demo".to_owned(),
        client_secret: "demo".to_owned().into(),
        endpoints,
        dialect,
        topics: Topics::Discover,
        limits: wire::Limits::default(),
        // Holes of up to half a second, so that whole conversations end in them.
        timing: Timing { backoff_min: Duration::from_secs(2), ..timing() },
    })
}

/// Communications whose end was heard.
fn ended(recorder: &Recorder) -> HashSet<Id> {
    recorder.with(|record| {
        let facts = record.deliveries.iter().flat_map(|delivery| &delivery.facts);
        let ends = facts.filter(|fact| fact.state.as_ref().is_some_and(is_end));
        ends.filter_map(|fact| fact.communication.clone()).collect()
    })
}

#[tokio::test]
async fn every_end_is_heard_by_socket_or_by_repair() {
    let simulator = simulator(simulator::Dialect::Notifications).await;
    let running = listen_to(&simulator, Dialect::Notifications);
    simulator.finished().await;
    let truth = simulator.truth();
    let on_a_topic = |c: &&simulator::Conversation| {
        c.participants.iter().any(|p| p.user_id.is_some() || p.queue_id.is_some())
    };
    let legs = truth
        .conversations
        .iter()
        .filter(on_a_topic)
        .flat_map(|c| &c.participants)
        .flat_map(|p| &p.communications);
    let ends: HashSet<Id> =
        legs.filter(|leg| leg.ended_at.is_some()).map(|leg| Id::new(&leg.id.to_string()).unwrap()).collect();
    assert!(ends.len() > 40, "{} ends were played", ends.len());
    until("every end", || ends.is_subset(&ended(&running.recorder))).await;
    assert!(running.recorder.told("lost") >= 1, "{:?}", running.recorder.story());
    until("repaired", || running.recorder.told("repaired") >= 2).await;
    assert_eq!(running.recorder.told("failed"), 0);
    running.stop().await;
    simulator.stop().await;
}

#[tokio::test]
async fn every_event_is_heard_when_the_gateway_sends_again() {
    let simulator = simulator(simulator::Dialect::Events).await;
    let running = listen_to(&simulator, Dialect::Events);
    simulator.finished().await;
    let truth = simulator.truth();
    let events = truth.conversations.iter().flat_map(|conversation| &conversation.events);
    let events: HashSet<FactId> = events.map(|event| FactId::of_event(&event.event_id.to_string())).collect();
    assert!(events.len() > 100, "{} events were played", events.len());
    let heard = || {
        running.recorder.with(|record| {
            record
                .deliveries
                .iter()
                .flat_map(|delivery| &delivery.facts)
                .map(|fact| fact.id)
                .collect::<HashSet<_>>()
        })
    };
    until("every event", || events.is_subset(&heard())).await;
    assert!(running.recorder.told("lost") >= 1, "{:?}", running.recorder.story());
    running.stop().await;
    simulator.stop().await;
}
