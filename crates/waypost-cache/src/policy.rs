//! [`Policy`]: the author's decision on how the responses of a route are cached.

mod error;
mod line;
#[cfg(feature = "json")]
mod read;
mod write;

use std::time::Duration;

use waypost_routing::{Params, Pattern};

pub use error::{PolicyError, expected};

use crate::Life;
use crate::life::parse_time;
use crate::names;
use crate::tag::{self, MAX_TAG_CHARS, MAX_TAGS, Piece, TagError};

/// How the responses of a route are cached. All of it is checked.
///
/// A route without a policy is not cached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    life: Life,
    tags: Vec<String>,
    query: Vec<String>,
    vary: Vec<String>,
}

/// A policy as its author wrote it, before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The name of a profile, which sets the times that are missing below.
    pub life: Option<String>,
    /// A time for [`parse_time`], or `never` if age does not make a response stale. Without it and
    /// without a profile it is `never`.
    pub revalidate: Option<String>,
    /// A time for [`parse_time`].
    pub expire: Option<String>,
    /// Tags, with the names of params in braces: `post-{slug}`.
    pub tags: Vec<String>,
    /// The names of the query parameters that the handler sees, and that are part of the key. They are compared after
    /// decoding.
    pub query: Vec<String>,
    /// The names of the request headers that the handler sees, and that are part of the key.
    pub vary: Vec<String>,
}

/// The largest number of query parameters in a policy.
pub const MAX_QUERY_NAMES: usize = 32;

/// The largest number of request headers in a policy. Each of them multiplies the number of entries.
pub const MAX_VARY_NAMES: usize = 8;

/// The largest number of characters of a name in `query` or `vary`.
const MAX_NAME_CHARS: usize = 128;

impl Policy {
    /// Returns how long responses are fresh, and how long they are served.
    pub fn life(&self) -> Life {
        self.life
    }

    /// Returns the tags, with the names of params in braces, in the author's order.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Returns the names of the query parameters in the key, sorted.
    pub fn query(&self) -> &[String] {
        &self.query
    }

    /// Returns the lowercase names of the request headers in the key, sorted.
    pub fn vary(&self) -> &[String] {
        &self.vary
    }

    /// Checks that each tag names only params of the pattern.
    ///
    /// # Errors
    ///
    /// Returns an error for every unknown param.
    pub fn check_pattern(&self, pattern: &Pattern) -> Result<(), Vec<PolicyError>> {
        let known: Vec<_> = pattern.params().map(ToString::to_string).collect();
        let mut errors = Vec::new();
        for tag in &self.tags {
            for piece in tag::pieces(tag).unwrap_or_default() {
                if let Piece::Param(name) = piece
                    && !known.iter().any(|known| known == name)
                {
                    errors.push(PolicyError::UnknownParam {
                        tag: tag.clone(),
                        name: name.to_owned(),
                        known: known.clone(),
                    });
                }
            }
        }
        or_errors((), errors)
    }

    /// Computes the tags of a response to a path with these params.
    ///
    /// # Errors
    ///
    /// Returns an error if a tag becomes empty or too long. Such a response must not be stored, because its tag could
    /// not invalidate it.
    pub fn tags_for(&self, params: &Params) -> Result<Vec<String>, TagError> {
        let mut tags = Vec::new();
        tag::add_tags(
            &mut tags,
            self.tags.iter().map(|template| tag::fill(template, params)),
        )?;
        Ok(tags)
    }
}

