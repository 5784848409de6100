//! The bytes of one request line (RFC 9112, section 3).

/// What one byte of a request line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// One that stays as it is.
    Plain,
    /// One that must be percent-encoded.
    Unsafe,
    /// The line feed that ends the line.
    End,
    /// One that no method has: this is no request line.
    Foreign,
}

/// Where the next byte of the line stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestLine {
    /// In the method, of which this many bytes were seen.
    Method(usize),
    /// At the first byte of the target.
    Target,
    /// In the scheme of an absolute-form target, or in what follows it: so many bytes of `://` were seen.
    Scheme(usize),
    /// In the authority of an absolute-form target.
    Authority,
    Path,
    Query,
    /// In a fragment, in a target of another form, in the version: nothing there is encoded.
    Rest,
}

impl RequestLine {
    /// Stands before the first byte of a line.
    pub(super) fn new() -> Self {
        Self::Method(0)
    }

    /// Takes the next byte.
    pub(super) fn take(&mut self, byte: u8) -> Found {
        let is_unsafe = self.must_encode(byte);
        let is_foreign = matches!(self, Self::Method(seen) if !is_of_method(byte, *seen));
        *self = self.after(byte);
        match byte {
            _ if is_foreign => Found::Foreign,
            _ if is_unsafe => Found::Unsafe,
            b'\n' => Found::End,
            _ => Found::Plain,
        }
    }

    /// Tells whether this byte is one that the `http` crate refuses here, and that the URL standard
    /// encodes: its *path percent-encode set* and *query percent-encode set* hold more, but the rest is
    /// taken as it is, or has a meaning in HTTP.
    fn must_encode(self, byte: u8) -> bool {
        match self {
            Self::Path => matches!(byte, b'<' | b'>' | b'`'),
            Self::Query => matches!(byte, b'"' | b'<' | b'>'),
            Self::Method(_) | Self::Target | Self::Scheme(_) | Self::Authority | Self::Rest => {
                false
            }
        }
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Method(_), b' ') => Self::Target,
            (Self::Method(seen), _) => Self::Method(seen + 1),
            (_, b' ' | b'\n') => Self::Rest,
            (Self::Target, b'/') => Self::Path,
            (Self::Target, byte) if byte.is_ascii_alphabetic() => Self::Scheme(0),
            (Self::Scheme(seen), byte) => after_scheme(seen, byte),
            (Self::Authority, b'/') => Self::Path,
            (Self::Authority | Self::Path, b'?') => Self::Query,
            (Self::Target | Self::Rest, _) | (Self::Authority | Self::Path | Self::Query, b'#') => {
                Self::Rest
            }
            (place @ (Self::Authority | Self::Path | Self::Query), _) => place,
        }
    }
}

/// Follows `scheme://`. An authority alone, as `CONNECT` has it, has no slashes after its colon.
fn after_scheme(seen: usize, byte: u8) -> RequestLine {
    const SEPARATOR: &[u8] = b"://";
    match SEPARATOR.get(seen) {
        Some(expected) if *expected == byte && seen + 1 == SEPARATOR.len() => {
            RequestLine::Authority
        }
        Some(expected) if *expected == byte => RequestLine::Scheme(seen + 1),
        _ if seen == 0 => RequestLine::Scheme(0),
        _ => RequestLine::Rest,
    }
}

/// Tells whether a byte may follow so many of a method: another of its token (RFC 9110, section 5.6.2), or
/// the space after it.
fn is_of_method(byte: u8, seen: usize) -> bool {
    match byte {
        b' ' => seen > 0,
        _ => byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Uri;

    /// The line with each byte that must be encoded in brackets.
    fn marked(line: &str) -> String {
        let mut place = RequestLine::new();
        let mut text = String::new();
        for byte in line.bytes() {
            match place.take(byte) {
                Found::Unsafe => text += &format!("[{}]", char::from(byte)),
                _ => text.push(char::from(byte)),
            }
        }
        text
    }

    #[test]
    fn only_paths_and_queries_are_encoded() {
        for (line, expected) in [
            (
                "GET /a<b>`\"{|}^\\ HTTP/1.1\r\n",
                "GET /a[<]b[>][`]\"{|}^\\ HTTP/1.1\r\n",
            ),
            (
                "GET /?a=\"<x>`{|}^\\' HTTP/1.1\n",
                "GET /?a=[\"][<]x[>]`{|}^\\' HTTP/1.1\n",
            ),
            (
                "GET /<?<?<#<\"`> HTTP/1.1\n",
                "GET /[<]?[<]?[<]#<\"`> HTTP/1.1\n",
            ),
            (
                "GET http://h<i/a<b HTTP/1.1\n",
                "GET http://h<i/a[<]b HTTP/1.1\n",
            ),
            (
                "GET HTTPS://u:p@h:1?\"` HTTP/1.1\n",
                "GET HTTPS://u:p@h:1?[\"]` HTTP/1.1\n",
            ),
            ("GET a+b://h/< HTTP/1.1\n", "GET a+b://h/[<] HTTP/1.1\n"),
            ("GET http:/h/< HTTP/1.1\n", "GET http:/h/< HTTP/1.1\n"),
            ("GET http://h#/< HTTP/1.1\n", "GET http://h#/< HTTP/1.1\n"),
            ("CONNECT h:80/< HTTP/1.1\n", "CONNECT h:80/< HTTP/1.1\n"),
            ("OPTIONS *< HTTP/1.1\n", "OPTIONS *< HTTP/1.1\n"),
            ("GET ?< HTTP/1.1\n", "GET ?< HTTP/1.1\n"),
            ("GET /a <> HTTP/<\n", "GET /a <> HTTP/<\n"),
            ("M`T / HTTP/1.1\n", "M`T / HTTP/1.1\n"),
        ] {
            assert_eq!(marked(line), expected);
        }
    }

    #[test]
    fn a_line_begins_with_a_method() {
        let first = |line: &str| {
            let mut place = RequestLine::new();
            line.bytes()
                .map(|byte| place.take(byte))
                .find(|found| *found != Found::Plain)
        };
        assert_eq!(first("GET / HTTP/1.1\r\n"), Some(Found::End));
        for line in [
            " GET /",
            "\tGET /",
            "GET\t/",
            "SM\r\n",
            "\x16\x03\x01",
            "G\u{e9}T /",
            "(",
            "nonsense\n",
        ] {
            assert_eq!(first(line), Some(Found::Foreign), "{line:?}");
        }
    }

    #[test]
    fn what_the_http_crate_refuses_is_what_is_encoded() {
        for byte in b'!'..=b'~' {
            for (before, place) in [("/", RequestLine::Path), ("/?", RequestLine::Query)] {
                let refused = format!("{before}{}", char::from(byte))
                    .parse::<Uri>()
                    .is_err();
                assert_eq!(place.must_encode(byte), refused, "{}", char::from(byte));
            }
        }
    }
}
