//! Everything that changes, in one place: the centre, the truth, the faults, the channels, the gateway.
//!
//! One lock guards it. A request reads a conversation exactly as the snapshot of that moment would show it, and the
//! driver plays all that is due in one go; at a few thousand transitions a second that costs less than what finer
//! locks would cost in thought. A body is written once, and only when somebody listens.

use std::collections::BTreeSet;

use fastrand::Rng;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::body::{self, Setting, nested};
use crate::centre::causal::{Cause, REGIONS};
use crate::centre::conversation::Conversation;
use crate::centre::people::draw_id;
use crate::centre::script::Leg;
use crate::centre::words::Medium;
use crate::centre::{Centre, Change, ChangeKind, Happening};
use crate::delays::{Delayed, Delays, Target};
use crate::faults::Faults;
use crate::http::access::Access;
use crate::options::{Dialect, Options};
use crate::socket::channels::Channels;
use crate::socket::gateway::Gateway;
use crate::time::{Millis, Stamp};
use crate::truth::{self, Ledger, Truth};

#[cfg(test)]
mod tests;

/// The state of the simulated cloud.
pub struct World {
    pub centre: Centre,
    pub channels: Channels,
    pub gateway: Gateway,
    pub access: Access,
    pub faults: Faults,
    /// The dice of the sockets: which cuts are announced.
    pub socket_rng: Rng,
    ledger: Ledger,
    delays: Delays,
    dialect: Dialect,
    seed: u64,
    skew_ms: Millis,
    started_at: Millis,
    keeps_all: bool,
}

impl World {
    /// The cloud before the first call.
    pub fn new(options: &Options, now: Millis) -> Self {
        Self {
            centre: Centre::new(options.settings(), now),
            channels: Channels::default(),
            gateway: Gateway::new(!options.no_resend),
            access: Access::new(options),
            faults: Faults::new(&options.faults, options.seed, now),
            socket_rng: Rng::with_seed(options.seed ^ 0x50c4_e7d1_ce00_0000),
            ledger: Ledger::default(),
            delays: Delays::new(options.seed, options.duplicates, options.reorder_ms),
            dialect: options.dialect,
            seed: options.seed,
            skew_ms: options.clock_skew_ms as Millis,
            started_at: now,
            keeps_all: options.keeps_all(),
        }
    }

