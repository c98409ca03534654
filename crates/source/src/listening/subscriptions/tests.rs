//! Calls that fail, answers that leave topics out, channels that are made again.

use super::*;

fn subscriptions(topics: usize) -> Subscriptions {
    let mut subscriptions = Subscriptions::new(&Timing::default(), fastrand::Rng::with_seed(1));
    subscriptions.add(0, (0..topics).map(topic).collect());
    subscriptions.begin(0, 1);
    subscriptions
}

fn topic(n: usize) -> String {
    format!("v2.users.u-{n}?conversations&presence&routingStatus")
}

fn accepted(topics: &[String]) -> Answer {
    Answer { accepted: topics.to_vec(), rejected: Vec::new() }
}

fn failure() -> Failure {
    Failure { problem: "status 503".to_owned(), retry_in: Duration::ZERO, lasting: false }
}

/// Answers all that is asked for at an instant.
fn accept_all(subscriptions: &mut Subscriptions, now: Millis) -> usize {
    let mut calls = 0;
    while let Some((channel, topics)) = subscriptions.poll_ask(now) {
        subscriptions.handle_answer(now, channel, accepted(&topics));
        calls += 1;
    }
    calls
}

#[test]
fn topics_go_in_chunks_one_call_at_a_time() {
    let mut subscriptions = subscriptions(250);
    let (channel, first) = subscriptions.poll_ask(0).unwrap();
    assert_eq!((channel, first.len()), (1, 100));
    assert_eq!((subscriptions.poll_ask(0), subscriptions.poll_timeout()), (None, None));
    subscriptions.handle_answer(1, 1, accepted(&first));
    assert!(!subscriptions.were_tried());
    assert_eq!(accept_all(&mut subscriptions, 1), 2);
    assert!(subscriptions.were_tried() && subscriptions.any_settled());
    assert_eq!((subscriptions.unheard(), subscriptions.poll_timeout()), (None, None));
}

#[test]
fn what_an_answer_leaves_out_is_not_heard_and_asked_for_again() {
    let mut subscriptions = subscriptions(10);
    let (_, asked) = subscriptions.poll_ask(0).unwrap();
    subscriptions.handle_answer(5, 1, accepted(&asked[..7]));
    let unheard = subscriptions.unheard().unwrap();
    assert!(unheard.contains("3 topics") && unheard.contains("left out"), "{unheard}");
    let mut now = 5;
    for _ in 0..3 {
        let due = subscriptions.poll_timeout().unwrap();
        assert!(due <= now + 3_000);
        now = due;
        let (_, again) = subscriptions.poll_ask(now).unwrap();
        assert_eq!(again, asked[7..]);
        subscriptions.handle_answer(now, 1, accepted(&[]));
    }
    now = subscriptions.poll_timeout().unwrap();
    accept_all(&mut subscriptions, now);
    assert_eq!(subscriptions.unheard(), None);
}

#[test]
fn a_chunk_whose_call_failed_takes_no_other_with_it_and_comes_again() {
    let mut subscriptions = subscriptions(150);
    let (_, first) = subscriptions.poll_ask(0).unwrap();
    subscriptions.handle_failure(0, 1, failure());
    let (_, second) = subscriptions.poll_ask(0).unwrap();
    assert_eq!(second.len(), 50);
    subscriptions.handle_answer(0, 1, accepted(&second));
    assert!(subscriptions.were_tried() && subscriptions.any_settled());
    assert!(subscriptions.unheard().unwrap().contains("100 topics"));
    let due = subscriptions.poll_timeout().unwrap();
    assert_eq!(subscriptions.poll_ask(due).unwrap().1, first);
}

#[test]
fn a_channel_on_which_every_call_failed_is_of_no_use() {
    let mut subscriptions = subscriptions(150);
    while subscriptions.poll_ask(0).is_some() {
        subscriptions.handle_failure(0, 1, failure());
        if subscriptions.were_tried() {
            break;
        }
    }
    assert!(subscriptions.were_tried() && !subscriptions.any_settled());
    assert_eq!(subscriptions.failure().unwrap().problem, "status 503");
}

#[test]
fn rejected_topics_are_named_and_not_asked_for_again_on_that_channel() {
    let mut subscriptions = subscriptions(2);
    let (_, asked) = subscriptions.poll_ask(0).unwrap();
    let rejection = Rejection {
        topic: asked[0].clone(),
        missing: vec!["conversation:communication:view".to_owned()],
        reason: String::new(),
    };
    let answer = Answer { accepted: vec![asked[1].clone()], rejected: vec![rejection] };
    subscriptions.handle_answer(0, 1, answer);
    assert!(subscriptions.unheard().unwrap().contains("conversation:communication:view"));
    assert_eq!((subscriptions.poll_timeout(), subscriptions.rejected().count()), (None, 1));
    subscriptions.begin(10, 2);
    assert_eq!(accept_all(&mut subscriptions, 10), 1);
    assert_eq!(subscriptions.unheard(), None, "the permission was given meanwhile");
}

#[test]
fn an_answer_about_an_earlier_channel_says_nothing_about_this_one() {
    let mut subscriptions = subscriptions(1);
    let (_, asked) = subscriptions.poll_ask(0).unwrap();
    subscriptions.begin(5, 2);
    subscriptions.handle_answer(6, 1, accepted(&asked));
    assert!(subscriptions.unheard().is_some());
    assert_eq!(subscriptions.poll_ask(6).unwrap().0, 2);
}

#[test]
fn the_platform_may_spell_a_topic_in_its_own_way() {
    let mut subscriptions = subscriptions(2);
    subscriptions.poll_ask(0);
    let spelt = ["V2.USERS.U-0?CONVERSATIONS&presence&routingStatus", "v2.users.u-1.conversations"];
    subscriptions.handle_answer(0, 1, accepted(&spelt.map(str::to_owned)));
    assert_eq!(subscriptions.unheard(), None);
}

#[test]
fn what_is_added_later_is_asked_for_at_once() {
    let mut subscriptions = subscriptions(1);
    accept_all(&mut subscriptions, 0);
    subscriptions.add(700, vec![topic(9)]);
    assert!(subscriptions.unheard().is_some());
    assert!(subscriptions.poll_timeout().is_some_and(|due| due <= 700));
    accept_all(&mut subscriptions, 700);
    assert_eq!(subscriptions.unheard(), None);
}
