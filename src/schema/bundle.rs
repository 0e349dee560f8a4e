//! The embedded schemas of Kubernetes' own kinds: sorted lines of text, searched in place, so that start-up costs
//! nothing and a definition is parsed when a document reaches it.
//!
//! `schemas/README.md` describes the files and the command that makes them.

use super::version::KubeVersion;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock, PoisonError, RwLock};

/// `name TAB mask TAB shape`, by name; a definition that changed has a line per variant.
static DEFINITIONS: &str = include_str!("../../schemas/definitions.txt");
/// `group/version/Kind TAB mask TAB definition`, by kind; the core group is written `v1/Pod`.
static KINDS: &str = include_str!("../../schemas/kinds.txt");

/// Oldest and newest minor. The first line of the definitions says them: `! TAB 25 TAB 37`.
pub(super) fn minors() -> (u16, u16) {
    static MINORS: OnceLock<(u16, u16)> = OnceLock::new();
    *MINORS.get_or_init(|| {
        let mut parts = DEFINITIONS.lines().next().unwrap_or_default().split('\t').skip(1);
        let mut next = || parts.next().and_then(|part| part.parse().ok());
        next().zip(next()).expect("the embedded definitions start with their versions")
    })
}

/// A line of the bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub key: &'static str,
    pub mask: u32,
    pub rest: &'static str,
}

fn parse(line: &'static str) -> Option<Line> {
    let (key, rest) = line.split_once('\t')?;
    let (mask, rest) = rest.split_once('\t')?;
    Some(Line { key, mask: u32::from_str_radix(mask, 16).ok()?, rest })
}

/// The lines from the first whose key is not less than `key`.
fn from(text: &'static str, key: &str) -> impl Iterator<Item = Line> {
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = memchr::memrchr(b'\n', &text.as_bytes()[low..middle]).map_or(low, |at| low + at + 1);
        let end = memchr::memchr(b'\n', &text.as_bytes()[middle..]).map_or(text.len(), |at| middle + at);
        let found = text[start..end].split('\t').next().unwrap_or_default();
        if found < key {
            low = (end + 1).min(text.len());
        } else {
            high = start;
        }
    }
    text[low..].lines().filter_map(parse)
}

/// The text of a definition in a version.
pub(super) fn definition(name: &str, version: KubeVersion) -> Option<(&'static str, &'static str)> {
    from(DEFINITIONS, name)
        .take_while(|line| line.key == name)
        .find(|line| line.mask & version.bit() != 0)
        .map(|line| (line.key, line.rest))
}

/// All definitions with all variants.
pub fn definitions() -> impl Iterator<Item = (&'static str, u32, &'static str)> {
    DEFINITIONS.lines().filter_map(parse).filter(|line| line.key != "!").map(|line| (line.key, line.mask, line.rest))
}

/// The versions that know `apps/v1/Deployment`, and the name of its definition.
pub(super) fn kind(key: &str) -> Option<Line> {
    type Known = HashMap<&'static str, Line, foldhash::fast::RandomState>;
    static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
    if let Some(line) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return Some(*line);
    }
    let line = from(KINDS, key).next().filter(|line| line.key == key)?;
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(line.key, line);
    Some(line)
}

/// All kinds with the versions that know them.
pub(super) fn kinds() -> impl Iterator<Item = Line> {
    KINDS.lines().filter_map(parse)
}

/// The API versions and kinds that a cluster of this version serves, as charts ask for them: `apps/v1`,
/// `apps/v1/Deployment`.
pub fn api_versions(version: KubeVersion) -> Vec<String> {
    let mut names = Vec::new();
    for line in kinds().filter(|line| line.mask & version.bit() != 0 && !line.key.ends_with("List")) {
        if let Some((api_version, _)) = line.key.rsplit_once('/')
            && !names.last().is_some_and(|last: &String| last.starts_with(&format!("{api_version}/")))
        {
            names.push(api_version.to_owned());
        }
        names.push(line.key.to_owned());
    }
    names
}
