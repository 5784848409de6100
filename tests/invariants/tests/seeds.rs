//! Replays the seeds of the fuzz targets: a corpus from fuzzing, and every input that ever broke an invariant
//! (`fuzz/README.md`).

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use waypost_invariants::TARGETS;

#[test]
fn every_seed_keeps_the_invariants() {
    for (name, check) in TARGETS {
        let seeds = files(&fuzz().join("seeds").join(name));
        assert!(!seeds.is_empty(), "`{name}` has no seeds");
        for seed in seeds {
            // The test runner shows this only if the seed breaks an invariant.
            println!("{}", seed.display());
            check(&fs::read(seed).unwrap());
        }
    }
}

#[test]
fn every_target_is_fuzzed_and_every_seed_has_a_target() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = files(&fuzz().join(folder)).into_iter();
        let stems = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
        stems.collect()
    };
    let expected: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("targets"), expected);
    assert_eq!(names("seeds"), expected);
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
