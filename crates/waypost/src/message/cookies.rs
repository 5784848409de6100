//! Cookies: those that the client sent, and those that the response sets.

mod cookie;
pub(crate) mod date;
mod encoding;
mod request;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};

pub use cookie::{Cookie, CookieError, Priority, SameSite};
pub use request::RequestCookies;
use request::parse;

use crate::response::head::Head;

/// The cookies of a request, together with the changes that the handler makes.
///
/// Each cookie that the handler sets or deletes becomes a `Set-Cookie` header of the response, also if the handler
/// ends with a redirect or an error. Clones share the same cookies, and reads see earlier changes.
///
/// The `Cookie` header is parsed as in Next: split at `;`, the name up to the first `=`, the value percent-decoded
/// once. A cookie whose value can't be decoded is left out.
///
/// # Examples
///
/// ```
/// use waypost::cookies::{Cookie, Cookies, SameSite};
///
/// async fn get(cookies: Cookies) -> waypost::Result<String> {
///     let visits = cookies.value("visits").and_then(|v| v.parse::<u32>().ok()).unwrap_or(0);
///     cookies.set(("visits", (visits + 1).to_string()))?;
///     cookies.set(Cookie::new("seen", "yes").http_only().same_site(SameSite::Lax))?;
///     cookies.delete("old")?;
///     Ok(format!("{visits} visits before this one"))
/// }
/// ```
#[derive(Clone, Default)]
pub struct Cookies(Arc<Mutex<Jar>>);

#[derive(Default)]
struct Jar {
    sent: Vec<(String, String)>,
    changes: Vec<Cookie>,
    /// Writes the changes into a response. A function pointer that the first change sets, so that a component that
    /// sets no cookies does not contain the code: 38.1 kB of `/hello`.
    writer: Option<fn(&[Cookie], &mut Head)>,
    /// Whether the headers of the response were already written.
    sealed: bool,
    /// Refuses all changes if the response may be cached. A function pointer, so that other components do not contain the
    /// text of the error.
    refusal: Option<Refusal>,
}

/// Creates the error for a cookie of this name.
type Refusal = fn(&str) -> CookieError;

impl Cookies {
    /// Reads the cookies of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = parse(headers);
        Self(Arc::new(Mutex::new(Jar {
            sent,
            ..Jar::default()
        })))
    }

    /// Reads the cookies of a request whose response may be cached for all clients: none can be set.
    pub(crate) fn read_only(headers: &HeaderMap) -> Self {
        let cookies = Self::of(headers);
        cookies.jar().refusal = Some(CookieError::cached);
        cookies
    }

    /// Returns the cookie of this name as the handler set it, else as the client sent it, or `None` if there is
    /// neither. A cookie that the handler deleted has an empty value.
    pub fn get(&self, name: &str) -> Option<Cookie> {
        let jar = self.jar();
        if let Some(change) = jar
            .changes
            .iter()
            .rev()
            .find(|cookie| cookie.name() == name)
        {
            return Some(change.clone());
        }
        let sent = jar.sent.iter().find(|(known, _)| known == name);
        sent.map(|(name, value)| Cookie::new(name, value))
    }

    /// Returns the value of the cookie that [`Cookies::get`] returns.
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let req = Request::get("/").with_header("cookie", "theme=dark");
    /// assert_eq!(req.cookies().value("theme").as_deref(), Some("dark"));
    /// ```
    pub fn value(&self, name: &str) -> Option<String> {
        self.get(name).map(|cookie| cookie.value().to_owned())
    }

    /// Returns whether there is a cookie of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns all cookies of this name: one for each path and domain for which the handler set it.
    pub fn get_all(&self, name: &str) -> Vec<Cookie> {
        let jar = self.jar();
        let set = jar.changes.iter().filter(|cookie| cookie.name() == name);
        let set: Vec<_> = set.cloned().collect();
        drop(jar);
        if set.is_empty() {
            self.get(name).into_iter().collect()
        } else {
            set
        }
    }

    /// Returns all cookies, those of the client first.
    pub fn all(&self) -> Vec<Cookie> {
        let jar = self.jar();
        let set = |name: &str| -> Vec<_> {
            let set = jar.changes.iter().filter(|cookie| cookie.name() == name);
            set.cloned().collect()
        };
        let mut all = Vec::new();
        for (name, value) in &jar.sent {
            match set(name).as_slice() {
                [] => all.push(Cookie::new(name, value)),
                changed => all.extend_from_slice(changed),
            }
        }
        for (index, cookie) in jar.changes.iter().enumerate() {
            let name = cookie.name();
            let is_sent = jar.sent.iter().any(|(known, _)| known == name);
            if !is_sent && !jar.changes[..index].iter().any(|it| it.name() == name) {
                all.extend(set(name));
            }
        }
        all
    }

    /// Sets a cookie: a pair of name and value, or a [`Cookie`] with attributes.
    ///
    /// The path is `/` unless the cookie has one. A cookie with the same name, path and domain is replaced. The value
    /// may contain anything, because it is percent-encoded.
    ///
    /// # Errors
    ///
    /// [`CookieError`] if the name, path or domain contains a character that is not allowed there, if the headers of the
    /// response were already sent, or if the response may be cached for all clients.
    pub fn set(&self, cookie: impl Into<Cookie>) -> Result<&Self, CookieError> {
        let cookie = cookie.into();
        cookie.check()?;
        let mut jar = self.jar();
        if let Some(refusal) = jar.refusal {
            return Err(refusal(cookie.name()));
        }
        if jar.sealed {
            return Err(CookieError::too_late(cookie.name()));
        }
        jar.writer = Some(write);
        match jar
            .changes
            .iter()
            .position(|known| known.key() == cookie.key())
        {
            Some(index) => jar.changes[index] = cookie,
            None => jar.changes.push(cookie),
        }
        drop(jar);
        Ok(self)
    }

    /// Tells the client to delete a cookie, whether it sent one or not.
    ///
    /// To delete a cookie with a path or domain, pass a [`Cookie`] with that path and domain.
    ///
    /// # Errors
    ///
    /// Like [`Cookies::set`].
    pub fn delete(&self, cookie: impl Into<Cookie>) -> Result<&Self, CookieError> {
        self.set(cookie.into().removal())
    }

    /// Returns the cookies that the client sent, without the handler's changes.
    pub(crate) fn request_only(&self) -> Self {
        let jar = self.jar();
        let (sent, refusal) = (jar.sent.clone(), jar.refusal);
        Self(Arc::new(Mutex::new(Jar {
            sent,
            refusal,
            ..Jar::default()
        })))
    }

    /// Appends a `Set-Cookie` header for every change, except for cookies that a header of the response sets itself.
    pub(crate) fn apply(&self, head: &mut Head) {
        self.seal();
        let jar = self.jar();
        if let Some(write) = jar.writer {
            write(&jar.changes, head);
        }
    }

    /// Refuses further changes: the headers of the response are written.
    pub(crate) fn seal(&self) {
        self.jar().sealed = true;
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The values of the `Set-Cookie` headers.
impl fmt::Display for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.jar().changes.iter().map(Cookie::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

/// The names only, because values may be secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .all()
            .into_iter()
            .map(|cookie| cookie.name().to_owned());
        f.debug_list().entries(names).finish()
    }
}

