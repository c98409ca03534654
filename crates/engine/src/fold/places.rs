//! Where those stand who have a name, in a list that is nearly always short.
//!
//! A pass looks a participant and a leg up for every entry. Of the few that a conversation has, a look at each is
//! fastest; a source that names a new one with every event would make the pass quadratic, so a long list has an index.

use crate::names::Name;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// A list up to this long is looked through.
const FEW: usize = 32;

/// The index of a list that is long.
#[derive(Default)]
pub(super) struct Places(Option<Box<HashMap<Name, usize, FixedState>>>);

impl Places {
    /// Where the first of a name stands in the list.
    pub fn find(&self, name: Name, mut names: impl Iterator<Item = Name>) -> Option<usize> {
        match &self.0 {
            Some(index) => index.get(&name).copied(),
            None => names.position(|other| other == name),
        }
    }

    /// Notes that another one was put at the end of the list.
    pub fn grew(&mut self, names: impl ExactSizeIterator<Item = Name> + DoubleEndedIterator) {
        let mut placed = names.enumerate();
        match &mut self.0 {
            Some(index) => index.extend(placed.next_back().map(|(at, name)| (name, at))),
            None if placed.len() > FEW => {
                self.0 = Some(Box::new(placed.map(|(at, name)| (name, at)).collect()));
            }
            None => {}
        }
    }
}

impl std::fmt::Debug for Places {
    /// Nothing: it says what the list says.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Places")
    }
}
