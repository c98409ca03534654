//! A channel's life in virtual time, with every notice and every silence.

use super::*;
use Action::*;
use std::time::Duration;

struct Play {
    session: Session,
    now: Millis,
}

impl Play {
    fn new() -> Self {
        Self { session: Session::new(Timing::default(), fastrand::Rng::with_seed(1)), now: 0 }
    }

    /// A session that listens on socket 1 since the time 0.
    fn listening() -> Self {
        let mut play = Self::new();
        assert_eq!(play.at(0), [MakeChannel { fresh_token: false }]);
        play.session.handle_channel_made(0);
        assert_eq!(play.at(0), [Open { socket: 1 }]);
        play.session.handle_open(0, 1);
        assert_eq!(play.drain(), [Listening, Repair]);
        play
    }

    fn drain(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.session.poll_action()).collect()
    }

    fn at(&mut self, now: Millis) -> Vec<Action> {
        self.now = now;
        self.session.handle_timeout(now);
        self.drain()
    }

    /// Goes to the next thing to do, which must come within `wait`.
    fn next(&mut self, wait: Duration) -> Vec<Action> {
        let due = self.session.poll_timeout().expect("something is due");
        assert!(due <= self.now + millis(wait), "due in {} ms", due.saturating_sub(self.now));
        self.at(due.max(self.now))
    }

    /// A heartbeat every 30 s on the socket 1.
    fn hears_until(&mut self, until: Millis) {
        (self.now..until).step_by(30_000).for_each(|at| self.session.handle_heard(at, 1, at));
    }

    fn control(&mut self, socket: u32, control: Control) -> Vec<Action> {
        self.session.handle_control(self.now, socket, &control);
        self.session.handle_timeout(self.now);
        self.drain()
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(125);

#[test]
fn silence_is_pinged_and_an_answer_keeps_the_socket() {
    let mut play = Play::listening();
    assert_eq!(play.at(34_999), []);
    assert_eq!(play.at(35_000), [Ping { socket: 1 }]);
    assert_eq!(play.at(39_999), []);
    play.session.handle_heard(39_999, 1, 39_999);
    assert_eq!(play.at(60_000), []);
    assert_eq!(play.at(39_999 + 35_000), [Ping { socket: 1 }]);
}

#[test]
fn an_unanswered_ping_loses_the_socket_and_opens_another_to_the_same_channel() {
    let mut play = Play::listening();
    play.at(35_000);
    assert_eq!(play.at(40_000), [Close { socket: 1 }, Lost(Cause::Silent)]);
    assert_eq!(play.next(FIRST_WAIT), [Open { socket: 2 }]);
    play.session.handle_open(play.now, 2);
    assert_eq!(play.drain(), [Listening, Repair]);
}

#[test]
fn an_announced_close_overlaps_and_loses_nothing() {
    let mut play = Play::listening();
    play.at(1_000);
    assert_eq!(play.control(1, Control::SocketClosing), [Open { socket: 2 }]);
    assert_eq!(play.control(1, Control::SocketClosing), [], "it may be said twice");
    play.session.handle_open(1_200, 2);
    assert_eq!(play.drain(), [Replaced(Cause::SocketClosing), Repair]);
    assert_eq!(play.at(6_199), [], "what comes at once may have lain in a buffer");
    assert_eq!(play.at(6_200), [Ping { socket: 1 }]);
    play.session.handle_heard(6_300, 1, 5_000);
    assert_eq!(play.at(11_199), []);
    assert_eq!(play.at(11_200), [Close { socket: 1 }]);
    assert_eq!(play.control(1, Control::SocketClosing), [], "of a socket that is gone");
}

#[test]
fn the_old_socket_may_end_before_its_replacement_is_open() {
    let mut play = Play::listening();
    play.at(1_000);
    play.control(1, Control::SocketClosing);
    play.session.handle_closed(1_100, 1, Cause::Closed);
    assert_eq!(play.at(1_100), [Lost(Cause::Closed)]);
    play.session.handle_open(1_200, 2);
    assert_eq!(play.drain(), [Listening, Repair]);
}

#[test]
fn the_old_socket_may_end_after_its_replacement_is_open() {
    let mut play = Play::listening();
    play.control(1, Control::SocketClosing);
    play.session.handle_open(10, 2);
    play.drain();
    play.session.handle_heard(2_000, 1, 1_000);
    play.session.handle_closed(2_010, 1, Cause::Closed);
    assert_eq!(play.at(11_000), []);
}

#[test]
fn an_old_socket_that_is_never_heard_again_may_have_died_before() {
    // The server's close may have lain in a buffer since before the replacement was open.
    for cause in [None, Some(Cause::Broken), Some(Cause::Closed)] {
        let mut play = Play::listening();
        play.session.handle_heard(500, 1, 500);
        play.now = 1_000;
        play.control(1, Control::SocketClosing);
        play.session.handle_open(1_200, 2);
        play.drain();
        let actions = match cause {
            Some(cause) => {
                play.session.handle_closed(1_300, 1, cause);
                play.drain()
            }
            None => play.at(11_200),
        };
        assert!(actions.contains(&Unproved { since: 500 }), "{actions:?}");
    }
}

#[test]
fn a_replacement_that_fails_is_tried_again_while_the_old_socket_delivers() {
    let mut play = Play::listening();
    assert_eq!(play.control(1, Control::SocketClosing), [Open { socket: 2 }]);
    play.session.handle_open_failed(5, 2, false);
    assert_eq!(play.next(FIRST_WAIT), [Open { socket: 3 }]);
    play.session.handle_open(play.now, 3);
    assert_eq!(play.drain(), [Replaced(Cause::SocketClosing), Repair]);
}

#[test]
fn whatever_kills_the_channel_makes_a_new_one() {
    let cases = [
        (Control::ChannelGone, Cause::ChannelGone, false),
        (Control::NoLongerSubscribed { reason: String::new() }, Cause::NoLongerSubscribed, false),
        (Control::TokenRevoked, Cause::TokenRevoked, true),
    ];
    for (control, cause, fresh_token) in cases {
        let mut play = Play::listening();
        assert_eq!(play.control(1, control), [Close { socket: 1 }, Lost(cause)]);
        assert_eq!(play.next(FIRST_WAIT), [MakeChannel { fresh_token }]);
        play.session.handle_channel_made(play.now);
        assert_eq!(play.next(Duration::ZERO), [Open { socket: 2 }]);
    }
}

#[test]
fn a_refused_handshake_makes_a_new_channel_and_another_failure_does_not() {
    let mut play = Play::listening();
    play.session.handle_closed(5_000, 1, Cause::Broken);
    assert_eq!(play.at(5_000), [Lost(Cause::Broken)]);
    assert_eq!(play.next(FIRST_WAIT), [Open { socket: 2 }]);
    play.session.handle_open_failed(play.now, 2, false);
    assert_eq!(play.next(Duration::from_millis(500)), [Open { socket: 3 }]);
    play.session.handle_open_failed(play.now, 3, true);
    assert_eq!(play.next(FIRST_WAIT), [MakeChannel { fresh_token: false }]);
}

#[test]
fn a_channel_is_renewed_before_its_end_with_a_fresh_token_and_an_overlap() {
    let mut play = Play::listening();
    let renew = 23 * 3_600_000;
    play.hears_until(renew);
    assert_eq!(play.at(renew), [MakeChannel { fresh_token: true }]);
    play.session.handle_channel_failed(renew, 0);
    assert_eq!(play.next(FIRST_WAIT), [MakeChannel { fresh_token: false }]);
    play.session.handle_channel_made(play.now);
    assert_eq!(play.next(Duration::ZERO), [Open { socket: 2 }]);
    play.session.handle_open(play.now, 2);
    assert_eq!(play.drain(), [Replaced(Cause::Renewal), Repair]);
    play.session.handle_heard(play.now + 1, 1, play.now + 1);
    assert_eq!(play.control(1, Control::ChannelGone), [], "of the old channel");
    assert_eq!(play.next(Duration::from_secs(5)), [Ping { socket: 1 }]);
    assert_eq!(play.next(Duration::from_secs(5)), [Close { socket: 1 }]);
}

#[test]
fn channels_that_die_young_are_made_ever_more_slowly() {
    let mut play = Play::new();
    play.at(0);
    let mut waits = Vec::new();
    for socket in 1..=8 {
        play.session.handle_channel_made(play.now);
        play.at(play.now);
        play.session.handle_open(play.now, socket);
        play.drain();
        play.control(socket, Control::ChannelGone);
        let before = play.now;
        play.next(Duration::from_secs(60));
        waits.push(play.now - before);
    }
    assert!(waits[0] <= 125 && waits[7] >= 15_000, "{waits:?}");
}

#[test]
fn sockets_that_last_come_back_fast_every_time() {
    let mut play = Play::listening();
    for socket in 1..20 {
        let lost = play.now + 5_000;
        play.session.handle_closed(lost, socket, Cause::Closed);
        assert_eq!(play.at(lost), [Lost(Cause::Closed)]);
        assert_eq!(play.next(FIRST_WAIT), [Open { socket: socket + 1 }]);
        play.session.handle_open(play.now, socket + 1);
        play.drain();
    }
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let mut play = Play::new();
    play.at(0);
    play.session.handle_channel_failed(0, 42_000);
    assert_eq!(play.session.poll_timeout(), Some(42_000));
    assert_eq!(play.at(41_999), []);
    assert_eq!(play.at(42_000), [MakeChannel { fresh_token: false }]);
}

/// Any order of events, for many seeds: there is always a way on, and never two main sockets or two openings.
#[test]
fn no_order_of_events_gets_stuck() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut play =
            Play { session: Session::new(Timing::default(), fastrand::Rng::with_seed(seed)), now: 0 };
        let (mut making, mut opening, mut listens) = (false, None, false);
        for _ in 0..400 {
            play.now += random.u64(0..20_000);
            let socket = random.u32(0..=play.session.sockets_opened);
            match random.u8(0..8) {
                0 if making => (making, _) = (false, play.session.handle_channel_made(play.now)),
                1 if making => (making, _) = (false, play.session.handle_channel_failed(play.now, 0)),
                2 if opening.is_some() => play.session.handle_open(play.now, opening.take().unwrap()),
                3 if opening.is_some() => {
                    play.session.handle_open_failed(play.now, opening.take().unwrap(), random.bool());
                }
                4 => play.session.handle_control(play.now, socket, &Control::SocketClosing),
                5 => play.session.handle_control(play.now, socket, &Control::ChannelGone),
                6 if Some(socket) != opening => play.session.handle_closed(play.now, socket, Cause::Closed),
                _ => play.session.handle_heard(play.now, socket, play.now),
            }
            for action in play.at(play.now) {
                match action {
                    MakeChannel { .. } => assert!(!std::mem::replace(&mut making, true), "seed {seed}"),
                    Open { socket } => assert_eq!(opening.replace(socket), None, "seed {seed}"),
                    Close { socket } if opening == Some(socket) => opening = None,
                    Listening => assert!(!std::mem::replace(&mut listens, true), "seed {seed}"),
                    Lost(_) => assert!(std::mem::replace(&mut listens, false), "seed {seed}"),
                    _ => {}
                }
            }
            let way_on = making || opening.is_some() || play.session.poll_timeout().is_some();
            assert!(way_on, "seed {seed}: stuck");
            assert!(play.session.sockets.iter().filter(|s| s.phase == Phase::Main).count() <= 1);
        }
    }
}

