//! Makes hostile WebSocket frames harmless before the protocol library sees them.
//!
//! A message that is too large or not UTF-8 must be refused by name while the socket lives on, but the library ends the
//! connection on both (as RFC 6455 asks). So the bytes pass through a gate that reads frame headers only: a message
//! is cut one byte above the limit, which the decoder then refuses by its name, and what was cut is never held in
//! memory; and every text frame is told to be binary, so that only the decoder judges its encoding. Everything else,
//! protocol violations included, passes as it came. Rejected: a message limit of many MiB in the library (each
//! connection could make us hold that much, and the frame above it still ends the connection).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are read at a time: about three of the platform's larger frames.
const CHUNK_BYTES: usize = 16 * 1024;
/// Two bytes, an extended length of eight, a mask of four (RFC 6455 section 5.2).
const HEADER_BYTES_MAX: usize = 14;
const END_OF_HANDSHAKE: &[u8; 4] = b"\r\n\r\n";

/// The state of the gate: where in the stream of frames it stands.
#[derive(Debug)]
pub(crate) struct Gate {
    message_bytes_max: u64,
    /// Payload of the present message that has been let through.
    passed: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Handshake { matched: usize },
    Header { bytes: [u8; HEADER_BYTES_MAX], len: usize },
    Payload { pass: u64, cut: u64 },
}

const NEXT_HEADER: Place = Place::Header { bytes: [0; HEADER_BYTES_MAX], len: 0 };

impl Gate {
    /// A gate at the start of the server's answer to the handshake; messages are cut at `message_bytes_max`.
    pub fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max: message_bytes_max as u64,
            passed: 0,
            place: Place::Handshake { matched: 0 },
        }
    }

    /// Takes what came and appends what may pass. How the input is cut into pieces makes no difference.
    pub fn pass(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        while !input.is_empty() {
            let used = match &mut self.place {
                Place::Handshake { .. } => self.handshake(input, output),
                Place::Header { .. } => self.header(input, output),
                Place::Payload { pass, cut } => {
                    let passing = input.len().min(usize::try_from(*pass).unwrap_or(usize::MAX));
                    let cutting = (input.len() - passing).min(usize::try_from(*cut).unwrap_or(usize::MAX));
                    output.extend_from_slice(&input[..passing]);
                    *pass -= passing as u64;
                    *cut -= cutting as u64;
                    passing + cutting
                }
            };
            input = &input[used..];
            if matches!(self.place, Place::Payload { pass: 0, cut: 0 }) {
                self.place = NEXT_HEADER;
            }
        }
    }

    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> usize {
        let Place::Handshake { matched } = &mut self.place else { return 0 };
        for (at, &byte) in input.iter().enumerate() {
            *matched = match *matched {
                so_far if byte == END_OF_HANDSHAKE[so_far] => so_far + 1,
                _ => usize::from(byte == END_OF_HANDSHAKE[0]),
            };
            if *matched == END_OF_HANDSHAKE.len() {
                output.extend_from_slice(&input[..=at]);
                self.place = NEXT_HEADER;
                return at + 1;
            }
        }
        output.extend_from_slice(input);
        input.len()
    }

    fn header(&mut self, input: &[u8], output: &mut Vec<u8>) -> usize {
        let Place::Header { bytes, len } = &mut self.place else { return 0 };
        let mut used = 0;
        while *len < header_bytes(&bytes[..*len]) {
            let Some(&byte) = input.get(used) else { return used };
            bytes[*len] = byte;
            *len += 1;
            used += 1;
        }
        let (header, len) = (*bytes, *len);
        self.frame(&header[..len], output);
        used
    }

    /// Lets a complete header through, changed where it must be.
    fn frame(&mut self, header: &[u8], output: &mut Vec<u8>) {
        let declared = payload_bytes(header);
        let opcode = header[0] & 0x0f;
        if opcode > 2 {
            output.extend_from_slice(header);
            self.place = Place::Payload { pass: declared, cut: 0 };
            return;
        }
        if opcode != 0 {
            self.passed = 0;
        }
        let pass = declared.min(self.message_bytes_max - self.passed);
        self.passed += pass;
        let binary = if opcode == 1 { header[0] + 1 } else { header[0] };
        let masked = header[1] & 0x80;
        output.push(binary);
        match pass {
            0..=125 => output.push(masked | pass as u8),
            126..=0xffff => {
                output.push(masked | 126);
                output.extend_from_slice(&(pass as u16).to_be_bytes());
            }
            _ => {
                output.push(masked | 127);
                output.extend_from_slice(&pass.to_be_bytes());
            }
        }
        if masked != 0 {
            output.extend_from_slice(&header[header.len() - 4..]);
        }
        self.place = Place::Payload { pass, cut: declared - pass };
    }
}

/// How many bytes a header has, as far as its first ones tell.
fn header_bytes(header: &[u8]) -> usize {
    let Some(second) = header.get(1) else { return 2 };
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 == 0 { 0 } else { 4 }
}

fn payload_bytes(header: &[u8]) -> u64 {
    let big_endian = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    match header[1] & 0x7f {
        126 => big_endian(&header[2..4]),
        127 => big_endian(&header[2..10]),
        short => u64::from(short),
    }
}

/// A connection whose incoming bytes pass a gate.
#[derive(Debug)]
pub(crate) struct Gated<T> {
    inner: T,
    gate: Gate,
    chunk: Box<[u8; CHUNK_BYTES]>,
    passed: Vec<u8>,
    /// How much of `passed` has been read.
    read: usize,
}

impl<T> Gated<T> {
    pub fn new(inner: T, gate: Gate) -> Self {
        Self { inner, gate, chunk: Box::new([0; CHUNK_BYTES]), passed: Vec::new(), read: 0 }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Gated<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.read == this.passed.len() {
            let mut chunk = ReadBuf::new(&mut this.chunk[..]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.passed.clear();
            this.read = 0;
            this.gate.pass(chunk.filled(), &mut this.passed);
        }
        let next = buffer.remaining().min(this.passed.len() - this.read);
        buffer.put_slice(&this.passed[this.read..this.read + next]);
        this.read += next;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gated<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
