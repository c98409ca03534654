//! What is known of users apart from conversations: the newest value of each kind.
//!
//! A register keeps the newest by source time, then by receipt, then by value, so that every order of arrival ends in
//! the same value.

use crate::{Id, Time, UserFact, UserRow, UserView, UserWhat, Word};
use std::collections::BTreeMap;

/// Every user's newest values.
#[derive(Debug, Default)]
pub(crate) struct Users {
    known: BTreeMap<(Id, UserWhat), Latest>,
}

/// Ordered by how new it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Latest {
    when: i64,
    value: Word,
    at: Option<Time>,
    received: i64,
}

impl Users {
    /// Takes a fact; the row to store when it is newer than what was known.
    pub fn take(&mut self, fact: UserFact) -> Option<UserRow> {
        let row = UserRow {
            user: fact.user,
            what: fact.what,
            value: fact.value,
            at: fact.at,
            received: fact.received,
        };
        self.restore(row.clone()).then_some(row)
    }

    /// Takes a stored row; true when it is newer than what was known.
    pub fn restore(&mut self, row: UserRow) -> bool {
        let when = row.at.map_or(row.received, |at| at.nanos);
        let latest = Latest { when, value: row.value, at: row.at, received: row.received };
        let slot = self.known.entry((row.user, row.what));
        match slot {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(latest);
                true
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let known = slot.get();
                let repeats = known.value == latest.value && known.at == latest.at;
                let newer = !repeats && latest > *known;
                if newer {
                    slot.insert(latest);
                }
                newer
            }
        }
    }

    /// What is known of a user; none when nothing is.
    pub fn view(&self, user: &Id) -> Option<UserView> {
        let get = |what| {
            let latest = self.known.get(&(user.clone(), what))?;
            Some((latest.value.clone(), latest.at))
        };
        let view =
            UserView { presence: get(UserWhat::Presence), routing_status: get(UserWhat::RoutingStatus) };
        (view != UserView::default()).then_some(view)
    }
}
