//! Content negotiation: chooses a media type by the client's `Accept` header.

use http::header;

use crate::Request;

impl Request {
    /// Returns the media type that the client prefers by its `Accept` header
    /// ([RFC 9110 section 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)), or `None` if it accepts
    /// none of them. Between equals the first wins.
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let req = Request::get("/").with_header("accept", "text/html, application/json;q=0.9");
    /// assert_eq!(req.accepts(&["application/json", "text/html"]), Some("text/html"));
    /// assert_eq!(req.accepts(&["image/png"]), None);
    /// ```
    pub fn accepts<'t>(&self, media_types: &[&'t str]) -> Option<&'t str> {
        let Some(accept) = self.header(header::ACCEPT.as_str()) else {
            return media_types.first().copied();
        };
        let mut best = None;
        for media_type in media_types {
            let quality = quality(accept, media_type);
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, *media_type));
            }
        }
        best.map(|(_, media_type)| media_type)
    }
}

/// Returns the quality of a media type in thousandths: that of the most specific range that matches it.
fn quality(accept: &str, media_type: &str) -> u16 {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let matching = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim_ascii);
        let range = parts.next()?;
        let specificity = match range.split_once('/')? {
            _ if range.eq_ignore_ascii_case(media_type) => 3,
            (k, "*") if k.eq_ignore_ascii_case(kind) => 2,
            ("*", "*") => 1,
            _ => return None,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='))
            .unwrap_or("1");
        let quality: f32 = quality.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
        // The product is between 0 and 1,000, and not always exact.
        Some((specificity, (quality * 1000.0).round() as u16))
    });
    matching
        .max_by_key(|(specificity, _)| *specificity)
        .map_or(0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_several() {
        let best = |accept: &str| {
            let types = ["text/plain", "text/html", "application/json"];
            Request::get("/")
                .with_header("accept", accept)
                .accepts(&types)
        };
        for (accept, expected) in [
            ("*/*", Some("text/plain")),
            ("APPLICATION/JSON", Some("application/json")),
            (
                "text/html,application/xml;q=0.9,*/*;q=0.8",
                Some("text/html"),
            ),
            (
                "text/*;q=0.5, text/html;q=0, application/json;q=0.4",
                Some("text/plain"),
            ),
            ("text/plain;q=0.250, text/html;q=0.251", Some("text/html")),
            ("application/json;q=x", None),
            ("image/png, ;;/", None),
        ] {
            assert_eq!(best(accept), expected, "{accept}");
        }
        assert_eq!(Request::get("/").accepts(&["a/b"]), Some("a/b"));
    }
}
