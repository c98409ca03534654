//! The simulator on its own: options on the command line, its addresses on standard output, until interrupted.
//!
//! Made for checks in other languages (`tests/sdk/sdk_check.py`), which need a process to point their client at.

use std::io::{Write, stdout};

use clap::Parser;
use simulator::{Options, Simulator};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start(Arguments::parse().options).await?;
    writeln!(stdout(), "{}", simulator.urls().api)?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
