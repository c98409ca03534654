//! Operation sequences on the engine, driven the way the shard's keeper drives it.
//!
//! The bytes are a list of small decisions: what kind of world it is, then one operation after another: deliveries of
//! facts, copies of earlier ones, toggles, feed notes, drops, time that passes or steps back, commits, conversations that
//! are laid down and come back, restarts clean and unclean. After every operation the cheap invariants are checked, now and
//! then and at the end all of them. In half of the worlds nothing is said whose meaning is its order of arrival; there a
//! fresh engine that is told the same facts in another order must end in the same state.

mod checks;
mod facts;
mod world;

use crate::cursor::Cursor;
use world::World;

/// Operations of one run. Bounds its time; what goes wrong goes wrong in fewer.
const STEPS_MAX: usize = 96;
/// Operations between two full checks.
const FULL_CHECK_EVERY: usize = 12;

/// Takes a world and what happens in it.
pub(crate) fn run(bytes: &[u8]) {
    let mut from = Cursor::new(bytes);
    let mut world = World::new(&mut from);
    for step in 1..=STEPS_MAX {
        if from.is_over() {
            break;
        }
        act(&mut world, &mut from);
        world.check_counts();
        if step % FULL_CHECK_EVERY == 0 {
            world.check_all();
        }
    }
    world.check_all();
    world.end();
}

fn act(world: &mut World, from: &mut Cursor<'_>) {
    match from.below(20) {
        0..=7 => world.deliver(from),
        8 | 9 => world.deliver_again(from),
        10 => world.toggle(from),
        11 => world.note(from),
        12 => world.drop_facts(from),
        13 | 14 => world.pass_time(from),
        15 => world.step_back(from),
        16 => world.commit(),
        17 => world.lay_down(from),
        18 => world.user(from),
        _ => world.restart(from),
    }
}
