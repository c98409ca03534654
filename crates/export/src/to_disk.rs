//! An export into files.
//!
//! A folder gets a file for every so many rows, each ended with the last row of a conversation; a single file is one part
//! as long as all rows. After each file the manifest is put in place, so that a run that was killed loses at most one file.

use crate::ask::{Ask, What};
use crate::encoder::Encoder;
use crate::error::ExportError;
use crate::files::{Rising, UNFINISHED, replace};
use crate::manifest::{Manifest, note};
use crate::resume::{self, Start};
use crate::rows;
use engine::{Id, Shown};
use pipeline::{Found, Past};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Rows from which on a file ends, where nobody says.
pub const PART_ROWS_DEFAULT: u64 = 2_000_000;

/// Where an export goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One file; its manifest stands beside it.
    File(PathBuf),
    /// A folder of files with at least so many rows each, but for the last, and the manifest.
    Folder(PathBuf, u64),
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Conversations gone through by this run; cells have none.
    pub conversations: u64,
    /// How many there are about.
    pub conversations_in_all: u64,
    /// Rows written, those of earlier runs included.
    pub rows: u64,
    /// Files that are whole.
    pub files: u64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The manifest as it stands.
    pub manifest: Manifest,
    /// Files that an earlier run had written.
    pub files_before: u64,
    /// All was there already.
    pub was_done: bool,
}

impl Target {
    /// A file when the path ends in the format's word and is no folder, else a folder.
    #[must_use]
    pub fn of(path: PathBuf, ending: &str, part_rows: u64) -> Self {
        let is_file = path.extension().is_some_and(|is| is == ending) && !path.is_dir();
        if is_file { Self::File(path) } else { Self::Folder(path, part_rows.max(1)) }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder(path, _) => path,
        }
    }

    /// Where the files and the manifest are.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::File(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            },
            Self::Folder(path, _) => path,
        }
    }

    /// The manifest. Readers of a folder of Parquet files pass over names that begin with `_`.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        match self {
            Self::File(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(".manifest.json");
                name.into()
            }
            Self::Folder(path, _) => path.join("_manifest.json"),
        }
    }

    /// Whether something is there that is not ours to replace.
    pub(crate) fn is_taken(&self) -> Result<bool, ExportError> {
        match self {
            Self::File(path) => Ok(path.exists()),
            Self::Folder(path, _) => {
                let mut found = fs::read_dir(path).map_err(ExportError::of(path))?;
                Ok(found
                    .any(|entry| entry.is_ok_and(|e| !e.file_name().to_string_lossy().ends_with(UNFINISHED))))
            }
        }
    }

    fn part_rows(&self) -> Option<u64> {
        match self {
            Self::File(_) => None,
            Self::Folder(_, rows) => Some(*rows),
        }
    }

    pub(crate) fn file(&self, ask: &Ask, number: usize) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Folder(path, _) => {
                path.join(format!("{}-{number:05}.{}", ask.what.as_str(), ask.format.as_str()))
            }
        }
    }
}

/// Writes all that is asked for, or what an earlier run of the same left to write.
///
/// # Errors
/// When the history cannot be read, a file cannot be written, or something else is there. What was written stays, and the
/// same call goes on behind it.
pub fn to_disk(
    past: &Past,
    ask: &Ask,
    target: &Target,
    told: &mut dyn FnMut(Progress),
) -> Result<Done, ExportError> {
    fs::create_dir_all(target.folder()).map_err(ExportError::of(target.folder()))?;
    let _held_until_the_end = resume::take(target.folder())?;
    let begun = Manifest::begun(ask, past, target.part_rows());
    let manifest = match resume::look(ask, target, &begun)? {
        Start::Anew => begun,
        Start::Behind(left) => {
            let Manifest { next, rows, conversations, damaged_records, files, .. } = *left;
            Manifest { next, rows, conversations, damaged_records, files, ..begun }
        }
        Start::Done(manifest) => {
            let files_before = manifest.files.len() as u64;
            return Ok(Done { manifest: *manifest, files_before, was_done: true });
        }
    };
    let files_before = manifest.files.len() as u64;
    let progress = Progress {
        conversations_in_all: conversations_left(past, ask, &manifest)?,
        rows: manifest.rows,
        files: files_before,
        ..Progress::default()
    };
    let mut writing =
        Writing { past, ask, target, note: note(ask, past), manifest, progress, part: None, told };
    writing.all().map_err(|error| error.at(target.path()))?;
    Ok(Done { manifest: writing.manifest, files_before, was_done: false })
}

