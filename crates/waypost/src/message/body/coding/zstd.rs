//! The coding `zstd` (RFC 8878, with the window of RFC 9659).

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Failure, PIECE};

/// The largest window, in bytes: 8 MiB (RFC 9659). A decoder holds that much in memory.
const LARGEST_WINDOW: u64 = 8 * 1024 * 1024;

/// The most frames. Empty ones cost time, and add nothing to what the limit counts.
const MOST_FRAMES: usize = 1_000;

/// Decodes all frames, up to `limit` bytes.
pub(super) fn decode(mut bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(LARGEST_WINDOW);
    let mut decoded = Vec::new();
    for _ in 0..MOST_FRAMES {
        read_frame(&mut decoder, &mut bytes, &mut decoded, limit)?;
        if bytes.is_empty() {
            return Ok(decoded);
        }
    }
    Err(Failure::Invalid)
}

/// Appends what a frame holds, and moves `bytes` behind it.
fn read_frame(
    decoder: &mut FrameDecoder,
    bytes: &mut &[u8],
    decoded: &mut Vec<u8>,
    limit: usize,
) -> Result<(), Failure> {
    match decoder.reset(&mut *bytes) {
        Ok(()) => {}
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
            length,
            ..
        })) => {
            let length = usize::try_from(length).map_err(|_| Failure::Invalid)?;
            *bytes = bytes.get(length..).ok_or(Failure::Invalid)?;
            return Ok(());
        }
        Err(FrameDecoderError::WindowSizeTooBig { .. }) => return Err(Failure::Window),
        Err(_) => return Err(Failure::Invalid),
    }
    let start = decoded.len();
    while !decoder.is_finished() {
        let piece = BlockDecodingStrategy::UptoBytes(PIECE);
        decoder
            .decode_blocks(&mut *bytes, piece)
            .map_err(|_| Failure::Invalid)?;
        // Before the end this leaves one window in the decoder.
        let collected = decoder.collect_to_writer(&mut *decoded);
        collected.map_err(|_| Failure::Invalid)?;
        if decoded.len() > limit {
            return Err(Failure::TooLarge);
        }
    }
    match is_whole(decoder, decoded.len() - start) {
        true => Ok(()),
        false => Err(Failure::Invalid),
    }
}

