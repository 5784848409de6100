//! Where a fetch goes: the target of its URL, and the places that redirects lead to.

use http::Uri;

use super::FetchError;

fn is_relative(url: &str) -> bool {
    url.starts_with('/') && !url.starts_with("//")
}

/// Reads a URL as a request target; a relative one has a path only.
pub(super) fn target(url: &str) -> Result<Uri, FetchError> {
    let fault = |why: String| FetchError::Request(format!("`{url}`: {why}"));
    if is_relative(url) {
        return url
            .parse()
            .map_err(|error: http::uri::InvalidUri| fault(error.to_string()));
    }
    let mut parsed = url::Url::parse(url).map_err(|error| fault(error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(fault("only http and https can be fetched".to_owned()));
    }
    parsed.set_fragment(None);
    parsed
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| fault(error.to_string()))
}

pub(super) fn joined(url: &str, location: &str) -> Result<String, FetchError> {
    const SELF: &str = "http://self.invalid";
    let fault = |error: url::ParseError| FetchError::Request(format!("`{location}`: {error}"));
    let base = if is_relative(url) {
        format!("{SELF}{url}")
    } else {
        url.to_owned()
    };
    let base = url::Url::parse(&base).map_err(fault)?;
    let next = base.join(location).map_err(fault)?;
    // What was relative stays so, unless the redirect leads elsewhere.
    let stays = is_relative(url) && next.origin() == base.origin();
    let next = String::from(next);
    Ok(match next.strip_prefix(SELF) {
        Some(path) if stays => path.to_owned(),
        _ => next,
    })
}

pub(super) fn origin(url: &str) -> Option<url::Origin> {
    url::Url::parse(url).ok().map(|url| url.origin())
}
