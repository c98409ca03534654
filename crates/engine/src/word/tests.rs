//! Words: known ones pack, the rest survive.

use super::*;

#[test]
fn ordinals_are_pinned_and_texts_differ() {
    assert_eq!(Word::new("connected").unwrap().ordinal(), Some(9));
    assert_eq!(Word::new("interact").unwrap().ordinal(), Some(83));
    let mut sorted = KNOWN.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), KNOWN.len());
}

#[test]
fn an_unknown_word_is_kept() {
    let word = Word::new("levitating").unwrap();
    assert_eq!(word.as_str(), "levitating");
    assert_eq!(word.ordinal(), None);
    assert_eq!(Word::lower("Connected"), Word::new("connected"));
}

#[test]
fn a_word_is_bounded_and_never_empty() {
    assert_eq!(Word::new(""), None);
    let long = "é".repeat(100);
    let word = Word::new(&long).unwrap();
    assert!(word.as_str().len() <= WORD_BYTES_MAX && long.starts_with(word.as_str()));
}

#[test]
fn three_words_end_what_is_in_them() {
    let ends: Vec<_> = (0..=u8::MAX).filter(|n| Word::ends(*n)).filter_map(Word::from_ordinal).collect();
    assert_eq!(ends.iter().map(Word::as_str).collect::<Vec<_>>(), ["disconnected", "terminated", "ended"]);
}