#[test]
fn what_lay_in_a_buffer_while_nobody_ran_keeps_no_socket_alive() {
    let mut play = Play::listening();
    play.session.handle_heard(10_000, 1, 10_000);
    // The process stood still for a minute; its reader is the first to run.
    play.session.handle_heard(70_000, 1, 70_000);
    assert_eq!(play.drain(), [Close { socket: 1 }, Lost(Cause::Silent)]);
    assert_eq!(play.next(FIRST_WAIT + Duration::from_secs(70)), [Open { socket: 2 }]);
}

#[test]
fn after_a_pause_nobody_waits_for_another_watchdog() {
    let mut play = Play::listening();
    play.session.handle_heard(10_000, 1, 10_000);
    assert_eq!(play.at(50_000), [Ping { socket: 1 }], "a frame may come at this very moment");
    let mut play = Play::listening();
    play.session.handle_heard(10_000, 1, 10_000);
    let actions = play.at(50_001);
    assert_eq!(actions[..2], [Close { socket: 1 }, Lost(Cause::Silent)], "{actions:?}");
}

#[test]
fn a_socket_that_is_replaced_lived_as_long_as_what_came_proves_and_not_until_it_was_read() {
    // A frame was read at 20 s, after a short pause: it may have lain there since 12 s. One more is read once the socket is
    // replaced, and lay there, too; a third one is the answer to the ping.
    let proofs = [(25_100, 12_000), (25_200, 12_500), (25_300, 25_250)];
    for (heard, since) in [(0, Some(12_000)), (1, Some(12_000)), (2, Some(12_500)), (3, None)] {
        let mut play = Play::listening();
        play.session.handle_heard(20_000, 1, 12_000);
        play.session.handle_control(21_000, 1, &Control::SocketClosing);
        play.now = 21_000;
        assert_eq!(play.at(21_000), [Open { socket: 2 }]);
        play.session.handle_open(25_000, 2);
        play.drain();
        for (at, proved) in &proofs[..heard] {
            play.session.handle_heard(*at, 1, *proved);
        }
        let actions = play.at(25_000 + 10_000);
        let unproved = actions.iter().find_map(|action| match action {
            Unproved { since } => Some(*since),
            _ => None,
        });
        assert_eq!(unproved, since, "{heard} came: {actions:?}");
    }
}
