//! The gateway of the events dialect.
//!
//! It sends each event to whoever has subscribed to its type, and keeps those of its last ten seconds: a client that
//! connects gets them again, in order, right after the confirmation of its subscription. Without that (`--no-resend`)
//! an event that is due while nobody is connected is lost.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::{Outbox, Parcel};
use crate::body::events::TYPES;
use crate::time::Millis;

#[cfg(test)]
mod tests;

/// How far back the gateway sends again.
const RESEND_MS: Millis = 10_000;

/// Events that are kept for it.
const RECENT_MAX: usize = 400_000;

struct Subscriber {
    outbox: Outbox,
    types: u8,
}

struct Recent {
    at: Millis,
    type_bit: u8,
    conversation: Option<Uuid>,
    text: Utf8Bytes,
    delivered: bool,
}

/// Who listens, and what was sent lately.
pub struct Gateway {
    resend: bool,
    /// Somebody has subscribed; before, there is nobody who could lose anything.
    is_used: bool,
    subscribers: Vec<Subscriber>,
    recent: VecDeque<Recent>,
    /// Events in `recent` that nobody has had.
    undelivered: usize,
}

impl Gateway {
    /// A gateway that nobody listens to.
    pub fn new(resend: bool) -> Self {
        Self { resend, is_used: false, subscribers: Vec::new(), recent: VecDeque::new(), undelivered: 0 }
    }

    /// Sends an event that is due. Says whose events are lost for good by now.
    pub fn emit(
        &mut self,
        now: Millis,
        type_bit: u8,
        conversation: Option<Uuid>,
        text: Utf8Bytes,
    ) -> Vec<Uuid> {
        let at_stake = conversation.filter(|_| !self.resend);
        let listening = self.subscribers.iter().filter(|subscriber| subscriber.types & type_bit != 0);
        let sent =
            listening.filter(|subscriber| subscriber.outbox.send(Parcel::Frame(at_stake, text.clone())));
        let delivered = sent.count() > 0;
        if !self.resend {
            return conversation.filter(|_| !delivered && self.is_used).into_iter().collect();
        }
        self.undelivered += usize::from(!delivered);
        self.recent.push_back(Recent { at: now, type_bit, conversation, text, delivered });
        self.forget(now)
    }

    /// Drops what is too old to be sent again, and says whose events are lost by that.
    pub fn forget(&mut self, now: Millis) -> Vec<Uuid> {
        let mut lost = Vec::new();
        while self.recent.front().is_some_and(|event| event.at < now - RESEND_MS)
            || self.recent.len() > RECENT_MAX
        {
            let Some(event) = self.recent.pop_front() else { break };
            if !event.delivered {
                self.undelivered -= 1;
                lost.extend(event.conversation.filter(|_| self.is_used));
            }
        }
        lost
    }

    /// A client subscribes: it is told so and gets what was sent lately, then what comes. A second subscription on
    /// the same socket only changes the types.
    pub fn subscribe(&mut self, outbox: &Outbox, topics: &[String], confirmation: String) {
        let types = types_of(topics);
        self.is_used = true;
        outbox.say(confirmation);
        if let Some(known) = self.subscribers.iter_mut().find(|known| known.outbox.id == outbox.id) {
            known.types = types;
            return;
        }
        let mut again = Vec::new();
        for event in self.recent.iter_mut().filter(|event| event.type_bit & types != 0) {
            again.push(event.text.clone());
            self.undelivered -= usize::from(!event.delivered);
            event.delivered = true;
        }
        outbox.send(Parcel::Many(again));
        self.subscribers.push(Subscriber { outbox: outbox.clone(), types });
    }

    /// Forgets a socket that has ended.
    pub fn disconnect(&mut self, socket: u64) {
        self.subscribers.retain(|subscriber| subscriber.outbox.id != socket);
    }

    /// No event waits for somebody to come back.
    pub fn is_settled(&self) -> bool {
        self.undelivered == 0 || !self.is_used
    }

    /// Everyone who listens.
    pub fn sockets(&self) -> impl Iterator<Item = &Outbox> {
        self.subscribers.iter().map(|subscriber| &subscriber.outbox)
    }
}

/// The bits of the types that are named; all when none of the names is a type.
fn types_of(topics: &[String]) -> u8 {
    let named = (0..TYPES.len()).filter(|&index| topics.iter().any(|topic| topic == TYPES[index]));
    match named.fold(0, |types, index| types | 1 << index) {
        0 => u8::MAX,
        types => types,
    }
}
