//! Logs go to standard error: human by default, JSON on request. `RUST_LOG` narrows or widens them.

use crate::cli::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that never log below a warning, whatever `RUST_LOG` says.
const LOUD: [&str; 5] =
    ["tungstenite=warn", "tokio_tungstenite=warn", "hyper=warn", "hyper_util=warn", "reqwest=warn"];

/// Starts logging. `quiet`: only warnings, for commands whose answer is what matters.
pub fn start(format: LogFormat, quiet: bool) {
    let default = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // Below a warning these write requests and payloads into the log: tokens and personal data.
    let filter = LOUD.iter().fold(filter, |filter, quiet| match quiet.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    });
    let colours = std::io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match format {
        LogFormat::Human => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
