//! What a seed decides before anything happens: the centre, the feeds, and which faults there are how often.
//!
//! Not every world has every fault. Where all of them strike at once nothing is ever reached; a world with one or two
//! goes deep. So each fault is drawn to be there or not, and then how bad it is.

use engine::{Limits, SECOND};
use fastrand::Rng;
use pipeline::{MailboxSettings, WhenFull};
use simulator::{Dialect, Millis, Options};
use std::time::Duration;

/// How a world is made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub seed: u64,
    pub dialect: Dialect,
    /// The centre.
    pub options: Options,
    pub nodes: Vec<NodePlan>,
    pub network: Network,
    pub reads: Reads,
    pub host: Host,
    pub rim: Rim,
    /// What happens to a node, and every how many milliseconds on average; none: never.
    pub crashes: Option<Millis>,
    pub stops: Option<Millis>,
    pub clock_steps: Option<Millis>,
    pub full_disks: Option<Millis>,
    /// How long faults go on once all is played out.
    pub faults_after_ms: Millis,
    /// The share of conversations that nobody can read as long as faults go on, or for good.
    pub unreadable: f64,
    pub unreadable_for_good: bool,
    /// When faults stop nobody answers REST any more: what was missed by then stays missing, and is to be said.
    pub rest_ends: bool,
    /// REST reads of a node under way at a time.
    pub repair_concurrency: usize,
}

/// One Headcount.
#[derive(Clone, Debug)]
pub(crate) struct NodePlan {
    /// What its feeds listen to: indices of topic sets; of the `events` dialect there is one.
    pub feeds: Vec<Topics>,
    pub mailbox: MailboxSettings,
    pub limits: Limits,
    /// The longest time from mail to turn.
    pub turn_ms_max: Millis,
    /// Facts of a turn.
    pub turn_facts_max: usize,
    /// Somebody follows its changes.
    pub followed: bool,
}

/// What a feed listens to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topics {
    /// The gateway of the `events` dialect.
    Gateway,
    /// Every queue's conversations.
    Queues,
    /// Every user's conversations.
    Users,
    /// Every queue's conversations, medium by medium.
    QueueMedia,
    /// Whatever the program's own machine finds out about and puts on channels.
    Discovered,
    /// Every user's conversations, medium by medium.
    UserMedia,
}

/// What the way from the cloud does to frames.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub delay_ms_max: Millis,
    /// Frames of one socket keep their order.
    pub in_order: bool,
    pub duplicates: f64,
    /// Frames that get lost while the socket lives: only where clocks can tell.
    pub losses: f64,
    /// Every how long a socket dies; none: never.
    pub deaths: Option<Millis>,
    /// Of those, the share that nobody notices until the watchdog does.
    pub silent: f64,
    /// Of those, the share in which a second channel takes over before the first goes.
    pub overlaps: f64,
    pub watchdog_ms: Millis,
    pub away_ms_max: Millis,
    /// The gateway sends its last 10 s again.
    pub resends: bool,
}

/// What REST reads are like.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    pub latency_ms_max: Millis,
    pub failures: f64,
    pub throttled: f64,
    /// Answers whose `Date` is wrong, each in another way.
    pub lying_dates: f64,
}

/// What the machine under a process is like.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Every how long the process stands still; none: never.
    pub pauses: Option<Millis>,
    pub pause_ms_max: Millis,
    /// Frames that lie in the kernel's buffer before the peer gives up.
    pub kernel_frames_max: usize,
    /// How far its clock is set from the true one, at most.
    pub ahead_ms_max: Millis,
    /// Of the times that it is set, the share in which it is put right soon.
    pub put_right: f64,
    /// Old data is removed.
    pub retention: bool,
    /// The share of starts at which the disk refuses.
    pub refusals: f64,
}

/// What finding out and subscribing is like.
#[derive(Clone, Debug)]
pub(crate) struct Rim {
    /// Calls that fail, answers that get lost, sockets that cannot be opened.
    pub failures: f64,
    /// Topics that a subscription's answer leaves out.
    pub left_out: f64,
    /// For how long after the opening the list of users may not be read.
    pub forbidden_ms: Millis,
    pub watchdog_ms: Millis,
    pub renew_ms: Millis,
    pub rediscover_ms: Millis,
}

