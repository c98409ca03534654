//! `headcount store check`: every record against its checksum.

use super::{Progress, cost, look};
use crate::cli::{StoreCheckOptions, print};
use serde_json::json;
use store::Damaged;

/// Findings that are printed; the rest is counted.
const PRINTED_MAX: usize = 10_000;

/// Looks, prints, and fails when anything is damaged.
///
/// # Errors
/// When the folder cannot be read, and when damage was found.
pub fn run(options: &StoreCheckOptions) -> anyhow::Result<()> {
    let (folder, store) = look(&options.folder)?;
    let mut found = Vec::new();
    let mut progress = Progress::new("checked");
    let mut tell = |damaged: Damaged| {
        if found.len() < PRINTED_MAX {
            found.push(damaged);
        }
    };
    let checked = store.check(&mut tell, &mut |records| progress.at(records))?;
    progress.over();
    if options.json {
        let items: Vec<_> = found
            .iter()
            .map(|d| json!({"kind": d.table, "row": d.row, "why": d.why, "costs": cost(d)}))
            .collect();
        let body = json!({"sound": checked.sound, "damaged": checked.damaged, "findings": items});
        print(&(serde_json::to_string_pretty(&body)? + "\n"))?;
    } else {
        for damaged in &found {
            print(&format!("damaged  {damaged}\n         costs {}\n", cost(damaged)))?;
        }
        print(&format!("{} records are sound, {} findings of damage\n", checked.sound, checked.damaged))?;
    }
    if checked.damaged > 0 {
        anyhow::bail!(
            "{} is damaged; `headcount store repair --data {} --into NEWFOLDER` saves the rest",
            folder.display(),
            folder.display()
        );
    }
    Ok(())
}
