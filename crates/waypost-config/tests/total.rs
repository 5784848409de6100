//! No text makes a reader of configuration panic or hang.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use waypost_config::manifest::Route;
use waypost_config::outbound::AllowedHosts;
use waypost_config::settings::Origin;
use waypost_config::{ComponentId, Manifest, Settings};

/// Reads a text as each kind of file: every reader must return.
fn read(text: &str) {
    let path = Path::new("file.toml");
    match Manifest::parse(text, path) {
        Ok(manifest) => {
            let resolved = manifest.resolve(|_| Some(text.to_owned().into()));
            drop(resolved.map_err(|errors| errors.to_string()));
        }
        Err(errors) => assert!(errors.iter().len() > 0 && !errors.to_string().is_empty()),
    }
    if let Err(errors) = Settings::parse(text, path) {
        let lines = errors.to_string().lines().count();
        assert_eq!(lines, errors.iter().len(), "each fault is one line");
    }
}

fn fixtures() -> Vec<String> {
    [
        "tests/manifests",
        "tests/manifests/fail",
        "tests/settings",
        "tests/settings/fail",
    ]
    .iter()
    .flat_map(|folder| fs::read_dir(folder).unwrap())
    .map(|entry| entry.unwrap().path())
    .filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    })
    .map(|path| fs::read_to_string(path).unwrap())
    .collect()
}

/// A file of the fixtures, with some of its characters replaced by a short text.
fn mutated() -> impl Strategy<Value = String> {
    let cut = (any::<prop::sample::Index>(), 0_usize..12);
    let piece = prop_oneof![
        "[\\[\\]{}=\"'\\n.#,:/*é-]{0,4}",
        ".{0,3}",
        Just("true".to_owned()),
        Just("99999999999999999999".to_owned()),
    ];
    let edits = prop::collection::vec((cut, piece), 1..5);
    (prop::sample::select(fixtures()), edits).prop_map(|(text, edits)| {
        edits.into_iter().fold(text, |text, ((at, length), piece)| {
            let characters: Vec<_> = text.chars().collect();
            let at = at.index(characters.len() + 1);
            let end = (at + length).min(characters.len());
            let mut mutant: String = characters[..at].iter().collect();
            mutant.push_str(&piece);
            mutant.extend(&characters[end..]);
            mutant
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn mutated_files_are_read_or_refused(text in mutated()) {
        read(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read(&text);
        drop(text.parse::<ComponentId>());
        drop(text.parse::<Origin>());
        drop(text.parse::<Route>());
        let allowed = AllowedHosts::parse(&[text.clone(), format!("http://{text}")], &[]);
        drop(allowed.map(|allowed| allowed.allows("http", &text, None)));
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", ""), ("{a=", ""), ("[", "]"), ("a.", "")] {
        let text = format!("a = {}{}", open.repeat(100_000), close.repeat(100_000));
        read(&text);
        read(&format!("[{}a]", "a.".repeat(100_000)));
    }
}
