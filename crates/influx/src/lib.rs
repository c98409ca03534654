//! A follower that writes the history into InfluxDB 1, 2 and 3, and into what speaks their write protocol.
//!
//! It sends what conversations are, and not what happened to them: each portion is compared with what the server is known
//! to hold, point by point, and what differs is written. So a point that is sent twice overwrites itself, a late fact
//! corrects the points it changed, and an outage costs nothing but lag. What a server cannot do is said: 1.x and 2.x delete
//! a point that stands elsewhere now; 3.x and VictoriaMetrics cannot, so that such a point stays behind, counted.
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
mod line;
mod points;
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
