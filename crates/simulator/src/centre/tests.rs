//! The centre against what must hold of any contact centre, over whole runs in virtual time.

use std::collections::HashSet;

use super::conversation::Communication;
use super::words::{Medium, Purpose, State};
use super::*;

const START: Millis = 1_700_000_000_000;

fn settings() -> Settings {
    Settings {
        seed: 7,
        rate: 100.0,
        conversations: 400,
        duration_ms: 0,
        users: 40,
        queues: 6,
        regions: 0,
        pace: 12.0,
        leave_live: 0.0,
        events_only: false,
        keep_all: true,
    }
}

fn play(settings: Settings) -> (Centre, Vec<Happening>) {
    let mut centre = Centre::new(settings, START);
    centre.open(START);
    let mut happenings = Vec::new();
    while let (Some(due), false) = (centre.due(), centre.is_exhausted()) {
        happenings.extend(centre.next(due.max(START)));
    }
    (centre, happenings)
}

#[test]
fn the_same_seed_plays_the_same_conversations() {
    let (_, first) = play(settings());
    let (_, second) = play(settings());
    assert!(first == second);
    let (_, other) = play(Settings { seed: 8, ..settings() });
    assert!(first != other);
}

#[test]
fn every_kind_of_course_comes_up() {
    let (centre, happenings) = play(settings());
    let media: HashSet<Medium> = centre.conversations().flat_map(Conversation::media).collect();
    assert_eq!(media.len(), 5);
    let legs =
        || centre.conversations().flat_map(|one| &one.participants).flat_map(|one| &one.communications);
    let reasons: HashSet<&str> = legs().filter_map(|leg| leg.reason).map(|reason| reason.word()).collect();
    assert_eq!(reasons.len(), 7, "{reasons:?}");
    let happened = |fits: fn(&ChangeKind) -> bool| {
        happenings.iter().any(|one| matches!(one, Happening::Conversation(change) if fits(&change.kind)))
    };
    assert!(happened(|kind| matches!(kind, ChangeKind::Held(_))));
    assert!(happened(|kind| matches!(kind, ChangeKind::Muted(_))));
    assert!(happened(|kind| matches!(kind, ChangeKind::Parked(_))));
    assert!(happened(|kind| matches!(kind, ChangeKind::Dialed(_))));
    assert!(happened(|kind| matches!(kind, ChangeKind::RoleChanged(_))));
    assert!(happenings.iter().any(|one| matches!(one, Happening::Presence(_))));
    let participants = || centre.conversations().flat_map(|one| &one.participants);
    assert!(participants().any(|one| one.monitors.is_some()));
    assert!(participants().any(|one| one.consults.is_some()));
    assert!(participants().any(|one| one.purpose == Purpose::Agent && one.connected_at.is_none()));
}

#[test]
fn ended_conversations_have_nobody_left_and_sound_times() {
    let (centre, _) = play(settings());
    for conversation in centre.conversations() {
        let ended_at = conversation.ended_at.expect("nothing was left live");
        for participant in &conversation.participants {
            let left_at = participant.left_at.expect("everybody has left");
            assert!(conversation.started_at <= participant.joined_at && left_at <= ended_at);
            assert_eq!(participant.event_state, State::Ended);
            participant.communications.iter().for_each(check_leg);
        }
    }
    assert_eq!(centre.active(), 0);
    assert!(centre.people.users.iter().all(|user| user.load == 0));
}

fn check_leg(leg: &Communication) {
    let ended_at = leg.ended_at.expect("the leg has ended");
    assert!(leg.began_at <= ended_at && leg.reason.is_some() && leg.state == State::Ended);
    assert!(leg.connected_at.is_none_or(|at| leg.began_at <= at && at <= ended_at));
    assert!(leg.held_since.is_none() && !leg.muted);
    let mut at = leg.began_at;
    for segment in &leg.segments {
        assert_eq!(segment.from, at, "segments follow each other without a gap");
        at = segment.to.expect("the segment has ended");
    }
    assert_eq!(at, ended_at);
}

#[test]
fn the_queue_lets_go_a_moment_after_the_agent_answers() {
    let (centre, _) = play(settings());
    let mut seen = 0;
    for conversation in centre.conversations() {
        for pair in conversation.participants.windows(2) {
            let [acd, agent] = pair else { continue };
            if let (Purpose::Acd, Purpose::Agent, Some(answered)) =
                (acd.purpose, agent.purpose, agent.connected_at)
            {
                let left = acd.left_at.expect("the queue has let go");
                assert!((1..=50).contains(&(left - answered)));
                seen += 1;
            }
        }
    }
    assert!(seen > 100);
}

#[test]
fn the_steps_of_a_conversation_never_share_a_millisecond() {
    let (_, happenings) = play(settings());
    let mut seen = HashSet::new();
    for happening in happenings {
        if let Happening::Conversation(change) = happening {
            assert!(seen.insert((change.conversation, change.at)));
        }
    }
}

#[test]
fn transitions_come_at_the_rate_that_was_asked_for() {
    let duration_ms = 120_000;
    let (_, happenings) = play(Settings { conversations: 0, duration_ms, rate: 50.0, ..settings() });
    let steady = START + 30_000..START + 110_000;
    let changes = happenings
        .iter()
        .filter(|one| matches!(one, Happening::Conversation(change) if steady.contains(&change.at)));
    let rate = changes.count() as f64 / 80.0;
    assert!((40.0..60.0).contains(&rate), "{rate} a second");
}

#[test]
fn some_conversations_stay_live_when_they_should() {
    let (centre, _) = play(Settings { leave_live: 0.25, ..settings() });
    let live = centre.conversations().filter(|one| one.ended_at.is_none()).count();
    assert!((60..140).contains(&live), "{live} of 400");
    assert_eq!(centre.active(), live as u64);
    for conversation in centre.conversations().filter(|one| one.ended_at.is_none()) {
        assert!(conversation.participants[0].left_at.is_none(), "the customer is still there");
        assert!(conversation.participants.iter().any(|one| one.queue.is_some()), "it has reached a queue");
    }
}

#[test]
fn ended_conversations_are_forgotten_unless_the_truth_is_kept() {
    let mut centre = Centre::new(Settings { keep_all: false, ..settings() }, START);
    centre.open(START);
    let mut most = 0;
    while let Some(due) = centre.due() {
        centre.next(due.max(START));
        most = most.max(centre.conversations().count());
    }
    assert_eq!(centre.conversations().count(), 0);
    assert!(most > 10);
}
