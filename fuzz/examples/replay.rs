//! One input through one target, for whoever holds an input that went wrong: `cargo run -p fuzz -- TARGET FILE...`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let target = words.next().and_then(|name| fuzz::target(&name));
    let (Some(target), files) = (target, words.collect::<Vec<_>>()) else { return ExitCode::from(2) };
    for file in files {
        match std::fs::read(&file) {
            Ok(bytes) => (target.run)(&bytes),
            Err(_) => return ExitCode::from(2),
        }
    }
    ExitCode::SUCCESS
}
