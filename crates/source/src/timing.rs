//! How long a source waits for what, and how much of it, each with its reason.
//!
//! In one place and passed in, so that a test can be a thousand times more impatient than a program.

use std::time::Duration;

/// Every waiting time of a source, and the bounds of its repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Silence on a notification socket after which it is pinged. 35 s: the platform's heartbeat comes every 30 s,
    /// and its own clients give up at 35 s (Genesys Swift SDK HawkClient).
    pub ping_after: Duration,
    /// Silence on an `events` socket after which it is pinged (RFC 6455). 20 s: gateways promise no heartbeat, and
    /// idle connections are cut by intermediaries from 30 s on.
    pub events_ping_after: Duration,
    /// How long the answer to a ping may take before the socket counts as lost. 5 s: a hundred round trips.
    pub pong_timeout: Duration,
    /// TCP, TLS and WebSocket handshake together; TCP and TLS alone for a REST call. 10 s.
    pub connect_timeout: Duration,
    /// A whole REST call. 30 s: analytics queries take seconds.
    pub request_timeout: Duration,
    /// How long the server may take to confirm an `events` subscription. 10 s.
    pub confirm_timeout: Duration,
    /// The scale of the first waits between attempts. 0.5 s.
    pub backoff_min: Duration,
    /// The longest wait between attempts. 60 s: a region that comes back is noticed within a minute.
    pub backoff_max: Duration,
    /// A socket that lasted this long starts over with short waits when it is lost. 2 s.
    pub socket_stable_after: Duration,
    /// The same for a channel. 60 s: two programs that evict each other's channels must slow down.
    pub channel_stable_after: Duration,
    /// How long an old socket is read on after its replacement is open. 10 s: the platform lets both live for up to a
    /// minute, and what is under way takes about a second.
    pub overlap: Duration,
    /// The age at which a channel is replaced. 23 h: it dies at 24.
    pub channel_renew_after: Duration,
    /// How often users and queues are looked up again. 10 min.
    pub rediscover_every: Duration,
    /// REST reads under way at a time. 4: 300 calls a minute are allowed.
    pub repair_concurrency: usize,
    /// Conversations that may wait to be read before no more wishes are taken. 100,000: a day of a large organisation,
    /// some 10 MB.
    pub repair_waiting_max: usize,
    /// Pages of 100 conversations that are asked for of one day of a hole. 1,000: three to four minutes of calls.
    pub repair_day_pages_max: usize,
    /// How far before a hole repair looks. 60 s: clocks differ, and analytics learns late.
    pub repair_margin: Duration,
    /// The first wait before a failed repair is tried again. 5 s.
    pub repair_retry_min: Duration,
    /// The longest wait before a failed repair is tried again. 10 min: a missing permission takes a person.
    pub repair_retry_max: Duration,
    /// When a conversation that could not be read is read again. 60 s: an outage of the platform's REST lasts as long, and
    /// this adds nothing to it. Each time in a row that it fails again the wait doubles.
    pub read_again: Duration,
    /// The same of one that may not be read, or that nobody can read. 10 min: a missing permission takes a person.
    pub read_again_lasting: Duration,
    /// The longest of these waits; and when a round is tried again that asked for more than can be listed, or met what nobody
    /// can read, unless a feed asks for another. A day: what could be read is read, and reading it all again every few
    /// minutes would take the rate limit from others.
    pub read_again_max: Duration,
    /// How far before the start of this run the first repair looks for conversations that have ended since. 10 min; a
    /// program that knows when it was last running sets the time since then.
    pub look_back_first: Duration,
    /// How long to wait after the login host refused the client id or secret. 60 s: somebody has to change something.
    pub credentials_retry: Duration,
    /// How long to wait after a 429 that names no time. 10 s.
    pub rate_limit_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping_after: Duration::from_secs(35),
            events_ping_after: Duration::from_secs(20),
            pong_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            confirm_timeout: Duration::from_secs(10),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(60),
            socket_stable_after: Duration::from_secs(2),
            channel_stable_after: Duration::from_secs(60),
            overlap: Duration::from_secs(10),
            channel_renew_after: Duration::from_secs(23 * 3_600),
            rediscover_every: Duration::from_secs(600),
            repair_concurrency: 4,
            repair_waiting_max: 100_000,
            repair_day_pages_max: 1_000,
            repair_margin: Duration::from_secs(60),
            repair_retry_min: Duration::from_secs(5),
            repair_retry_max: Duration::from_secs(600),
            read_again: Duration::from_secs(60),
            read_again_lasting: Duration::from_secs(600),
            read_again_max: Duration::from_secs(86_400),
            look_back_first: Duration::from_nanos(engine::LOOK_BACK_NS.unsigned_abs()),
            credentials_retry: Duration::from_secs(60),
            rate_limit_wait: Duration::from_secs(10),
        }
    }
}
