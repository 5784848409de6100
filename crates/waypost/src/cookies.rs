//! Cookies: what the client sent, and the jar that collects what goes back.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use cookie::time::{Duration, OffsetDateTime};
pub use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// The cookies of an exchange: those of the request, and on top of them what the handler sets.
///
/// What is set or deleted becomes `Set-Cookie` lines of the response, also where the handler
/// ends with a redirect or an error. Copies share one jar. Reading sees the handler's own writes.
///
/// Request cookies are read as Next reads them: split at `;`, the name up to the first `=`, the
/// value percent-decoded once; a cookie whose value can't be decoded is left out.
///
/// # Examples
///
/// ```
/// use waypost::cookies::{Cookie, Cookies, SameSite};
///
/// async fn get(cookies: Cookies) -> waypost::Result<String> {
///     let visits = cookies.get("visits").and_then(|c| c.value().parse::<u32>().ok()).unwrap_or(0);
///     cookies.set(("visits", (visits + 1).to_string()))?;
///     cookies.set(Cookie::build(("seen", "yes")).http_only(true).same_site(SameSite::Lax))?;
///     cookies.delete("old");
///     Ok(format!("{visits} visits before this one"))
/// }
/// ```
#[derive(Clone, Default)]
pub struct Cookies(Arc<Mutex<Jar>>);

#[derive(Default)]
struct Jar {
    sent: Vec<(String, String)>,
    changes: Vec<Cookie<'static>>,
}

impl Cookies {
    /// Reads the cookies of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(Arc::new(Mutex::new(Jar {
            sent: parse(headers),
            changes: Vec::new(),
        })))
    }

    /// Returns the cookie of this name: as the handler set it, or else as the client sent it.
    pub fn get(&self, name: &str) -> Option<Cookie<'static>> {
        let jar = self.jar();
        if let Some(change) = jar.changes.iter().rev().find(|c| c.name() == name) {
            return (!is_removal(change)).then(|| change.clone());
        }
        let sent = jar.sent.iter().find(|(known, _)| known == name);
        sent.map(|(name, value)| Cookie::new(name.clone(), value.clone()))
    }

    /// Tells whether there is a cookie of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns all cookies, those of the client first.
    pub fn all(&self) -> Vec<Cookie<'static>> {
        let mut names: Vec<String> = Vec::new();
        {
            let jar = self.jar();
            let sent = jar.sent.iter().map(|(name, _)| name.as_str());
            for name in sent.chain(jar.changes.iter().map(|c| c.name())) {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        names.iter().filter_map(|name| self.get(name)).collect()
    }

    /// Sets a cookie: a pair of name and value, or a [`Cookie`] with attributes.
    ///
    /// The path is `/` unless it is given. A cookie of the same name, path and domain is replaced.
    ///
    /// # Errors
    ///
    /// [`CookieError`] where the name, path or domain could smuggle in another attribute. The value
    /// may hold anything: it is percent-encoded.
    pub fn set(&self, cookie: impl Into<Cookie<'static>>) -> Result<(), CookieError> {
        let cookie = cookie.into();
        check("name", cookie.name(), is_token)?;
        check("path", cookie.path().unwrap_or_default(), is_attribute)?;
        check("domain", cookie.domain().unwrap_or_default(), is_attribute)?;
        self.put(cookie);
        Ok(())
    }

    /// Deletes the cookie at the client, whether it sent one or not.
    ///
    /// To delete one of another path or domain, give a [`Cookie`] that has them.
    pub fn delete(&self, cookie: impl Into<Cookie<'static>>) {
        let mut cookie = cookie.into();
        cookie.make_removal();
        cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
        if check("name", cookie.name(), is_token).is_ok() {
            self.put(cookie);
        }
    }

    fn put(&self, cookie: Cookie<'static>) {
        let mut jar = self.jar();
        let same = |known: &Cookie<'static>| key(known) == key(&cookie);
        match jar.changes.iter().position(same) {
            Some(index) => jar.changes[index] = cookie,
            None => jar.changes.push(cookie),
        }
    }

    /// Appends a `Set-Cookie` line for every change.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for cookie in &self.jar().changes {
            // The name, path and domain were checked, the value is encoded: it can't fail.
            if let Ok(value) = HeaderValue::from_str(&line(cookie)) {
                headers.append(header::SET_COOKIE, value);
            }
        }
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.all().iter().map(|c| c.name().to_owned()))
            .finish()
    }
}

