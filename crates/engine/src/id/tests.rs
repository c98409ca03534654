//! Ids: the text that went in comes out.

use super::*;
use proptest::prelude::*;

#[test]
fn a_canonical_uuid_packs_and_prints_as_given() {
    let text = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    let id = Id::new(text).unwrap();
    assert!(id.as_uuid().is_some());
    assert_eq!(id.to_string(), text);
}

#[test]
fn upper_case_is_another_text_and_survives() {
    let text = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9";
    let id = Id::new(text).unwrap();
    assert!(id.as_uuid().is_none());
    assert_eq!(id.to_string(), text);
    assert_ne!(id, Id::new(&text.to_lowercase()).unwrap());
}

#[test]
fn what_is_no_id_is_named() {
    assert_eq!(Id::new(""), Err(IdError::Empty));
    assert_eq!(Id::new(&"x".repeat(129)), Err(IdError::TooLong));
    assert_eq!(Id::new("a\nb"), Err(IdError::Control));
}

proptest! {
    #[test]
    fn ids_are_in_the_order_of_their_texts(a in "[0-9a-f]{8}-[0-9a-f]{4}-4abc-8abc-[0-9a-f]{12}|[ -~]{1,36}", b in "[0-9a-f]{8}-[0-9a-f]{4}-4abc-8abc-[0-9a-f]{12}|[ -~]{1,36}") {
        prop_assert_eq!(Id::new(&a).unwrap().cmp(&Id::new(&b).unwrap()), a.cmp(&b));
    }

    #[test]
    fn any_accepted_text_prints_as_it_came(text in "\\PC{1,40}") {
        if let Ok(id) = Id::new(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
