//! How a request is answered: from the store, or by a run of the handler.

use std::rc::Rc;
use std::time::Duration;

use waypost_cache::{Asked, Outcome, Subject, Token, Unstorable, Verdict};

use super::concurrent::Done;
use super::fill::{Fill, Filled};
use super::served::{add_computed, serve};
use super::slots::{EntryId, Stored, slot};
use super::{Asking, Handler, KeyValue, Platform, Reply, ResponseCache, SealedRequest};

/// How long a request waits for the run of another one, before it has one of its own.
const MOST_WAIT: Duration = Duration::from_secs(5);

/// How often a request looks whether the run of another one has ended. It can't be woken: see `concurrent`.
const LOOK: Duration = Duration::from_millis(5);

/// What the store has for a key.
struct Found {
    /// `None` if the store does not answer.
    epoch: Option<Token>,
    stored: Option<(Stored, Verdict)>,
}

impl Found {
    const NOTHING: Self = Self {
        epoch: None,
        stored: None,
    };
}

impl<P: Platform> ResponseCache<P> {
    /// Answers a request to a route with a policy.
    pub async fn answer<H: Handler>(
        self: &Rc<Self>,
        asking: Asking,
        handler: &H,
    ) -> Reply<H::Stream> {
        let Asking {
            route,
            sealed,
            asked,
        } = asking;
        let fill = |epoch| Fill {
            cache: Rc::clone(self),
            route: Rc::clone(&route),
            sealed: Rc::clone(&sealed),
            handler: handler.clone(),
            epoch,
        };
        let found = self.look_up(&fill(None)).await;
        let was_gone = match found.stored {
            Some((_, Verdict::Gone)) => true,
            Some((stored, verdict)) => {
                if verdict == Verdict::Stale {
                    self.refresh(fill(found.epoch), stored.id);
                }
                return self.serve_found(stored, &asked, verdict);
            }
            None => false,
        };
        let now = self.platform.now();
        let is_uncacheable = self.noted().is_uncacheable(&sealed.digest, now);
        let mut epoch = found.epoch;
        if !is_uncacheable && self.has_waited(&sealed).await {
            let found = self.look_up(&fill(None)).await;
            epoch = found.epoch;
            if let Some((stored, verdict)) = found.stored
                && verdict != Verdict::Gone
            {
                return self.serve_collapsed(stored, &asked, was_gone);
            }
        }
        let flight = Flight::begin(self, &sealed);
        let filled = fill(epoch).run().await;
        drop(flight);
        self.filled(filled, &asked, was_gone)
    }

    /// Waits for the run of another request of this instance for the same response. Returns whether there was one.
    async fn has_waited(&self, sealed: &SealedRequest) -> bool {
        let start = self.platform.now();
        let mut has_waited = false;
        while self.noted().is_flying(&sealed.digest) {
            has_waited = true;
            if self.platform.now().saturating_sub(start) >= MOST_WAIT {
                // A handler that asks for its own response waits for itself.
                break;
            }
            self.platform.sleep(LOOK).await;
        }
        has_waited
    }

    /// Reads what the store has for a request, and judges it.
    async fn look_up<H>(&self, fill: &Fill<P, H>) -> Found {
        let sealed = &fill.sealed;
        let Some((epoch, stored)) = self.ask(self.read(&sealed.key)).await else {
            return Found::NOTHING;
        };
        let Some(stored) = stored else {
            return Found {
                epoch: Some(epoch),
                stored: None,
            };
        };
        match self.verdict(fill, &stored, epoch).await {
            Some(verdict) => Found {
                epoch: Some(epoch),
                stored: Some((stored, verdict)),
            },
            None => Found::NOTHING,
        }
    }

