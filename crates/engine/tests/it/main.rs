//! The engine from outside: deliveries in, views out.

mod at;
mod contributions;
mod fuzzed;
mod ghosts;
mod known_at;
mod ledger;
mod order_of_arrival;
mod regressions;
mod remembered;
mod revisions;
mod scenarios;
mod unheard;
mod why;
mod world;
