//! Compiler flags and linkers of this machine that also apply to WebAssembly.
//!
//! `RUSTFLAGS`, `build.rustflags` and `linker` are meant for native programs in most cases (a faster linker, `target-cpu=native`), but
//! Cargo passes them to every target, and the tools of WebAssembly refuse most of them. Cargo and the compiler then blame a route.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr as _;

use cargo_platform::{Cfg, Platform};
use toml_edit::{DocumentMut, Item};

use crate::app::App;
use crate::failure::Failure;

/// The linkers that the compiler itself chooses for WebAssembly.
const OWN_LINKERS: [&str; 3] = ["wasm-component-ld", "rust-lld", "wasm-ld"];

/// The table in which flags and linkers apply to native programs only.
const NATIVE: &str = "[target.'cfg(not(target_family = \"wasm\"))']";

/// Where a build failed because of settings of this machine, if it has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Symptom {
    /// The compiler refused its flags.
    Flags,
    /// The linker, by its name, failed or was not found.
    Linker(String),
}

impl Symptom {
    /// Returns the symptom that a diagnostic of the compiler is.
    pub(super) fn of_diagnostic(message: &str) -> Option<Symptom> {
        let linker = ["linking with `", "linker `"]
            .iter()
            .find_map(|start| message.strip_prefix(start));
        if let Some((linker, rest)) = linker.and_then(|rest| rest.split_once('`')) {
            let is_failure = rest.starts_with(" failed") || rest.starts_with(" not found");
            return is_failure.then(|| Symptom::Linker(linker.to_owned()));
        }
        // What `-C instrument-coverage` and `-C profile-generate` need.
        let is_flags = message.starts_with("can't find crate for `profiler_builtins`");
        is_flags.then_some(Symptom::Flags)
    }

    /// Returns the symptom that a line of Cargo is.
    pub(super) fn of_line(line: &str) -> Option<Symptom> {
        let is_flags = line.starts_with("error: failed to run `rustc` to learn about");
        is_flags.then_some(Symptom::Flags)
    }
}

/// A setting of this machine, and how to keep it from WebAssembly.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    place: String,
    hint: String,
}

/// Returns the failure of a build with this symptom, or `None` if no setting of this machine applies to the target.
pub(super) fn failure(app: &App, target: &str, symptom: &Symptom) -> Option<Failure> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let settings = Settings {
        target,
        files: configuration_files(app.root()),
        cfg: cfg_of(target),
        variable: &variable,
    };
    settings.failure(symptom)
}

