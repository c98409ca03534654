//! A source against a platform that does exactly what a test tells it to, over real sockets on loopback.

mod calls;
mod channels;
mod defects;
mod dialect_events;
mod listening;
mod pauses;
mod platform;
mod recorder;
mod repairs;
mod rounds;
mod secrets;
mod simulated;
mod support;