/// A cookie that can't be set, since a part of it could inject another attribute.
#[derive(Debug, PartialEq, Eq)]
pub struct CookieError {
    part: &'static str,
    text: String,
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, text } = self;
        write!(
            f,
            "`{}` can't be the {part} of a cookie",
            text.escape_debug()
        )
    }
}

impl std::error::Error for CookieError {}

fn check(part: &'static str, text: &str, valid: fn(&str) -> bool) -> Result<(), CookieError> {
    if valid(text) {
        Ok(())
    } else {
        Err(CookieError {
            part,
            text: text.to_owned(),
        })
    }
}

/// A token of RFC 9110 section 5.6.2, which RFC 6265 asks of a cookie's name.
fn is_token(text: &str) -> bool {
    let symbol = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

/// The value of an attribute (RFC 6265 section 4.1.1): no control character, no `;`.
fn is_attribute(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
}

fn is_removal(cookie: &Cookie<'_>) -> bool {
    cookie.max_age() == Some(Duration::ZERO) && cookie.value().is_empty()
}

fn key<'c>(cookie: &'c Cookie<'_>) -> (&'c str, &'c str, Option<&'c str>) {
    (cookie.name(), cookie.path().unwrap_or("/"), cookie.domain())
}

fn parse(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut cookies: Vec<(String, String)> = Vec::new();
    let lines = headers.get_all(header::COOKIE).iter();
    for pair in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let Some((name, value)) = parse_pair(&String::from_utf8_lossy(pair)) else {
            continue;
        };
        match cookies.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => cookies.push((name, value)),
        }
    }
    cookies
}

fn parse_pair(pair: &str) -> Option<(String, String)> {
    let pair = pair.trim_start_matches(' ');
    if pair.is_empty() {
        return None;
    }
    match pair.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), decode(value)?)),
        None => Some((pair.to_owned(), "true".to_owned())),
    }
}

/// Percent-decodes once; nothing where an escape is malformed or the result is no UTF-8.
fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// Encodes as ECMAScript's `encodeURIComponent` does.
fn encode(value: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    if value.bytes().all(plain) {
        return Cow::Borrowed(value);
    }
    value
        .bytes()
        .fold(String::new(), |mut text, byte| {
            match plain(byte) {
                true => text.push(char::from(byte)),
                false => text.push_str(&format!("%{byte:02X}")),
            }
            text
        })
        .into()
}

/// Writes a `Set-Cookie` line with its attributes in Next's order.
fn line(cookie: &Cookie<'_>) -> String {
    let mut line = format!("{}={}", cookie.name(), encode(cookie.value()));
    match cookie.path() {
        Some("") => {}
        path => line.push_str(&format!("; Path={}", path.unwrap_or("/"))),
    }
    if let Some(expires) = expires(cookie) {
        line.push_str(&format!("; Expires={}", HttpDate(expires)));
    }
    if let Some(age) = cookie.max_age() {
        line.push_str(&format!("; Max-Age={}", age.whole_seconds()));
    }
    if let Some(domain) = cookie.domain().filter(|domain| !domain.is_empty()) {
        line.push_str(&format!("; Domain={domain}"));
    }
    if cookie.secure() == Some(true) {
        line.push_str("; Secure");
    }
    if cookie.http_only() == Some(true) {
        line.push_str("; HttpOnly");
    }
    if let Some(same_site) = cookie.same_site() {
        line.push_str(&format!("; SameSite={same_site}"));
    }
    if cookie.partitioned() == Some(true) {
        line.push_str("; Partitioned");
    }
    line
}

/// `Max-Age` other than zero also writes `Expires`, for clients that know only that.
fn expires(cookie: &Cookie<'_>) -> Option<OffsetDateTime> {
    match cookie.max_age() {
        Some(age) if !age.is_zero() => now().checked_add(age),
        _ => cookie.expires_datetime(),
    }
}

