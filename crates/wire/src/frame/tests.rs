//! The cheap checks against their plain meaning.

use super::{admit, count_openers, depth};
use crate::{Limits, Refused};
use proptest::prelude::*;

#[test]
fn depth_counts_what_is_open_at_once() {
    for (text, expected) in [
        ("", 0),
        ("{}", 1),
        ("[[],[],{}]", 2),
        (r#"{"a":"[[[["}"#, 1),
        (r#"{"a":"\"[[","b":[[]]}"#, 3),
        (r#"{"a":"\\","b":[]}"#, 2),
        ("]]][[", 2),
        (r#"["unclosed [[["#, 1),
    ] {
        assert_eq!(depth(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn the_limits_are_inclusive() {
    let limits = Limits { frame_bytes_max: 8, depth_max: 3, ..Limits::default() };
    assert_eq!(admit(b"[[[1]]]", &limits), Ok("[[[1]]]"));
    assert_eq!(admit(b"[[[[]]]]", &limits), Err(Refused::TooDeep));
    assert_eq!(admit(b"[[],[],1]", &limits), Err(Refused::TooLarge));
    assert_eq!(admit(b"[],[],[]", &limits), Ok("[],[],[]"));
}

proptest! {
    #[test]
    fn openers_are_all_opening_brackets(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let plain = bytes.iter().filter(|b| matches!(**b, b'[' | b'{')).count();
        prop_assert_eq!(count_openers(&bytes), plain);
        prop_assert!(depth(&bytes) <= plain);
    }
}
