use super::*;
use http_body_util::BodyExt;
use std::future::poll_fn;

fn data(size: usize) -> Frame<Bytes> {
    Frame::data(Bytes::from(vec![b'a'; size]))
}

async fn next(reader: &mut Reader) -> Option<usize> {
    let frame = reader.frame().await?.ok()?;
    frame.data_ref().map(Bytes::len)
}

#[tokio::test]
async fn readers_get_all_of_it_whenever_they_come() {
    let body = SharedBody::new(BodyMemory::limited(1 << 20), 0);
    let mut early = body.reader(None).expect("it is kept");
    body.write(data(3));
    assert_eq!(next(&mut early).await, Some(3));
    let late = body.reader(Some(7)).expect("it is kept");
    assert_eq!(late.size_hint().exact(), Some(7));
    let waits = tokio::spawn(late.collect());
    tokio::task::yield_now().await;
    body.write(data(4));
    body.end(true);
    let collected = waits.await.expect("it does not panic");
    assert_eq!(collected.expect("it is whole").to_bytes().len(), 7);
    assert_eq!(next(&mut early).await, Some(4));
    assert!(early.frame().await.is_none());
    assert_eq!(body.bytes().len(), 7);
}

#[tokio::test]
async fn small_frames_count_for_what_they_take() {
    let body = SharedBody::new(BodyMemory::limited(1 << 20), 0);
    for _ in 0..10 {
        body.write(data(1));
        body.write(data(0));
    }
    assert_eq!(body.lock().kept, 10 * (1 + FRAME_OVERHEAD));
    assert_eq!(body.lock().frames.len(), 10);
    let bodies = Arc::clone(&body.memory);
    assert!(body.write(data(1 << 19)));
    assert!(!body.write(data(1 << 19)));
    drop(body);
    assert_eq!(bodies.size.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody_until_it_is_far_behind() {
    let body = SharedBody::new(BodyMemory::limited(4 << 20), 1 << 20);
    let mut fast = body.reader(None).expect("it is kept");
    let mut slow = body.reader(None).expect("it is kept");
    body.not_stored();
    let room = async || futures::poll!(poll_fn(|cx| body.poll_room(cx)));
    body.write(data(AHEAD + 1));
    assert!(room().await.is_pending(), "nobody waits for more");
    let mut written = 1;
    while body.lock().kept < 1 << 20 {
        assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
        assert_eq!(room().await, Poll::Ready(true));
        body.write(data(AHEAD + 1));
        written += 1;
    }
    assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
    assert!(room().await.is_pending(), "it is too far behind");
    assert!(written > 3);
    for _ in 0..written {
        assert_eq!(next(&mut slow).await, Some(AHEAD + 1));
    }
    assert_eq!(room().await, Poll::Ready(true));
    assert_eq!(body.lock().kept, 0);
}

#[tokio::test]
async fn without_memory_the_slowest_reader_sets_the_pace() {
    let body = SharedBody::new(BodyMemory::limited(1), 1 << 20);
    let mut fast = body.reader(None).expect("it is kept");
    let _slow = body.reader(None).expect("it is kept");
    body.not_stored();
    assert!(!body.write(data(AHEAD + 1)));
    assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
    let room = futures::poll!(poll_fn(|cx| body.poll_room(cx)));
    assert!(room.is_pending());
}

#[tokio::test]
async fn a_body_counts_until_nobody_has_it() {
    let bodies = BodyMemory::limited(100);
    let size = || bodies.size.load(Ordering::Relaxed);
    let shared = SharedBody::new(Arc::clone(&bodies), 0);
    shared.write(data(60));
    let stored = shared.bytes();
    assert_eq!(size(), 60 + FRAME_OVERHEAD + 60);
    drop(shared);
    let client = stored.slice(..10);
    drop(stored);
    assert_eq!(size(), 60, "a part keeps all of it");
    assert!(!bodies.add(60));
    bodies.subtract(60);
    drop(client);
    assert_eq!(size(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_for_all() {
    let body = SharedBody::new(BodyMemory::limited(1 << 20), 0);
    let mut reader = body.reader(None).expect("it is kept");
    body.write(data(1));
    body.end(false);
    assert_eq!(next(&mut reader).await, Some(1));
    assert!(reader.frame().await.expect("it does not end").is_err());
}

#[tokio::test]
async fn a_large_body_waits_for_its_slowest_reader() {
    let body = SharedBody::new(BodyMemory::limited(1 << 20), 0);
    let mut fast = body.reader(None).expect("it is kept");
    let mut slow = body.reader(None).expect("it is kept");
    body.write(data(AHEAD + 1));
    body.not_stored();
    let room = async || futures::poll!(poll_fn(|cx| body.poll_room(cx)));
    assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
    assert!(room().await.is_pending());
    assert_eq!(next(&mut slow).await, Some(AHEAD + 1));
    assert_eq!(room().await, Poll::Ready(true));
    assert!(body.reader(None).is_none(), "its beginning is not kept");
    body.write(data(AHEAD + 1));
    assert_eq!(next(&mut fast).await, Some(AHEAD + 1));
    assert!(room().await.is_pending());
    // A reader that holds others up for too long gets an error.
    assert!(body.drop_slowest());
    assert!(!body.drop_slowest());
    assert!(slow.frame().await.expect("it does not end").is_err());
    assert_eq!(room().await, Poll::Ready(true));
    drop(slow);
    assert_eq!(body.lock().kept, 0);
    drop(fast);
    assert_eq!(room().await, Poll::Ready(false));
    assert!(!body.has_readers());
}
