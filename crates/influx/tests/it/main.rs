//! The follower against a strict stand-in of each InfluxDB, and against real servers.

mod check;
mod hydration;
mod outage;
mod real;
mod sending;
mod stand_in;
mod trouble;
mod world;
