//! A follower that writes the history into InfluxDB 1, 2 and 3, and into what speaks their write protocol.
//!
//! It sends what conversations are, and not what happened to them: each portion is compared with what the server is known
//! to hold, point by point, and what differs is written. So what is sent twice is there once, a late fact corrects what it
//! changed, and an outage costs nothing but lag. How a point is corrected is the server's own: 1.x and 2.x replace it and
//! delete one that stands elsewhere now (`difference.rs`); 3.x replaces nothing reliably and deletes nothing, so a row takes
//! it back (`ledger.rs`); in VictoriaMetrics an old one stays behind, counted.
//!
//! Line protocol lives here and not in `wire`, which is the home of what comes *in* from Genesys Cloud.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod answer;
mod check;
mod deliver;
mod difference;
mod hydrate;
mod layout;
mod ledger;
mod line;
mod points;
mod recall;
mod run;
mod server;
mod settings;

pub use check::check;
pub use hydrate::{Legacy, legacy};
pub use run::{Running, start};
pub use server::SetupError;
pub use settings::{Api, BATCH_LINES_MAX, Schema, Settings, SettingsError, Timing, read_url};

/// The follower's name: of its file, of its metrics, and in `/readyz`.
pub const NAME: &str = "influxdb";
