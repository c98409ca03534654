//! Bodies come back as they were written, the layout is pinned, and any other bytes are refused or read, never a panic.

use super::*;
use crate::testing::id;
use proptest::collection::vec;
use proptest::prelude::*;

fn body(named: &Named) -> Vec<u8> {
    encode(&mut Scratch::default(), &named.conversations, named.minutes.iter()).expect("written").to_vec()
}

proptest! {
    #[test]
    fn what_is_written_is_read(conversations in vec(id(), 0..20), minutes in vec(any::<i64>(), 0..20)) {
        let named = Named { conversations, minutes };
        prop_assert_eq!(decode(&body(&named)), Ok(named));
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in vec(any::<u8>(), 0..80), size in 0..300_u32) {
        if let Some(prefix) = bytes.get_mut(..4) {
            prefix.copy_from_slice(&size.to_le_bytes());
        }
        let _whatever = decode(&bytes);
    }
}

#[test]
fn the_layout_is_pinned() {
    let id = Id::new("call-7").expect("an id");
    let named = Named { conversations: vec![Id::from_uuid([7; 16]), id], minutes: vec![3, 5] };
    let (raw, _) = crate::record::pack::unpack(&body(&named)).expect("unpacked");
    let mut golden = vec![2, 0];
    golden.extend([7; 16]);
    golden.extend(b"\x01\x06call-7\x02\x06\x04");
    assert_eq!(raw, golden);
    let head = Head { position: 1, committed_at: 2, after_seq: 3, seq: 4 };
    assert_eq!(head.checksum(b"body"), 0xf34f_aea0);
}