/// The settings of this machine for one target.
struct Settings<'a> {
    target: &'a str,
    /// Cargo's configuration files, those with precedence first.
    files: Vec<(PathBuf, DocumentMut)>,
    /// What `cfg(…)` in these files is compared with.
    cfg: Vec<Cfg>,
    /// Looks up an environment variable that is not empty.
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Settings<'_> {
    fn failure(&self, symptom: &Symptom) -> Option<Failure> {
        let linker = match symptom {
            Symptom::Flags => None,
            Symptom::Linker(name) => self.linker(name),
        };
        if let Some(Setting { place, hint }) = linker {
            let message = format!("{place} also applies to WebAssembly, and cannot link it");
            return Some(Failure::new(message).hint(hint));
        }
        let Setting { place, hint } = self.flags()?;
        let refused = match symptom {
            Symptom::Flags => "the compiler for WebAssembly refuses",
            Symptom::Linker(_) => "the linker of WebAssembly fails with",
        };
        let message = format!("{refused} the compiler flags from {place}");
        Some(Failure::new(message).hint(hint))
    }

    /// Returns the flags that Cargo passes on: it reads the first of these places that has some (Cargo's reference, `build.rustflags`).
    fn flags(&self) -> Option<Setting> {
        let own = self.variable_of_target("RUSTFLAGS");
        self.variable_flags("CARGO_ENCODED_RUSTFLAGS")
            .or_else(|| self.variable_flags("RUSTFLAGS"))
            .or_else(|| self.variable_flags(&own))
            .or_else(|| self.in_target("rustflags"))
            .or_else(|| self.variable_flags("CARGO_BUILD_RUSTFLAGS"))
            .or_else(|| self.in_build())
    }

    /// Returns the setting that chose a linker, or `None` if the compiler or a flag did.
    fn linker(&self, name: &str) -> Option<Setting> {
        if OWN_LINKERS.contains(&name) {
            return None;
        }
        let own = self.variable_of_target("LINKER");
        let of_variable = (self.variable)(&own).map(|linker| Setting {
            place: format!("the linker `{linker}` from the environment variable `{own}`"),
            hint: "unset it".to_owned(),
        });
        let in_file = || {
            let found = self.in_target("linker")?;
            let place = format!("the linker from {}", found.place);
            Some(Setting { place, ..found })
        };
        of_variable.or_else(in_file)
    }

    fn variable_of_target(&self, key: &str) -> String {
        let target = self.target.replace('-', "_").to_uppercase();
        format!("CARGO_TARGET_{target}_{key}")
    }

    fn variable_flags(&self, name: &str) -> Option<Setting> {
        let flags = (self.variable)(name)?.replace('\u{1f}', " ");
        Some(Setting {
            place: format!("the environment variable `{name}` (`{flags}`)"),
            hint: format!(
                "unset it, or move the flags to `rustflags` below `{NATIVE}` in Cargo's configuration"
            ),
        })
    }

    fn in_build(&self) -> Option<Setting> {
        self.files.iter().find_map(|(file, config)| {
            let flags = text(config.get("build")?.get("rustflags")?)?;
            let file = file.display();
            Some(Setting {
                place: format!("`build.rustflags` in `{file}` (`{flags}`)"),
                hint: format!("move it to `rustflags` below `{NATIVE}` in that file"),
            })
        })
    }

    /// Returns a setting of a table `[target.…]` that applies to the target.
    fn in_target(&self, key: &str) -> Option<Setting> {
        self.files.iter().find_map(|(file, config)| {
            let targets = config.get("target")?.as_table_like()?;
            let applies = |(name, _): &(&str, &Item)| self.applies(name);
            let found = targets
                .iter()
                .filter(applies)
                .find_map(|(name, table)| Some((name, text(table.get(key)?)?)));
            let (name, value) = found?;
            let file = file.display();
            Some(Setting {
                place: format!("`{key}` below `[target.'{name}']` in `{file}` (`{value}`)"),
                hint: match name == self.target {
                    true => "remove it".to_owned(),
                    false => format!("move it below `{NATIVE}` in that file"),
                },
            })
        })
    }

    /// Returns whether a table `[target.NAME]` applies to the target.
    fn applies(&self, name: &str) -> bool {
        Platform::from_str(name).is_ok_and(|platform| platform.matches(self.target, &self.cfg))
    }
}

/// Returns flags, which are a string or a list, or the name of a linker.
fn text(item: &Item) -> Option<String> {
    if let Some(text) = item.as_str() {
        return Some(text.to_owned());
    }
    let flags = item.as_array()?.iter().filter_map(|flag| flag.as_str());
    Some(flags.collect::<Vec<_>>().join(" ")).filter(|flags| !flags.is_empty())
}

/// Reads the configuration files that Cargo reads in a folder, the nearest first.
fn configuration_files(root: &Path) -> Vec<(PathBuf, DocumentMut)> {
    let above = root.ancestors().map(|folder| folder.join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    above
        .chain(home)
        .flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)))
        .filter_map(|file| {
            let config = waypost_config::read_text_file(&file).ok()?.parse().ok()?;
            Some((file, config))
        })
        .collect()
}