/// How many conversations are to be gone through, about.
fn conversations_left(past: &Past, ask: &Ask, manifest: &Manifest) -> Result<u64, ExportError> {
    match (ask.what, &ask.only.conversation) {
        (What::Cells, _) => Ok(0),
        (_, Some(_)) => Ok(1),
        _ => Ok(past.conversation_count(ask.range())?.saturating_sub(manifest.conversations.all())),
    }
}

/// The conversation behind which an export goes on.
fn behind(manifest: &Manifest) -> Option<Id> {
    manifest.next.as_deref().and_then(|id| Id::new(id).ok())
}

/// A run.
struct Writing<'a> {
    past: &'a Past,
    ask: &'a Ask,
    target: &'a Target,
    note: String,
    /// Of what is whole; while a file is written its conversations are counted already.
    manifest: Manifest,
    progress: Progress,
    part: Option<Part>,
    told: &'a mut dyn FnMut(Progress),
}

/// A file on its way.
struct Part {
    to: Encoder<Rising>,
    rows: u64,
}

impl Writing<'_> {
    fn all(&mut self) -> Result<(), ExportError> {
        // Before any file has its name: what is there belongs to an export that is not finished.
        self.put_manifest()?;
        self.open()?;
        match (self.ask.what, &self.ask.only.conversation) {
            (What::Cells, _) => self.cells()?,
            (_, Some(id)) => {
                let (id, past) = (id.clone(), self.past);
                let mut outcome = Ok(());
                past.one(&id, |found| outcome = self.take(&found))?;
                outcome?;
            }
            _ => self.conversations()?,
        }
        self.seal(None)?;
        self.manifest.finished = true;
        self.put_manifest()?;
        (self.told)(self.progress);
        Ok(())
    }

    fn conversations(&mut self) -> Result<(), ExportError> {
        let after = behind(&self.manifest);
        let (past, mut outcome) = (self.past, Ok(()));
        past.each(self.ask.range(), after.as_ref(), |found| {
            outcome = self.take(&found);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        outcome
    }

    fn cells(&mut self) -> Result<(), ExportError> {
        let Some(part) = &mut self.part else { return Ok(()) };
        let (told, progress) = (&mut self.told, &mut self.progress);
        part.rows = rows::cells(self.ask, self.past, &mut part.to, |rows| {
            progress.rows = rows;
            told(*progress);
        })?;
        Ok(())
    }

    fn take(&mut self, found: &Found<'_>) -> Result<(), ExportError> {
        self.progress.conversations += 1;
        match found {
            Found::Damaged(_) => self.manifest.damaged_records += 1,
            Found::Conversation(shown) => self.conversation(shown)?,
        }
        (self.told)(self.progress);
        Ok(())
    }

    fn conversation(&mut self, shown: &Shown<'_>) -> Result<(), ExportError> {
        let Some(part) = &mut self.part else { return Ok(()) };
        let rows = rows::of_conversation(self.ask, shown, &mut part.to)?;
        if rows > 0 {
            part.rows += rows;
            self.progress.rows += rows;
            self.manifest.conversations.add(shown.completeness());
        }
        let full = self.target.part_rows().is_some_and(|most| part.rows >= most);
        if full {
            self.seal(Some(shown.id().to_string()))?;
            self.put_manifest()?;
            self.open()?;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), ExportError> {
        let file = self.target.file(self.ask, self.manifest.files.len() + 1);
        let rising = Rising::begin(&file)?;
        let to = Encoder::new(self.ask.format, self.ask.what, &self.note, rising)?;
        self.part = Some(Part { to, rows: 0 });
        Ok(())
    }

    /// Ends the file on its way. The last is left out when it has no rows and is not the only one.
    fn seal(&mut self, next: Option<String>) -> Result<(), ExportError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let rising = part.to.finish()?;
        if part.rows == 0 && !self.manifest.files.is_empty() {
            drop(rising);
            let file = self.target.file(self.ask, self.manifest.files.len() + 1);
            crate::files::remove(&file)?;
        } else {
            self.manifest.files.push(rising.seal(part.rows)?);
            self.manifest.rows += part.rows;
        }
        self.manifest.next = next;
        self.progress.files = self.manifest.files.len() as u64;
        Ok(())
    }

    fn put_manifest(&self) -> Result<(), ExportError> {
        let mut text = serde_json::to_string_pretty(&self.manifest)
            .map_err(|error| ExportError::Encode(error.to_string()))?;
        text.push('\n');
        replace(&self.target.manifest(), text.as_bytes())
    }
}
