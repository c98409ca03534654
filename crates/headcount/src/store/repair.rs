//! `headcount store repair`: saves what can be read into a new folder.

use super::{Progress, cost, look};
use crate::cli::{StoreRepairOptions, print};
use pipeline::Clock;
use store::Damaged;

/// Saves what can be read, and prints what cannot.
///
/// # Errors
/// When the folder cannot be read, and when the new one holds data or cannot be written.
pub fn run(options: &StoreRepairOptions) -> anyhow::Result<()> {
    let (folder, store) = look(&options.folder)?;
    let mut progress = Progress::new("copied");
    // A reader that is lost stops no repair.
    let mut printed = Ok(());
    let mut tell = |damaged: Damaged| {
        let line = format!("left out {damaged}\n         costs {}\n", cost(&damaged));
        printed = std::mem::replace(&mut printed, Ok(())).and_then(|()| print(&line));
    };
    let now = Clock::system().now();
    let saved = store.salvage(&options.into, now, &mut tell, &mut |records| progress.at(records))?;
    progress.over();
    printed?;
    print(&format!("{} records are in {}", saved.rows, options.into.display()))?;
    print(&match saved.lost {
        0 => "; nothing is damaged\n".to_owned(),
        lost => format!(
            ", {lost} were left out: answers about the time before now are marked partial there\nStart it with `headcount \
             serve --data {}`; {} was not changed, and may go once you trust the new one.\n",
            options.into.display(),
            folder.display()
        ),
    })
}
