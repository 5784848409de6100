//! [`Revalidation`]: what a handler invalidates, and the internal response header that carries it.

use std::fmt;
use std::time::Duration;

use crate::escape;
use crate::life::MAX_LIFE;
use crate::subject::{Kind, Subject, SubjectError};
use crate::tag::MAX_TAGS;

/// The internal response header that carries the revalidations of a run. The host or router component that forwards the
/// response applies them and removes the header.
pub const X_WAYPOST_REVALIDATE: &str = "x-waypost-revalidate";

/// The largest number of revalidations of one response.
pub const MAX_REVALIDATIONS: usize = MAX_TAGS;

/// The largest length of an internal header, in bytes.
pub const MAX_INTERNAL_HEADER: usize = 64 * 1024;

/// The invalidation of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revalidation {
    /// What is invalidated.
    pub subject: Subject,
    /// Which of its tokens change.
    pub change: Change,
}

/// Which tokens of a subject an invalidation replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The soft token: responses become stale. They are served until a new one is made.
    Soft,
    /// The hard token: the next request waits for a new response.
    Hard,
    /// The soft token now, and the hard token after this time, in whole seconds. A host without timers replaces only the
    /// soft one: a request then still refreshes the response.
    SoftThenHard(Duration),
}

/// Why a part of the header [`X_WAYPOST_REVALIDATE`] is ignored, or can't be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevalidationError {
    /// An item is not of the form that [`Revalidation::write`] describes.
    #[error("a revalidation is malformed")]
    Malformed,
    /// An item names something that can't be invalidated.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// There are more than [`MAX_REVALIDATIONS`], or more than [`MAX_INTERNAL_HEADER`] bytes.
    #[error(
        "a response revalidates more than {MAX_REVALIDATIONS} tags and paths, or names too long; revalidate what is above them"
    )]
    TooMany,
}

