//! The program: read what is wanted, put the parts together, run, and leave in good order.
//!
//! It is a library with a thin `main`, so that what reads the configuration can be called with made-up files and
//! environments; nothing else is for others.

mod assemble;
mod check;
pub mod cli;
pub mod config;
mod demo;
mod logging;
mod run;
mod simulate;
mod store;
mod why;

use cli::{Cli, Command};
use std::process::ExitCode;

/// Wrong use or configuration.
const WRONG_USE: u8 = 2;

/// Does what a command line asks for; gives the exit code.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    logging::start(cli.log, matches!(cli.command, Command::Check(_) | Command::Why(_) | Command::Store(_)));
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
        Command::Store(command) => store::run(&command),
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
