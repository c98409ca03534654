//! An id comes back as it went, and the least UUID behind a text is one.

use super::*;
use crate::testing;
use proptest::prelude::*;
use rusqlite::Connection;

proptest! {
    #[test]
    fn an_id_comes_back_as_it_went(id in testing::id()) {
        let connection = Connection::open_in_memory().unwrap();
        let back = connection.query_row("SELECT ?1", [Key(&id)], |row| Ok(of(row.get_ref(0)?).ok()));
        prop_assert_eq!(back, Ok(Some(id)));
    }

    #[test]
    fn no_uuid_behind_a_text_is_less(uuid in any::<[u8; 16]>(), cut in 0..=36_usize, then in "[0-9a-g~ -]{0,3}") {
        let id = Id::from_uuid(uuid);
        let mut text = id.to_string();
        text.truncate(cut);
        text.push_str(&then);
        prop_assert!(uuid >= least_behind(&text) || id.to_string() < text, "{} {}", id, text);
    }
}

#[test]
fn what_is_no_id_is_told() {
    for column in [
        ValueRef::Blob(b"short"),
        ValueRef::Text(b""),
        ValueRef::Integer(7),
        ValueRef::Text(b"00000000-0000-4000-8000-000000000000"),
    ] {
        assert!(of(column).is_err(), "{column:?}");
    }
}
