use super::*;
use crate::instance::load::Origin;
use std::fs;
use wasmtime::Store as WasmStore;
use wasmtime::component::Linker;

/// A component whose export `answer` returns this number.
fn wasm(answer: u32) -> Vec<u8> {
    let text = format!(
        "(component (core module $m (func (export \"answer\") (result i32) i32.const {answer}))
            (core instance $i (instantiate $m))
            (func (export \"answer\") (result u32) (canon lift (core func $i \"answer\"))))"
    );
    wat::parse_str(text).expect("the text is valid")
}

fn answer(engine: &Engine, component: &Component) -> u32 {
    let mut store = WasmStore::new(engine, ());
    store.set_epoch_deadline(1_000_000);
    let instance = Linker::new(engine).instantiate(&mut store, component);
    let instance = instance.expect("it has no imports");
    let function = instance.get_typed_func::<(), (u32,)>(&mut store, "answer");
    let function = function.expect("it is exported");
    function.call(&mut store, ()).expect("it returns").0
}

fn ask(cache: &CodeCache, engine: &Engine, wasm: &[u8]) -> (Component, Origin) {
    let digest = ContentDigest::of(wasm);
    match cache.find(engine, &digest) {
        Some(component) => (component, Origin::Cached),
        None => {
            let component = cache.compile(engine, wasm, &digest);
            (component.expect("it compiles"), Origin::Compiled)
        }
    }
}

struct Cache {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Cache {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder is to be had"),
            engine: crate::engine::compiler().expect("the engine starts"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("code")
    }

    fn open(&self) -> CodeCache {
        CodeCache::open(&self.path(), DEFAULT_CODE_CACHE_SIZE).expect("the folder is private")
    }

    /// Asks for a component, checks that it is the right one, and returns where it came from.
    fn ask(&self, number: u32) -> Origin {
        let wasm = wasm(number);
        let (component, origin) = ask(&self.open(), &self.engine, &wasm);
        assert_eq!(answer(&self.engine, &component), number);
        origin
    }

    fn entry(&self, number: u32) -> PathBuf {
        let digest = ContentDigest::of(&wasm(number));
        self.path()
            .join(EntryName::new(&self.engine, &digest).file_name())
    }
}

#[test]
fn an_entry_is_found_again() {
    let cache = Cache::new();
    assert_eq!(cache.ask(1), Origin::Compiled);
    assert_eq!(cache.ask(1), Origin::Cached);
    assert_eq!(cache.ask(2), Origin::Compiled);
}

#[test]
fn a_disabled_cache_compiles() {
    let engine = crate::engine::compiler().expect("the engine starts");
    for _ in 0..2 {
        let (_, origin) = ask(&CodeCache::disabled(), &engine, &wasm(1));
        assert_eq!(origin, Origin::Compiled);
    }
}

/// 24 ways to damage an entry: none is loaded, and each is mended.
#[test]
fn damaged_entries_are_compiled_anew() {
    let cache = Cache::new();
    cache.ask(1);
    let entry = cache.entry(1);
    let whole = fs::read(&entry).expect("the entry is there");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let length = whole.len();
    let bits = [
        0,
        1,
        16,
        31,
        32,
        33,
        40,
        64,
        96,
        128,
        1024,
        4096,
        length / 2,
        length - 2,
        length - 1,
    ];
    let mut damaged: Vec<Vec<u8>> = bits.iter().map(|&at| flipped(at)).collect();
    damaged.extend([0, 1, 31, 32, length / 2, length - 1].map(|end| whole[..end].to_vec()));
    damaged.push([&whole[..], b"\0"].concat());
    damaged.push(vec![0; length]);
    damaged.push([&whole[..TAG_LENGTH], &whole[TAG_LENGTH + 1..]].concat());
    assert_eq!(damaged.len(), 24);
    for (index, bytes) in damaged.iter().enumerate() {
        fs::write(&entry, bytes).expect("the folder is writable");
        assert_eq!(cache.ask(1), Origin::Compiled, "damage {index}");
        assert_eq!(cache.ask(1), Origin::Cached, "damage {index}");
    }
}

const TAG_LENGTH: usize = key::TAG;

#[test]
fn a_swapped_entry_is_compiled_anew() {
    let cache = Cache::new();
    cache.ask(1);
    cache.ask(2);
    fs::copy(cache.entry(1), cache.entry(2)).expect("the folder is writable");
    assert_eq!(cache.ask(2), Origin::Compiled);
    assert_eq!(cache.ask(2), Origin::Cached);
    assert_eq!(cache.ask(1), Origin::Cached);
}

#[test]
fn an_entry_of_another_key_is_compiled_anew() {
    let (cache, other) = (Cache::new(), Cache::new());
    cache.ask(1);
    other.ask(1);
    fs::copy(other.entry(1), cache.entry(1)).expect("the folder is writable");
    assert_eq!(cache.ask(1), Origin::Compiled);
    fs::remove_file(cache.path().join("key")).expect("the key is there");
    assert_eq!(cache.ask(1), Origin::Compiled);
}

#[test]
fn an_entry_of_another_engine_has_another_name() {
    let digest = ContentDigest::of(&wasm(1));
    let ours = crate::engine::compiler().expect("the engine starts");
    let name = |engine| EntryName::new(engine, &digest).file_name();
    assert_ne!(name(&ours), name(&Engine::default()));
}

#[test]
fn old_entries_make_room_and_other_files_stay() {
    let cache = Cache::new();
    cache.ask(1);
    let size = fs::metadata(cache.entry(1)).expect("it is there").len();
    fs::write(cache.path().join("notes.txt"), "mine").expect("the folder is writable");
    let abandoned = cache.path().join(".new-abandoned");
    fs::write(&abandoned, "half").expect("the folder is writable");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    for file in [&cache.entry(1), &abandoned] {
        let file = fs::File::open(file).expect("it is there");
        file.set_modified(old).expect("the file is ours");
    }
    let small = CodeCache::open(&cache.path(), 3 * size).expect("the folder is private");
    for number in 2..5 {
        ask(&small, &cache.engine, &wasm(number));
    }
    assert!(!cache.entry(1).exists() && !abandoned.exists());
    assert!(cache.entry(4).exists() && cache.path().join("notes.txt").exists());
}

#[test]
fn a_use_keeps_an_entry_young() {
    let cache = Cache::new();
    cache.ask(1);
    let old = SystemTime::now() - 2 * USE_PRECISION;
    let entry = fs::File::open(cache.entry(1)).expect("it is there");
    entry.set_modified(old).expect("the file is ours");
    assert_eq!(cache.ask(1), Origin::Cached);
    let used = entry.metadata().and_then(|about| about.modified());
    assert!(used.expect("it has a time") > old);
}

#[test]
fn a_folder_that_cannot_be_made_is_refused() {
    let folder = tempfile::tempdir().expect("a folder is to be had");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("the folder is writable");
    let error = CodeCache::open(&file.join("code"), 1).expect_err("it is below a file");
    assert!(matches!(error, CodeCacheError::Unusable { .. }), "{error}");
}

#[test]
fn the_user_s_folder_is_found() {
    let of = |cache: &str, home: &str| {
        folder::of_user(Some(cache.into()), Some(home.into()))
            .map(|path| path.display().to_string())
    };
    assert_eq!(of("/cache", "/home/a").as_deref(), Some("/cache/waypost"));
    assert_eq!(of("", "/home/a").as_deref(), Some("/home/a/.cache/waypost"));
    assert_eq!(
        of("relative", "/home/a").as_deref(),
        Some("/home/a/.cache/waypost")
    );
    assert_eq!(of("", ""), None);
    assert_eq!(folder::of_user(None, None), None);
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the file is ours");
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o7777
    }

    fn open(path: &Path) -> Result<CodeCache, CodeCacheError> {
        CodeCache::open(path, DEFAULT_CODE_CACHE_SIZE)
    }

    #[test]
    fn the_folder_and_its_files_are_private() {
        let cache = Cache::new();
        cache.ask(1);
        assert_eq!(mode(&cache.path()), 0o700);
        assert_eq!(mode(&cache.path().join("key")), 0o600);
        assert_eq!(mode(&cache.entry(1)), 0o600);
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        let cache = Cache::new();
        cache.ask(1);
        for bad in [0o777, 0o770, 0o702, 0o1777] {
            set(&cache.path(), bad);
            let error = open(&cache.path()).expect_err("others can write");
            assert!(matches!(error, CodeCacheError::Writable { mode, .. } if mode == bad));
        }
        set(&cache.path(), 0o755);
        assert_eq!(cache.ask(1), Origin::Cached);
    }

    #[test]
    fn a_folder_that_others_can_replace_is_refused() {
        let cache = Cache::new();
        let parent = cache.folder.path();
        for (bad, refused) in [
            (0o777, true),
            (0o770, true),
            (0o1777, false),
            (0o755, false),
        ] {
            set(parent, bad);
            assert_eq!(open(&cache.path()).is_err(), refused, "{bad:o}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let cache = Cache::new();
        cache.ask(1);
        let strangers = match chown(cache.path(), Some(12345), None) {
            Ok(()) => cache.path(),
            // Only root can give a folder away. For others, what root owns is a stranger's.
            Err(_) => "/usr".into(),
        };
        let error = open(&strangers).expect_err("it is another user's");
        assert!(matches!(error, CodeCacheError::Owner { .. }), "{error}");
    }

    #[test]
    fn a_key_that_others_could_read_is_replaced() {
        let cache = Cache::new();
        cache.ask(1);
        let key = cache.path().join("key");
        let before = fs::read(&key).expect("the key is there");
        set(&key, 0o644);
        assert_eq!(cache.ask(1), Origin::Compiled);
        assert_ne!(fs::read(&key).expect("the key is there"), before);
        assert_eq!(mode(&key), 0o600);
        fs::write(&key, "short").expect("the key is ours");
        assert_eq!(cache.ask(1), Origin::Compiled);
        assert_eq!(cache.ask(1), Origin::Cached);
    }

    #[test]
    fn a_key_behind_a_link_is_replaced() {
        let cache = Cache::new();
        cache.ask(1);
        let (key, elsewhere) = (cache.path().join("key"), cache.folder.path().join("key"));
        fs::rename(&key, &elsewhere).expect("the key is there");
        std::os::unix::fs::symlink(&elsewhere, &key).expect("the folder is writable");
        assert_eq!(cache.ask(1), Origin::Compiled);
        let about = fs::symlink_metadata(&key).expect("the key is there");
        assert!(about.is_file());
    }

    #[test]
    fn a_pipe_in_the_place_of_an_entry_is_replaced() {
        let cache = Cache::new();
        cache.ask(1);
        let entry = cache.entry(1);
        fs::remove_file(&entry).expect("it is there");
        rustix::fs::mkfifoat(rustix::fs::CWD, &entry, rustix::fs::Mode::RWXU)
            .expect("the folder is writable");
        assert_eq!(cache.ask(1), Origin::Compiled);
        assert_eq!(cache.ask(1), Origin::Cached);
    }

    /// A folder that turned read-only serves what it has; what it lacks is compiled, and not kept.
    #[test]
    fn a_folder_that_cannot_be_written_serves_what_it_has() {
        let cache = Cache::new();
        cache.ask(1);
        set(&cache.path(), 0o500);
        assert_eq!(cache.ask(1), Origin::Cached);
        assert_eq!(cache.ask(2), Origin::Compiled);
        // Root writes all the same.
        let expected = match rustix::process::geteuid().is_root() {
            true => Origin::Cached,
            false => Origin::Compiled,
        };
        assert_eq!(cache.ask(2), expected);
        set(&cache.path(), 0o700);
    }
}
