//! Chooses the format of an error's body by the `Accept` header (RFC 9110 section 12.5.1).

/// The format of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Html,
    Json,
}

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    fn essence(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "plain"),
            Self::Html => ("text", "html"),
            Self::Json => ("application", "json"),
        }
    }
}

/// Returns the format that the client prefers, or text if it has no preference.
pub(crate) fn preferred(accept: Option<&str>) -> Format {
    let Some(accept) = accept else {
        return Format::Text;
    };
    let mut best = (Format::Text, quality(accept, Format::Text));
    for format in [Format::Html, Format::Json] {
        let quality = quality(accept, format);
        if quality > best.1 {
            best = (format, quality);
        }
    }
    best.0
}

/// Returns the quality value of a format, in thousandths, and how specific the matching media range is.
fn quality(accept: &str, format: Format) -> (u16, u8) {
    let (kind, subkind) = format.essence();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim_ascii);
        let media_range = parts.next()?.to_ascii_lowercase();
        let exactness = match media_range.split_once('/')? {
            (k, s) if k == kind && s == subkind => 3,
            (k, "*") if k == kind => 2,
            ("*", "*") => 1,
            _ => return None,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='))
            .map_or(Some(1000), thousandths);
        Some((exactness, quality?))
    });
    ranges
        .max_by_key(|(exactness, _)| *exactness)
        .map_or((0, 0), |(e, q)| (q, e))
}

fn thousandths(quality: &str) -> Option<u16> {
    let quality: f32 = quality.parse().ok()?;
    // The product is between 0 and 1,000, but not always a whole number.
    (0.0..=1.0)
        .contains(&quality)
        .then_some((quality * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_accepted_format() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("application/json", Format::Json),
            ("APPLICATION/JSON", Format::Json),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Format::Html,
            ),
            ("text/*;q=0.5, application/json;q=0.4", Format::Text),
            ("text/plain;q=0.1, application/json;q=0.9", Format::Json),
            ("text/plain;q=0.250, text/html;q=0.251", Format::Html),
            ("application/json;q=x, text/html;q=2", Format::Text),
            ("image/png", Format::Text),
            (";;,/,", Format::Text),
        ] {
            assert_eq!(preferred(Some(accept)), format, "{accept:?}");
        }
        assert_eq!(preferred(None), Format::Text);
    }
}
