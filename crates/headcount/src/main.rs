//! The program's entry: its allocator, and its command line.

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    headcount::execute(headcount::cli::Cli::parse())
}
