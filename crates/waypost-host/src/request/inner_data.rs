//! [`InnerData`]: what a run got from the data cache, on which its response depends.

use std::sync::{Mutex, MutexGuard, PoisonError};
use waypost_cache::Life;
use waypost_cache::tag::{TagError, add_tags};

/// The tags and lives of the values that a run got from the data cache or stored there. A response that is made of them and
/// cached has them too.
#[derive(Debug, Default)]
pub(crate) struct InnerData(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    tags: Vec<String>,
    life: Option<Life>,
    error: Option<TagError>,
}

impl InnerData {
    /// Adds the tags and the life of a value.
    pub(crate) fn add(&self, tags: &[String], life: Life) {
        let mut known = self.lock();
        if let Err(error) = add_tags(&mut known.tags, tags.iter().cloned()) {
            known.error = Some(error);
        }
        known.life = Some(known.life.map_or(life, |known| known.shorter(life)));
    }

    /// Returns all tags, and the shortest life, or `None` if the run used no value.
    ///
    /// # Errors
    ///
    /// When there are too many tags, so that a response could not be revalidated by all of them.
    pub(crate) fn all(&self) -> Result<(Vec<String>, Option<Life>), TagError> {
        let known = self.lock();
        match known.error {
            Some(error) => Err(error),
            None => Ok((known.tags.clone(), known.life)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn life(seconds: u64) -> Life {
        Life::new(Some(Duration::from_secs(seconds)), None).expect("it is a life")
    }

    #[test]
    fn a_response_has_all_tags_and_the_shortest_life() {
        let inner = InnerData::default();
        assert_eq!(inner.all(), Ok((vec![], None)));
        inner.add(&["a".into(), "b".into()], life(60));
        inner.add(&["b".into()], life(10));
        inner.add(&[], life(90));
        let tags = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(inner.all(), Ok((tags, Some(life(10)))));
        let many: Vec<_> = (0..127).map(|number| number.to_string()).collect();
        inner.add(&many, life(90));
        assert_eq!(inner.all(), Err(TagError::TooMany));
    }
}
