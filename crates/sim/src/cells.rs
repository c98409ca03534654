//! Cells by what events are about, against those of all events: without a filter they are the same, whatever left memory,
//! came back, was merged into pages, torn or replayed meanwhile. And the state as it was shown once, against what is said of
//! that instant.

use crate::watch::{Broken, Invariant};
use crate::world::World;
use engine::Activity;
use pipeline::{CellInterval, CellQuestion, When};
use simulator::Millis;
use std::collections::BTreeMap;

/// How often a node merges parts of cells into pages, at most.
const MERGE_MS: Millis = 3_000;

impl World {
    /// Merges some cells, now and then, and looks whether all are right. A disk that is full puts it off.
    pub fn merge_cells(&mut self, node: usize) -> Result<(), Broken> {
        let (now, known) = (self.now, &mut self.nodes[node]);
        let Some(life) = known.life.as_mut().filter(|life| now - life.merged_at >= MERGE_MS) else {
            return Ok(());
        };
        life.merged_at = now;
        let _put_off = life.keeper.merge_cells(0);
        if life.keeper.engine().held_count() > 0 || life.keeper.store().is_poisoned() {
            return Ok(());
        }
        let cells = life.keeper.store().cells(i64::MIN / 2, i64::MAX / 2);
        let cells = cells.map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
        self.judge_cells(node, &cells.into_iter().collect())
    }

    /// What the state was once is what it is said to have been at that instant.
    pub fn judge_states(&self, node: usize) -> Result<(), Broken> {
        let known = &self.nodes[node];
        let Some(life) = &known.life else { return Ok(()) };
        for (at, (active, activity)) in &known.seen.states {
            let when = When { at: None, known_at: Some(*at) };
            let then = life.keeper.look_at(when, known.clock(self.now)).and_then(|told| told.value.finish());
            let then = then.map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
            if (then.active, &then.activity) != (*active, activity) {
                let (told, shown) = (events(&then.activity), events(activity));
                let what = format!(
                    "node {node} at {at}: {} active and {told:?}, not {active} and {shown:?}",
                    then.active
                );
                return Err(Broken::new(Invariant::AsKnownThen, what));
            }
        }
        Ok(())
    }

    /// Cells of all intervals, without a filter, are those of the minutes that were counted one by one.
    pub fn judge_cells(&self, node: usize, minutes: &BTreeMap<i64, u64>) -> Result<(), Broken> {
        let known = &self.nodes[node];
        let (Some(life), Some((first, _))) = (&known.life, minutes.first_key_value()) else { return Ok(()) };
        let last = minutes.last_key_value().map_or(*first, |(last, _)| *last);
        for interval in [CellInterval::Minute, CellInterval::Hour, CellInterval::Day] {
            let (from, to) = (first.div_euclid(interval.minutes()), last.div_euclid(interval.minutes()) + 1);
            let question = CellQuestion { filter: engine::Facets::default(), interval, from, to };
            let told =
                life.keeper.gather(question, known.clock(self.now)).and_then(|told| told.value.finish());
            let told = told.map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
            let told =
                told.map_err(|_| Broken::new(Invariant::CountsAreSets, "cells are not kept".to_owned()))?;
            let mut should = BTreeMap::new();
            for (minute, events) in minutes {
                *should.entry(minute.div_euclid(interval.minutes())).or_insert(0) += events;
            }
            let told: BTreeMap<i64, u64> =
                (from..).zip(told.counts).filter(|(_, events)| *events > 0).collect();
            if told != should {
                let what = format!("node {node}: by {interval:?} {told:?}, and of all events {should:?}");
                return Err(Broken::new(Invariant::CountsAreSets, what));
            }
        }
        Ok(())
    }
}

/// Minutes that have events, by how long before the newest they are.
fn events(activity: &Activity) -> Vec<(usize, u64)> {
    let counts = activity.counts.iter().rev().copied().enumerate();
    counts.filter(|(_, events)| *events > 0).collect()
}
