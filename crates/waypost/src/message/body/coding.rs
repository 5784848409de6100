//! The content codings of a body (RFC 9110 section 8.4): gzip and deflate.

use std::fmt;
use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The codings that can be decoded, as a value of `Accept-Encoding`.
pub(crate) const ACCEPTED: &str = "gzip, deflate";

/// The most codings that are decoded one after another. More have no use but to keep a handler busy.
const MOST: usize = 3;

/// Why a body could not be decoded.
#[derive(Debug)]
pub(crate) enum CodingError {
    /// It is encoded in another way.
    Unknown(String),
    /// It is not what its `Content-Encoding` says.
    Invalid(String),
    /// Decoded, it is larger than the limit.
    TooLarge,
}

impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(coding) => {
                write!(f, "its content encoding is `{coding}`; expected {ACCEPTED}")
            }
            Self::Invalid(coding) => write!(f, "it is not valid {coding}"),
            Self::TooLarge => f.write_str("decoded, it is larger than the limit"),
        }
    }
}

/// Returns whether a message has a body that is encoded.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    codings(headers).next().is_some()
}

/// Decodes a body as its `Content-Encoding` says, up to `limit` bytes.
pub(crate) fn decode(
    mut bytes: Bytes,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Bytes, CodingError> {
    let codings: Vec<String> = codings(headers).collect();
    if codings.len() > MOST {
        return Err(CodingError::Unknown(codings.join(", ")));
    }
    // The last one was applied last.
    for coding in codings.into_iter().rev() {
        bytes = decode_one(bytes, coding, limit)?;
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

fn decode_one(bytes: Bytes, coding: String, limit: usize) -> Result<Bytes, CodingError> {
    let from = &*bytes;
    let decoded = match coding.as_str() {
        // An upstream that had nothing to compress may have sent nothing.
        "gzip" | "x-gzip" | "deflate" if from.is_empty() => return Ok(bytes),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(from), limit),
        "deflate" if is_zlib(from) => read(ZlibDecoder::new(from), limit),
        // Some servers leave the frame of zlib out, and browsers read that too.
        "deflate" => read(DeflateDecoder::new(from), limit),
        _ => return Err(CodingError::Unknown(coding)),
    };
    match decoded {
        Some(decoded) if decoded.len() > limit => Err(CodingError::TooLarge),
        Some(decoded) => Ok(decoded.into()),
        None => Err(CodingError::Invalid(coding)),
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

/// Reads to the end, or just beyond the limit. Returns `None` if the input is not valid.
fn read(decoder: impl Read, limit: usize) -> Option<Vec<u8>> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut decoded = Vec::new();
    decoder.take(most).read_to_end(&mut decoded).ok()?;
    Some(decoded)
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

    fn read(coding: &'static str, bytes: Vec<u8>) -> Result<String, String> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(coding))]);
        let decoded = decode(bytes.into(), &headers, 1_000);
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
        let members = [encoded("gzip", b"a"), encoded("gzip", b"b")].concat();
        assert_eq!(read("gzip", members).unwrap(), "ab");
        assert_eq!(read("gzip", Vec::new()).unwrap(), "");
    }

    #[test]
    fn bodies_that_are_not_decoded() {
        assert!(read("br", b"x".to_vec()).unwrap_err().contains("`br`"));
        assert!(read("gzip, gzip, gzip, gzip", b"x".to_vec()).is_err());
        let whole = encoded("gzip", b"hello");
        for broken in [whole[..whole.len() - 1].to_vec(), b"hello".to_vec()] {
            assert_eq!(read("gzip", broken).unwrap_err(), "it is not valid gzip");
        }
        let large = encoded("gzip", &[b'a'; 1_001]);
        assert!(read("gzip", large).unwrap_err().contains("larger"));
        assert!(read("gzip", encoded("gzip", &[b'a'; 1_000])).is_ok());
    }
}