/// Returns what the compiler says of a target, or nothing if it can't be asked.
fn cfg_of(target: &str) -> Vec<Cfg> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc)
        .args(["--print", "cfg", "--target", target])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "wasm32-wasip2";

    /// Returns what is said of a failed linker, with these settings.
    fn said(variables: &[(&str, &str)], config: &str, symptom: &Symptom) -> Option<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings {
            target: TARGET,
            files: vec![("c.toml".into(), config.parse().unwrap())],
            cfg: cfg_of(TARGET),
            variable: &variable,
        };
        let failure = settings.failure(symptom)?;
        Some(format!("{failure}; {}", failure.advice().unwrap()))
    }

    #[test]
    fn the_setting_that_applies_is_named() {
        let linker = Symptom::Linker("wasm-component-ld".to_owned());
        let native = "move it to `rustflags` below `[target.'cfg(not(target_family = \"wasm\"))']` in that file";
        let build = "[build]\nrustflags = [\"-C\", \"link-arg=-fuse-ld=mold\"]\n";
        let expected = format!(
            "the linker of WebAssembly fails with the compiler flags from `build.rustflags` in `c.toml` \
             (`-C link-arg=-fuse-ld=mold`); {native}"
        );
        assert_eq!(said(&[], build, &linker), Some(expected));

        let of_variable = said(&[("RUSTFLAGS", "-Zx")], build, &Symptom::Flags).unwrap();
        let begin = "the compiler for WebAssembly refuses the compiler flags from the environment variable `RUSTFLAGS` (`-Zx`); unset it";
        assert!(of_variable.starts_with(begin), "{of_variable}");

        let all = format!("[target.'cfg(all())']\nrustflags = \"-Cx\"\n{build}");
        let of_all = said(&[], &all, &linker).unwrap();
        assert!(
            of_all
                .contains("`rustflags` below `[target.'cfg(all())']` in `c.toml` (`-Cx`); move it"),
            "{of_all}"
        );
    }

    #[test]
    fn a_linker_of_another_machine_is_named() {
        let mold = Symptom::Linker("mold".to_owned());
        let of_target = "[target.wasm32-wasip2]\nlinker = \"mold\"\n";
        let begin = "the linker from `linker` below `[target.'wasm32-wasip2']` in `c.toml` (`mold`) also applies to WebAssembly, \
                     and cannot link it; remove it";
        assert_eq!(said(&[], of_target, &mold).as_deref(), Some(begin));
        let variable = ("CARGO_TARGET_WASM32_WASIP2_LINKER", "mold");
        let of_variable = said(&[variable], "", &mold).unwrap();
        assert!(of_variable.contains(variable.0), "{of_variable}");
        let by_flag = said(&[("RUSTFLAGS", "-C linker=mold")], "", &mold).unwrap();
        assert!(by_flag.contains("`RUSTFLAGS`"), "{by_flag}");
    }

    #[test]
    fn settings_of_other_targets_are_not_blamed() {
        let linker = Symptom::Linker("wasm-component-ld".to_owned());
        let others = "[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\"\nrustflags = \"-Cx\"\n\
            [target.'cfg(not(target_family = \"wasm\"))']\nlinker = \"clang\"\nrustflags = \"-Cx\"\n\
            [build]\nrustflags = []\n";
        assert_eq!(said(&[], others, &linker), None);
        assert_eq!(said(&[], others, &Symptom::Flags), None);
    }

    #[test]
    fn failures_of_tools_are_known() {
        let linker = |name: &str| Some(Symptom::Linker(name.to_owned()));
        for (message, symptom) in [
            (
                "linking with `wasm-component-ld` failed: exit status: 2",
                linker("wasm-component-ld"),
            ),
            ("linker `/x/clang` not found", linker("/x/clang")),
            (
                "can't find crate for `profiler_builtins`",
                Some(Symptom::Flags),
            ),
            ("can't find crate for `serde`", None),
            ("mismatched types", None),
        ] {
            assert_eq!(Symptom::of_diagnostic(message), symptom, "{message}");
        }
        let line = "error: failed to run `rustc` to learn about target-specific information";
        assert_eq!(Symptom::of_line(line), Some(Symptom::Flags));
    }
}
