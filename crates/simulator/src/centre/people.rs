//! Who works in the centre.
//!
//! Users and queues are drawn once from the seed. Every user serves two neighbouring queues; the last of them are
//! supervisors. A contact goes to whoever of its queue has the least to do, so as long as somebody is free a user
//! has one contact at a time; a centre with more contacts than people shares them out evenly instead of stopping.
//! The names are made up, and each contains `Canary`, so that a test can look for them where none may be.

use fastrand::Rng;
use uuid::Uuid;

use crate::time::Millis;

const FIRST: [&str; 16] = [
    "Odette", "Bram", "Ilse", "Tomas", "Wren", "Jorid", "Pavel", "Sunniva", "Anouk", "Matteo", "Greta",
    "Yusuf", "Linnea", "Kofi", "Maren", "Dario",
];
const LAST: [&str; 12] = [
    "Farrow",
    "Quill",
    "Lindqvist",
    "Marsh",
    "Okafor",
    "Tansley",
    "Vane",
    "Brook",
    "Hollis",
    "Sayer",
    "Wilde",
    "Prior",
];
const QUEUES: [&str; 8] =
    ["Service", "Sales", "Billing", "Returns", "Technical", "Renewals", "Complaints", "Appointments"];

/// What a user says about itself.
pub const PRESENCES: [&str; 5] = ["AVAILABLE", "AWAY", "BREAK", "MEAL", "MEETING"];

/// A member of the staff.
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub supervisor: bool,
    /// Index into [`PRESENCES`].
    pub presence: usize,
    pub presence_since: Millis,
    pub routing: &'static str,
    pub routing_since: Millis,
    /// Communications that ring at or are with the user.
    pub load: u32,
}

/// Where contacts wait.
pub struct Queue {
    pub id: Uuid,
    pub name: String,
}

/// Everybody and everywhere.
pub struct People {
    pub division: Uuid,
    pub presences: [Uuid; PRESENCES.len()],
    pub users: Vec<User>,
    pub queues: Vec<Queue>,
}

impl People {
    /// Draws the staff.
    pub fn draw(rng: &mut Rng, users: usize, queues: usize, now: Millis) -> Self {
        let supervisors = (users / 20).max(1);
        let users = (0..users).map(|index| User {
            id: draw_id(rng),
            name: format!("{} {} Canary {index}", FIRST[index % FIRST.len()], LAST[index % LAST.len()]),
            supervisor: users > 1 && index + supervisors >= users,
            presence: 0,
            presence_since: now,
            routing: "IDLE",
            routing_since: now,
            load: 0,
        });
        let users = users.collect();
        let queues = (0..queues).map(|index| Queue {
            id: draw_id(rng),
            name: format!("{} {index}", QUEUES[index % QUEUES.len()]),
        });
        let queues = queues.collect();
        let division = draw_id(rng);
        Self { division, presences: std::array::from_fn(|_| draw_id(rng)), users, queues }
    }

    /// The least busy of those who serve `queue`, preferring those who are at their desk.
    pub fn agent_for(&self, rng: &mut Rng, queue: usize) -> usize {
        let serves = |index: usize| self.queues_of(index).any(|served| served == queue);
        self.least_busy(rng, |index| !self.users[index].supervisor && serves(index))
            .or_else(|| self.least_busy(rng, |index| !self.users[index].supervisor))
            .unwrap_or(0)
    }

    /// The least busy supervisor.
    pub fn supervisor(&self, rng: &mut Rng) -> usize {
        self.least_busy(rng, |index| self.users[index].supervisor).unwrap_or(0)
    }

    /// Indices of the queues a user serves.
    pub fn queues_of(&self, user: usize) -> impl Iterator<Item = usize> + '_ {
        let count = self.queues.len();
        [user % count, (user + 1) % count].into_iter().take(count.min(2))
    }

    /// The position of a user by id.
    pub fn user(&self, id: Uuid) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    fn least_busy(&self, rng: &mut Rng, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.users.len();
        let from = rng.usize(..count);
        let turn = (0..count).map(|step| (from + step) % count);
        turn.filter(|&index| fits(index)).min_by_key(|&index| {
            let user = &self.users[index];
            (user.load, user.presence != 0)
        })
    }
}

/// An id of the shape the platform uses (a random UUID), drawn from the seed.
pub fn draw_id(rng: &mut Rng) -> Uuid {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}