    /// What bodies need.
    pub fn setting(&self) -> Setting<'_> {
        Setting { people: &self.centre.people, skew_ms: self.skew_ms }
    }

    /// Plays all that is due and says when to come back.
    pub fn play(&mut self, now: Millis) -> Option<Millis> {
        while let Some(happening) = self.centre.next(now) {
            self.publish(now, happening);
        }
        while let Some(frame) = self.delays.next(now) {
            self.hand_over(now, frame);
        }
        let lost = self.gateway.forget(now);
        self.mark_lost(&lost);
        [self.centre.due(), self.delays.due()].into_iter().flatten().min()
    }

    /// Plays all that is due, and hands out the frames it makes instead of delivering them.
    pub fn rehearse(&mut self, now: Millis) -> Vec<Delayed> {
        while let Some(happening) = self.centre.next(now) {
            self.publish(now, happening);
        }
        std::iter::from_fn(|| self.delays.next(now)).collect()
    }

    /// All conversations are played out and no frame is on its way.
    pub fn is_finished(&self) -> bool {
        self.centre.is_exhausted() && self.delays.due().is_none() && self.gateway.is_settled()
    }

    /// Remembers whose frames reached nobody.
    pub fn mark_lost(&mut self, conversations: &[Uuid]) {
        for id in conversations {
            if let Some(conversation) = self.centre.conversation_mut(*id) {
                conversation.lost = true;
            }
        }
    }

    /// What really happened until `now`.
    pub fn truth(&self, now: Millis) -> Truth {
        let people = &self.centre.people;
        let all = self.centre.conversations();
        let mut conversations: Vec<_> =
            all.map(|one| truth::conversation(one, people, self.skew_ms)).collect();
        conversations.sort_by_key(|one| (one.started_at, one.id));
        Truth {
            seed: self.seed,
            dialect: self.dialect,
            started_at: Stamp(self.started_at),
            until: Stamp(now),
            active_interactions: self.centre.active(),
            active_over_time: self.ledger.active_over_time(),
            minutes: self.ledger.minutes(),
            conversations,
        }
    }

    fn hand_over(&mut self, now: Millis, frame: Delayed) {
        match frame.target {
            Target::Channel(channel) => {
                if !self.channels.deliver(channel, frame.conversation, &frame.text) {
                    self.mark_lost(frame.conversation.as_slice());
                }
            }
            Target::Gateway { type_bit } => {
                let lost = self.gateway.emit(now, type_bit, frame.conversation, frame.text);
                self.mark_lost(&lost);
            }
        }
    }

    fn publish(&mut self, now: Millis, happening: Happening) {
        match happening {
            Happening::Presence(_) | Happening::Routing(_) if self.channels.is_idle() => {}
            Happening::Presence(user) => self.publish_user(now, user, "presence"),
            Happening::Routing(user) => self.publish_user(now, user, "routingStatus"),
            Happening::Conversation(change) => {
                if matches!(change.kind, ChangeKind::Started | ChangeKind::Closed) {
                    self.ledger.note_active(change.at, self.centre.active());
                }
                self.note_fact(&change);
                self.publish_event(now, &change);
                self.publish_snapshots(now, &change);
            }
        }
    }

    fn note_fact(&mut self, change: &Change) {
        let (leg, kind, counts) = match change.kind {
            ChangeKind::Joined(participant) => (Leg { participant, communication: 0 }, "", false),
            ChangeKind::Dialed(leg) => (leg, "alerting", false),
            ChangeKind::Connected { leg, .. } => (leg, "connected", true),
            ChangeKind::Held(leg) => (leg, "held", false),
            ChangeKind::Unheld(leg) => (leg, "unheld", false),
            ChangeKind::Muted(leg) => (leg, "muted", false),
            ChangeKind::Unmuted(leg) => (leg, "unmuted", false),
            ChangeKind::Parked(leg) => (leg, "parked", true),
            ChangeKind::Resumed(leg) => (leg, "resumed", true),
            ChangeKind::Ended { leg, .. } => (leg, "ended", true),
            _ => return,
        };
        let Some(conversation) = self.centre.conversation_mut(change.conversation) else { return };
        let connected = conversation.participants[leg.participant].communications[leg.communication]
            .connected_at
            .is_some();
        let (kind, counts) = match kind {
            "" if connected => ("connected", true),
            "" => ("alerting", false),
            kind => (kind, counts),
        };
        let at = if kind == "ended" { change.at + self.skew_ms } else { change.at };
        if self.keeps_all {
            truth::note_fact_of(conversation, leg, kind, at);
        }
        if counts {
            self.ledger.count_transition(at);
        }
    }

    fn publish_event(&mut self, now: Millis, change: &Change) {
        let Some(conversation) = self.centre.conversation_mut(change.conversation) else { return };
        let (kind, slot, cause) = match change.kind {
            ChangeKind::Started => (3, None, Cause::None),
            ChangeKind::Closed => (3, None, Cause::All),
            ChangeKind::Joined(slot) => (0, Some(slot), Cause::Participant(slot)),
            ChangeKind::Connected { leg, first: true } => {
                (3, Some(leg.participant), Cause::Participant(leg.participant))
            }
            ChangeKind::Ended { leg, left: true } => {
                (1, Some(leg.participant), Cause::Participant(leg.participant))
            }
            ChangeKind::RoleChanged(slot) => (2, Some(slot), Cause::Participant(slot)),
            _ => return,
        };
        let Conversation { causal, rng, participants, .. } = conversation;
        let about = slot.map(|slot| (participants[slot].id, participants[slot].role));
        let state = match (slot, change.kind) {
            (Some(slot), _) => participants[slot].event_state.event_word(),
            (None, ChangeKind::Closed) => "ended",
            (None, _) => "in-progress",
        };
        let stamp = causal.as_mut().map(|causal| causal.stamp(rng, change.at, slot, cause));
        // Each region has a clock of its own, further ahead than the one before.
        let number =
            stamp.as_ref().and_then(|stamp| REGIONS.iter().position(|region| *region == stamp.region));
        let at = change.at + number.map_or(0, |number| number as Millis * self.skew_ms);
        let event =
            truth::event(draw_id(rng), body::events::TYPES[kind], (at, change.at), about, state, stamp);
        let text =
            self.dialect.speaks(Dialect::Events).then(|| body::events::write(change.conversation, &event));
        if self.keeps_all {
            conversation.history.events.push(event);
        }
        self.ledger.count_event(at);
        if let Some(text) = text {
            let target = Target::Gateway { type_bit: 1 << kind };
            self.delays.send(now, target, Some(change.conversation), text.into());
        }
    }

    fn publish_snapshots(&mut self, now: Millis, change: &Change) {
        let unseen =
            matches!(change.kind, ChangeKind::Started | ChangeKind::Closed | ChangeKind::RoleChanged(_));
        if unseen || self.channels.is_idle() {
            return;
        }
        let Some(conversation) = self.centre.conversation(change.conversation) else { return };
        let setting = Setting { people: &self.centre.people, skew_ms: self.skew_ms };
        let mut frames = Frames { channels: &self.channels, conversation, out: Vec::new() };
        let prefixes = prefixes(setting, conversation, change);
        let topics =
            |suffix: &str| prefixes.iter().map(|prefix| format!("{prefix}{suffix}")).collect::<Vec<_>>();
        let whole = topics("conversations");
        frames.add(&whole, || nested::write(setting, conversation, nested::View::Topic));
        for medium in concerned(conversation, change) {
            let flat = topics(&format!("conversations.{}", medium.plural()));
            frames.add(&flat, || body::flat::write(setting, conversation, medium));
        }
        if let Some((kind, leg)) = body::detail::kind(conversation, change) {
            let topic = format!("v2.detail.events.conversation.{}.{kind}", conversation.id);
            frames.add(&[topic], || body::detail::write(setting, conversation, change, &kind, leg));
        }
        for (channel, text) in frames.out {
            self.delays.send(now, Target::Channel(channel), Some(change.conversation), text);
        }
    }

    fn publish_user(&mut self, now: Millis, index: usize, part: &str) {
        let setting = Setting { people: &self.centre.people, skew_ms: self.skew_ms };
        let user = &self.centre.people.users[index];
        for part in [part, "activity"] {
            let topic = format!("v2.users.{}.{part}", user.id);
            let listeners = self.channels.listeners(&topic);
            if listeners.is_empty() {
                continue;
            }
            let body = match part {
                "presence" => body::people::presence(setting, user),
                "routingStatus" => body::people::routing_status(user),
                _ => body::people::activity(setting, user, index),
            };
            let text = envelope(&topic, &body.to_string(), draw_id(&mut self.socket_rng));
            for channel in listeners {
                self.delays.send(now, Target::Channel(*channel), None, text.clone());
            }
        }
    }
}

