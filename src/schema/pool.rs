//! The definitions of one Kubernetes version, parsed as documents reach them.

use super::rules::{self, Rule};
use super::shape::{Ref, Shape};
use super::version::KubeVersion;
use super::{bundle, compact};
use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// A definition of the bundle.
#[derive(Debug)]
pub struct Definition {
    /// `core.v1.Container`.
    pub name: &'static str,
    pub shape: Shape,
    /// Checks beyond the shape.
    pub(super) rules: &'static [Rule],
}

impl Definition {
    /// `Container`.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// The definitions of a version that some document has reached. They live as long as the process.
#[derive(Debug)]
pub struct Pool {
    version: KubeVersion,
    parsed: RwLock<HashMap<&'static str, &'static Definition, foldhash::fast::RandomState>>,
}

impl Pool {
    pub fn of(version: KubeVersion) -> &'static Pool {
        static POOLS: [OnceLock<Pool>; 32] = [const { OnceLock::new() }; 32];
        let at = usize::from(version.minor() - KubeVersion::oldest().minor());
        POOLS[at].get_or_init(|| Pool { version, parsed: RwLock::default() })
    }

    pub fn version(&self) -> KubeVersion {
        self.version
    }

    /// The definition of this short name: `core.v1.Container`.
    pub fn definition(&self, name: &str) -> Option<&'static Definition> {
        if let Some(found) = self.parsed.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(found);
        }
        let (name, text) = bundle::definition(name, self.version)?;
        let shape = compact::read(text)?;
        let mut parsed = self.parsed.write().unwrap_or_else(PoisonError::into_inner);
        let made = || &*Box::leak(Box::new(Definition { name, shape, rules: rules::of_definition(name) }));
        Some(parsed.entry(name).or_insert_with(made))
    }

    pub fn resolve(&self, reference: &Ref) -> Option<&'static Definition> {
        *reference.target.get_or_init(|| self.definition(&reference.name))
    }

    /// The definition of `apps/v1/Deployment`.
    pub fn kind(&self, key: &str) -> Option<&'static Definition> {
        let line = bundle::kind(key)?;
        (line.mask & self.version.bit() != 0).then(|| self.definition(line.rest)).flatten()
    }
}
