//! Makes a data folder of any size with a history whose truth is known: `history FOLDER CONVERSATIONS`.
//!
//! Prints the truth as JSON: the number of spells, facts and milliseconds, and sums by queue, role and state. It is what
//! `crates/export/tests` make, at any size; five spells a conversation.

#[path = "../tests/it/history.rs"]
#[allow(dead_code)]
mod history;

use std::io::Write;
use std::path::Path;

fn main() {
    let mut args = std::env::args().skip(1);
    let wanted = args.next().zip(args.next().and_then(|number| number.parse::<u64>().ok()));
    let Some((folder, conversations)) = wanted else {
        let _nobody_reads = writeln!(std::io::stderr(), "history FOLDER CONVERSATIONS");
        std::process::exit(2);
    };
    let truth = history::make(Path::new(&folder), conversations);
    let _nobody_reads = writeln!(std::io::stdout(), "{}", json(&truth));
}

/// The truth for other programs.
fn json(truth: &history::Truth) -> serde_json::Value {
    let sums = truth.sums.iter().map(|((queue, role, state), sums)| {
            serde_json::json!({"queueId": queue, "role": role, "state": state, "spells": sums.spells, "takenMs": sums.taken_ms})
        });
    serde_json::json!({
        "facts": truth.facts,
        "spells": truth.sums.values().map(|sums| sums.spells).sum::<u64>(),
        "takenMs": truth.sums.values().map(|sums| sums.taken_ms).sum::<u64>(),
        "sums": sums.collect::<Vec<_>>(),
    })
}
