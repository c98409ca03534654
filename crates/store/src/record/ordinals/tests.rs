//! What stands on disk means the same for ever.

use super::*;

#[test]
fn stored_ordinals_are_pinned() {
    for (at, what) in WHATS.into_iter().enumerate() {
        assert_eq!(what as usize, at);
    }
    for (at, authority) in AUTHORITIES.into_iter().enumerate() {
        assert_eq!(authority as usize, at);
    }
    for (at, source) in SOURCES.into_iter().enumerate() {
        assert_eq!(source as usize, at);
    }
    assert_eq!(of_ordinal(&WHATS, 8), Ok(What::Left));
    assert_eq!(of_ordinal(&WHATS, 9), Err(Malformed("a value of a newer version")));
}

#[test]
fn stored_words_are_pinned() {
    let words = ["complete", "repaired", "partial", "unknown"];
    assert_eq!(words.map(completeness), COMPLETENESSES.map(Ok));
    assert_eq!(["presence", "routingStatus"].map(user_what), USER_WHATS.map(Ok));
    assert!(completeness("perfect").is_err());
    assert!(user_what("mood").is_err());
}
