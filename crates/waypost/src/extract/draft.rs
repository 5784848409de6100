//! Draft mode: lets editors see content that is not published yet.

use crate::Result;
use crate::cookies::{Cookie, Cookies, SameSite};
use crate::extract::{Exchange, FromRequest};

pub(crate) use waypost_cache::internal::DRAFT_COOKIE as COOKIE;
use waypost_cache::internal::DRAFT_SECRET as SECRET;

/// Draft mode, like Next's [`draftMode`](https://nextjs.org/docs/app/api-reference/functions/draft-mode): a cookie
/// that only the app can issue identifies the browser of an editor.
///
/// # Examples
///
/// ```
/// use waypost::extract::DraftMode;
/// use waypost::{Query, Result, forbidden};
///
/// #[derive(serde::Deserialize)]
/// struct Preview {
///     token: String,
/// }
///
/// async fn get(draft: DraftMode, Query(preview): Query<Preview>) -> Result<&'static str> {
///     if preview.token != "known to the editors" {
///         return Err(forbidden());
///     }
///     draft.enable()?;
///     Ok("You see drafts now")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct DraftMode {
    cookies: Cookies,
    secret: Option<String>,
}

impl DraftMode {
    /// Returns whether the client is in draft mode. A forged cookie is ignored and deleted.
    pub fn is_enabled(&self) -> bool {
        let cookie = self.cookies.get(COOKIE);
        let Some(cookie) = cookie.filter(|cookie| !cookie.value().is_empty()) else {
            return false;
        };
        let secret = self.secret.as_deref().unwrap_or_default();
        let enabled = !secret.is_empty() && same(cookie.value(), secret);
        if !enabled {
            // Never an error: the cookie's name is valid.
            let _ = self.disable();
        }
        enabled
    }

    /// Turns draft mode on for this client.
    ///
    /// # Errors
    ///
    /// If the environment variable `WAYPOST_DRAFT_SECRET` is not set.
    pub fn enable(&self) -> Result<()> {
        let missing = || anyhow::anyhow!("draft mode needs a secret in `{SECRET}`");
        let secret = self.secret.clone().ok_or_else(missing)?;
        self.cookies.set(attributes(Cookie::new(COOKIE, secret)))?;
        Ok(())
    }

    /// Turns draft mode off for this client.
    ///
    /// # Errors
    ///
    /// Like [`Cookies::delete`].
    pub fn disable(&self) -> Result<()> {
        self.cookies.delete(attributes(Cookie::new(COOKIE, "")))?;
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for DraftMode {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        let secret = std::env::var(SECRET)
            .ok()
            .filter(|secret| !secret.is_empty());
        Ok(Self {
            cookies: exchange.draft_cookies(),
            secret,
        })
    }
}

/// Sets the attributes. Editors come from a CMS on another site, so the cookie has to be sent with its requests.
fn attributes(cookie: Cookie) -> Cookie {
    cookie.secure().http_only().same_site(SameSite::None)
}

/// Compares two texts in a time that does not depend on where they differ.
fn same(one: &str, other: &str) -> bool {
    let differing = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn draft(cookie: &str) -> DraftMode {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", cookie.parse().unwrap());
        DraftMode {
            cookies: Cookies::of(&headers),
            secret: Some("s3cret".to_owned()),
        }
    }

    #[test]
    fn only_the_secret_enables_it() {
        assert!(draft("__prerender_bypass=s3cret").is_enabled());
        for forged in [
            "__prerender_bypass=guess",
            "__prerender_bypass=s3cre",
            "__prerender_bypass",
        ] {
            let draft = draft(forged);
            assert!(!draft.is_enabled(), "{forged}");
            assert!(
                draft
                    .cookies
                    .to_string()
                    .starts_with("__prerender_bypass=; Path=/; Expires=Thu, 01 Jan 1970")
            );
        }
    }

    #[test]
    fn draft_mode_is_turned_on_and_off() {
        let draft = draft("a=1");
        draft.enable().unwrap();
        assert!(draft.is_enabled());
        let line = draft.cookies.to_string();
        assert_eq!(
            line,
            "__prerender_bypass=s3cret; Path=/; Secure; HttpOnly; SameSite=None"
        );
        draft.disable().unwrap();
        assert!(!draft.is_enabled());
        let without = DraftMode {
            secret: None,
            ..draft
        };
        assert!(without.enable().is_err());
    }
}
