//! The coding `br` (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Failure, PIECE};

/// Decodes a stream of up to `limit` bytes. Bytes after it are ignored, as in browsers.
pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let alloc = StandardAlloc::default;
    // Strict: without the larger windows that are not part of `br`, so that the window has at most 16 MiB.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut left, mut read) = (bytes.len(), 0);
    let mut piece = vec![0; PIECE];
    let mut decoded = Vec::new();
    loop {
        let (mut room, mut written) = (piece.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            bytes,
            &mut room,
            &mut written,
            &mut piece,
            &mut 0,
            &mut state,
        );
        decoded.extend_from_slice(&piece[..written]);
        if decoded.len() > limit {
            return Err(Failure::TooLarge);
        }
        match result {
            BrotliResult::ResultSuccess => return Ok(decoded),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => {
                return Err(Failure::Invalid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\x0b\x02\x80hello\x03";
    /// The letter `a`, 1,001 times.
    const LARGE: &[u8] = b"\x1b\xe8\x03\xf8\x25\xc2\xa2\xb1\x40\x40\x34";
    /// `hello` with a window of 64 MiB, which the encoder of brotli writes if it is asked to.
    const LARGE_WINDOW: &[u8] = b"\x11\x1a\x08\x00\x02hello\x03";

    #[test]
    fn streams_are_decoded_up_to_the_limit() {
        assert_eq!(decode(HELLO, 5).unwrap(), b"hello");
        assert_eq!(decode(b"\x3b", 0).unwrap(), b"");
        assert_eq!(decode(LARGE, 1_001).unwrap(), [b'a'; 1_001]);
        assert!(matches!(decode(LARGE, 1_000), Err(Failure::TooLarge)));
        let padded = [HELLO, b"\0\0"].concat();
        assert_eq!(decode(&padded, 5).unwrap(), b"hello");
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        // 20 MiB of the letter `a`.
        let bomb =
            b"\xcb\xff\xff\x3f\xf8\x25\xc2\xe2\xb1\x40\x20\xf7\xfe\x8f\xff\xff\x7f\xf0\x4b\x00\
            \xc4\x61\x11\x80\xee\xfd\x5f\xfe\xff\xff\xe0\x97\x00\x88\xc3\x02\x00\xdd\xfb\x1f";
        assert!(matches!(decode(bomb, 1_000), Err(Failure::TooLarge)));
        assert_eq!(decode(bomb, 20 << 20).unwrap().len(), 20 << 20);
    }

    #[test]
    fn streams_that_are_not_valid() {
        for length in 0..HELLO.len() {
            let cut = decode(&HELLO[..length], 5);
            assert!(matches!(cut, Err(Failure::Invalid)), "{length}");
        }
        for invalid in [b"hello", LARGE_WINDOW] {
            assert!(matches!(decode(invalid, 5), Err(Failure::Invalid)));
        }
    }
}
