//! Plays the world in real time and keeps the truth file up to date.
//!
//! The driver sleeps until something is due, plays it, and goes back to sleep. The file is written beside its place
//! and renamed, so a reader never sees half of it; a big truth is written less often, to spend a few per cent of the
//! time on it at most.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::shared::Shared;
use crate::truth::Truth;

/// How often a run that only waits for its sockets looks again.
const SETTLE: Duration = Duration::from_millis(20);

/// The longest sleep.
const IDLE: Duration = Duration::from_secs(3_600);

/// How often the truth is written while it is small.
const TRUTH_EVERY: Duration = Duration::from_secs(1);

/// Plays until the simulator stops.
pub async fn run(shared: Arc<Shared>) {
    let open = async {
        if shared.options.await_subscriber {
            shared.subscribed.notified().await;
        }
    };
    tokio::select! {
        () = open => {}
        () = shared.stop.cancelled() => return,
    }
    shared.world().centre.open(shared.now());
    while !shared.stop.is_cancelled() {
        let until = play(&shared);
        tokio::select! {
            () = sleep_until(until) => {}
            () = shared.wake.notified() => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Plays what is due and says until when to sleep.
fn play(shared: &Shared) -> Instant {
    let mut world = shared.world();
    let due = world.play(shared.now());
    let played_out = world.centre.is_exhausted();
    let finished = played_out && world.is_finished() && shared.in_flight.load(Ordering::SeqCst) == 0;
    drop(world);
    if finished {
        shared.finished.send_replace(true);
    }
    let idle = if played_out && !finished { SETTLE } else { IDLE };
    let idle = Instant::now() + idle;
    due.map_or(idle, |at| shared.instant(at).min(idle))
}

/// Writes the truth file every second or so, and once more at the end.
pub async fn write_truth(shared: Arc<Shared>) {
    let Some(path) = shared.options.truth.clone() else { return };
    loop {
        let began = Instant::now();
        save(&shared, &path).await;
        if shared.stop.is_cancelled() {
            return;
        }
        let pause = TRUTH_EVERY.max(began.elapsed() * 20);
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

async fn save(shared: &Shared, path: &Path) {
    let truth = shared.world().truth(shared.now());
    let to = path.to_owned();
    let written = tokio::task::spawn_blocking(move || replace(&to, &truth)).await;
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(path = %path.display(), %error, "the truth file cannot be written"),
        Err(error) => tracing::warn!(%error, "the truth file was not written"),
    }
}

fn replace(path: &Path, truth: &Truth) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, serde_json::to_vec(truth)?)?;
    std::fs::rename(&beside, path)
}
