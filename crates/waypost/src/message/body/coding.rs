//! The content codings of a body (RFC 9110 section 8.4). Requests are decoded from gzip and deflate, and fetched responses
//! from brotli and zstd, too.
//!
//! The decoders of brotli and zstd take 231 kB, so a handler that only reads requests must not contain them. A request in
//! these codings is refused; its client learns from `Accept-Encoding` what to send.
//!
//! `flate2` would decode gzip and deflate, too, and make a component 30 kB larger.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// The codings of requests that can be decoded, as a value of `Accept-Encoding`.
pub(crate) const ACCEPTED: &str = "gzip, deflate";

/// The codings of fetched responses that can be decoded.
const OF_RESPONSES: &str = "gzip, deflate, br, zstd";

/// The most codings that are decoded one after another. More have no use but to keep a handler busy.
const MOST: usize = 3;

/// The number of bytes that are decoded at a time.
const PIECE: usize = 16 * 1024;

/// Why a body could not be decoded.
#[derive(Debug)]
pub(crate) enum CodingError {
    /// It is encoded in another way.
    Unknown(String),
    /// It is not what its `Content-Encoding` says.
    Invalid(String),
    /// Decoded, it is larger than the limit.
    TooLarge,
    /// The window of this coding, which a decoder holds in memory, is larger than 8 MiB.
    Window(String),
}

/// The text for a fetched response. That for a request is in [`RequestError`](crate::error::RequestError).
impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(coding) => match feature_of(coding) {
                Some(feature) => write!(
                    f,
                    "its content encoding is `{coding}`; enable the feature `{feature}` of the crate `waypost` to decode it"
                ),
                None => write!(
                    f,
                    "its content encoding is `{coding}`; expected {OF_RESPONSES}"
                ),
            },
            Self::Invalid(coding) => write!(f, "it is not valid {coding}"),
            Self::TooLarge => f.write_str("decoded, it is larger than the limit"),
            Self::Window(coding) => write!(f, "its {coding} window is larger than 8 MiB"),
        }
    }
}

/// Returns the feature that decodes a coding of fetched responses, or `None` if there is none.
fn feature_of(coding: &str) -> Option<&'static str> {
    match coding {
        "br" => Some("brotli"),
        "zstd" => Some("zstd"),
        _ => None,
    }
}

/// Returns whether a message has a body that is encoded.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    codings(headers).next().is_some()
}

/// Decodes the body of a request as its `Content-Encoding` says, up to `limit` bytes.
pub(crate) fn decode_request(
    bytes: Bytes,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Bytes, CodingError> {
    decode(bytes, headers, limit, deflated)
}

/// Decodes the body of a fetched response as its `Content-Encoding` says, up to `limit` bytes.
pub(crate) fn decode_response(
    bytes: Bytes,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Bytes, CodingError> {
    decode(bytes, headers, limit, |coding, bytes, limit| match coding {
        #[cfg(feature = "brotli")]
        "br" => brotli::decode(bytes, limit),
        #[cfg(feature = "zstd")]
        "zstd" => zstd::decode(bytes, limit),
        _ => deflated(coding, bytes, limit),
    })
}

/// Decodes bytes from one coding, up to a limit.
type Decoder = fn(&str, &[u8], usize) -> Result<Vec<u8>, Failure>;

fn decode(
    mut bytes: Bytes,
    headers: &HeaderMap,
    limit: usize,
    decoder: Decoder,
) -> Result<Bytes, CodingError> {
    let codings: Vec<String> = codings(headers).collect();
    if codings.len() > MOST {
        return Err(CodingError::Unknown(codings.join(", ")));
    }
    // The last one was applied last.
    for coding in codings.into_iter().rev() {
        // An upstream that had nothing to compress may have sent nothing.
        bytes = match decoder(&coding, &bytes, limit) {
            Ok(decoded) => decoded.into(),
            Err(Failure::Unknown) => return Err(CodingError::Unknown(coding)),
            Err(Failure::Invalid) if bytes.is_empty() => bytes,
            Err(Failure::Invalid) => return Err(CodingError::Invalid(coding)),
            Err(Failure::TooLarge) => return Err(CodingError::TooLarge),
            Err(Failure::Window) => return Err(CodingError::Window(coding)),
        };
    }
    Ok(bytes)
}

fn codings(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let lines = headers.get_all(CONTENT_ENCODING).into_iter();
    let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    names
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
}

/// Decodes gzip and deflate.
fn deflated(coding: &str, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    match coding {
        "gzip" | "x-gzip" => gzip::decode(bytes, limit),
        // Some servers leave the frame of zlib out, and browsers read that too.
        "deflate" if !is_zlib(bytes) => inflate_whole(bytes, DataFormat::Raw, limit),
        "deflate" => inflate_whole(bytes, DataFormat::Zlib, limit),
        _ => Err(Failure::Unknown),
    }
}

/// Returns whether bytes begin with a header of zlib (RFC 1950 section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

/// Why bytes could not be decoded.
#[derive(Debug)]
enum Failure {
    Unknown,
    Invalid,
    TooLarge,
    #[cfg_attr(
        not(feature = "zstd"),
        expect(dead_code, reason = "only zstd states its window")
    )]
    Window,
}