fn now() -> OffsetDateTime {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7).
struct HttpDate(OffsetDateTime);

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let date = self.0.to_offset(cookie::time::UtcOffset::UTC);
        let weekday = DAYS[usize::from(date.weekday().number_days_from_monday())];
        let month = MONTHS[usize::from(u8::from(date.month())) - 1];
        let (hour, minute, second) = date.to_hms();
        let (day, year) = (date.day(), date.year());
        write!(
            f,
            "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> Cookies {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
        Cookies::of(&headers)
    }

    fn lines(cookies: &Cookies) -> Vec<String> {
        let mut headers = HeaderMap::new();
        cookies.apply(&mut headers);
        let lines = headers.get_all(header::SET_COOKIE).iter();
        lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn request_cookies() {
        let cookies = sent("a=1; b=x%20y;c; d=%ZZ; a=2; e=\"q\"; f=b=c");
        let all = cookies.all();
        let all: Vec<_> = all.iter().map(Cookie::name_value).collect();
        let expected = [
            ("a", "2"),
            ("b", "x y"),
            ("c", "true"),
            ("e", "\"q\""),
            ("f", "b=c"),
        ];
        assert_eq!(all, expected);
        assert!(!cookies.has("d") && !cookies.has("A"));
    }

    #[test]
    fn set_cookie_lines() {
        let cookies = Cookies::default();
        cookies.set(("a", "x;y é")).unwrap();
        cookies
            .set(
                Cookie::build(("b", "2"))
                    .path("/p")
                    .domain("example.com")
                    .secure(true)
                    .http_only(true)
                    .same_site(SameSite::Strict)
                    .partitioned(true),
            )
            .unwrap();
        cookies.delete("c");
        assert_eq!(
            lines(&cookies),
            [
                "a=x%3By%20%C3%A9; Path=/",
                "b=2; Path=/p; Domain=example.com; Secure; HttpOnly; SameSite=Strict; Partitioned",
                "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
            ]
        );
    }

    #[test]
    fn the_jar_is_keyed_by_name_path_and_domain() {
        let cookies = Cookies::default();
        cookies.set(("a", "1")).unwrap();
        cookies.set(Cookie::build(("a", "2")).path("/x")).unwrap();
        cookies.set(Cookie::build(("a", "3")).path("/")).unwrap();
        assert_eq!(lines(&cookies), ["a=3; Path=/", "a=2; Path=/x"]);
    }

    #[test]
    fn reading_sees_writes() {
        let cookies = sent("a=1; b=2");
        cookies.set(("a", "3")).unwrap();
        cookies.delete("b");
        assert_eq!(cookies.get("a").unwrap().value(), "3");
        assert!(!cookies.has("b"));
    }

    #[test]
    fn injections_are_refused() {
        let cookies = Cookies::default();
        for name in ["", "a b", "a;b", "a=b", "é", "a\r\nb"] {
            assert!(cookies.set((name, "1")).is_err(), "{name:?}");
        }
        for path in ["/x; HttpOnly", "/\r\n", "/é"] {
            assert!(
                cookies.set(Cookie::build(("a", "1")).path(path)).is_err(),
                "{path:?}"
            );
        }
        assert!(lines(&cookies).is_empty());
        cookies.set(("a", "x\r\nSet-Cookie: evil=1")).unwrap();
        assert_eq!(
            lines(&cookies),
            ["a=x%0D%0ASet-Cookie%3A%20evil%3D1; Path=/"]
        );
    }

    #[test]
    fn max_age_writes_expires_too() {
        let cookies = Cookies::default();
        cookies
            .set(Cookie::build(("a", "1")).max_age(Duration::minutes(1)))
            .unwrap();
        let line = lines(&cookies).remove(0);
        assert!(line.starts_with("a=1; Path=/; Expires=") && line.ends_with("GMT; Max-Age=60"));
        assert_eq!(
            HttpDate(OffsetDateTime::from_unix_timestamp(1_893_456_000).unwrap()).to_string(),
            "Tue, 01 Jan 2030 00:00:00 GMT"
        );
    }
}