/// Returns whether a frame has the length and the checksum that it states, if it states them.
fn is_whole(decoder: &FrameDecoder, length: usize) -> bool {
    // A length that is not stated reads as 0.
    let stated = decoder.content_size();
    let checksum = decoder.get_checksum_from_data();
    (stated == 0 || stated == length as u64)
        && (checksum.is_none() || checksum == decoder.get_calculated_checksum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hello`, as `zstd` writes it: with a checksum.
    const HELLO: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello\xa3\x6d\x9f\x88";
    /// `hello`, with its length in place of a checksum.
    const WITH_LENGTH: &[u8] = b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello";
    const EMPTY: &[u8] = b"\x28\xb5\x2f\xfd\x20\0\x01\0\0";
    const SKIPPED: &[u8] = b"\x50\x2a\x4d\x18\x03\0\0\0any";
    /// The descriptor of a window of 8 MiB; the next one is that of 9 MiB.
    const WINDOW: u8 = 0x68;

    /// Builds a frame of blocks that repeat a byte, each as often as this.
    fn frame(window: u8, repeats: &[u32]) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, window];
        for (index, repeat) in repeats.iter().enumerate() {
            let is_last = u32::from(index + 1 == repeats.len());
            let header = repeat << 3 | 1 << 1 | is_last;
            frame.extend_from_slice(&header.to_le_bytes()[..3]);
            frame.push(b'a');
        }
        frame
    }

    #[test]
    fn frames_are_decoded_up_to_the_limit() {
        assert_eq!(decode(HELLO, 5).unwrap(), b"hello");
        assert_eq!(decode(WITH_LENGTH, 5).unwrap(), b"hello");
        assert!(matches!(decode(HELLO, 4), Err(Failure::TooLarge)));
        let several = [SKIPPED, HELLO, EMPTY, SKIPPED, HELLO].concat();
        assert_eq!(decode(&several, 10).unwrap(), b"hellohello");
        assert!(matches!(decode(&several, 9), Err(Failure::TooLarge)));
        assert_eq!(decode(&frame(WINDOW, &[2, 3]), 5).unwrap(), b"aaaaa");
    }

    #[test]
    fn compressed_blocks_are_decoded() {
        let text = "It is the time of the morning. It is the time of the evening, and it is the time of the night: \
            the time is 1234567890.";
        let encoded = b"\x28\xb5\x2f\xfd\x04\x68\x2d\x02\x00\x52\x83\x0c\x11\x90\x7d\x10\x0f\x12\xd2\xcf\x3d\
            \x16\xd8\xe5\x21\x63\x70\xfe\x2b\x07\x41\x2c\x95\xd0\x31\x85\x0c\x86\x65\x7c\xfa\xfd\xa8\x6b\xe0\xd9\
            \x3b\x44\xfa\xd4\xd6\x09\x6b\xfb\x7c\xdc\x2e\x71\xdf\x6f\xdc\x02\x06\x00\x20\x00\x9d\x45\x31\xea\x0d\
            \xb0\x86\x50\x7a\xfe\x2a\x4b\x5b\xf4\x68\xf3";
        assert_eq!(decode(encoded, 1_000).unwrap(), text.as_bytes());
        for length in 0..encoded.len() {
            let cut = decode(&encoded[..length], 1_000);
            assert!(matches!(cut, Err(Failure::Invalid)), "{length}");
        }
    }

    #[test]
    fn a_bomb_is_given_up_after_the_limit_and_a_window() {
        let bomb = frame(WINDOW, &[128 * 1024; 1_000]);
        assert!(matches!(decode(&bomb, 1_000), Err(Failure::TooLarge)));
        // Cut off behind that, which is not read.
        let read = 6 + 4 * (8 * 1024 / 128 + 2);
        assert!(matches!(
            decode(&bomb[..read], 1_000),
            Err(Failure::TooLarge)
        ));
    }

    #[test]
    fn a_larger_window_is_refused() {
        assert_eq!(decode(&frame(WINDOW, &[1]), 1).unwrap(), b"a");
        let larger = decode(&frame(WINDOW + 1, &[1]), 1);
        assert!(matches!(larger, Err(Failure::Window)));
        // The window of a single segment is its length: one byte more than 8 MiB.
        let segment = b"\x28\xb5\x2f\xfd\xa0\x01\0\x80\0\x0b\0\0a";
        assert!(matches!(decode(segment, usize::MAX), Err(Failure::Window)));
    }

    #[test]
    fn frames_that_are_not_valid() {
        let mut forged = HELLO.to_vec();
        forged[9] = b'j';
        let mut too_long = WITH_LENGTH.to_vec();
        too_long[5] += 1;
        let behind = [HELLO, b"\0"].concat();
        let dictionary = b"\x28\xb5\x2f\xfd\x21\x01\x05\x29\0\0hello";
        for invalid in [
            &forged[..],
            &too_long,
            &behind,
            dictionary,
            b"",
            b"hello",
            &HELLO[..HELLO.len() - 1],
            &SKIPPED[..SKIPPED.len() - 1],
        ] {
            assert!(
                matches!(decode(invalid, 100), Err(Failure::Invalid)),
                "{invalid:?}"
            );
        }
    }

    #[test]
    fn frames_are_counted() {
        for frame in [EMPTY, SKIPPED] {
            assert!(decode(&frame.repeat(MOST_FRAMES), 0).is_ok());
            let more = decode(&frame.repeat(MOST_FRAMES + 1), 0);
            assert!(matches!(more, Err(Failure::Invalid)));
        }
    }
}
