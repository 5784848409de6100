//! [`Compiler`]: the code of components, made before a host asks for it.

use crate::engine;
use crate::error::HostError;
use crate::load;
use std::path::Path;
use wasmtime::{Cache, Engine};

/// Compiles components into the code cache of a state folder, where every [`Host`](crate::Host) with that folder
/// finds them.
pub struct Compiler {
    engine: Engine,
    cache: Cache,
}

impl Compiler {
    /// Opens the code cache of a state folder, which is made when missing.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used.
    pub fn new(state_dir: &Path) -> Result<Self, HostError> {
        let cache = engine::open_cache(&engine::cache_dir(state_dir))?;
        let engine = engine::compiler(&cache)?;
        Ok(Self { engine, cache })
    }

    /// Compiles the component in `file`, unless the cache has its code. `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no component that can be compiled.
    pub fn compile(&self, name: &str, file: &Path) -> Result<(), HostError> {
        load::compile(&self.engine, name, file)
            .map(drop)
            .map_err(|error| HostError::Components {
                faults: vec![error.to_string()],
            })
    }

    /// How many components were compiled so far: those that the cache had are not counted.
    pub fn compiled(&self) -> usize {
        self.cache.cache_misses()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InstanceSize;
    use crate::engine::PoolSize;
    use crate::engine::epoch::Turns;

    #[test]
    fn a_host_finds_what_was_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        let text = "(component (core module (func (export \"f\") (loop (br 0)))))";
        std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        let compiler = Compiler::new(folder.path()).unwrap();
        compiler.compile("a", &file).unwrap();
        compiler.compile("a", &file).unwrap();
        assert_eq!(compiler.compiled(), 1);

        let size = PoolSize {
            concurrency: 1,
            components: 1,
            memory: 1 << 20,
            instance: InstanceSize::default(),
        };
        let cache = engine::open_cache(&engine::cache_dir(folder.path())).unwrap();
        let (engine, _clock) = engine::build(&size, &cache, &Turns::new()).unwrap();
        load::compile(&engine, "a", &file).unwrap();
        assert_eq!((cache.cache_hits(), cache.cache_misses()), (1, 0));
    }

    #[test]
    fn what_is_no_component_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let compiler = Compiler::new(folder.path()).unwrap();
        let error = compiler.compile("a", &folder.path().join("a.wasm"));
        assert!(error.unwrap_err().to_string().contains("is missing"));
    }
}