/// The frames that one change makes.
struct Frames<'a> {
    channels: &'a Channels,
    conversation: &'a Conversation,
    out: Vec<(Uuid, Utf8Bytes)>,
}

impl Frames<'_> {
    /// Adds a frame for each listener to each of the topics; the body is written once, and only if there is one.
    fn add(&mut self, topics: &[String], write: impl FnOnce() -> String) {
        let heard = |topic: &&String| !self.channels.listeners(topic).is_empty();
        let mut heard = topics.iter().filter(heard).peekable();
        if heard.peek().is_none() {
            return;
        }
        let body = write();
        for topic in heard {
            let text = envelope(topic, &body, self.conversation.correlation);
            self.out.extend(self.channels.listeners(topic).iter().map(|channel| (*channel, text.clone())));
        }
    }
}

fn envelope(topic: &str, body: &str, correlation: Uuid) -> Utf8Bytes {
    format!(
        r#"{{"topicName":"{topic}","version":"2","eventBody":{body},"metadata":{{"CorrelationId":"{correlation}"}}}}"#
    )
    .into()
}

/// Whose topics a change comes under: the queues that the conversation has been in, and the users who are on it or
/// whom the change is about.
fn prefixes(setting: Setting<'_>, conversation: &Conversation, change: &Change) -> Vec<String> {
    let subject = subject(change).map(|leg| leg.participant);
    let mut queues = BTreeSet::new();
    let mut users = BTreeSet::new();
    for (slot, one) in conversation.participants.iter().enumerate() {
        queues.extend(one.queue);
        if one.left_at.is_none() || subject == Some(slot) {
            users.extend(one.user);
        }
    }
    let queues =
        queues.into_iter().map(|queue| format!("v2.routing.queues.{}.", setting.people.queues[queue].id));
    let users = users.into_iter().map(|user| format!("v2.users.{}.", setting.people.users[user].id));
    queues.chain(users).collect()
}

/// The media whose per-media bodies a change shows in.
fn concerned(conversation: &Conversation, change: &Change) -> Vec<Medium> {
    let media = |slot: usize| conversation.participants[slot].communications.iter().map(|leg| leg.medium);
    match (change.kind, subject(change)) {
        (ChangeKind::WorkStarted(slot) | ChangeKind::WrappedUp(slot), _) => media(slot).collect(),
        (_, Some(leg)) => media(leg.participant).nth(leg.communication).into_iter().collect(),
        (_, None) => Vec::new(),
    }
}

/// The leg that a change is about.
fn subject(change: &Change) -> Option<Leg> {
    match change.kind {
        ChangeKind::Started | ChangeKind::Closed => None,
        ChangeKind::Joined(participant)
        | ChangeKind::WorkStarted(participant)
        | ChangeKind::WrappedUp(participant)
        | ChangeKind::RoleChanged(participant) => Some(Leg { participant, communication: 0 }),
        ChangeKind::Dialed(leg)
        | ChangeKind::Connected { leg, .. }
        | ChangeKind::Held(leg)
        | ChangeKind::Unheld(leg)
        | ChangeKind::Muted(leg)
        | ChangeKind::Unmuted(leg)
        | ChangeKind::Parked(leg)
        | ChangeKind::Resumed(leg)
        | ChangeKind::Ended { leg, .. } => Some(leg),
    }
}