impl Revalidation {
    /// Makes the responses with a tag stale, as `revalidateTag(tag, "max")` in Next.
    ///
    /// # Errors
    ///
    /// Returns an error if the tag is empty or too long.
    pub fn revalidate_tag(tag: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Subject::tag(tag)?, Change::Soft))
    }

    /// Ends the responses with a tag, as `updateTag` and `revalidateTag(tag, { expire: 0 })` in Next.
    ///
    /// # Errors
    ///
    /// Returns an error if the tag is empty or too long.
    pub fn expire_tag(tag: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Subject::tag(tag)?, Change::Hard))
    }

    /// Ends the responses of a path, as `revalidatePath(path)` in Next.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a path, has a query, or is too long.
    pub fn revalidate_path(path: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Subject::path(path)?, Change::Hard))
    }

    /// Ends the responses of a path and of all paths below it, as `revalidatePath(path, "layout")` in Next.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a path, has a query, or is too long.
    pub fn revalidate_below(path: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Subject::below(path)?, Change::Hard))
    }

    /// Ends the responses of a route, as `revalidatePath(pattern, "page")` in Next.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a pattern.
    pub fn revalidate_route(pattern: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Subject::route(pattern)?, Change::Hard))
    }

    /// Makes the responses stale now, and ends them after a time, as `revalidateTag(tag, { expire: seconds })` in Next.
    ///
    /// Fractions of a second are dropped. Without a whole second this is a hard change at once.
    #[must_use]
    pub fn expire_in(self, time: Duration) -> Self {
        let change = match time.as_secs().min(MAX_LIFE.as_secs()) {
            0 => Change::Hard,
            seconds => Change::SoftThenHard(Duration::from_secs(seconds)),
        };
        Self { change, ..self }
    }

    /// Writes the value of the header [`X_WAYPOST_REVALIDATE`].
    ///
    /// Items are separated by commas. An item is the kind of the subject, the change, `:` and the percent-encoded name.
    /// The change is nothing if it is soft, `!` if it is hard, and `+` with the number of seconds if it is both.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use waypost_cache::Revalidation;
    ///
    /// let revalidations = [
    ///     Revalidation::revalidate_tag("posts, all")?,
    ///     Revalidation::revalidate_tag("front")?.expire_in(Duration::from_secs(300)),
    ///     Revalidation::revalidate_path("/blog/a")?,
    /// ];
    /// let header = Revalidation::write(&revalidations)?;
    /// assert_eq!(header, "tag:posts%2C%20all,tag+300:front,path!:/blog/a");
    /// let read: Result<Vec<_>, _> = Revalidation::parse(&header).collect();
    /// assert_eq!(read?, revalidations);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if there are more than [`MAX_REVALIDATIONS`], or more than [`MAX_INTERNAL_HEADER`] bytes.
    pub fn write(revalidations: &[Self]) -> Result<String, RevalidationError> {
        let mut header = String::new();
        for revalidation in revalidations {
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(revalidation.subject.kind().as_str());
            match revalidation.change {
                Change::Soft => {}
                Change::Hard => header.push('!'),
                Change::SoftThenHard(time) => header.push_str(&format!("+{}", time.as_secs())),
            }
            header.push(':');
            escape::encode(&mut header, revalidation.subject.name().as_bytes(), b"/");
        }
        match revalidations.len() > MAX_REVALIDATIONS || header.len() > MAX_INTERNAL_HEADER {
            true => Err(RevalidationError::TooMany),
            false => Ok(header),
        }
    }

    /// Parses the value of the header [`X_WAYPOST_REVALIDATE`]. Spaces around items and empty items are ignored.
    ///
    /// Each item is parsed by itself, so that one that is malformed does not hide the others. At most
    /// [`MAX_REVALIDATIONS`] items are parsed. If there are more, the last item is [`RevalidationError::TooMany`].
    pub fn parse(header: &str) -> impl Iterator<Item = Result<Self, RevalidationError>> {
        let is_too_long = header.len() > MAX_INTERNAL_HEADER;
        let header = if is_too_long { "" } else { header };
        let items = header
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        let is_too_many = is_too_long || items.clone().nth(MAX_REVALIDATIONS).is_some();
        let error = is_too_many.then_some(Err(RevalidationError::TooMany));
        items
            .take(MAX_REVALIDATIONS)
            .map(Self::parse_item)
            .chain(error)
    }

    fn parse_item(item: &str) -> Result<Self, RevalidationError> {
        let malformed = || RevalidationError::Malformed;
        let (head, name) = item.split_once(':').ok_or_else(malformed)?;
        let letters = head.bytes().take_while(u8::is_ascii_lowercase).count();
        let (kind, change) = head.split_at(letters);
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        let name = escape::decode_strict(name).ok_or_else(malformed)?;
        let change = Change::parse(change).ok_or_else(malformed)?;
        let subject = Subject::of_kind(kind.ok_or_else(malformed)?, &name)?;
        Ok(Self::new(subject, change))
    }

    fn new(subject: Subject, change: Change) -> Self {
        Self { subject, change }
    }
}

/// The subject and what happens to its responses, for people.
///
/// ```
/// use waypost_cache::Revalidation;
///
/// assert_eq!(Revalidation::revalidate_tag("posts")?.to_string(), "tag:posts (stale)");
/// assert_eq!(Revalidation::revalidate_path("/a")?.to_string(), "path:/a (expired)");
/// # Ok::<(), waypost_cache::subject::SubjectError>(())
/// ```
impl fmt::Display for Revalidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match self.change {
            Change::Soft => write!(f, "{subject} (stale)"),
            Change::Hard => write!(f, "{subject} (expired)"),
            Change::SoftThenHard(time) => {
                write!(f, "{subject} (stale, expires in {} s)", time.as_secs())
            }
        }
    }
}

impl Change {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Soft),
            "!" => Some(Self::Hard),
            _ => {
                let seconds = text.strip_prefix('+')?;
                let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
                let time = Duration::from_secs(seconds.parse().ok().filter(|_| is_number)?);
                (!time.is_zero() && time <= MAX_LIFE).then_some(Self::SoftThenHard(time))
            }
        }
    }
}

#[cfg(test)]
mod tests;
