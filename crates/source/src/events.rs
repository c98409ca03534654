//! The `events` dialect: one socket, the token in its query, a subscription that is confirmed.
//!
//! A straight line, repeated: token, handshake, subscribe, listen until it is lost, wait. The feed listens only once the
//! subscription is confirmed. After a silence the socket is pinged; a gateway that does not answer is lost. A 401 at the
//! handshake means that the token went stale: it is replaced, once for each connection. The URL with the token exists
//! inside one function and is never shown. Rejected: the notification session (it is about channels, which this dialect
//! does not have).

use crate::context::Context;
use crate::feed::Feed;
use crate::listening::{Cause, Elapsed, HeardUntil, LOOK_EVERY, Millis, Verdict, Watchdog, millis};
use crate::past::Past;
use crate::sink::Sink;
use crate::socket::{ConnectError, Connector, Socket};
use crate::token::{NoToken, Token};
use outward::Backoff;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;
use wire::Control;

/// The name of the only feed.
const NAME: &str = "events";
const SUBSCRIPTION: &str = r#"{"subscription":{"topics":["interaction.participant.joined","interaction.participant.left","interaction.participant.roleChanged","interaction.lifecycleStateChange"]}}"#;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
enum NoSocket {
    #[error("{}", .0.error)]
    Token(NoToken),
    #[error("{0}; check GENESYS_EVENTS_URL and what the token may do")]
    Refused(ConnectError),
    #[error("{0}")]
    Connect(ConnectError),
}

/// Runs the feed until the source is cancelled.
pub(crate) async fn run<S: Sink>(context: Arc<Context<S>>) {
    let cancel = context.cancel.clone();
    let mut feed = Feed::new(0, NAME.to_owned(), context.clone());
    let timing = context.settings.timing;
    let mut waits = Backoff::new(timing.backoff_min, timing.backoff_max, fastrand::Rng::new());
    while let Some(opened) = cancel.run_until_cancelled(connect(&context)).await {
        let (problem, retry_in) = match opened {
            Ok(socket) => {
                let opened_at = Instant::now();
                let Some(cause) = listen(&context, &mut feed, socket).await else { return };
                if opened_at.elapsed() >= timing.socket_stable_after {
                    waits.reset();
                }
                let listened = feed.is_listening();
                feed.lost(cause);
                ((!listened).then(|| cause.sentence().to_owned()), Duration::ZERO)
            }
            Err(problem) => {
                (Some(format!("the events socket could not be opened: {problem}")), problem.retry_in())
            }
        };
        let wait = waits.wait().max(retry_in);
        if let Some(problem) = problem {
            feed.failing(&problem, wait);
        }
        if cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

impl NoSocket {
    fn retry_in(&self) -> Duration {
        match self {
            Self::Token(NoToken { retry_in, .. }) => *retry_in,
            Self::Refused(ConnectError::Throttled(wait)) | Self::Connect(ConnectError::Throttled(wait)) => {
                *wait
            }
            Self::Refused(_) | Self::Connect(_) => Duration::ZERO,
        }
    }
}

async fn connect<S: Sink>(context: &Context<S>) -> Result<Socket, NoSocket> {
    let endpoint = &context.settings.endpoints.events;
    let token = context.api.tokens().get().await.map_err(NoSocket::Token)?;
    match open(&context.connector, endpoint, &token).await {
        Err(ConnectError::Status(401)) => {
            let fresh = context.api.tokens().replace(&token).await.map_err(NoSocket::Token)?;
            open(&context.connector, endpoint, &fresh).await.map_err(NoSocket::Refused)
        }
        outcome => outcome.map_err(NoSocket::Connect),
    }
}

/// Opens a socket with the token in its query.
pub(crate) async fn open(
    connector: &Connector,
    endpoint: &Url,
    token: &Token,
) -> Result<Socket, ConnectError> {
    let mut url = endpoint.clone();
    url.query_pairs_mut().append_pair("access_token", token.expose());
    connector.connect(&url).await
}

/// Listens until the socket is lost, and says why; `None` when the source is cancelled.
async fn listen<S: Sink>(context: &Context<S>, feed: &mut Feed<S>, mut socket: Socket) -> Option<Cause> {
    let timing = context.settings.timing;
    let mut frames = context.frames(feed.index, NAME);
    let opened = context.clock.moment();
    let mut elapsed = Elapsed::new(opened, 0);
    let mut confirmed = false;
    let mut heard_until = HeardUntil::new(opened, timing.events_ping_after + timing.pong_timeout);
    let mut watchdog = Watchdog::new(0, timing.events_ping_after, timing.pong_timeout);
    let confirm_by = millis(timing.confirm_timeout);
    if !socket.send_text(SUBSCRIPTION.to_owned()).await {
        return Some(Cause::Broken);
    }
    loop {
        let due = if confirmed { watchdog.due() } else { watchdog.due().min(confirm_by) };
        let before = context.clock.moment();
        let wait = Duration::from_millis(due.saturating_sub(elapsed.advance(before)));
        let ready = tokio::select! {
            // The socket is looked at before the timer is.
            biased;
            () = context.cancel.cancelled() => {
                socket.close().await;
                return None;
            }
            ready = socket.ready() => Some(ready),
            // A pause of the machine's is looked for all the same: no timer tells of it.
            () = tokio::time::sleep(wait.min(LOOK_EVERY)) => None,
        };
        let now = elapsed.advance(context.clock.moment());
        if ready.as_ref().is_none_or(|ready| ready.fresh) {
            heard_until.empty(before);
        }
        let Some(ready) = ready else {
            if !confirmed && now >= confirm_by {
                return Some(Cause::NotConfirmed);
            }
            match watch(&mut watchdog, &mut socket, now).await {
                None => continue,
                cause => return cause,
            }
        };
        watchdog.heard(now);
        let found = context.clock.moment();
        let proved = heard_until.found(!ready.fresh, found);
        if !ready.frames.is_empty() {
            let heard = frames.decode(&ready.frames);
            if !confirmed && heard.controls.iter().any(|c| matches!(c, Control::SubscriptionConfirmed { .. }))
            {
                confirmed = true;
                feed.listening();
            }
            feed.heard(Past::new(proved.until, found));
            frames.submit(heard).await;
        }
        if !proved.in_time || ready.end.is_some() {
            return ready.end.or(Some(Cause::Silent));
        }
        if ready.emptied {
            heard_until.empty(before);
        }
    }
}

/// Sends a ping where it is time for one; why the socket is lost, where it is.
async fn watch(watchdog: &mut Watchdog, socket: &mut Socket, now: Millis) -> Option<Cause> {
    match watchdog.check(now) {
        Verdict::Wait => None,
        Verdict::Ping => (!socket.send_ping().await).then_some(Cause::Broken),
        Verdict::Lost => Some(Cause::Silent),
    }
}
