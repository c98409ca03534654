//! The follower against a strict stand-in of each InfluxDB, and against real servers.

mod check;
mod datafusion;
mod hydration;
mod outage;
mod real;
mod rows;
mod sending;
mod stand_in;
mod stand_in_states;
mod trouble;
mod world;