    /// Judges an entry. Returns `None` if the store does not answer.
    async fn verdict<H>(
        &self,
        fill: &Fill<P, H>,
        stored: &Stored,
        epoch: Token,
    ) -> Option<Verdict> {
        let (entry, id) = (&stored.entry, stored.id);
        let now = self.platform.now();
        if let Some(verdict) = entry.verdict_of_epoch(epoch, now) {
            return Some(verdict);
        }
        let by_age = Verdict::by_age(entry.made, now, entry.life);
        let slot = slot(&entry.key);
        if by_age == Verdict::Gone || self.noted().is_seen(slot, id, epoch) {
            return Some(by_age);
        }
        if P::Store::IS_SHARED && self.ask(self.is_seen(slot, id, epoch)).await? {
            self.noted().see(slot, id, epoch);
            return Some(by_age);
        }
        let subjects = Subject::of_response(&fill.sealed.path, &fill.route.pattern, &entry.tags);
        let current = self.ask(self.tokens(&subjects)).await?;
        let verdict = entry.tokens.compare(&current);
        if verdict == Verdict::Fresh {
            self.noted().see(slot, id, epoch);
            if P::Store::IS_SHARED {
                let cache = Rc::clone(&fill.cache);
                let note = async move {
                    let _ = cache.put(cache.see(slot, id, epoch)).await;
                };
                self.platform.spawn(note);
            }
        }
        Some(verdict.and(by_age))
    }

    /// Begins to refresh a stale response in the background, unless that is under way, or failed a moment ago.
    fn refresh<H: Handler>(self: &Rc<Self>, fill: Fill<P, H>, id: EntryId) {
        let digest = fill.sealed.digest;
        let now = self.platform.now();
        let mut noted = self.noted();
        if noted.is_flying(&digest) || !noted.begin_refresh(&digest, now) {
            return;
        }
        drop(noted);
        let flight = Flight::begin(self, &fill.sealed);
        self.platform.spawn(async move {
            fill.refresh(id).await;
            fill.cache.noted().end_refresh();
            drop(flight);
        });
    }

    /// Serves a response that was found in the store, and is not gone.
    fn serve_found<S>(&self, stored: Stored, asked: &Asked<Vec<u8>>, verdict: Verdict) -> Reply<S> {
        let age = stored.entry.age(self.platform.now());
        let outcome = Outcome::served(verdict, age, stored.entry.life);
        let outcome = outcome.unwrap_or(Outcome::Stale { ttl: 0 });
        serve(stored, asked, &outcome, Some(age))
    }

    /// Serves a response that the run of another request made.
    fn serve_collapsed<S>(
        &self,
        stored: Stored,
        asked: &Asked<Vec<u8>>,
        was_gone: bool,
    ) -> Reply<S> {
        let age = stored.entry.age(self.platform.now());
        serve(stored, asked, &Outcome::waited(was_gone, Ok(())), Some(age))
    }

    /// Makes the response of a run that this request began.
    fn filled<S>(&self, filled: Filled<S>, asked: &Asked<Vec<u8>>, was_gone: bool) -> Reply<S> {
        let miss = |stored| Outcome::ran(was_gone, stored);
        match filled {
            Filled::Made(stored, result) => serve(
                stored,
                asked,
                &miss(result.as_ref().map(|done| *done)),
                None,
            ),
            Filled::Passed(mut reply, reason) => {
                if reason == Unstorable::SetCookie {
                    let is_this = |name: &str| name.eq_ignore_ascii_case("cache-control");
                    reply.headers.retain(|(name, _)| !is_this(name));
                    let private = b"private, no-store".to_vec();
                    reply.headers.push(("cache-control".to_owned(), private));
                }
                add_computed(&mut reply.headers, &miss(Err(&reason)), None);
                reply
            }
        }
    }

    /// Does work in the background, and waits a moment for it.
    pub(super) async fn begin(&self, moment: Duration, work: impl Future<Output = ()> + 'static) {
        let done = Done::default();
        let ended = done.clone();
        self.platform.spawn(async move {
            work.await;
            ended.set();
        });
        let sleep = self.platform.sleep(moment);
        super::concurrent::within(sleep, done.wait()).await;
    }
}

/// A run of a handler, for which other requests of the instance wait.
struct Flight<P: Platform> {
    cache: Rc<ResponseCache<P>>,
    /// The key, or `None` if another run for it is under way.
    digest: Option<[u8; 32]>,
}

impl<P: Platform> Flight<P> {
    fn begin(cache: &Rc<ResponseCache<P>>, sealed: &SealedRequest) -> Self {
        let is_first = cache.noted().take_off(sealed.digest);
        Self {
            cache: Rc::clone(cache),
            digest: is_first.then_some(sealed.digest),
        }
    }
}

impl<P: Platform> Drop for Flight<P> {
    fn drop(&mut self) {
        if let Some(digest) = &self.digest {
            self.cache.noted.borrow_mut().land(digest);
        }
    }
}
