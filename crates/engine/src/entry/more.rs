//! What few entries have, and the ways to read every attribute wherever it stands.

use super::bits::Bits;
use super::{ELSEWHERE, ELSEWHERE_NS, Entry, NO_TIME, NO_WORD, Pieces};
use crate::names::{Name, Names, Sym};
use crate::{Authority, Source, Stamp};
use std::sync::Arc;

/// Attributes that most entries do not have: what a participant or a communication is, and why it ended.
#[derive(Clone, Debug)]
pub(super) struct More {
    pub since: i64,
    pub rare: Option<Box<Rare>>,
    pub user: Name,
    pub queue: Name,
    pub medium: Sym,
    pub direction: Sym,
    pub reason: Sym,
    pub since_digits: u8,
}

/// What hardly any entry has, unless its source has clocks.
#[derive(Clone, Debug)]
pub(super) struct Rare {
    /// Source time, where it is not the entry's place in the order.
    pub at: i64,
    /// When it became visible, where that is not soon after its receipt.
    pub published: i64,
    pub stamp: Option<Arc<Stamp>>,
    /// The pieces of evidence that it joins; none while there is but one.
    pub pieces: Option<Box<Pieces>>,
    pub incarnation: u32,
    /// State and role, where one of them is no word of the platform's own.
    pub state: Sym,
    pub role: Sym,
}

const _: () = assert!(std::mem::size_of::<More>() == 32);

impl Default for More {
    fn default() -> Self {
        Self {
            since: NO_TIME,
            rare: None,
            user: Name::NONE,
            queue: Name::NONE,
            medium: Sym::NONE,
            direction: Sym::NONE,
            reason: Sym::NONE,
            since_digits: 0,
        }
    }
}

impl Default for Rare {
    fn default() -> Self {
        Self {
            at: NO_TIME,
            published: NO_TIME,
            stamp: None,
            pieces: None,
            incarnation: 0,
            state: Sym::NONE,
            role: Sym::NONE,
        }
    }
}

impl More {
    /// Whether a fact just packed has nothing here.
    pub fn is_blank(&self) -> bool {
        let words = [self.medium, self.direction, self.reason];
        self.since == NO_TIME
            && self.rare.is_none()
            && !self.user.is_some()
            && !self.queue.is_some()
            && !words.iter().any(|word| word.is_some())
    }
}

impl Entry {
    pub(super) fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    pub(super) fn rare(&self) -> Option<&Rare> {
        self.more().and_then(|m| m.rare.as_deref())
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.more.get_or_insert_default().rare.get_or_insert_default()
    }

    /// When the hold or the state that it is about began; `NO_TIME` when that is not told.
    pub fn since(&self) -> i64 {
        self.more().map_or(NO_TIME, |m| m.since)
    }

    /// When it became visible.
    pub fn published(&self) -> i64 {
        if self.published_after_ns == ELSEWHERE_NS {
            return self.rare().map_or(self.received, |r| r.published);
        }
        self.received.saturating_add(i64::from(self.published_after_ns))
    }

    pub fn stamp(&self) -> Option<&Stamp> {
        self.rare().and_then(|r| r.stamp.as_deref())
    }

    pub fn incarnation(&self, names: &Names) -> u32 {
        if self.life == ELSEWHERE {
            return self.rare().map_or(0, |r| r.incarnation);
        }
        names.incarnation().saturating_add(u32::from(self.life))
    }

    pub fn state(&self) -> Sym {
        self.word(self.state, |r| r.state)
    }

    pub fn role(&self) -> Sym {
        self.word(self.role, |r| r.role)
    }

    fn word(&self, small: u8, elsewhere: impl Fn(&Rare) -> Sym) -> Sym {
        match small {
            NO_WORD => Sym::NONE,
            ELSEWHERE => self.rare().map_or(Sym::NONE, elsewhere),
            ordinal => Sym::known(ordinal),
        }
    }

    pub fn user(&self) -> Name {
        self.more().map_or(Name::NONE, |m| m.user)
    }

    pub fn queue(&self) -> Name {
        self.more().map_or(Name::NONE, |m| m.queue)
    }

    pub fn medium(&self) -> Sym {
        self.more().map_or(Sym::NONE, |m| m.medium)
    }

    pub fn direction(&self) -> Sym {
        self.more().map_or(Sym::NONE, |m| m.direction)
    }

    pub fn reason(&self) -> Sym {
        self.more().map_or(Sym::NONE, |m| m.reason)
    }

    pub fn authority(&self) -> Authority {
        self.bits.authority()
    }

    pub fn source(&self) -> Source {
        self.bits.source()
    }

    /// Of a toggle: on or off.
    pub fn on(&self) -> bool {
        self.bits.has(Bits::ON)
    }

    /// Its place had been published before it came.
    pub fn late(&self) -> bool {
        self.bits.has(Bits::LATE)
    }

    pub fn be_late(&mut self) {
        self.bits.set(Bits::LATE, true);
    }

    /// Counted in the cell of its own minute; decided by the fold.
    pub fn counted(&self) -> bool {
        self.bits.has(Bits::COUNTED)
    }

    pub fn count(&mut self, counted: bool) {
        self.bits.set(Bits::COUNTED, counted);
    }

    /// Shown in the timeline; decided by the fold.
    pub fn shown(&self) -> bool {
        self.bits.has(Bits::SHOWN)
    }

    pub fn show(&mut self, shown: bool) {
        self.bits.set(Bits::SHOWN, shown);
    }

    /// Not settled yet.
    pub fn fresh(&self) -> bool {
        self.bits.has(Bits::FRESH)
    }

    pub fn refresh(&mut self, fresh: bool) {
        self.bits.set(Bits::FRESH, fresh);
    }
}
