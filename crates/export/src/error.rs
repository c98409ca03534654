//! What can go wrong, each with its cause and the way out.

use pipeline::PipelineError;
use std::io;
use std::path::{Path, PathBuf};
use store::StoreError;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The history cannot be opened.
    #[error(transparent)]
    Open(#[from] PipelineError),
    /// The history cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written or read.
    #[error("{} could not be written ({cause}): free space or mend its permissions, then run the same command again", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The receiver of a stream is gone, or too slow.
    #[error("the stream broke off: {0}")]
    Stream(io::Error),
    /// The encoder refused rows, which is a defect.
    #[error("rows could not be encoded: {0}")]
    Encode(String),
    /// A stream has no place to say that something is missing.
    #[error("a record is damaged ({0}): `headcount export --data` leaves it out and says so in its manifest")]
    Damaged(String),
    /// Another export, or something else, is there.
    #[error("{}: {what}; give --out another place, or remove it", path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// What is there.
        what: String,
    },
}

impl ExportError {
    /// For `map_err`: what the system said of a file.
    pub(crate) fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::File { path: path.to_owned(), cause }
    }

    /// What an encoder said of a receiver that is a file.
    pub(crate) fn at(self, path: &Path) -> Self {
        match self {
            Self::Stream(cause) => Self::File { path: path.to_owned(), cause },
            other => other,
        }
    }
}

impl From<parquet::errors::ParquetError> for ExportError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        match error {
            parquet::errors::ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(cause) => Self::Stream(*cause),
                Err(cause) => Self::Encode(cause.to_string()),
            },
            error => Self::Encode(error.to_string()),
        }
    }
}
