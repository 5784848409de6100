//! [`Fill`]: the run of a handler whose response is stored.

use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use waypost_cache::headers::{for_all_clients, stored_headers};
use waypost_cache::storable::{Storable, check_length, storable};
use waypost_cache::token::TokenPair;
use waypost_cache::{Entry, Life, Subject, Token, Tokens, Unstorable};

use super::asking::values;
use super::revalidate::remove_internal;
use super::slots::{EntryId, Stored, slot};
use super::{
    Body, CachedRoute, Handler, KeyValue, MAX_BODY, MAX_VALUE, Platform, Reply, ResponseCache,
    SealedRequest, Stream,
};
use crate::Headers;

/// How long a response waits until it is stored, so that the next request finds it. A store of Spin on SQLite takes 18 ms.
const WRITE: Duration = Duration::from_millis(50);

/// A run of a handler whose response is stored, if it may be.
pub(super) struct Fill<P, H> {
    pub(super) cache: Rc<ResponseCache<P>>,
    pub(super) route: Rc<CachedRoute>,
    pub(super) sealed: Rc<SealedRequest>,
    pub(super) handler: H,
    /// The epoch before the run, or `None` if it is not known.
    pub(super) epoch: Option<Token>,
}

/// The response of a run.
pub(super) enum Filled<S> {
    /// Its body is read. It is stored, or will be, unless there is a reason against it.
    Made(Stored, Result<(), Unstorable>),
    /// It is not stored.
    Passed(Reply<S>, Unstorable),
}

/// What is known of a response that may be stored before its body is there.
struct Storing {
    length: u64,
    life: Life,
    tags: Vec<String>,
    pairs: Vec<TokenPair>,
    epoch: Token,
}

impl<P: Platform, H: Handler> Fill<P, H> {
    /// Refreshes a stale response. It stays if the run fails.
    pub(super) async fn refresh(&self, stale: EntryId) {
        let (cache, slot) = (&self.cache, slot(&self.sealed.key));
        let is_ours = match P::Store::IS_SHARED {
            true => cache.put(cache.lease(slot, stale)).await,
            false => Some(true),
        };
        if is_ours != Some(true) {
            return;
        }
        let reason = match self.run().await {
            Filled::Made(_, Ok(())) => return,
            Filled::Made(_, Err(reason)) | Filled::Passed(_, reason) => reason,
        };
        if reason.is_failure() {
            let jitter = cache.platform.random()[0];
            let now = cache.platform.now();
            let digest = self.sealed.digest;
            cache.noted().refresh_failed(digest, now, jitter);
        } else {
            // The route's responses are not what they were.
            let _ = cache.put(cache.remove(slot)).await;
        }
    }

    /// Runs the handler, and stores its response if it may be stored.
    pub(super) async fn run(&self) -> Filled<H::Stream> {
        let cache = &self.cache;
        let params = self.route.pattern.matches(&self.sealed.path);
        let params = params.unwrap_or_default();
        let tags = self.route.policy.tags_for(&params);
        let known = tags.as_deref().unwrap_or_default();
        let subjects = Subject::of_response(&self.sealed.path, &self.route.pattern, known);
        // In this order: the epoch, the tokens, the run.
        let before = match self.epoch {
            Some(epoch) => cache
                .ask(cache.tokens(&subjects))
                .await
                .map(|pairs| (epoch, pairs)),
            None => None,
        };
        let made = cache.platform.now();
        let mut reply = self.handler.run(&self.sealed).await;
        cache.revalidate(&reply.headers).await;
        let found = storable(
            reply.status,
            &reply.headers,
            &self.route.policy,
            &params,
            self.route.paths,
        );
        let storing = match found {
            Ok(storable) => self.storing(&reply, storable, known.len(), before).await,
            Err(reason) => Err(reason),
        };
        remove_internal(&mut reply.headers);
        match storing {
            Ok(storing) => self.store(reply, storing, made).await,
            Err(reason) => self.pass(reply, reason),
        }
    }