impl Plan {
    /// What a seed stands for.
    pub fn draw(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed ^ 0x51ed_270b_7a1c_0fee);
        let dialect = if rng.bool() { Dialect::Events } else { Dialect::Notifications };
        let regions = if dialect == Dialect::Events { rng.u32(0..=4) } else { 0 };
        let options = Options {
            dialect,
            seed: rng.u64(..),
            conversations: rng.u32(3..=12),
            rate: pick(rng, &[5.0, 20.0, 80.0]),
            pace: pick(rng, &[4.0, 12.0, 60.0]),
            leave_live: pick(rng, &[0.0, 0.1, 0.4]),
            regions,
            clock_skew_ms: if regions > 0 { pick(rng, &[0, 40, 2_000]) } else { pick(rng, &[0, 25, 40]) },
            users: rng.u32(3..=12),
            queues: rng.u32(1..=3),
            duration: Duration::ZERO,
            ..Options::default()
        };
        let nodes = (0..pick(rng, &[1, 1, 2])).map(|_| NodePlan::draw(rng, dialect)).collect();
        Self {
            seed,
            dialect,
            nodes,
            network: Network::draw(rng, regions > 0),
            reads: Reads::draw(rng),
            rim: Rim::draw(rng),
            crashes: maybe(rng, 0.5, 4_000, 40_000),
            stops: maybe(rng, 0.2, 10_000, 60_000),
            clock_steps: maybe(rng, 0.3, 5_000, 40_000),
            full_disks: maybe(rng, 0.2, 5_000, 40_000),
            faults_after_ms: rng.i64(0..20_000),
            host: Host::draw(rng),
            unreadable: pick(rng, &[0.0, 0.0, 0.2]),
            repair_concurrency: pick(rng, &[1, 4, 64]),
            unreadable_for_good: rng.bool(),
            rest_ends: rng.f64() < 0.2,
            options,
        }
    }
}

impl NodePlan {
    fn draw(rng: &mut Rng, dialect: Dialect) -> Self {
        let feeds = match dialect {
            Dialect::Events => vec![Topics::Gateway],
            _ => pick(
                rng,
                &[
                    vec![Topics::Discovered],
                    vec![Topics::Discovered],
                    vec![Topics::Queues],
                    vec![Topics::Queues, Topics::Users],
                    vec![Topics::Queues, Topics::Queues],
                    vec![Topics::QueueMedia, Topics::Queues],
                    vec![Topics::Queues, Topics::UserMedia, Topics::Users],
                ],
            ),
        };
        let facts_max = if rng.f64() < 0.4 { rng.usize(1..60) } else { 5_000 };
        let when_full = if rng.bool() { WhenFull::Block } else { WhenFull::Drop };
        let limits = Limits {
            busy_facts: pick(rng, &[4, 64]),
            hold_age_ns_max: rng.i64(SECOND / 5..=5 * SECOND),
            hold_count_max: pick(rng, &[2, 8, 1_000]),
            hold_bytes_max: pick(rng, &[4_096, 64 << 20]),
            ended_grace_ns: pick(rng, &[SECOND, 5 * SECOND, 60 * SECOND]),
            ..Limits::default()
        };
        Self {
            feeds,
            mailbox: MailboxSettings { facts_max, when_full },
            limits,
            turn_ms_max: pick(rng, &[1, 20, 500, 3_000]),
            turn_facts_max: pick(rng, &[1, 16, 8_192]),
            followed: rng.bool(),
        }
    }
}

impl Network {
    /// How long a socket that lives is silent at most.
    pub fn silence_max(&self) -> Duration {
        Duration::from_millis(self.watchdog_ms.unsigned_abs())
    }

    fn draw(rng: &mut Rng, clocks: bool) -> Self {
        Self {
            delay_ms_max: pick(rng, &[0, 50, 500, 3_000]),
            in_order: rng.bool(),
            duplicates: pick(rng, &[0.0, 0.1, 0.5]),
            losses: if clocks { pick(rng, &[0.0, 0.0, 0.05]) } else { 0.0 },
            deaths: maybe(rng, 0.6, 2_000, 30_000),
            silent: pick(rng, &[0.0, 0.5, 1.0]),
            overlaps: pick(rng, &[0.0, 0.3]),
            watchdog_ms: rng.i64(500..=35_000),
            away_ms_max: pick(rng, &[100, 3_000, 15_000]),
            resends: rng.f64() < 0.6,
        }
    }
}

impl Rim {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            failures: pick(rng, &[0.0, 0.1, 0.4]),
            left_out: pick(rng, &[0.0, 0.1, 0.5]),
            forbidden_ms: pick(rng, &[0, 0, 5_000, 20_000]),
            watchdog_ms: rng.i64(500..=35_000),
            renew_ms: rng.i64(5_000..=120_000),
            rediscover_ms: rng.i64(2_000..=30_000),
        }
    }
}

impl Reads {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            latency_ms_max: pick(rng, &[20, 300, 5_000]),
            failures: pick(rng, &[0.0, 0.1, 0.4]),
            throttled: pick(rng, &[0.0, 0.2]),
            lying_dates: pick(rng, &[0.0, 0.1, 0.3]),
        }
    }
}

impl Host {
    fn draw(rng: &mut Rng) -> Self {
        const DAY_MS: Millis = 86_400_000;
        Self {
            pauses: maybe(rng, 0.4, 4_000, 60_000),
            pause_ms_max: pick(rng, &[3_000, 20_000, 90_000]),
            kernel_frames_max: pick(rng, &[2, 20, 1_000]),
            ahead_ms_max: pick(rng, &[25_000, 25_000, DAY_MS / 2, 600 * DAY_MS]),
            put_right: pick(rng, &[0.0, 0.7]),
            retention: rng.bool(),
            refusals: pick(rng, &[0.0, 0.3]),
        }
    }
}

/// One of several.
pub(crate) fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

fn maybe(rng: &mut Rng, share: f64, from: Millis, to: Millis) -> Option<Millis> {
    let every = rng.i64(from..to);
    (rng.f64() < share).then_some(every)
}
