//! The sockets of notification channels, each read by a task of its own.

use super::Report;
use crate::Timing;
use crate::channel::Channel;
use crate::context::Context;
use crate::frames::Frames;
use crate::listening::{Cause, HeardUntil, LOOK_EVERY};
use crate::sink::Sink;
use crate::socket::Socket;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::Control;

/// The platform's own health check (Genesys Java SDK NotificationHandler.sendPing).
const PING: &str = r#"{"message":"ping"}"#;

/// Channel and socket, by number.
pub(super) type Name = (usize, u32);

/// The ways to the tasks that read sockets.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<Name, Line>);

#[derive(Debug)]
struct Line {
    cancel: CancellationToken,
    pings: mpsc::Sender<()>,
}

/// What a socket's task is told by.
#[derive(Debug)]
pub(super) struct Ends {
    cancel: CancellationToken,
    pinged: mpsc::Receiver<()>,
}

impl Lines {
    /// A way to a new socket's task.
    pub fn add(&mut self, at: usize, socket: u32, parent: &CancellationToken) -> Ends {
        let (pings, pinged) = mpsc::channel(1);
        let cancel = parent.child_token();
        self.0.insert((at, socket), Line { cancel: cancel.clone(), pings });
        Ends { cancel, pinged }
    }

    /// Forgets a socket that has ended.
    pub fn remove(&mut self, at: usize, socket: u32) {
        self.0.remove(&(at, socket));
    }

    /// Ends a socket.
    pub fn close(&mut self, at: usize, socket: u32) {
        if let Some(line) = self.0.remove(&(at, socket)) {
            line.cancel.cancel();
        }
    }

    /// Sends a ping, unless one waits to be sent.
    pub fn ping(&self, at: usize, socket: u32) {
        if let Some(line) = self.0.get(&(at, socket)) {
            let _one_is_waiting = line.pings.try_send(());
        }
    }
}

/// Opens a socket and reads it until it ends or is no longer wanted.
pub(super) async fn run<S: Sink>(
    context: Arc<Context<S>>,
    name: Name,
    channel: Channel,
    frames: Frames<S>,
    reports: mpsc::Sender<Report>,
    ends: Ends,
) {
    let opened = tokio::select! {
        () = ends.cancel.cancelled() => return,
        opened = context.connector.connect(channel.connect_uri()) => opened,
    };
    let report = match opened {
        Ok(socket) => {
            let Timing { ping_after, pong_timeout, .. } = context.settings.timing;
            carry(name, socket, frames, ping_after + pong_timeout, &reports, ends).await
        }
        Err(error) => Some(Report::OpenFailed(name.0, name.1, error)),
    };
    if let Some(report) = report {
        let _driver_stopped = reports.send(report).await;
    }
}

/// Reads a socket; what to report when it ends by itself.
async fn carry<S: Sink>(
    (at, id): Name,
    mut socket: Socket,
    mut frames: Frames<S>,
    silence_max: Duration,
    reports: &mpsc::Sender<Report>,
    mut ends: Ends,
) -> Option<Report> {
    let opened = frames.moment();
    reports.send(Report::Open(at, id, opened)).await.ok()?;
    let mut heard_until = HeardUntil::new(opened, silence_max);
    loop {
        let before = frames.moment();
        let ready = tokio::select! {
            // The socket is looked at before the timer is.
            biased;
            () = ends.cancel.cancelled() => {
                socket.close().await;
                return None;
            }
            Some(()) = ends.pinged.recv() => {
                let sent = tokio::select! {
                    () = ends.cancel.cancelled() => return None,
                    sent = socket.send_text(PING.to_owned()) => sent,
                };
                match sent {
                    true => continue,
                    false => return Some(Report::Closed(at, id, Cause::Broken)),
                }
            }
            ready = socket.ready() => Some(ready),
            () = tokio::time::sleep(LOOK_EVERY) => None,
        };
        if ready.as_ref().is_none_or(|ready| ready.fresh) {
            heard_until.empty(before);
        }
        let Some(ready) = ready else { continue };
        if !ready.frames.is_empty() {
            let mut heard = frames.decode(&ready.frames);
            let until = heard_until.found(!ready.fresh, heard.at).until;
            let _driver_stopped = reports.send(Report::Heard(at, id, heard.at, until)).await;
            let controls = std::mem::take(&mut heard.controls);
            frames.submit(heard).await;
            for control in controls.into_iter().filter(|c| !matches!(c, Control::Heartbeat | Control::Pong)) {
                reports.send(Report::Control(at, id, control)).await.ok()?;
            }
        }
        if let Some(cause) = ready.end {
            return Some(Report::Closed(at, id, cause));
        }
        if ready.emptied {
            heard_until.empty(before);
        }
    }
}