fn inflate_whole(bytes: &[u8], format: DataFormat, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut inflater = Inflater::new(limit);
    inflater.read(bytes, format)?;
    Ok(inflater.decoded)
}

/// Decodes compressed streams, one after another.
struct Inflater {
    state: Box<InflateState>,
    piece: Vec<u8>,
    decoded: Vec<u8>,
    limit: usize,
}

impl Inflater {
    /// Makes a decoder of up to `limit` bytes.
    fn new(limit: usize) -> Self {
        Self {
            state: InflateState::new_boxed(DataFormat::Raw),
            piece: vec![0; PIECE],
            decoded: Vec::new(),
            limit,
        }
    }

    /// Appends what a stream holds. Returns the length of the stream.
    fn read(&mut self, bytes: &[u8], format: DataFormat) -> Result<usize, Failure> {
        self.state.reset(format);
        let mut read = 0;
        loop {
            let step = inflate(
                &mut self.state,
                &bytes[read..],
                &mut self.piece,
                MZFlush::None,
            );
            read += step.bytes_consumed;
            self.decoded
                .extend_from_slice(&self.piece[..step.bytes_written]);
            if self.decoded.len() > self.limit {
                return Err(Failure::TooLarge);
            }
            match step.status {
                Ok(MZStatus::StreamEnd) => return Ok(read),
                Ok(_) if step.bytes_consumed + step.bytes_written > 0 => {}
                // The input is over, or not valid.
                Ok(_) | Err(_) => return Err(Failure::Invalid),
            }
        }
    }
}

/// The frame of gzip (RFC 1952).
mod gzip {
    use super::{DataFormat, Failure, Inflater};

    const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

    /// The most members. Empty ones cost time, and add nothing to what the limit counts.
    const MOST_MEMBERS: usize = 1_000;

    /// Decodes all members. Bytes after the last one are ignored, as in browsers.
    pub(super) fn decode(mut bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
        let mut inflater = Inflater::new(limit);
        for _ in 0..MOST_MEMBERS {
            let content = after_header(bytes).ok_or(Failure::Invalid)?;
            let start = inflater.decoded.len();
            let length = inflater.read(content, DataFormat::Raw)?;
            let (end, rest) = content[length..]
                .split_first_chunk::<8>()
                .ok_or(Failure::Invalid)?;
            if *end != trailer(&inflater.decoded[start..]) {
                return Err(Failure::Invalid);
            }
            if !rest.starts_with(MAGIC) {
                return Ok(inflater.decoded);
            }
            bytes = rest;
        }
        Err(Failure::Invalid)
    }

    /// Returns what follows the header of a member.
    fn after_header(bytes: &[u8]) -> Option<&[u8]> {
        let (flags, mut rest) = bytes.strip_prefix(MAGIC)?.split_first()?;
        // The time, and how it was compressed and where.
        rest = rest.get(6..)?;
        if flags & 4 != 0 {
            let (length, extra) = rest.split_first_chunk::<2>()?;
            rest = extra.get(usize::from(u16::from_le_bytes(*length))..)?;
        }
        // A name, and a comment.
        for flag in [8, 16] {
            if flags & flag != 0 {
                let end = rest.iter().position(|byte| *byte == 0)?;
                rest = &rest[end + 1..];
            }
        }
        rest.get(usize::from(flags & 2)..)
    }