fn write(changes: &[Cookie], head: &mut Head) {
    let lines = head.lines();
    let lines = lines.iter().filter(|(name, _)| name == SET_COOKIE);
    let by_hand: Vec<_> = lines.map(|(_, line)| line.clone()).collect();
    for cookie in changes {
        if by_hand.iter().any(|line| cookie.is_set_by(line.as_bytes())) {
            continue;
        }
        // Never an error: the name, path and domain were checked, and the value is encoded.
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            head.append(SET_COOKIE, value);
        }
    }
}

const SET_COOKIE: &str = "set-cookie";

/// Removes the `Set-Cookie` headers that set the same cookie, by name, path and domain: what is said last counts.
pub(crate) fn remove_header_of(cookie: &Cookie, headers: &mut HeaderMap) {
    let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    let is_other = |line: &HeaderValue| !cookie.is_set_by(line.as_bytes());
    headers.remove(SET_COOKIE);
    for line in lines.into_iter().filter(is_other) {
        headers.append(SET_COOKIE, line);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn sent(line: &str) -> Cookies {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.insert(http::header::COOKIE, value);
        Cookies::of(&headers)
    }

    fn lines(cookies: &Cookies) -> Vec<String> {
        let mut head = Head::new();
        cookies.apply(&mut head);
        let line = |(_, line): &(_, crate::response::head::Value)| {
            String::from_utf8(line.as_bytes().to_vec()).unwrap()
        };
        head.lines().iter().map(line).collect()
    }

    #[test]
    fn all_cookies_with_their_changes() {
        let cookies = sent("a=1; b=2");
        cookies.set(("c", "3")).unwrap().set(("a", "4")).unwrap();
        cookies.set(("d", "5")).unwrap();
        cookies.set(Cookie::new("c", "6").path("/x")).unwrap();
        let all: Vec<_> = cookies.all().iter().map(Cookie::to_string).collect();
        let expected = [
            "a=4; Path=/",
            "b=2; Path=/",
            "c=3; Path=/",
            "c=6; Path=/x",
            "d=5; Path=/",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn set_cookie_lines() {
        let cookies = Cookies::default();
        let everything = Cookie::new("b", "2")
            .path("/p")
            .domain("example.com")
            .secure()
            .http_only()
            .same_site(SameSite::Strict)
            .partitioned()
            .priority(Priority::High);
        cookies
            .set(("a", "x;y é"))
            .unwrap()
            .set(everything)
            .unwrap();
        cookies.set(Cookie::new("d", "").path("")).unwrap();
        cookies.delete("c").unwrap();
        assert_eq!(
            lines(&cookies),
            [
                "a=x%3By%20%C3%A9; Path=/",
                "b=2; Path=/p; Domain=example.com; Secure; HttpOnly; SameSite=Strict; Partitioned; Priority=high",
                "d=",
                "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
            ]
        );
    }

    #[test]
    fn cookies_are_keyed_by_name_path_and_domain() {
        let cookies = Cookies::default();
        cookies.set(("a", "1")).unwrap();
        cookies.set(Cookie::new("a", "2").path("/x")).unwrap();
        cookies.set(Cookie::new("a", "3").path("/")).unwrap();
        assert_eq!(lines(&cookies), ["a=3; Path=/", "a=2; Path=/x"]);
        assert_eq!(cookies.get_all("a").len(), 2);
    }

    #[test]
    fn a_set_cookie_header_of_the_response_wins() {
        let cookies = Cookies::default();
        cookies.set(("z", "1")).unwrap().set(("b", "2")).unwrap();
        let mut head = Head::new();
        head.append("set-cookie", HeaderValue::from_static("b=4"));
        cookies.apply(&mut head);
        let lines: Vec<_> = head.headers().get_all("set-cookie").iter().collect();
        assert_eq!(lines, ["b=4", "z=1; Path=/"]);
    }

    #[test]
    fn a_header_for_another_path_or_domain_sets_another_cookie() {
        for (line, is_same) in [
            ("a=2", true),
            (" a = 2 ; path=/ ; Secure", true),
            ("a=2; Path=/x; PATH=/", true),
            ("a=2; Path=x", true),
            ("a=2; Path=/x", false),
            ("a=2; Domain=example.com", false),
            ("A=2", false),
            ("ab=2", false),
            ("", false),
            ("=;=;;", false),
        ] {
            let cookies = Cookies::default();
            cookies.set(("a", "1")).unwrap();
            let mut head = Head::new();
            head.append("set-cookie", HeaderValue::from_str(line).unwrap());
            cookies.apply(&mut head);
            let count = head.headers().get_all("set-cookie").iter().count();
            assert_eq!(count, if is_same { 1 } else { 2 }, "{line}");
        }
        let cookies = Cookies::default();
        let cookie = Cookie::new("a", "1").domain("Example.com").path("/x");
        cookies.set(cookie).unwrap();
        let mut head = Head::new();
        let line = HeaderValue::from_static("a=2; domain=.example.COM; path=/x");
        head.append("set-cookie", line);
        cookies.apply(&mut head);
        assert_eq!(head.headers().get_all("set-cookie").iter().count(), 1);
    }

    #[test]
    fn a_cookie_can_be_too_late() {
        let cookies = Cookies::default();
        cookies.set(("a", "1")).unwrap();
        assert_eq!(lines(&cookies), ["a=1; Path=/"]);
        let error = cookies.set(("b", "2")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the response was already sent: the cookie `b` can't be set any more"
        );
        assert!(cookies.has("a"));
    }

    #[test]
    fn reading_sees_writes() {
        let cookies = sent("a=1; b=2");
        cookies.set(("a", "3")).unwrap();
        cookies.delete("b").unwrap();
        assert_eq!(cookies.get("a").unwrap().value(), "3");
        assert_eq!(cookies.get("b").unwrap().value(), "");
        let request = cookies.request_only();
        assert_eq!(request.get("b").unwrap().value(), "2");
    }

    #[test]
    fn injections_are_refused() {
        let cookies = Cookies::default();
        for name in ["", "a b", "a;b", "a=b", "é", "a\r\nb"] {
            assert!(cookies.set((name, "1")).is_err(), "{name:?}");
            assert!(cookies.delete(name).is_err(), "{name:?}");
        }
        for path in ["/x; HttpOnly", "/\r\n", "/é"] {
            assert!(
                cookies.set(Cookie::new("a", "1").path(path)).is_err(),
                "{path:?}"
            );
        }
        cookies.set(("a", "x\r\nSet-Cookie: evil=1")).unwrap();
        assert_eq!(
            lines(&cookies),
            ["a=x%0D%0ASet-Cookie%3A%20evil%3D1; Path=/"]
        );
    }

    #[test]
    fn times_out_of_range() {
        let epoch = SystemTime::UNIX_EPOCH;
        let distance = Duration::from_secs(1 << 60);
        for (cookie, expected) in [
            (
                Cookie::new("a", "1").expires(epoch + distance),
                "a=1; Path=/; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
            ),
            (
                Cookie::new("a", "1").expires(epoch - distance),
                "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            ),
            (
                Cookie::new("a", "1").max_age(-100_000_000_000),
                "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=-100000000000",
            ),
            (
                Cookie::new("a", "1").max_age(i64::MAX),
                "a=1; Path=/; Max-Age=9223372036854775807",
            ),
        ] {
            assert_eq!(cookie.to_string(), expected);
        }
    }

    #[test]
    fn max_age_writes_expires_too() {
        let cookies = Cookies::default();
        cookies.set(Cookie::new("a", "1").max_age(60)).unwrap();
        let line = lines(&cookies).remove(0);
        assert!(line.starts_with("a=1; Path=/; Expires=") && line.ends_with("GMT; Max-Age=60"));
    }
}
