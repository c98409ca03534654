//! Mentions: pinned bytes, and nothing is taken that was never named.

use super::*;

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn word(text: &str) -> Word {
    Word::new(text).expect("a word")
}

#[test]
fn golden() {
    let (mut mentions, mut out) = (Mentions::default(), Vec::new());
    let uuid = Id::from_uuid([0xab; 16]);
    for id in [&uuid, &id("c7"), &uuid, &id("c7")] {
        mentions.put_id(&mut out, id);
    }
    for word in [&word("none"), &word("eu"), &word("eu"), &word("interact")] {
        mentions.put_word(&mut out, word);
    }
    let mut expected = vec![0];
    expected.extend([0xab; 16]);
    expected.extend([1, 2, b'c', b'7', 2, 3]);
    expected.extend([1, 0, 2, b'e', b'u', 0x81, 0x02, 84]);
    assert_eq!(out, expected);

    let (mut mentioned, mut from) = (Mentioned::default(), Reader::new(&out));
    for expected in [&uuid, &id("c7"), &uuid, &id("c7")] {
        assert_eq!(mentioned.take_id(&mut from).as_ref(), Ok(expected));
    }
    for expected in [word("none"), word("eu"), word("eu"), word("interact")] {
        assert_eq!(mentioned.take_word(&mut from), Ok(expected));
    }
    assert_eq!(from.finish(), Ok(()));
}

#[test]
fn a_cleared_dictionary_names_anew() {
    let (mut mentions, mut first, mut second) = (Mentions::default(), Vec::new(), Vec::new());
    mentions.put_id(&mut first, &id("c7"));
    mentions.put_word(&mut first, &word("eu"));
    mentions.clear();
    mentions.put_id(&mut second, &id("c7"));
    mentions.put_word(&mut second, &word("eu"));
    assert_eq!(first, second);
}

#[test]
fn what_was_never_named_is_refused() {
    let take_id = |bytes: &[u8]| Mentioned::default().take_id(&mut Reader::new(bytes));
    let take_word = |bytes: &[u8]| Mentioned::default().take_word(&mut Reader::new(bytes));
    assert_eq!(take_id(&[2]), Err(Malformed("a mention of what was never named")));
    assert_eq!(take_id(&[1, 1, 7]), Err(Malformed("an impossible id")));
    assert_eq!(take_id(&[1, 0]), Err(Malformed("an impossible id")));
    assert_eq!(take_word(&[0x81, 0x02]), Err(Malformed("a mention of what was never named")));
    assert_eq!(take_word(&[0x80, 0x02]), Err(Malformed("a word of a newer version")));
    assert_eq!(take_word(&[0, 0]), Err(Malformed("an empty word")));
}
