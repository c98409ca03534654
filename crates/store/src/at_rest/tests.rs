//! Names that SQLite could misread, and what a log beside a file means.

use super::*;
use std::ffi::OsStr;

#[test]
fn a_name_means_the_same_to_sqlite() {
    let place = tempfile::tempdir().expect("a folder");
    for name in ["plain.db", "a b?c=1#d%41.db", "//two.db", "ä.db"] {
        let file = place.path().join(name.trim_start_matches('/'));
        let made = Connection::open(&file).expect("made");
        made.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)")
            .expect("filled");
        drop(made);
        let read = connect(&file).expect("opened");
        assert_eq!(read.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)), Ok(7), "{name}");
        assert!(!write_ahead_log(&file).exists(), "{name}");
    }
    assert_eq!(uri(Path::new(OsStr::from_bytes(b"/a\xff"))), "file:/a%FF?immutable=1");
}

#[test]
fn a_file_is_whole_without_a_log_or_with_an_empty_one() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("x.db");
    assert!(is_whole(&file));
    std::fs::write(write_ahead_log(&file), "").expect("written");
    assert!(is_whole(&file));
    std::fs::write(write_ahead_log(&file), "x").expect("written");
    assert!(!is_whole(&file));
}
