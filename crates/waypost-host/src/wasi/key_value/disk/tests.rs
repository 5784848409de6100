use super::*;
use std::sync::atomic::AtomicUsize;

const MIB: u64 = 1 << 20;

fn limits() -> StoreLimits {
    StoreLimits::default()
}

/// A disk that has no room when it is told so, and then like others.
#[derive(Clone, Debug, Default)]
struct Flaky(Arc<FlakyState>);

#[derive(Debug, Default)]
struct FlakyState {
    contents: Mutex<Vec<u8>>,
    is_full: AtomicBool,
    is_gone: AtomicBool,
    opened: AtomicUsize,
}

impl Flaky {
    fn contents(&self) -> io::Result<std::sync::MutexGuard<'_, Vec<u8>>> {
        if self.0.is_gone.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(self.0.contents.lock().expect("no test panics in between"))
    }

    /// The contents, to a writer.
    fn writable(&self) -> io::Result<std::sync::MutexGuard<'_, Vec<u8>>> {
        match self.0.is_full.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.contents(),
        }
    }

    fn fill(&self, is_full: bool) {
        self.0.is_full.store(is_full, Ordering::Relaxed);
    }

    fn disk(&self) -> Disk {
        self.disk_of(&limits())
    }

    fn disk_of(&self, limits: &StoreLimits) -> Disk {
        let this = self.clone();
        let opener = move || {
            drop(this.contents()?);
            this.0.opened.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(this.clone()) as Box<dyn StorageBackend>)
        };
        Disk::with_opener(
            "/srv/secret/place.redb".into(),
            Box::new(opener),
            limits,
            None,
        )
    }
}

