//! The cloud without its sockets: played by whoever owns it, on any clock.
//!
//! A simulation that brings a network, faults and a clock of its own wants the centre, its bodies and its truth, and
//! nothing that waits, listens or draws lots behind its back. A stage plays what is due and hands out each frame with
//! the outlet that it leaves by; what becomes of it on the way is the owner's affair. The same options and the same
//! instants give the same frames, byte for byte.

use uuid::Uuid;

use crate::Options;
use crate::body::nested::{self, View};
use crate::delays::Target;
use crate::time::Millis;
use crate::truth::{Id, Truth};
use crate::world::World;

/// Where a frame leaves the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outlet {
    /// The channel that was subscribed as the n-th, from 0.
    Channel(usize),
    /// The gateway of the events dialect.
    Gateway,
}

/// A frame as it leaves the cloud.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where.
    pub outlet: Outlet,
    /// What it is about, if it is about a conversation.
    pub conversation: Option<Id>,
    /// Its bytes.
    pub text: String,
}

/// A cloud that is played by hand.
pub struct Stage {
    world: World,
    channels: Vec<Uuid>,
}

impl std::fmt::Debug for Stage {
    /// The outlets only: the world behind is large.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("channels", &self.channels.len()).finish_non_exhaustive()
    }
}

impl Stage {
    /// A cloud before the first call. Of the options, those about the network are left to the owner.
    #[must_use]
    pub fn new(options: &Options, now: Millis) -> Self {
        let options = Options { duplicates: 0.0, reorder_ms: 0, ..options.clone() };
        Self { world: World::new(&options, now), channels: Vec::new() }
    }

    /// Opens the lines.
    pub fn open(&mut self, now: Millis) {
        self.world.centre.open(now);
    }

    /// Makes a channel with topics; its number among the outlets.
    pub fn subscribe(&mut self, topics: Vec<String>, now: Millis) -> usize {
        // Each of a client of its own: nothing evicts another here.
        let client = format!("stage-{}", self.channels.len());
        let channel = self.world.channels.create(&client, now).id;
        self.world.channels.set_topics(channel, topics, now);
        self.channels.push(channel);
        self.channels.len() - 1
    }

    /// Puts more topics on a channel, by its number among the outlets.
    pub fn add_topics(&mut self, channel: usize, topics: &[String], now: Millis) {
        let Some(id) = self.channels.get(channel).copied() else { return };
        let known = self.world.channels.get(id, now).map(|channel| channel.topics.clone());
        let mut all = known.unwrap_or_default();
        all.extend(topics.iter().cloned());
        self.world.channels.set_topics(id, all, now);
    }

    /// The ids of the queues.
    #[must_use]
    pub fn queues(&self) -> Vec<Id> {
        self.world.centre.people.queues.iter().map(|queue| Id(queue.id)).collect()
    }

    /// The ids of the users.
    #[must_use]
    pub fn users(&self) -> Vec<Id> {
        self.world.centre.people.users.iter().map(|user| Id(user.id)).collect()
    }

    /// When something happens next; none when all is played out.
    #[must_use]
    pub fn due(&self) -> Option<Millis> {
        (!self.world.centre.is_exhausted()).then(|| self.world.centre.due()).flatten()
    }

    /// Plays what is due at `now`; the frames that makes, in order.
    pub fn play(&mut self, now: Millis) -> Vec<Frame> {
        let mut frames = Vec::new();
        for frame in self.world.rehearse(now) {
            let outlet = match frame.target {
                Target::Gateway { .. } => Some(Outlet::Gateway),
                Target::Channel(id) => {
                    self.channels.iter().position(|known| *known == id).map(Outlet::Channel)
                }
            };
            frames.extend(outlet.map(|outlet| Frame {
                outlet,
                conversation: frame.conversation.map(Id),
                text: frame.text.to_string(),
            }));
        }
        frames
    }

    /// What a REST read of a conversation answers now; none when there is no such conversation.
    #[must_use]
    pub fn read(&self, id: Id) -> Option<String> {
        let conversation = self.world.centre.conversation(id.0)?;
        Some(nested::write(self.world.setting(), conversation, View::Rest))
    }

    /// What really happened until `now`.
    #[must_use]
    pub fn truth(&self, now: Millis) -> Truth {
        self.world.truth(now)
    }
}
