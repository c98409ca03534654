//! The stupid thing that the clever one is compared with: dots one by one, and a look through all that waits
//! after every change.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bounds, Released, Why};
use crate::testing::dot;
use crate::{Dot, DotSet, VectorClock};

pub type Freed = Vec<(u8, Released<char, usize>)>;

#[derive(Clone, Debug)]
pub struct Item {
    pub stream: u8,
    pub dot: Dot<char>,
    pub clock: VectorClock<char>,
    pub bytes: usize,
    pub name: usize,
}

pub struct Model {
    bounds: Bounds,
    streams: BTreeMap<u8, Told>,
    /// By arrival, with the deadline of each.
    waiting: Vec<(i64, Item)>,
}

#[derive(Default)]
struct Told {
    settled: BTreeSet<Dot<char>>,
    holes: BTreeSet<Dot<char>>,
}

/// All dots that the item's clock proves, its own excepted.
pub fn predecessors(item: &Item) -> BTreeSet<Dot<char>> {
    let proved = item.clock.iter().flat_map(|(actor, last)| (1..=last).map(move |n| dot(*actor, n)));
    proved.filter(|dot| *dot != item.dot).collect()
}

fn place(item: &Item) -> (u128, Dot<char>) {
    let mut with_own = item.clock.clone();
    with_own.observe(&item.dot);
    (with_own.sum(), item.dot.clone())
}

impl Model {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, streams: BTreeMap::new(), waiting: Vec::new() }
    }

    pub fn offer(&mut self, item: Item, now: i64) -> Freed {
        let mut out = Freed::new();
        let told = self.streams.entry(item.stream).or_default();
        if told.holes.contains(&item.dot) {
            self.tell(item, Why::Late, vec![], &mut out);
        } else if told.settled.contains(&item.dot) || predecessors(&item).is_subset(&told.settled) {
            self.tell(item, Why::InOrder, vec![], &mut out);
        } else {
            let due = now.saturating_add(self.bounds.age_ns_max);
            self.waiting.push((due, item.clone()));
            self.shrink(&item, &mut out);
        }
        out
    }

    pub fn expire(&mut self, now: i64) -> Freed {
        let mut out = Freed::new();
        while let Some(oldest) =
            self.oldest(|_| true).filter(|_| self.deadline().is_some_and(|due| due <= now))
        {
            self.force(oldest, Why::Deadline, &mut out);
        }
        out
    }

    pub fn deadline(&self) -> Option<i64> {
        self.waiting.iter().map(|(due, _)| *due).min()
    }

    pub fn bytes(&self) -> usize {
        self.waiting.iter().map(|(_, item)| item.bytes).sum()
    }

    pub fn waiting(&self, stream: u8) -> usize {
        self.waiting.iter().filter(|(_, item)| item.stream == stream).count()
    }

    pub fn missing(&self, stream: u8) -> DotSet<char> {
        let mut set = DotSet::new();
        self.streams.get(&stream).into_iter().flat_map(|told| told.holes.clone()).for_each(|dot| {
            set.insert(dot);
        });
        set
    }

    fn shrink(&mut self, newest: &Item, out: &mut Freed) {
        while self.waiting(newest.stream) > self.bounds.count_max {
            let oldest = self.oldest(|item| item.stream == newest.stream).expect("more than none wait");
            self.force(oldest, Why::Capacity, out);
        }
        if newest.bytes > self.bounds.bytes_max {
            self.force(newest.name, Why::Capacity, out);
        }
        while self.bytes() > self.bounds.bytes_max {
            let oldest = self.oldest(|_| true).expect("some bytes wait");
            self.force(oldest, Why::Capacity, out);
        }
    }

    fn oldest(&self, among: impl Fn(&Item) -> bool) -> Option<usize> {
        let candidates = self.waiting.iter().filter(|(_, item)| among(item));
        candidates.min_by_key(|(due, _)| *due).map(|(_, item)| item.name)
    }

    fn force(&mut self, name: usize, why: Why, out: &mut Freed) {
        while let Some((_, victim)) = self.waiting.iter().find(|(_, item)| item.name == name) {
            let before = predecessors(victim);
            let stream = victim.stream;
            let goes =
                |item: &Item| item.name == name || (item.stream == stream && before.contains(&item.dot));
            let first = self.waiting.iter().enumerate().filter(|(_, (_, item))| goes(item));
            let index = first.min_by_key(|(_, (_, item))| place(item)).map(|(index, _)| index);
            let (_, item) = self.waiting.remove(index.expect("the victim at least"));
            self.give_up(item, why, out);
        }
    }

    fn give_up(&mut self, item: Item, why: Why, out: &mut Freed) {
        let told = self.streams.entry(item.stream).or_default();
        let mut missing = DotSet::new();
        for dot in predecessors(&item).difference(&told.settled.clone()) {
            told.settled.insert(dot.clone());
            told.holes.insert(dot.clone());
            missing.insert(dot.clone());
        }
        self.tell(item, why, missing.ranges().collect(), out);
    }

    fn tell(&mut self, item: Item, why: Why, missing: Vec<crate::DotRange<char>>, out: &mut Freed) {
        let told = self.streams.entry(item.stream).or_default();
        told.holes.remove(&item.dot);
        told.settled.insert(item.dot.clone());
        out.push((item.stream, Released { item: item.name, why, missing }));
        let told = &self.streams[&item.stream];
        let ready = self.waiting.iter().enumerate().filter(|(_, (_, other))| {
            other.stream == item.stream
                && (told.settled.contains(&other.dot) || predecessors(other).is_subset(&told.settled))
        });
        if let Some((index, _)) = ready.min_by_key(|(_, (due, other))| (place(other), *due)) {
            let (_, next) = self.waiting.remove(index);
            let why = if told.holes.contains(&next.dot) { Why::Late } else { Why::GapFilled };
            self.tell(next, why, vec![], out);
        }
    }
}
