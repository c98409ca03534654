//! Numbers and texts: pinned bytes, and every bound.

use super::*;
use proptest::prelude::*;

fn bytes(put: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out);
    out
}

#[test]
fn golden() {
    assert_eq!(bytes(|out| put_varint(out, 0)), [0]);
    assert_eq!(bytes(|out| put_varint(out, 300)), [0xac, 0x02]);
    assert_eq!(bytes(|out| put_signed(out, -1)), [1]);
    assert_eq!(bytes(|out| put_signed(out, 64)), [0x80, 0x01]);
    assert_eq!(bytes(|out| put_text(out, "ä")), [2, 0xc3, 0xa4]);
}

#[test]
fn numbers_above_64_bits_are_refused() {
    let mut most = vec![0xff; 9];
    most.push(0x01);
    assert_eq!(Reader::new(&most).varint(), Ok(u64::MAX));
    let mut above = vec![0xff; 9];
    above.push(0x02);
    assert_eq!(Reader::new(&above).varint(), Err(Malformed("a number above 64 bits")));
    assert_eq!(Reader::new(&[0x80; 11]).varint(), Err(Malformed("a number above 64 bits")));
    assert_eq!(Reader::new(&[0x80, 0x02]).small::<u8>(), Err(Malformed("a number above its range")));
}

#[test]
fn what_is_cut_off_is_refused() {
    assert_eq!(Reader::new(&[0x80]).varint(), Err(Malformed("cut off")));
    assert_eq!(Reader::new(&[1, 2]).array::<3>(), Err(Malformed("cut off")));
    assert_eq!(Reader::new(&[3, b'a', b'b']).text(10), Err(Malformed("cut off")));
    assert_eq!(Reader::new(&[1]).finish(), Err(Malformed("bytes behind the end")));
}

#[test]
fn texts_are_bounded_utf8() {
    assert_eq!(Reader::new(&[3, b'a', b'b', b'c']).text(2), Err(Malformed("a text above its bound")));
    assert_eq!(Reader::new(&[1, 0xff]).text(2), Err(Malformed("a text that is not UTF-8")));
    assert_eq!(Reader::new(&[0]).counter(), Err(Malformed("a counter of zero")));
}

proptest! {
    #[test]
    fn numbers_come_back(value: u64, signed: i64) {
        let out = bytes(|out| { put_varint(out, value); put_signed(out, signed); });
        let mut from = Reader::new(&out);
        prop_assert_eq!(from.varint(), Ok(value));
        prop_assert_eq!(from.signed(), Ok(signed));
        prop_assert_eq!(from.finish(), Ok(()));
    }
}