    /// Returns the checksum and the length of a member's content, as they are sent.
    fn trailer(content: &[u8]) -> [u8; 8] {
        let mut trailer = [0; 8];
        let (sum, length) = trailer.split_at_mut(4);
        sum.copy_from_slice(&crc32(content).to_le_bytes());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is the length modulo 2^32"
        )]
        length.copy_from_slice(&(content.len() as u32).to_le_bytes());
        trailer
    }

    /// Computes a CRC-32 with a table of 16 entries: larger ones are faster, and weigh as much as all the rest.
    fn crc32(bytes: &[u8]) -> u32 {
        const TABLE: [u32; 16] = table();
        let fold = |sum: u32| TABLE[(sum & 15) as usize] ^ (sum >> 4);
        !bytes
            .iter()
            .fold(!0, |sum, byte| fold(fold(sum ^ u32::from(*byte))))
    }

    const fn table() -> [u32; 16] {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            let mut sum = index as u32;
            let mut bit = 0;
            while bit < 4 {
                sum = if sum & 1 == 1 {
                    0xedb8_8320 ^ (sum >> 1)
                } else {
                    sum >> 1
                };
                bit += 1;
            }
            table[index] = sum;
            index += 1;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    fn encoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
        let level = Compression::default();
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            "raw" => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            _ => bytes.to_vec(),
        }
    }

    fn headers(coding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(coding))])
    }

    fn read(coding: &'static str, bytes: Vec<u8>) -> Result<String, String> {
        let decoded = decode_response(bytes.into(), &headers(coding), 1_000);
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        decoded.map(text).map_err(|error| error.to_string())
    }

    #[test]
    fn bodies_are_decoded() {
        for (coding, how) in [
            ("gzip", "gzip"),
            ("X-Gzip", "gzip"),
            ("deflate", "deflate"),
            ("deflate", "raw"),
            ("identity", ""),
            ("", ""),
        ] {
            assert_eq!(
                read(coding, encoded(how, b"hello")).unwrap(),
                "hello",
                "{coding}"
            );
        }
        let twice = encoded("gzip", &encoded("deflate", b"hello"));
        assert_eq!(read("deflate, gzip", twice).unwrap(), "hello");
        // As `gzip -N` writes it, with a name.
        let mut named = encoded("gzip", b"hello");
        named[3] |= 8;
        named.splice(10..10, *b"a.txt\0");
        assert_eq!(read("gzip", named).unwrap(), "hello");
        let padded = [encoded("gzip", b"hello"), vec![0; 9]].concat();
        assert_eq!(read("gzip", padded).unwrap(), "hello");
        let members = [encoded("gzip", b"a"), encoded("gzip", b"b")].concat();
        assert_eq!(read("gzip", members).unwrap(), "ab");
        assert_eq!(read("gzip", Vec::new()).unwrap(), "");
    }

    #[test]
    fn bodies_that_are_not_decoded() {
        let unknown = read("compress", b"x".to_vec()).unwrap_err();
        assert!(unknown.contains("`compress`; expected gzip, deflate, br, zstd"));
        assert!(read("gzip, gzip, gzip, gzip", b"x".to_vec()).is_err());
        let whole = encoded("gzip", b"hello");
        let mut forged = whole.clone();
        let sum = forged.len() - 8;
        forged[sum] ^= 1;
        for broken in [whole[..whole.len() - 1].to_vec(), b"hello".to_vec(), forged] {
            assert_eq!(read("gzip", broken).unwrap_err(), "it is not valid gzip");
        }
        assert!(read("gzip", encoded("gzip", b"").repeat(1_000)).is_ok());
        assert!(read("gzip", encoded("gzip", b"").repeat(1_001)).is_err());
        let large = encoded("gzip", &[b'a'; 1_001]);
        assert!(read("gzip", large).unwrap_err().contains("larger"));
        assert!(read("gzip", encoded("gzip", &[b'a'; 1_000])).is_ok());
    }

    #[cfg(all(feature = "brotli", feature = "zstd"))]
    #[test]
    fn fetched_responses_have_more_codings_than_requests() {
        let brotli = || b"\x0b\x02\x80hello\x03".to_vec();
        let zstd = || b"\x28\xb5\x2f\xfd\0\x58\x29\0\0hello".to_vec();
        for (coding, bytes) in [("br", brotli()), ("zstd", zstd())] {
            assert_eq!(read(coding, bytes.clone()).unwrap(), "hello");
            assert_eq!(read(coding, Vec::new()).unwrap(), "");
            let broken = read(coding, b"hello".to_vec()).unwrap_err();
            assert_eq!(broken, format!("it is not valid {coding}"));
            let request = decode_request(bytes.into(), &headers(coding), 1_000);
            assert!(matches!(request, Err(CodingError::Unknown(found)) if found == coding));
        }
        assert_eq!(
            read("br, gzip", encoded("gzip", &brotli())).unwrap(),
            "hello"
        );
        let window = b"\x28\xb5\x2f\xfd\0\x69\x29\0\0hello".to_vec();
        assert!(read("zstd", window).unwrap_err().contains("8 MiB"));
    }

    #[test]
    fn a_coding_without_its_feature_is_an_error_that_names_it() {
        for (coding, feature, is_enabled) in [
            ("br", "`brotli`", cfg!(feature = "brotli")),
            ("zstd", "`zstd`", cfg!(feature = "zstd")),
        ] {
            let error = read(coding, b"x".to_vec()).unwrap_err();
            let names_both = error.contains(&format!("`{coding}`")) && error.contains(feature);
            assert_eq!(names_both, !is_enabled, "{error}");
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused() {
        let samples = [
            ("gzip", encoded("gzip", b"hello, hello, hello")),
            ("deflate", encoded("deflate", b"hello, hello, hello")),
            (
                "br",
                b"\x1b\xe8\x03\xf8\x25\xc2\xa2\xb1\x40\x40\x34".to_vec(),
            ),
            (
                "zstd",
                b"\x28\xb5\x2f\xfd\0\x58\x4d\0\0\x10aa\x01\0\xe4\x2b\x80\x05".to_vec(),
            ),
        ];
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize
        };
        for (coding, whole) in samples {
            for _ in 0..2_000 {
                let mut bytes = whole.clone();
                for _ in 0..1 + next() % 4 {
                    let index = next() % bytes.len();
                    bytes[index] ^= 1 << (next() % 8);
                }
                bytes.truncate(1 + next() % (2 * whole.len()));
                if let Ok(decoded) = decode_response(bytes.into(), &headers(coding), 1_000) {
                    assert!(decoded.len() <= 1_000);
                }
            }
        }
    }
}
