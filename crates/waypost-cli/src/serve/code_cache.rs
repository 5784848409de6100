//! Where compiled code is kept, by the command line and the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use waypost_host::{CodeCache, DEFAULT_CODE_CACHE_SIZE};

use crate::cli::here;
use crate::failure::Failure;
use crate::output;
use waypost_config::Fault;

/// Names the folder, as `--cache-dir` does.
const FOLDER: &str = "WAYPOST_CACHE_DIR";

/// Bounds the folder, as `--cache-size` does.
const SIZE: &str = "WAYPOST_CACHE_SIZE";

/// The options about compiled code, which is native code: it is kept away from the app, which may be anyone's.
#[derive(Debug, Default, clap::Args)]
pub struct CacheArgs {
    /// Where compiled code is kept [default: `WAYPOST_CACHE_DIR`, or `waypost` in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// How much compiled code is kept, in MiB [default: `WAYPOST_CACHE_SIZE`, or 4096]
    #[arg(long, value_name = "MIB")]
    cache_size: Option<u64>,
}

impl CacheArgs {
    /// Opens the code cache. If the folder cannot be used, prints a warning and returns a cache that keeps nothing:
    /// the app runs all the same, and starts more slowly.
    ///
    /// # Errors
    ///
    /// Returns an error if `WAYPOST_CACHE_SIZE` is not a number.
    pub fn open(&self) -> anyhow::Result<CodeCache> {
        let max_bytes = self.max_bytes(std::env::var_os(SIZE))?;
        let Some(folder) = self.folder(std::env::var_os(FOLDER))? else {
            let message = "compiled code is not kept: this user has no home folder";
            output::fault(&warning(message.to_owned()));
            return Ok(CodeCache::disabled());
        };
        let cache = CodeCache::open(&folder, max_bytes);
        Ok(cache.unwrap_or_else(|error| {
            output::fault(&warning(format!("compiled code is not kept: {error}")));
            CodeCache::disabled()
        }))
    }

    fn folder(&self, variable: Option<OsString>) -> anyhow::Result<Option<PathBuf>> {
        let variable = variable.filter(|value| !value.is_empty());
        let named = self.cache_dir.clone().or(variable.map(PathBuf::from));
        match named {
            Some(folder) => Ok(Some(here()?.join(folder))),
            None => Ok(CodeCache::user_folder()),
        }
    }

    fn max_bytes(&self, variable: Option<OsString>) -> anyhow::Result<u64> {
        let variable = variable.filter(|value| !value.is_empty());
        let mebibytes = match (self.cache_size, variable) {
            (Some(size), _) => Some(size),
            (None, Some(value)) => Some(parse(&value)?),
            (None, None) => None,
        };
        Ok(mebibytes.map_or(DEFAULT_CODE_CACHE_SIZE, |size| size.saturating_mul(1 << 20)))
    }
}

fn parse(value: &OsString) -> Result<u64, Failure> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        let value = value.to_string_lossy();
        Failure::new(format!("`{SIZE}` is `{value}`, not a number of MiB")).hint("such as 4096")
    })
}

fn warning(message: String) -> Fault {
    Fault::warning(message).hint(format!(
        "every start compiles the app anew; name a folder of your own with `--cache-dir` or `{FOLDER}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_comes_before_the_variable() {
        let args = CacheArgs {
            cache_dir: Some("/a".into()),
            cache_size: Some(3),
        };
        assert_eq!(
            args.folder(Some("/b".into())).unwrap().unwrap(),
            PathBuf::from("/a")
        );
        assert_eq!(args.max_bytes(Some("4".into())).unwrap(), 3 << 20);
        let none = CacheArgs::default();
        assert_eq!(
            none.folder(Some("/b".into())).unwrap().unwrap(),
            PathBuf::from("/b")
        );
        assert_eq!(none.max_bytes(Some("4".into())).unwrap(), 4 << 20);
        assert_eq!(
            none.max_bytes(Some("".into())).unwrap(),
            DEFAULT_CODE_CACHE_SIZE
        );
        assert!(none.max_bytes(Some("much".into())).is_err());
    }
}
