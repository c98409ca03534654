//! What is listened to, and what is said of the rest, in virtual time.

use super::*;
use engine::Id;

const START: Millis = 600_000;

struct Play {
    listener: Listener,
    now: Millis,
}

impl Play {
    fn new(topics: &Topics) -> Self {
        Self { listener: Listener::new(topics, Timing::default(), fastrand::Rng::with_seed(1)), now: START }
    }

    fn discovering() -> Self {
        Self::new(&Topics::Discover)
    }

    /// All that is to be done now.
    fn effects(&mut self) -> Vec<Effect> {
        self.listener.handle_timeout(self.now);
        std::iter::from_fn(|| self.listener.poll_effect()).collect()
    }

    /// Goes to the next thing to do.
    fn next(&mut self) -> Vec<Effect> {
        self.now = self.listener.poll_timeout().expect("something is due").max(self.now);
        self.effects()
    }

    /// A heartbeat every 30 s on the first socket of the first channel.
    fn hears_until(&mut self, until: Millis) {
        (START..until).step_by(30_000).for_each(|at| self.listener.handle_heard(at, 0, 1, at));
    }

    fn page(&mut self, list: ListKind, ids: &[&str]) {
        let ids = ids.iter().map(|id| Id::new(id).unwrap()).collect();
        self.listener.handle_page(self.now, list, Ok(Page { ids, is_last: true }));
    }

    fn page_fails(&mut self, list: ListKind, problem: &str) {
        self.listener.handle_page(self.now, list, Err(failure(problem)));
    }

    /// Makes channels, accepts every topic and opens every socket until nothing is left to do; what else was to be done.
    fn goes_well(&mut self) -> Vec<Effect> {
        let mut rest = Vec::new();
        loop {
            let effects = self.effects();
            if effects.is_empty() {
                return rest;
            }
            for effect in effects {
                match effect {
                    Effect::MakeChannel { channel, .. } => {
                        self.listener.handle_channel(self.now, channel, Ok(()))
                    }
                    Effect::Subscribe { channel, made, topics } => {
                        let answer = Answer { accepted: topics, rejected: Vec::new() };
                        self.listener.handle_subscribed(self.now, channel, made, Ok(answer));
                    }
                    Effect::Open { channel, socket, .. } => {
                        self.listener.handle_open(self.now, channel, socket);
                    }
                    other => rest.push(other),
                }
            }
        }
    }
}

fn opens(made: u32, socket: u32) -> Effect {
    Effect::Open { channel: 0, made, socket }
}

fn failure(problem: &str) -> Failure {
    Failure { problem: problem.to_owned(), retry_in: Duration::ZERO, lasting: false }
}

/// What is said not to be heard, in order: the reason and since when.
fn limits(effects: &[Effect]) -> Vec<Option<(&str, Millis)>> {
    let limits = effects.iter().filter_map(|effect| match effect {
        Effect::Limited(_, limit) => Some(limit),
        _ => None,
    });
    limits.map(|limit| limit.as_ref().map(|(why, since)| (why.as_str(), *since))).collect()
}

fn repairs(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Repair(_))).count()
}

#[test]
fn from_the_start_it_says_that_nobody_is_known_yet() {
    let mut play = Play::discovering();
    assert_eq!(play.listener.channels(), 1, "there is a feed to say it");
    let effects = play.effects();
    let [Some((reason, 0))] = limits(&effects)[..] else { panic!("{effects:?}") };
    assert!(reason.contains("queues") && reason.contains("users"), "{reason}");
    play.page(ListKind::Queues, &["q"]);
    play.page(ListKind::Users, &["u"]);
    let effects = play.goes_well();
    assert_eq!(limits(&effects).last(), Some(&None));
    assert_eq!(
        (effects.contains(&Effect::Listening(0)), repairs(&effects)),
        (true, 1),
        "one round: {effects:?}"
    );
}

#[test]
fn a_list_that_fails_leaves_the_rest_limited_until_it_is_read() {
    let mut play = Play::discovering();
    play.effects();
    play.page(ListKind::Queues, &["q"]);
    play.page_fails(ListKind::Users, "status 503");
    let effects = play.goes_well();
    assert!(effects.contains(&Effect::Listening(0)), "what is known is listened to");
    let said = limits(&effects);
    assert!(said.last().unwrap().is_some_and(|(why, since)| why.contains("status 503") && since == 0));
    let lookup = |e: &Effect| matches!(e, Effect::Lookup(Some(why)) if why.contains("users"));
    assert!(effects.iter().any(lookup), "{effects:?}");
    let asked = play.next();
    assert_eq!((asked, play.now < START + 3_000), (vec![Effect::ReadPage(ListKind::Users, 1)], true));
    play.page(ListKind::Users, &["u"]);
    let effects = play.goes_well();
    assert_eq!(limits(&effects).last(), Some(&None));
    assert_eq!(effects.last(), Some(&Effect::Repair(0)), "and what was missed is read");
    assert!(effects.contains(&Effect::Lookup(None)));
}

