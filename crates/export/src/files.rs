//! Files that are whole or not there: written under another name, synced, then renamed.

use crate::error::ExportError;
use crate::manifest::FileNote;
use ring::digest::{Context, SHA256};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are written, and read, at once.
const CHUNK: usize = 256 << 10;
/// The ending of a file that is not whole.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// A file on its way.
pub(crate) struct Rising {
    to: BufWriter<File>,
    hash: Context,
    bytes: u64,
    path: PathBuf,
}

impl Rising {
    /// Begins the file that will be at `path`, in place of what an earlier run left unfinished.
    pub fn begin(path: &Path) -> Result<Self, ExportError> {
        let under = unfinished(path);
        remove_one(&under)?;
        let file = File::create_new(&under).map_err(ExportError::of(&under))?;
        let to = BufWriter::with_capacity(CHUNK, file);
        Ok(Self { to, hash: Context::new(&SHA256), bytes: 0, path: path.to_owned() })
    }

    /// Makes it last, and gives it its name.
    pub fn seal(self, rows: u64) -> Result<FileNote, ExportError> {
        let failed = ExportError::of(&self.path);
        let file = self.to.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(&failed)?;
        drop(file);
        fs::rename(unfinished(&self.path), &self.path).map_err(&failed)?;
        sync_folder_of(&self.path)?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(FileNote { name, rows, bytes: self.bytes, sha256: hex(self.hash) })
    }
}

impl Write for Rising {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Whether a file is what its note says.
pub(crate) fn is_whole(folder: &Path, note: &FileNote) -> Result<bool, ExportError> {
    let path = folder.join(&note.name);
    let Ok(file) = File::open(&path) else { return Ok(false) };
    let failed = ExportError::of(&path);
    if file.metadata().map_err(&failed)?.len() != note.bytes {
        return Ok(false);
    }
    let (mut from, mut hash) = (BufReader::with_capacity(CHUNK, file), Context::new(&SHA256));
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk).map_err(&failed)? {
            0 => return Ok(hex(hash) == note.sha256),
            read => hash.update(chunk.get(..read).unwrap_or_default()),
        }
    }
}

/// Puts a small file in place, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let under = unfinished(path);
    let failed = ExportError::of(path);
    let mut file = File::create(&under).map_err(&failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(&failed)?;
    fs::rename(&under, path).map_err(&failed)?;
    sync_folder_of(path)
}

/// Removes a file, and what was left unfinished of it; that it is not there is no error.
pub(crate) fn remove(path: &Path) -> Result<(), ExportError> {
    remove_one(path)?;
    remove_one(&unfinished(path))
}

fn remove_one(path: &Path) -> Result<(), ExportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ExportError::of(path)(error)),
        _ => Ok(()),
    }
}

/// The name of a file that is not whole: no reader of the folder takes it for data.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from("_");
    name.push(path.file_name().unwrap_or_default());
    name.push(UNFINISHED);
    path.with_file_name(name)
}

/// A name lasts when its folder does.
fn sync_folder_of(path: &Path) -> Result<(), ExportError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(ExportError::of(folder))
}

fn hex(hash: Context) -> String {
    hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
