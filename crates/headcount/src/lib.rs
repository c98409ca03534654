//! The program: read what is wanted, put the parts together, run, and leave in good order.
//!
//! It is a library with a thin `main`, so that what reads the configuration can be called with made-up files and
//! environments; nothing else is for others.

mod assemble;
mod check;
pub mod cli;
pub mod config;
mod demo;
mod descriptors;
mod export;
mod logging;
mod run;
mod simulate;
mod store;
mod why;

use cli::{Cli, Command};
use logging::Log;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// A panic, as the standard library has it.
const DEFECT: u8 = 101;
/// Wrong use or configuration.
const WRONG_USE: u8 = 2;

/// Does what a command line asks for; gives the exit code.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let log = Log::start(cli.log, is_a_tool(&cli.command));
    let outcome = catch_unwind(AssertUnwindSafe(|| run_command(cli.command, &log)));
    let code = match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Err(_) => {
            log.say(
                "headcount: a defect of the program ended it; the log says where. What was committed is safe",
            );
            ExitCode::from(DEFECT)
        }
        Ok(Err(error)) => {
            log.say(&cli::in_words(&error));
            let wrong_use = error.downcast_ref::<config::Problems>().is_some() || error.is::<cli::WrongUse>();
            ExitCode::from(if wrong_use { WRONG_USE } else { 1 })
        }
    };
    log.end();
    code
}

fn run_command(command: Command, log: &Log) -> anyhow::Result<()> {
    match command {
        Command::Serve(options) => {
            config::read(&options).map_err(Into::into).and_then(|config| run::serve(&config, log))
        }
        Command::Demo(options) => demo::run(&options, log),
        Command::Simulate(options) => simulate::run(options),
        Command::Check(options) => config::read(&options.serve)
            .map_err(Into::into)
            .and_then(|config| check::run(&config, options.json)),
        Command::Why(options) => why::run(&options),
        Command::Store(command) => store::run(&command),
        Command::Export(options) => export::run(&options, log),
    }
}

/// Whether a command answers and ends, so that its log says only what matters.
fn is_a_tool(command: &Command) -> bool {
    matches!(command, Command::Check(_) | Command::Why(_) | Command::Store(_) | Command::Export(_))
}