impl Draft {
    /// Checks all fields. `profiles` are the app's own; they precede the built-in ones of the same name.
    ///
    /// # Errors
    ///
    /// Returns all errors at once.
    pub fn check(&self, profiles: &[(String, Life)]) -> Result<Policy, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let life = self.check_life(profiles, &mut errors).unwrap_or_default();
        let tags = self.check_tags(&mut errors);
        let query = self.check_query(&mut errors);
        let vary = self.check_vary(&mut errors);
        let policy = Policy {
            life,
            tags,
            query,
            vary,
        };
        or_errors(policy, errors)
    }

    fn check_life(
        &self,
        profiles: &[(String, Life)],
        errors: &mut Vec<PolicyError>,
    ) -> Option<Life> {
        let before = errors.len();
        let profile = self.life.as_deref();
        let profile = value_of(profile.map(|name| find_profile(name, profiles)), errors);
        let revalidate = match self.revalidate.as_deref() {
            Some("never") => None,
            Some(text) => value_of(Some(time("revalidate", text)), errors),
            None => profile.and_then(Life::revalidate),
        };
        let expire = self.expire.as_deref();
        let expire = value_of(expire.map(|text| time("expire", text)), errors);
        if errors.len() > before {
            return None;
        }
        let life = Life::new(revalidate, expire.or(profile.map(Life::expire)));
        value_of(Some(life), errors)
    }

    fn check_tags(&self, errors: &mut Vec<PolicyError>) -> Vec<String> {
        check_list("tags", &self.tags, MAX_TAGS, MAX_TAG_CHARS, errors);
        let wrong = self
            .tags
            .iter()
            .filter(|tag| tag::pieces(tag).is_none())
            .cloned();
        errors.extend(wrong.map(|tag| PolicyError::Braces { tag }));
        self.tags.clone()
    }

    fn check_query(&self, errors: &mut Vec<PolicyError>) -> Vec<String> {
        let mut query = self.query.clone();
        check_list("query", &query, MAX_QUERY_NAMES, MAX_NAME_CHARS, errors);
        if query.iter().any(|name| name == "*") {
            errors.push(PolicyError::AllOfQuery);
        }
        query.sort_unstable();
        query
    }

    fn check_vary(&self, errors: &mut Vec<PolicyError>) -> Vec<String> {
        let names = self.vary.iter().map(|name| name.to_ascii_lowercase());
        let mut vary: Vec<_> = names.collect();
        check_list("vary", &vary, MAX_VARY_NAMES, MAX_NAME_CHARS, errors);
        errors.extend(vary.iter().filter_map(|name| header_error(name)));
        vary.sort_unstable();
        vary
    }
}

/// Returns the value of a result, or adds its error to the list.
fn value_of<T>(result: Option<Result<T, PolicyError>>, errors: &mut Vec<PolicyError>) -> Option<T> {
    result?.map_err(|error| errors.push(error)).ok()
}

fn find_profile(name: &str, own: &[(String, Life)]) -> Result<Life, PolicyError> {
    let found = own.iter().find(|(known, _)| known == name);
    let found = found.map(|(_, life)| *life).or_else(|| Life::profile(name));
    found.ok_or_else(|| {
        let mut known: Vec<_> = own.iter().map(|(name, _)| name.clone()).collect();
        known.extend(Life::profile_names().map(str::to_owned));
        let name = name.to_owned();
        PolicyError::UnknownLife { name, known }
    })
}

fn time(field: &'static str, text: &str) -> Result<Duration, PolicyError> {
    parse_time(text).ok_or_else(|| {
        let value = text.to_owned();
        PolicyError::NotATime { field, value }
    })
}

/// Checks the number, lengths and characters of the items of a list, and that no item occurs twice.
fn check_list(
    field: &'static str,
    items: &[String],
    most: usize,
    chars: usize,
    errors: &mut Vec<PolicyError>,
) {
    if items.len() > most {
        let count = items.len();
        return errors.push(PolicyError::TooMany { field, count, most });
    }
    for (index, item) in items.iter().enumerate() {
        let value = item.clone();
        if item.is_empty() {
            errors.push(PolicyError::EmptyItem { field });
        } else if item.chars().nth(chars).is_some() {
            let most = chars;
            errors.push(PolicyError::TooLong { field, value, most });
        } else if item.chars().any(char::is_control) {
            errors.push(PolicyError::ControlCharacter { field, value });
        } else if items[..index].contains(item) {
            errors.push(PolicyError::Repeated { field, value });
        }
    }
}

fn header_error(name: &str) -> Option<PolicyError> {
    if name == "*" || !names::is_token(name) {
        return Some(PolicyError::NotAHeader {
            name: name.to_owned(),
        });
    }
    let reason = names::reason_against(name)?;
    let name = name.to_owned();
    Some(PolicyError::RefusedHeader { name, reason })
}

fn or_errors<T>(value: T, errors: Vec<PolicyError>) -> Result<T, Vec<PolicyError>> {
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests;
