//! Makes Cargo compile files whose content changed although their modification time did not.
//!
//! Cargo takes a file for unchanged if it is not newer than the last build. A file that a tool, a backup or a layer of a
//! container puts back, with the time that it had, would be missed: the build would say "Built", and the app would serve what
//! was there before. So a build records the content of all files that it compiled, and the next one gives those that
//! changed the current time.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use waypost_config::{Fault, read_file, read_text_file};

/// The largest file whose content is compared. A larger one is included in no component.
const LARGEST: u64 = 256 << 20;

/// Sets the modification time of each file whose content differs from the record to now, unless the file is newer than the record.
/// Returns a warning for each file whose time can't be set.
pub(super) fn renew(record: &Path) -> Vec<Fault> {
    let Ok(recorded) = time_of(record) else {
        // Nothing was built, or the folder of the build is gone.
        return Vec::new();
    };
    let mut warnings = Vec::new();
    for (file, content) in read(record) {
        let is_older = || time_of(&file).is_ok_and(|time| time <= recorded);
        if content_of(&file).is_some_and(|now| now != content) && is_older() {
            let touched = File::options().append(true).open(&file);
            let touched = touched.and_then(|file| file.set_modified(SystemTime::now()));
            if let Err(error) = touched {
                let message = format!(
                    "`{}` changed, but is older than the last build, so it is not compiled again",
                    file.display()
                );
                let hint = format!("give it the current time, as `touch` does (here: {error})");
                warnings.push(Fault::warning(message).hint(hint));
            }
        }
    }
    warnings
}

/// Records the content of the files from which components were compiled.
pub(super) fn record<'f>(record: &Path, files: impl Iterator<Item = &'f PathBuf>) {
    let lines = files.filter_map(|file| {
        let text = file.to_str().filter(|text| !text.contains('\n'))?;
        Some(format!("{:016x} {text}\n", content_of(file)?))
    });
    // Without a record, the next build trusts the times, as Cargo does.
    let _ = std::fs::write(record, lines.collect::<String>());
}

fn read(record: &Path) -> BTreeMap<PathBuf, u64> {
    let text = read_text_file(record).unwrap_or_default();
    let entry = |line: &str| {
        let (content, file) = line.split_once(' ')?;
        let content = u64::from_str_radix(content, 16).ok()?;
        Some((PathBuf::from(file), content))
    };
    text.lines().filter_map(entry).collect()
}

/// Returns a number that differs if the content does, or `None` if the file can't be read.
fn content_of(file: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    read_file(file, LARGEST).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}

fn time_of(file: &Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(file)?.modified()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    #[test]
    fn a_file_that_was_put_back_with_its_old_time_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let old = SystemTime::now() - Duration::from_secs(3600);
        let put = |name: &str, text: &str| {
            fs::write(path(name), text).unwrap();
            let file = File::options().append(true).open(path(name)).unwrap();
            file.set_modified(old).unwrap();
        };
        let (changed, same, gone) = (path("changed"), path("same"), path("gone"));
        for name in ["changed", "same", "gone"] {
            put(name, "one");
        }
        let log = path("record");
        assert!(renew(&log).is_empty());
        record(&log, [&changed, &same, &gone].into_iter());
        put("changed", "two");
        fs::remove_file(&gone).unwrap();
        assert!(renew(&log).is_empty());
        assert!(time_of(&changed).unwrap() > old + Duration::from_secs(1800));
        assert_eq!(time_of(&same).unwrap(), old);
        // A record that is damaged has no effect.
        fs::write(&log, "x\nzz a\n").unwrap();
        assert!(renew(&log).is_empty());
    }
}
