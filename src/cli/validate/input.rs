//! The files that are checked.

use super::super::Failed;
use crate::fs;
use regex::Regex;
use std::path::{Path, PathBuf};

/// Folders within folders past which something leads in a circle.
const MAX_DEPTH: u32 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// As users see it.
    pub fn name(&self) -> String {
        match self {
            Input::Stdin => "<stdin>".to_owned(),
            Input::File(path) => path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned(),
        }
    }
}

/// The files that the paths name: themselves, or the YAML and JSON files in folders and their folders, sorted.
/// Without a path it is stdin.
pub(super) fn find(paths: &[PathBuf], ignored: &[Regex]) -> Result<Vec<Input>, Failed> {
    if paths.is_empty() {
        return Ok(vec![Input::Stdin]);
    }
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else {
            walk(path, &["yaml", "yml", "json"], true, 0, &mut inputs)?;
        }
    }
    inputs.retain(|input| !ignored.iter().any(|pattern| pattern.is_match(&input.name())));
    Ok(inputs)
}

/// The YAML files that the paths name.
pub(super) fn find_yaml(paths: &[PathBuf]) -> Result<Vec<Input>, Failed> {
    let mut inputs = Vec::new();
    for path in paths {
        walk(path, &["yaml", "yml"], true, 0, &mut inputs)?;
    }
    Ok(inputs)
}

fn walk(path: &Path, kinds: &[&str], given: bool, depth: u32, inputs: &mut Vec<Input>) -> Result<(), Failed> {
    if depth > MAX_DEPTH {
        return Err(Failed::Usage(format!("`{}` has too many folders in folders", path.display()), None));
    }
    if fs::is_dir(path) {
        for (_, path, _) in fs::list(path)? {
            walk(&path, kinds, false, depth + 1, inputs)?;
        }
    } else if given
        || path.extension().is_some_and(|extension| kinds.iter().any(|kind| extension.eq_ignore_ascii_case(kind)))
    {
        inputs.push(Input::File(path.to_owned()));
    }
    Ok(())
}
