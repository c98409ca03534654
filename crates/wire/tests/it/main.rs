//! What the two dialects decode to, told by payloads, and that no byte sequence gets past the four outcomes.

mod controls;
mod detail;
mod events;
mod flat;
mod mutations;
mod nested;
mod privacy;
mod refusals;
mod rest;
mod samples;
mod support;
mod users;
