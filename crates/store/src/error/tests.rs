//! Which failures leave it open what is on the disk, and what they are called.

use super::*;

fn failure(code: std::ffi::c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

#[test]
fn only_a_full_and_a_busy_disk_leave_no_doubt() {
    let cases = [
        (ffi::SQLITE_FULL, false),
        (ffi::SQLITE_BUSY, false),
        (ffi::SQLITE_IOERR_WRITE, true),
        (ffi::SQLITE_IOERR_FSYNC, true),
        (ffi::SQLITE_CORRUPT, true),
    ];
    for (code, doubt) in cases {
        assert_eq!(leaves_doubt(&failure(code)), doubt, "{code}");
    }
}

#[test]
fn failures_keep_their_kind() {
    assert_eq!(StoreError::from(failure(ffi::SQLITE_FULL)), StoreError::Full);
    assert_eq!(StoreError::from(failure(ffi::SQLITE_IOERR_SHMSIZE)), StoreError::Full);
    assert!(matches!(StoreError::from(failure(ffi::SQLITE_IOERR_WRITE)), StoreError::Io { .. }));
    assert!(matches!(StoreError::from(failure(ffi::SQLITE_CORRUPT)), StoreError::Corrupt { .. }));
    let path = Path::new("data");
    assert!(matches!(OpenError::of_sqlite(path, &failure(ffi::SQLITE_NOTADB)), OpenError::NotOurs { .. }));
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    assert!(matches!(OpenError::of_io(path, &denied), OpenError::Permission { .. }));
    let full = io::Error::from(io::ErrorKind::StorageFull);
    assert!(matches!(OpenError::of_io(path, &full), OpenError::Full { .. }));
}
