//! Compiler flags of this machine that also apply to WebAssembly.
//!
//! `RUSTFLAGS` and `build.rustflags` are meant for native programs in most cases (a faster linker, `target-cpu=native`), but Cargo passes
//! them to every target, and the linker of WebAssembly refuses most of them.

use std::env;
use std::path::PathBuf;

use toml_edit::DocumentMut;

use crate::app::App;
use crate::failure::Failure;

/// The variables with flags, in Cargo's order of precedence.
const VARIABLES: [&str; 3] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
];

/// Returns whether a diagnostic says that the linker failed.
pub(super) fn is_of_linker(message: &str) -> bool {
    message.starts_with("linking with `")
}

/// Returns the failure of a build whose linker failed, or `None` if no flags of this machine apply.
pub(super) fn failure(app: &App) -> Option<Failure> {
    let native = "[target.'cfg(not(target_family = \"wasm\"))']";
    let of_variable = VARIABLES.iter().find_map(|name| {
        let flags = env::var(name).ok().filter(|flags| !flags.trim().is_empty())?;
        let flags = flags.replace('\u{1f}', " ");
        let place = format!("the environment variable `{name}` (`{flags}`)");
        Some((place, format!("unset it, or move the flags to `rustflags` below `{native}` in Cargo's configuration")))
    });
    let (place, hint) = of_variable.or_else(|| {
        let (file, flags) = configured(app)?;
        let place = format!("`build.rustflags` in `{}` (`{flags}`)", file.display());
        Some((
            place,
            format!("move it to `rustflags` below `{native}` in that file"),
        ))
    })?;
    let message = format!("the linker of WebAssembly fails with the compiler flags from {place}");
    Some(Failure::new(message).hint(hint))
}

/// Returns the file and the flags of `build.rustflags` in the configuration that Cargo reads for the app.
fn configured(app: &App) -> Option<(PathBuf, String)> {
    let above = app.root().ancestors().map(|folder| folder.join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let files = above
        .chain(home)
        .flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)));
    files.into_iter().find_map(|file| {
        let config: DocumentMut = waypost_config::read_text_file(&file).ok()?.parse().ok()?;
        let flags = config.get("build")?.get("rustflags")?;
        let flags = match (flags.as_str(), flags.as_array()) {
            (Some(flags), _) => flags.to_owned(),
            (None, Some(flags)) => {
                let flags = flags.iter().filter_map(|flag| flag.as_str());
                flags.collect::<Vec<_>>().join(" ")
            }
            (None, None) => return None,
        };
        Some((file, flags))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn flags_of_a_configuration_file_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        for folder in [folder.path().join(".cargo"), root.join("handlers")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(root.join("spin.toml"), "").unwrap();
        let file = folder.path().join(".cargo/config.toml");
        fs::write(
            &file,
            "[build]\nrustflags = [\"-C\", \"link-arg=-fuse-ld=mold\"]\n",
        )
        .unwrap();
        let app = App::at(&root).unwrap();
        let flags = "-C link-arg=-fuse-ld=mold".to_owned();
        assert_eq!(configured(&app), Some((file, flags)));
        assert!(is_of_linker(
            "linking with `rust-lld` failed: exit status: 1"
        ));
    }
}