#[test]
fn a_wrong_secret_is_why_nothing_is_heard() {
    let mut play = Play::discovering();
    play.effects();
    play.page_fails(ListKind::Queues, "the client id and secret are refused");
    play.page_fails(ListKind::Users, "the client id and secret are refused");
    let effects = play.effects();
    let failing = effects.iter().find_map(|effect| match effect {
        Effect::Failing { channel: 0, problem, .. } => Some(problem),
        _ => None,
    });
    assert!(failing.is_some_and(|why| why.contains("client id and secret")), "{effects:?}");
    assert!(limits(&effects).last().unwrap().is_some_and(|(why, _)| why.contains("client id and secret")));
}

#[test]
fn a_new_queue_was_missed_since_the_last_reading_and_its_failed_call_is_repeated() {
    let mut play = Play::discovering();
    play.effects();
    play.page(ListKind::Queues, &["q-1"]);
    play.page(ListKind::Users, &["u"]);
    play.goes_well();
    play.hears_until(START + 600_000);
    play.now = START + 600_000;
    assert_eq!(play.effects().len(), 2, "both lists are read again");
    play.page(ListKind::Users, &["u"]);
    play.page(ListKind::Queues, &["q-1", "q-2"]);
    let effects = play.effects();
    let [Some((_, START))] = limits(&effects)[..] else { panic!("{effects:?}") };
    let subscribe = |effect: &Effect| match effect {
        Effect::Subscribe { channel: 0, made: 1, topics } => Some(topics.clone()),
        _ => None,
    };
    let new = vec!["v2.routing.queues.q-2.conversations".to_owned()];
    assert_eq!(effects.iter().find_map(subscribe), Some(new.clone()));
    play.listener.handle_subscribed(play.now, 0, 1, Err(failure("status 502")));
    let again = play.next();
    assert_eq!((again.iter().find_map(subscribe), play.now < START + 603_000), (Some(new.clone()), true));
    play.listener.handle_subscribed(play.now, 0, 1, Ok(Answer { accepted: new, rejected: Vec::new() }));
    assert_eq!(play.effects(), [Effect::Limited(0, None), Effect::Repair(0)]);
}

#[test]
fn what_is_named_needs_no_list() {
    let topics = "queue:q,user:u".parse().unwrap();
    let mut play = Play::new(&topics);
    let effects = play.goes_well();
    assert_eq!((limits(&effects), repairs(&effects)), (vec![], 1));
    assert!(effects.contains(&Effect::Listening(0)));
}

#[test]
fn a_channel_on_which_nothing_could_be_put_is_made_again() {
    let mut play = Play::new(&"queue:q".parse().unwrap());
    assert!(matches!(play.effects()[..], [Effect::MakeChannel { channel: 0, .. }]));
    play.listener.handle_channel(play.now, 0, Ok(()));
    assert!(matches!(play.effects()[..], [Effect::Subscribe { .. }]));
    play.listener.handle_subscribed(play.now, 0, 1, Err(failure("status 500")));
    let effects = play.effects();
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Failing { problem, .. } if problem.contains("status 500"))),
        "{effects:?}"
    );
    assert!(!effects.contains(&opens(1, 1)));
    let effects = play.next();
    assert!(effects.iter().any(|e| matches!(e, Effect::MakeChannel { .. })), "{effects:?}");
}

#[test]
fn a_renewal_that_leaves_a_topic_out_is_said_when_it_takes_over_and_not_before() {
    let mut play = Play::new(&"queue:q-1,queue:q-2".parse().unwrap());
    play.goes_well();
    play.now = START + millis(Timing::default().channel_renew_after);
    play.hears_until(play.now);
    let effects = play.effects();
    assert!(effects.contains(&Effect::MakeChannel { channel: 0, fresh_token: true }), "{effects:?}");
    play.listener.handle_channel(play.now, 0, Ok(()));
    let Some(Effect::Subscribe { made: 2, topics, .. }) = play.effects().pop() else { panic!("no call") };
    let half = Answer { accepted: topics[..1].to_vec(), rejected: Vec::new() };
    play.listener.handle_subscribed(play.now, 0, 2, Ok(half));
    let effects = play.effects();
    assert_eq!((limits(&effects), effects.last()), (vec![], Some(&opens(2, 2))), "the old socket hears all");
    play.listener.handle_open(play.now, 0, 2);
    let effects = play.effects();
    assert!(limits(&effects)[0].is_some_and(|(why, since)| why.contains("left out") && since == play.now));
}

