//! The simulator over real loopback sockets, as a consumer sees it.
//!
//! Every test starts its own simulator on a free port and waits for conditions (a frame, an end, a state), never for
//! time to pass. The rate is high and the pace quick, so that whole conversations fit into a second or two.

mod client;
mod events;
mod faults;
mod notifications;
mod rest;
