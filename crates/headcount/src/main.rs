//! The program: read what is wanted, put the parts together, run, and leave in good order.

mod assemble;
mod check;
mod cli;
mod config;
mod demo;
mod logging;
mod run;
mod simulate;
mod why;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong use or configuration.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.log, matches!(cli.command, Command::Check(_) | Command::Why(_)));
    let outcome = match cli.command {
        Command::Serve(options) => {
            config::read(&options).map_err(Into::into).and_then(|config| run::serve(&config))
        }
        Command::Demo(options) => demo::run(&options),
        Command::Simulate(options) => simulate::run(options),
        Command::Check(options) => config::read(&options.serve)
            .map_err(Into::into)
            .and_then(|config| check::run(&config, options.json)),
        Command::Why(options) => why::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::say_error(&error);
            let wrong_use = error.downcast_ref::<config::Problems>().is_some() || error.is::<cli::WrongUse>();
            ExitCode::from(if wrong_use { WRONG_USE } else { 1 })
        }
    }
}
