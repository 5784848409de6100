//! [`Compiler`]: the code of components, made before a host asks for it.

use crate::engine;
use crate::engine::code_cache::CodeCache;
use crate::error::HostError;
use crate::instance::load::{self, Origin};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::Engine;

/// Compiles components into a code cache, where every [`Host`](crate::Host) that uses it finds them.
pub struct Compiler {
    engine: Engine,
    code_cache: CodeCache,
    compiled: AtomicUsize,
}

impl Compiler {
    /// Creates a compiler that fills this cache.
    ///
    /// # Errors
    ///
    /// Returns an error if Wasmtime's engine does not start on this machine.
    pub fn new(code_cache: CodeCache) -> Result<Self, HostError> {
        Ok(Self {
            engine: engine::compiler()?,
            code_cache,
            compiled: AtomicUsize::default(),
        })
    }

    /// Compiles the component in `file`, unless the cache has its code. `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or is not a component that can be compiled.
    pub fn compile(&self, name: &str, file: &Path) -> Result<(), HostError> {
        let compiled = load::read(name, file)
            .and_then(|binary| load::compile(&self.engine, &self.code_cache, name, &binary));
        let (_, origin) = compiled.map_err(|error| HostError::Components {
            faults: vec![error.to_string()],
        })?;
        if origin == Origin::Compiled {
            self.compiled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Returns how many components were compiled so far: those that the cache had are not counted.
    pub fn compiled(&self) -> usize {
        self.compiled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InstanceSize;
    use crate::engine::PoolSize;
    use crate::engine::code_cache::DEFAULT_CODE_CACHE_SIZE;
    use crate::engine::epoch::Turns;

    #[test]
    fn a_host_finds_what_was_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        let text = "(component (core module (func (export \"f\") (loop (br 0)))))";
        std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        let open = || CodeCache::open(&folder.path().join("cache"), DEFAULT_CODE_CACHE_SIZE);
        let compiler = Compiler::new(open().unwrap()).unwrap();
        compiler.compile("a", &file).unwrap();
        compiler.compile("a", &file).unwrap();
        assert_eq!(compiler.compiled(), 1);

        let size = PoolSize {
            concurrency: 1,
            components: 1,
            memory: 1 << 20,
            instance: InstanceSize::default(),
        };
        let (engine, _clock) = engine::build(&size, &Turns::new()).unwrap();
        let binary = load::read("a", &file).unwrap();
        let (_, origin) = load::compile(&engine, &open().unwrap(), "a", &binary).unwrap();
        assert_eq!(origin, Origin::Cached);
    }

    #[test]
    fn what_is_no_component_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let compiler = Compiler::new(CodeCache::disabled()).unwrap();
        let error = compiler.compile("a", &folder.path().join("a.wasm"));
        assert!(error.unwrap_err().to_string().contains("is missing"));
    }
}
