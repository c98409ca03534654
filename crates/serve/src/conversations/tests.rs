//! Cursors: every id survives one, and nothing else is taken for one.

use super::*;

#[test]
fn every_id_survives_its_cursor() {
    for text in ["5f1c0a52-6d1e-4b8e-9c39-0f8f5f4a1b2c", "call-17", "ü/ö?&=#", "a"] {
        let id = Id::new(text).unwrap();
        assert_eq!(after_cursor(&cursor(&id)), Some(id));
    }
}

#[test]
fn what_no_page_gave_is_no_cursor() {
    for text in ["6", "zz", "6z", "+6", "ff", "0a", "é", &"61".repeat(129)] {
        assert_eq!(after_cursor(text), None, "{text}");
    }
}
