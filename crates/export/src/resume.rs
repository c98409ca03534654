//! What an earlier run left: whether to go on with it, begin anew, or leave it alone.
//!
//! What stands in the manifest is believed only after its checksum was taken again. Nothing is overwritten that is not an
//! unfinished export of the very same rows.

use crate::ask::Ask;
use crate::error::ExportError;
use crate::files::{is_whole, remove};
use crate::manifest::{FileNote, Manifest};
use crate::to_disk::Target;
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// Where to begin.
#[derive(Debug)]
pub(crate) enum Start {
    /// With nothing.
    Anew,
    /// Behind the files of this manifest.
    Behind(Box<Manifest>),
    /// It is all there.
    Done(Box<Manifest>),
}

/// Looks at the target of an export whose manifest would begin as `begun`; clears away what cannot be used.
pub(crate) fn look(ask: &Ask, target: &Target, begun: &Manifest) -> Result<Start, ExportError> {
    let taken = |what: String| ExportError::Taken { path: target.path().to_owned(), what };
    let Some(left) = read(target)? else {
        return match target.is_taken()? {
            true => Err(taken("there is something already, and no manifest of an export".to_owned())),
            false => Ok(Start::Anew),
        };
    };
    let whole = all_whole(target, &left.files)?;
    let same = left.asks_as(begun);
    if left.finished {
        let same = same && left.position == begun.position;
        return match same && whole {
            true => Ok(Start::Done(Box::new(left))),
            false if same => {
                Err(taken("a finished export is here whose files were changed since".to_owned()))
            }
            false => {
                Err(taken(format!("another, {} is here, as of position {}", left.in_words(), left.position)))
            }
        };
    }
    if !same {
        return Err(taken(format!("another, {} is here", left.in_words())));
    }
    // One that got its name and did not get into the manifest any more is written again.
    remove(&target.file(ask, left.files.len() + 1))?;
    if whole && left.position == begun.position {
        return Ok(Start::Behind(Box::new(left)));
    }
    // The history has moved on, or a file is not what was written: rows of two states do not belong together.
    for file in &left.files {
        remove(&target.folder().join(&file.name))?;
    }
    remove(&target.manifest())?;
    Ok(Start::Anew)
}

/// Keeps other runs from the same folder as long as it lives.
pub(crate) fn take(folder: &Path) -> Result<File, ExportError> {
    let failed = ExportError::of(folder);
    let held = File::open(folder).map_err(&failed)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => {
            let what = "another export is being written here".to_owned();
            Err(ExportError::Taken { path: folder.to_owned(), what })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn all_whole(target: &Target, files: &[FileNote]) -> Result<bool, ExportError> {
    for file in files {
        // A name out of a manifest is a stranger's: it names a file beside it, and nothing else.
        let plain = !file.name.contains(['/', '\\']) && file.name != "..";
        let what = format!("its manifest names a file that is not beside it: {:?}", file.name);
        if !plain {
            return Err(ExportError::Taken { path: target.path().to_owned(), what });
        }
        if !is_whole(target.folder(), file)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(target: &Target) -> Result<Option<Manifest>, ExportError> {
    let path = target.manifest();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ExportError::of(&path)(error)),
    };
    let what = "this is no manifest of an export".to_owned();
    serde_json::from_str(&text).map(Some).map_err(|_| ExportError::Taken { path, what })
}
