//! One seed, one world of failures: the deterministic simulation of Headcount.
//!
//! A generated contact centre is the truth. Several Headcounts (engine, mailbox and a real store each) follow it through
//! feeds that lose, delay, double and reorder frames, die in silence and overlap; they crash at any step with the tail
//! of their disks torn, stand still while frames pile up in the kernel, find disks full or refused and clocks set by seconds
//! or years, overflow, and read by REST what is stale, fails or is throttled.
//! After every step what must hold is checked by name ([`Invariant`]); when faults stop, every fact of the truth is
//! known, or it is named where it is missing.
//!
//! All of it is one thread and one virtual clock, drawn from one seed: the same seed is the same world, byte for byte,
//! and a failing one is replayed with a trace. What it builds on is sans-io (`engine`, `pipeline::Keeper`,
//! `simulator::Stage`); what is not, sockets and HTTP, is tested against the simulator over real ones elsewhere.
//!
//! Rejected: turmoil and madsim (they put the whole program with its runtime on a virtual network, hundreds of times
//! slower a world, and the disk stays real), and faults drawn all at once for every world (nothing goes deep).

mod agenda;
mod cells;
mod clocks;
mod disk;
mod feed;
mod judge;
mod network;
mod node;
mod pauses;
mod plan;
mod repairs;
mod rim;
mod trace;
mod truth;
mod turns;
mod watch;
mod world;

pub use watch::{Broken, Invariant};

use plan::Plan;
use world::World;

/// What became of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What did not hold; none when all did.
    pub broken: Option<Broken>,
    /// What happened, line by line; empty when it was not wanted.
    pub trace: String,
}

/// Plays the world of a seed; `traced`: with every step written down.
///
/// # Errors
/// When no folder could be made for the disks.
pub fn play(seed: u64, traced: bool) -> std::io::Result<Outcome> {
    let mut world = World::new(Plan::draw(seed), traced)?;
    let mut whole = std::panic::AssertUnwindSafe(&mut world);
    let broken = match std::panic::catch_unwind(move || whole.play().and_then(|()| whole.judge())) {
        Ok(outcome) => outcome.err(),
        Err(panic) => Some(Broken::new(Invariant::NothingPanics, message(panic.as_ref()))),
    };
    if let Some(broken) = &broken {
        world.say(|| broken.to_string());
    }
    Ok(Outcome { broken, trace: world.trace.into_text() })
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
