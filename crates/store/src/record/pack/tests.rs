//! Bodies: what went in comes out, and no claimed size is believed.

use super::*;
use proptest::prelude::*;

#[test]
fn golden() {
    let mut packer = Packer::default();
    assert_eq!(packer.pack(b"abc").expect("packed"), [3, 0, 0, 0x80, 0x30, b'a', b'b', b'c']);
    assert_eq!(unpack(&[3, 0, 0, 0, 0x30, b'a', b'b', b'c']), Ok((b"abc".to_vec(), Layout::Plain)));
}

#[test]
fn a_size_that_the_block_cannot_hold_is_refused() {
    assert_eq!(unpack(&[0xff, 0xff, 0xff, 0x0f, 1, 2, 3]), Err(Malformed("a size above its bound")));
    assert_eq!(unpack(&[4, 0, 0, 0, 0x30, b'a', b'b', b'c']), Err(Malformed("not an lz4 block")));
    assert_eq!(unpack(&[2, 0, 0, 0, 0x30, b'a', b'b', b'c']), Err(Malformed("not an lz4 block")));
    assert_eq!(unpack(&[3, 0]), Err(Malformed("cut off")));
}

#[test]
fn a_body_above_its_bound_is_refused() {
    let error = Packer::default().pack(&vec![0; BODY_BYTES_MAX + 1]).expect_err("refused");
    assert_eq!(error, StoreError::TooLarge { bytes: BODY_BYTES_MAX + 1, bytes_max: BODY_BYTES_MAX });
}

proptest! {
    #[test]
    fn bodies_come_back(bodies in prop::collection::vec(prop::collection::vec(0..4u8, 0..3000), 1..4)) {
        let mut packer = Packer::default();
        for body in bodies {
            let packed = packer.pack(&body).expect("packed").to_vec();
            prop_assert_eq!(unpack(&packed), Ok((body, Layout::Chained)));
        }
    }

    #[test]
    fn any_bytes_are_a_body_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _either = unpack(&bytes);
    }
}
