//! Genesys Cloud as a source of facts: OAuth, notification channels, sockets, REST repair, the `events` socket.
//!
//! The decisions are pure and tested without a network: what to do when a socket falls silent or a channel dies is the
//! session's, how long to wait is the back-off's, what of a hostile stream reaches the WebSocket library is the gate's.
//! Around them are thin drivers that carry out and report back. A secret (client secret, access token, a channel's
//! connect URI) is in no log, error or `Debug`.

mod api;
mod channel;
mod check;
mod context;
mod discovery;
mod events;
mod feed;
mod frames;
mod gate;
mod health;
pub mod listening;
mod notifications;
mod past;
mod region;
mod repair;
pub mod repairing;
mod route;
mod settings;
mod sink;
mod socket;
mod source;
mod timing;
mod token;
mod topics;

pub use api::ApiError;
pub use check::check;
pub use health::{FeedHealth, Health};
pub use listening::Rejection;
pub use outward::SetupError;
pub use past::Past;
pub use region::{EndpointError, Endpoints, EnvironmentError, environments};
pub use settings::{Dialect, DialectError, Settings};
pub use sink::Sink;
pub use source::Source;
pub use timing::Timing;
pub use token::TokenError;
pub use topics::{TopicTarget, Topics, TopicsError};
