use super::*;
use crate::wasi::key_value::calls::Turn;
use crate::wasi::key_value::disk::Disk;
use crate::wasi::key_value::memory::Memory;
use std::sync::mpsc;
use std::time::Duration;

fn limits() -> StoreLimits {
    StoreLimits::default()
}

fn behaves(backend: &dyn Backend) {
    let get = |store, key| backend.get(store, key).expect("the backend works");
    let keys = |store| backend.keys(store, None, 10).expect("the backend works");
    assert_eq!((get("a", "k"), keys("a")), (None, vec![]));
    for (store, key, value) in [("a", "k", "1"), ("a", "", "2"), ("ab", "k", "3")] {
        backend
            .set(store, key, value.as_bytes(), &limits())
            .expect("the backend works");
    }
    assert_eq!(get("a", "k"), Some(b"1".to_vec()));
    assert_eq!(get("ab", "k"), Some(b"3".to_vec()));
    assert_eq!(keys("a"), ["", "k"]);
    assert!(backend.exists("a", "").expect("the backend works"));
    let page = |after, most| backend.keys("a", after, most).expect("the backend works");
    assert_eq!(
        (page(None, 1), page(Some(""), 1)),
        (vec![String::new()], vec!["k".to_owned()])
    );
    assert_eq!(page(Some("k"), 1), [""; 0]);
    backend.delete("a", "k").expect("the backend works");
    backend
        .delete("a", "k")
        .expect("deleting nothing is no error");
    assert_eq!((get("a", "k"), keys("a")), (None, vec![String::new()]));
    assert_eq!(keys("ab"), ["k"]);
}

/// Fills a store up to its limit and all stores up to theirs; what is there can still shrink, and be deleted.
fn bounds_what_it_holds(backend: &dyn Backend) {
    let limits = StoreLimits {
        size: 64 << 10,
        file: 16 << 20,
        ..limits()
    };
    let value = vec![1; 7 << 10];
    let set = |store: &str, key: &str, value: &[u8]| backend.set(store, key, value, &limits);
    let over = |result: Result<(), StoreError>| match result {
        Err(StoreError::OverBound { bound, .. }) => bound,
        other => panic!("it is over a bound: {other:?}"),
    };
    // Each entry counts for 8 KiB.
    for key in 0..8 {
        set("full", &key.to_string(), &value).expect("there is room");
    }
    assert_eq!(backend.data(), 64 << 10);
    assert_eq!(over(set("full", "another", &value)), Bound::StoreSize);
    assert_eq!(over(set("full", "another", b"")), Bound::StoreSize);
    set("full", "0", &value).expect("it is as large as before");
    set("full", "0", b"small").expect("it is smaller than before");
    set("full", "small", b"").expect("there is room");
    backend.delete("full", "1").expect("it can be deleted");
    set("full", "another", &value).expect("there is room again");
    // 4 MiB for all stores.
    let others = (1..100).map(|number| format!("store {number}"));
    let refused = others
        .into_iter()
        .find_map(|store| (0..8).find_map(|key| set(&store, &key.to_string(), &value).err()));
    assert_eq!(over(Err(refused.expect("it is bounded"))), Bound::StoreFile);
    assert!(backend.data() > (4 << 20) - (8 << 10) && backend.data() <= 4 << 20);
    let before = backend.data();
    backend
        .delete("full", "another")
        .expect("it can be deleted");
    assert_eq!(backend.data(), before - (8 << 10));
}

#[test]
fn memory_behaves() {
    behaves(&Memory::default());
    bounds_what_it_holds(&Memory::default());
}

#[test]
fn disk_behaves_and_remembers() {
    let dir = tempfile::tempdir().expect("a folder is to be had");
    let file = dir.path().join("state/key_value.redb");
    let disk = || Disk::new(file.clone(), &limits(), None);
    behaves(&disk());
    assert_eq!(
        disk().keys("ab", None, 9).expect("the file opens again"),
        ["k"]
    );
    assert_eq!(disk().data(), 0, "it is not open yet");
    let again = disk();
    again.open_now().expect("the file opens again");
    assert_eq!(again.data(), 2 * (sizes::entry("a", "", 1)) + 4);
}

#[test]
fn disk_bounds_what_it_holds() {
    let dir = tempfile::tempdir().expect("a folder is to be had");
    let file = dir.path().join("key_value.redb");
    bounds_what_it_holds(&Disk::new(file, &limits(), None));
}

#[test]
fn a_key_and_a_value_have_bounds_that_the_error_names() {
    let limits = StoreLimits {
        key: 16,
        value: 100,
        ..limits()
    };
    let check = |key: usize, value: usize| {
        let checked = sizes::check_entry(&limits, &"k".repeat(key), &vec![0; value]);
        checked.map_err(|error| error.to_string())
    };
    assert_eq!(check(16, 100), Ok(()));
    assert_eq!(
        check(17, 0),
        Err(
            "the key has 17 bytes, of 16 allowed (`store_key` in `[limits]` of `waypost.toml`)"
                .to_owned()
        )
    );
    assert_eq!(
        check(1, 101),
        Err("the value has 101 bytes, of 100 allowed (`store_value` in `[limits]` of `waypost.toml`)".to_owned())
    );
}

/// One route's calls that take for ever, many more than the runtime has threads for.
#[tokio::test]
async fn slow_calls_of_one_route_leave_another_alone() {
    const CALLS: usize = 600;
    let (slow, other) = (Calls::new(4, 1 << 20), Calls::new(4, 1 << 20));
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let released = Arc::clone(&released);
            let wait = move || {
                let _ = released.lock().map(|released| released.recv());
                Ok(())
            };
            tokio::spawn(slow.clone().read(wait))
        })
        .collect();
    tokio::task::yield_now().await;
    let call = other.read(|| Ok(()));
    let answered = tokio::time::timeout(Duration::from_secs(10), call).await;
    drop(release);
    assert!(answered.is_ok(), "another route had to wait");
    for call in calls {
        let _ = call.await;
    }
}

#[test]
fn values_that_wait_to_be_written_are_bounded() {
    let calls = Calls::new(2, 10);
    let held = calls.hold(&[0; 80]).expect("as much as may wait");
    let refused = calls.hold(&[0]).expect_err("it is too much");
    assert!(matches!(
        refused,
        StoreError::OverBound {
            bound: Bound::StoreCalls,
            ..
        }
    ));
    drop(held);
    assert!(calls.hold(&[0; 80]).is_ok());
}

/// A writer that waits for its turn needs no thread, and routes get it one after the other.
#[tokio::test]
async fn writes_take_turns() {
    let turn = Turn::default();
    let (first, second) = (Calls::new(4, 1 << 20), Calls::new(4, 1 << 20));
    let (release, released) = mpsc::channel::<()>();
    let wait = move || {
        let _ = released.recv();
        Ok(1)
    };
    let first = tokio::spawn(first.write(turn.clone(), wait));
    tokio::task::yield_now().await;
    let reader = second.clone();
    let mut waiting = std::pin::pin!(second.write(turn, || Ok(2)));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    assert_eq!(
        reader.read(|| Ok(3)).await,
        Ok(3),
        "who reads does not wait"
    );
    drop(release);
    assert_eq!(first.await.ok(), Some(Ok(1)));
    assert_eq!(waiting.await, Ok(2));
}
