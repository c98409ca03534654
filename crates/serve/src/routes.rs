//! Every route in one table: its path, the parameters it knows, who answers, and whether the answer is compressed.
//!
//! A route is there only by standing in the table, and a row has no room for leaving the parameters out; so no route
//! can ignore what it does not know. Rejected: routes that are added wherever they are written, each with its own care.

use crate::parameters::{Known, only_known};
use crate::{Shared, activity, completeness, conversations, export, health, minutes, page, state, stream};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

type Answers = MethodRouter<Arc<Shared>>;

/// How the body of an answer travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// What is polled, tiny, compressed already, or never ends: compression would cost more than it saves.
    AsItIs,
    /// With the encoding that the client asks for.
    Compressed,
}

use Body::{AsItIs, Compressed};

const CONVERSATIONS: Known = &[
    "active", "role", "queueId", "userId", "medium", "state", "suspect", "limit", "cursor", "at", "known_at",
];
const EXPORT: Known =
    &["what", "format", "from", "to", "conversationId", "queueId", "userId", "role", "medium"];

/// What those ask who watch over the program: answered whatever else there is to do.
pub(crate) const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What is answered for as long as the client likes.
pub(crate) const LONG: [&str; 2] = ["/api/v1/stream", "/api/v1/export"];

fn table() -> [(&'static str, Known, Answers, Body); 18] {
    [
        ("/", &[], get(page::page), Compressed),
        ("/assets/{name}", &[], get(page::asset), Compressed),
        ("/api/v1/state", &["at", "known_at"], get(state::state), AsItIs),
        ("/api/v1/stream", stream::KNOWN, get(stream::stream), AsItIs),
        ("/api/v1/export", EXPORT, get(export::export), AsItIs),
        ("/api/v1/conversations", CONVERSATIONS, get(conversations::list), Compressed),
        ("/api/v1/conversations/{id}", &["at", "known_at"], get(conversations::one), Compressed),
        ("/api/v1/conversations/{id}/timeline", &["known_at"], get(conversations::timeline), Compressed),
        ("/api/v1/conversations/{id}/spells", &["known_at"], get(conversations::spells), Compressed),
        ("/api/v1/conversations/{id}/why", &["participantId"], get(conversations::why), Compressed),
        ("/api/v1/users/{id}", &[], get(conversations::user), Compressed),
        ("/api/v1/feeds", &[], get(health::feeds), Compressed),
        ("/api/v1/minutes", &[], get(minutes::minutes), Compressed),
        ("/api/v1/activity", activity::KNOWN, get(activity::activity), Compressed),
        ("/api/v1/completeness", &["from", "to"], get(completeness::completeness), Compressed),
        ("/healthz", &[], get(health::healthz), AsItIs),
        ("/readyz", &[], get(health::readyz), AsItIs),
        ("/metrics", &[], get(health::metrics), Compressed),
    ]
}

/// Every route's path, and the names of the parameters it knows; any other is refused.
#[must_use]
pub fn routes() -> Vec<(&'static str, &'static [&'static str])> {
    table().into_iter().map(|(path, known, ..)| (path, known)).collect()
}

/// The routes of the table.
pub(crate) fn router() -> Router<Arc<Shared>> {
    let (mut as_they_are, mut compressed) = (Router::new(), Router::new());
    for (path, known, answers, body) in table() {
        let answers = answers.route_layer(from_fn_with_state(known, only_known));
        match body {
            AsItIs => as_they_are = as_they_are.route(path, answers),
            Compressed => compressed = compressed.route(path, answers),
        }
    }
    as_they_are.merge(compressed.layer(CompressionLayer::new()))
}
