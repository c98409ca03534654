//! What of a hostile stream reaches the WebSocket library, byte by byte.

use super::*;

const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\r\n\r\nx: y\r\n\r\n";
const HANDSHAKE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(len as u8),
        len @ 126..=0xffff => bytes.extend([126, (len >> 8) as u8, len as u8]),
        len => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// Passes the input in pieces of each of several sizes, and checks that they agree.
fn passed(max: usize, frames: &[u8]) -> Vec<u8> {
    let input = [HANDSHAKE, frames].concat();
    let by = |size: usize| {
        let (mut gate, mut output) = (Gate::new(max), Vec::new());
        input.chunks(size).for_each(|piece| gate.pass(piece, &mut output));
        output
    };
    let whole = by(input.len());
    for size in [1, 2, 3, 7, 1000] {
        assert_eq!(by(size), whole, "pieces of {size} bytes");
    }
    whole.strip_prefix(HANDSHAKE).expect("the handshake passes unchanged").to_vec()
}

#[test]
fn a_text_frame_becomes_binary_and_keeps_its_bytes() {
    assert_eq!(passed(100, &frame(0x81, b"{}")), frame(0x82, b"{}"));
    assert_eq!(passed(100, &frame(0x81, b"\xff\xfe")), frame(0x82, b"\xff\xfe"));
    assert_eq!(passed(100, &frame(0x82, b"")), frame(0x82, b""));
}

#[test]
fn a_message_is_cut_at_the_limit_and_the_next_one_passes() {
    for size in [101, 126, 65_535, 65_536, 300_000] {
        let input = [frame(0x81, &vec![7; size]), frame(0x81, b"next")].concat();
        assert_eq!(passed(100, &input), [frame(0x82, &[7; 100]), frame(0x82, b"next")].concat(), "{size}");
    }
    assert_eq!(passed(70_000, &frame(0x81, &vec![7; 80_000])), frame(0x82, &vec![7; 70_000]));
}

#[test]
fn the_limit_holds_for_the_sum_of_fragments() {
    let input = [
        frame(0x01, &[1; 60]),
        frame(0x89, b"ping between"),
        frame(0x00, &[2; 60]),
        frame(0x80, &[3; 60]),
        frame(0x81, &[4; 60]),
    ]
    .concat();
    let output = [
        frame(0x02, &[1; 60]),
        frame(0x89, b"ping between"),
        frame(0x00, &[2; 40]),
        frame(0x80, &[]),
        frame(0x82, &[4; 60]),
    ]
    .concat();
    assert_eq!(passed(100, &input), output);
}

#[test]
fn control_frames_violations_and_masks_pass_as_they_came() {
    let masked = [0x82, 0x83, 1, 2, 3, 4, 9, 9, 9];
    for frames in [frame(0x88, &[3, 232]), frame(0x8a, b""), frame(0x83, b"reserved"), masked.to_vec()] {
        assert_eq!(passed(100, &frames), frames);
    }
}

#[test]
fn the_end_of_the_handshake_is_found_behind_look_alikes() {
    let (mut gate, mut output) = (Gate::new(100), Vec::new());
    gate.pass(&ANSWER[..ANSWER.len() - b"x: y\r\n\r\n".len()], &mut output);
    assert!(matches!(gate.place, Place::Header { len: 0, .. }), "{:?}", gate.place);
}