#[test]
fn a_socket_that_is_lost_while_a_new_channel_lacks_its_topics_is_opened_to_the_old_one() {
    let mut play = Play::new(&"queue:q-1,queue:q-2".parse().unwrap());
    play.goes_well();
    play.now = START + millis(Timing::default().channel_renew_after);
    play.hears_until(play.now);
    play.effects();
    play.listener.handle_channel(play.now, 0, Ok(()));
    assert!(matches!(play.effects()[..], [Effect::Subscribe { made: 2, .. }]));
    play.listener.handle_closed(play.now, 0, 1, Cause::Broken);
    let effects = play.next();
    assert!(effects.contains(&opens(1, 2)), "{effects:?}");
}

#[test]
fn a_topic_that_is_rejected_in_place_of_another_is_said_and_the_same_one_is_not_said_again() {
    let mut play = Play::new(&"queue:q-1,queue:q-2".parse().unwrap());
    let rejected = |effects: &[Effect]| -> Vec<Vec<String>> {
        let all = effects.iter().filter_map(|effect| match effect {
            Effect::Rejected(0, rejected) => Some(rejected.iter().map(|one| one.topic.clone()).collect()),
            _ => None,
        });
        all.collect()
    };
    for (made, refused, is_news) in [(1, 0, true), (2, 0, false), (3, 1, true)] {
        if made > 1 {
            play.now += millis(Timing::default().channel_renew_after);
            play.listener.handle_heard(play.now, 0, made - 1, play.now);
        }
        let effects = play.effects();
        assert!(effects.iter().any(|effect| matches!(effect, Effect::MakeChannel { .. })), "{effects:?}");
        play.listener.handle_channel(play.now, 0, Ok(()));
        let Some(Effect::Subscribe { topics, .. }) = play.effects().pop() else { panic!("no call") };
        let rejection = |topic: &String| Rejection {
            topic: topic.clone(),
            missing: Vec::new(),
            reason: "no such queue".to_owned(),
        };
        let (no, yes): (Vec<_>, Vec<_>) = topics.iter().enumerate().partition(|(n, _)| *n == refused);
        let answer = Answer {
            accepted: yes.into_iter().map(|(_, topic)| topic.clone()).collect(),
            rejected: no.iter().map(|(_, topic)| rejection(topic)).collect(),
        };
        play.listener.handle_subscribed(play.now, 0, made, Ok(answer));
        let effects = play.goes_well();
        let said = if is_news { vec![vec![topics[refused].clone()]] } else { Vec::new() };
        assert_eq!(rejected(&effects), said, "channel {made}");
    }
}

#[test]
fn more_than_all_channels_take_is_said() {
    let users: Vec<String> = (0..20_003).map(|n| format!("user:u-{n}")).collect();
    let mut play = Play::new(&users.join(",").parse().unwrap());
    assert_eq!(play.listener.channels(), 20);
    let effects = play.goes_well();
    let said = limits(&effects);
    assert!(said.last().unwrap().is_some_and(|(why, _)| why.contains("3 queues and users")), "{said:?}");
}

#[test]
fn a_socket_that_died_unseen_before_it_was_replaced_leaves_a_hole_that_is_read() {
    let mut play = Play::new(&"queue:q".parse().unwrap());
    play.goes_well();
    play.listener.handle_heard(START + 20_000, 0, 1, START + 20_000);
    play.now = START + 30_000;
    play.listener.handle_control(play.now, 0, 1, &Control::SocketClosing);
    let effects = play.goes_well();
    assert!(effects.contains(&Effect::Replaced(0, Cause::SocketClosing)), "{effects:?}");
    play.listener.handle_heard(play.now + 4_000, 0, 2, play.now + 4_000);
    play.now += 5_000;
    assert!(play.effects().contains(&Effect::Ping(0, 1)));
    play.now += 5_000;
    let effects = play.effects();
    let [Some((reason, since)), None] = limits(&effects)[..] else { panic!("{effects:?}") };
    assert!(reason.contains("died in silence") && since == START + 20_000);
    assert_eq!(repairs(&effects), 1);
}