    /// Decides by its head whether the response is stored.
    async fn storing(
        &self,
        reply: &Reply<H::Stream>,
        storable: Storable,
        known: usize,
        before: Option<(Token, Vec<TokenPair>)>,
    ) -> Result<Storing, Unstorable> {
        let Storable { life, tags } = storable;
        let length = content_length(&reply.headers).ok_or(Unstorable::NoLength)?;
        check_length(length, MAX_BODY)?;
        let (epoch, mut pairs) = before.ok_or(Unstorable::Store)?;
        let own = tags.get(known..).unwrap_or_default();
        if !own.is_empty() {
            let own: Result<Vec<_>, _> = own.iter().map(|tag| Subject::tag(tag)).collect();
            let own = own.map_err(|_| Unstorable::NoStore)?;
            // Their tokens could not be read before the run.
            let cache = &self.cache;
            let late = cache
                .ask(cache.tokens(&own))
                .await
                .ok_or(Unstorable::Store)?;
            let now = cache.ask(cache.epoch()).await.ok_or(Unstorable::Store)?;
            if now != epoch {
                return Err(Unstorable::Invalidated);
            }
            pairs.extend(late);
        }
        Ok(Storing {
            length,
            life,
            tags,
            pairs,
            epoch,
        })
    }

    /// Reads the body, and stores the response.
    async fn store(
        &self,
        reply: Reply<H::Stream>,
        storing: Storing,
        made: Duration,
    ) -> Filled<H::Stream> {
        let length = usize::try_from(storing.length).unwrap_or(usize::MAX);
        let body = match reply.body {
            Body::Whole(body) if body.len() == length => Some(body),
            Body::Whole(_) => None,
            Body::Stream(stream) => stream.read(length).await,
        };
        let Some(body) = body else {
            let failed = self.handler.failed(&self.sealed);
            let reason = Unstorable::Status(failed.status);
            return self.pass(failed, reason);
        };
        let headers = lower(reply.headers);
        let headers = for_all_clients(headers, &self.route.policy);
        let digest = Sha256::digest(&body).into();
        let entry = Entry {
            key: self.sealed.key.clone(),
            status: reply.status,
            headers: stored_headers(reply.status, &headers, storing.life, &digest),
            tags: storing.tags,
            tokens: Tokens {
                epoch: storing.epoch,
                pairs: storing.pairs,
            },
            life: storing.life,
            made,
        };
        let value = entry.to_bytes(&[&body]);
        let id = value.last_chunk().copied().unwrap_or_default();
        let stored = Stored { entry, body, id };
        if value.len() > MAX_VALUE {
            self.not_stored(&Unstorable::TooLarge);
            return Filled::Made(stored, Err(Unstorable::TooLarge));
        }
        self.write(value).await;
        Filled::Made(stored, Ok(()))
    }

    async fn write(&self, value: Vec<u8>) {
        let (cache, sealed) = (Rc::clone(&self.cache), Rc::clone(&self.sealed));
        let write = async move {
            let slot = slot(&sealed.key);
            if cache.put(cache.write(slot, value)).await.is_some() {
                cache.noted().stored(&sealed.digest);
            }
        };
        self.cache.begin(WRITE, write).await;
    }

    /// Passes on a response that is not stored.
    fn pass(&self, reply: Reply<H::Stream>, reason: Unstorable) -> Filled<H::Stream> {
        self.not_stored(&reason);
        Filled::Passed(reply, reason)
    }

    /// Lets requests for this response no longer wait for each other if the next one will not be stored either. Logs why once
    /// for each route, unless its author wanted that.
    fn not_stored(&self, reason: &Unstorable) {
        if !reason.is_lasting() {
            return;
        }
        let cache = &self.cache;
        let now = cache.platform.now();
        cache.noted().set_uncacheable(self.sealed.digest, now);
        let component = &self.route.component;
        let is_wanted = matches!(reason, Unstorable::NoStore | Unstorable::Private);
        if !is_wanted && cache.noted().is_first_warning(component) {
            let line = format!(
                "warning: a response of `{component}` is not cached, although its route has a cache policy: {}",
                reason
            );
            cache.platform.log(&line);
        }
    }
}

fn content_length(headers: &Headers) -> Option<u64> {
    let mut lengths = values(headers, "content-length");
    let length = std::str::from_utf8(lengths.next()?).ok()?;
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    length
        .parse()
        .ok()
        .filter(|_| is_number && lengths.next().is_none())
}

fn lower(headers: Headers) -> Headers {
    let lower = |(name, value): (String, Vec<u8>)| (name.to_ascii_lowercase(), value);
    headers.into_iter().map(lower).collect()
}
