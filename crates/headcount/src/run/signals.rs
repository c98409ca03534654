//! The word to stop: SIGINT, SIGTERM and SIGHUP all drain, and a second one ends the program at once.
//!
//! Left to itself, SIGHUP ends a process on the spot: when a terminal is closed, and when a service manager that was told so
//! sends it. There is nothing that could be read anew without a restart, so that an orderly end is the closest to what
//! either wants. Where SIGHUP is ignored already (`nohup`) it stays so. Rejected: ignoring it always (a program that is left
//! without its terminal would hold the data folder, seen by nobody).

use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What was sent.
#[derive(Clone, Copy, Debug)]
struct Word {
    name: &'static str,
    /// As shells tell of an end by this signal.
    exit_code: i32,
}

const INTERRUPT: Word = Word { name: "SIGINT", exit_code: 130 };
const TERMINATE: Word = Word { name: "SIGTERM", exit_code: 143 };
const HANGUP: Word = Word { name: "SIGHUP", exit_code: 129 };

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where whoever started the program has it ignored.
    hangup: Option<Signal>,
}

/// Resolves on the first signal with its name. From this call on they are caught, and from the first one on another ends the
/// program at once.
///
/// # Errors
/// When signals cannot be caught.
pub fn told_to_stop() -> anyhow::Result<impl Future<Output = &'static str>> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        let first = signals.next().await;
        tokio::spawn(async move {
            let second = signals.next().await;
            std::process::exit(second.exit_code);
        });
        first.name
    })
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) -> Word {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
            _ = hangup => HANGUP,
        }
    }
}

/// Whether this process was started with SIGHUP ignored, as far as the system tells (Linux).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