impl StorageBackend for Flaky {
    fn len(&self) -> io::Result<u64> {
        Ok(self.contents()?.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = offset as usize;
        let contents = self.contents()?;
        let part = contents.get(offset..offset + out.len());
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.writable().map(drop)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = offset as usize;
        self.writable()?[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn set(disk: &Disk, key: &str) -> Result<(), StoreError> {
    disk.set("a", key, b"value", &limits())
}

/// Waits until an attempt is allowed again.
fn pause() {
    std::thread::sleep(Duration::from_millis(1_100));
}

#[test]
fn a_full_disk_fails_the_write_and_nothing_else() {
    let flaky = Flaky::default();
    let disk = flaky.disk();
    set(&disk, "before").expect("the disk has room");
    flaky.fill(true);
    let error = set(&disk, "lost").expect_err("the disk is full");
    assert!(!error.to_string().contains("/srv"), "no path: {error}");
    assert!(disk.report().is_failing);
    assert_eq!(disk.report().failed_writes, 1);
    flaky.fill(false);
    assert_eq!(disk.get("a", "before"), Ok(Some(b"value".to_vec())));
    assert_eq!(disk.get("a", "lost"), Ok(None));
    set(&disk, "after").expect("one failure stops nobody");
    assert!(!disk.report().is_failing);
    assert_eq!(
        disk.keys("a", None, 9),
        Ok(vec!["after".to_owned(), "before".to_owned()])
    );
}

#[test]
fn a_disk_that_stays_full_costs_little_and_has_room_again_by_itself() {
    let flaky = Flaky::default();
    let disk = flaky.disk();
    set(&disk, "before").expect("the disk has room");
    flaky.fill(true);
    for _ in 0..1_000 {
        set(&disk, "lost").expect_err("the disk is full");
    }
    assert!(
        flaky.0.opened.load(Ordering::Relaxed) < 10,
        "each opening costs time"
    );
    pause();
    disk.tend();
    assert!(disk.report().is_failing, "it is still full");
    flaky.fill(false);
    pause();
    disk.tend();
    assert!(!disk.report().is_failing, "nobody had to write");
    set(&disk, "after").expect("the disk has room");
}

#[test]
fn a_disk_that_cannot_be_read_is_an_error_without_a_path() {
    let flaky = Flaky::default();
    let disk = flaky.disk();
    set(&disk, "kept").expect("the disk works");
    drop(disk);
    let disk = flaky.disk();
    flaky.0.is_gone.store(true, Ordering::Relaxed);
    let error = disk.get("a", "kept").expect_err("the disk is gone");
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert!(!error.to_string().contains("/srv"), "{error}");
    assert!(disk.report().is_failing);
    flaky.0.is_gone.store(false, Ordering::Relaxed);
    pause();
    assert_eq!(disk.get("a", "kept"), Ok(Some(b"value".to_vec())));
}

#[test]
fn a_broken_file_is_an_error_without_its_path() {
    let dir = tempfile::tempdir().expect("a folder is to be had");
    let file = dir.path().join("key_value.redb");
    std::fs::write(&file, "not a database").expect("the folder is writable");
    let disk = Disk::new(file, &limits(), None);
    let error = disk.keys("a", None, 9).expect_err("the file is broken");
    let folder = dir.path().display().to_string();
    assert!(!error.to_string().contains(&folder), "{error}");
}

#[cfg(unix)]
#[test]
fn file_and_folder_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder is to be had");
    let file = dir.path().join("state/key_value.redb");
    let mode =
        |path: &Path| std::fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    let write = || set(&Disk::new(file.clone(), &limits(), None), "k").expect("the disk works");
    write();
    assert_eq!(mode(&file).ok(), Some(0o600));
    assert_eq!(mode(&dir.path().join("state")).ok(), Some(0o700));
    let wide = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&file, wide).expect("it is this user's");
    write();
    assert_eq!(
        mode(&file).ok(),
        Some(0o600),
        "a file of an earlier version"
    );
}

#[test]
fn a_file_without_sizes_is_counted_when_it_is_opened() {
    let dir = tempfile::tempdir().expect("a folder is to be had");
    let file = dir.path().join("key_value.redb");
    let old = redb::TableDefinition::<(&str, &str), &[u8]>::new("entries");
    {
        let database = Database::create(&file).expect("the folder is writable");
        let transaction = database.begin_write().expect("the file is writable");
        for key in ["k", "j"] {
            let mut table = transaction.open_table(old).expect("it is a new table");
            table.insert(("a", key), &[0; 5000][..]).expect("it fits");
        }
        transaction.commit().expect("the file is writable");
    }
    let disk = Disk::new(file, &limits(), None);
    disk.open_now().expect("the file is fine");
    assert_eq!(disk.data(), 16 << 10);
    disk.delete("a", "k").expect("the disk works");
    assert_eq!(disk.data(), 8 << 10);
}

/// Values of all sizes that are written over and over, and deleted: the file stays within four times the data.
#[test]
fn the_file_does_not_grow_with_what_is_overwritten_or_deleted() {
    let disk = Flaky::default().disk();
    let length = || disk.report().file;
    let mut most = 0;
    let mut written = 0;
    for round in 0..400_u64 {
        let size = [100, 5_000, 300_000, 2_000_000][(round % 4) as usize];
        let key = (round % 16).to_string();
        disk.set("a", &key, &vec![round as u8; size], &limits())
            .expect("there is room");
        written += size as u64;
        most = most.max(length());
    }
    let (data, before) = (disk.data(), length());
    for key in 1..16 {
        disk.delete("a", &key.to_string()).expect("the disk works");
    }
    disk.tend();
    let after = length();
    println!(
        "written {} MiB, data {} MiB, file at most {} MiB; {} MiB before the deletion, {} MiB after",
        written / MIB,
        data / MIB,
        most / MIB,
        before / MIB,
        after / MIB
    );
    assert!(most <= 4 * data.max(16 * MIB), "{most}");
    assert!(after <= 16 * MIB, "{after}");
    assert_eq!(
        disk.get("a", "0")
            .map(|value| value.map(|value| value.len())),
        Ok(Some(100))
    );
}

/// Small entries between large ones, so that the free space has no place for large ones. The file stays within its bound,
/// and is usable to the end.
#[test]
fn the_file_has_a_bound_that_fragments_do_not_break() {
    let limits = StoreLimits {
        file: 16 * MIB,
        ..limits()
    };
    let disk = Flaky::default().disk_of(&limits);
    let (mut most, mut refused) = (0, 0);
    for size in [3_000, 20_000, 130_000, 900_000] {
        let mut keys = 0;
        // Until the data is all that is allowed.
        for key in 0..6_000 {
            match disk.set("a", &format!("{size}-{key}"), &vec![1; size], &limits) {
                Ok(()) => keys = key + 1,
                Err(StoreError::OverBound { .. }) => {
                    refused += 1;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
            most = most.max(disk.report().file);
        }
        // One of eight stays, as wide apart as can be.
        for key in (0..keys).filter(|key| key % 8 != 0) {
            disk.delete("a", &format!("{size}-{key}"))
                .expect("there is always room to delete");
        }
    }
    println!("file at most {} MiB, {refused} times refused", most / MIB);
    assert!(refused > 0 && most <= limits.file, "{most}");
}

/// The file meets its bound, although what it holds may be larger: the write fails, and the rest goes on.
#[test]
fn a_file_that_met_its_bound_is_compacted_and_goes_on() {
    let disk = Flaky::default().disk();
    for key in 0..8 {
        disk.set("a", &key.to_string(), &[1; 1 << 19], &limits())
            .expect("there is room");
    }
    disk.length
        .most
        .store(disk.length.now.load(Ordering::Relaxed), Ordering::Relaxed);
    let refused = (8..40)
        .find_map(|key| {
            disk.set("a", &key.to_string(), &[1; 1 << 19], &limits())
                .err()
        })
        .expect("the file may not grow");
    assert!(
        matches!(
            refused,
            StoreError::OverBound {
                bound: Bound::StoreFile,
                ..
            }
        ),
        "{refused}"
    );
    assert!(!disk.report().is_failing, "the disk is fine");
    assert_eq!(disk.exists("a", "7"), Ok(true));
    disk.delete("a", "7").expect("there is room to delete");
}
