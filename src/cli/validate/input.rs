//! The files that are checked.

use super::super::Failed;
use crate::fs;
use regex::Regex;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Folders within folders past which something leads in a circle.
const MAX_DEPTH: u32 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Stdin,
    /// A file, a device or a pipe, as the user named it.
    Given(PathBuf),
    /// A file in a folder.
    File(PathBuf),
}

impl Input {
    /// As users see it.
    pub fn name(&self) -> String {
        match self {
            Input::Stdin => "<stdin>".to_owned(),
            Input::Given(path) | Input::File(path) => {
                path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned()
            }
        }
    }

    pub fn open(&self) -> Result<Box<dyn Read>, Failed> {
        Ok(match self {
            Input::Stdin => Box::new(std::io::stdin().lock()),
            Input::Given(path) | Input::File(path) => Box::new(fs::unbuffered(path)?),
        })
    }

    /// Whether it can be read again.
    pub fn is_file(&self) -> bool {
        match self {
            Input::Stdin => false,
            Input::Given(path) => fs::is_file(path),
            Input::File(_) => true,
        }
    }

    /// Names the input of an error.
    pub fn reading<T>(&self, result: io::Result<T>) -> Result<T, Failed> {
        match self {
            Input::Stdin => result.map_err(|error| Failed::Other(format!("failed to read stdin: {error}"))),
            Input::Given(path) | Input::File(path) => Ok(fs::reading(path, result)?),
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
    if given && !fs::is_dir(path) {
        inputs.push(Input::Given(path.to_owned()));
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(Failed::Usage(format!("`{}` has too many folders in folders", path.display()), None));
    }
    for (name, kind) in fs::entries(path)? {
        let path = path.join(name);
        if matches!(kind, fs::Kind::Directory | fs::Kind::LinkedDirectory) {
            walk(&path, kinds, false, depth + 1, inputs)?;
        } else if path
            .extension()
            .is_some_and(|extension| kinds.iter().any(|kind| extension.eq_ignore_ascii_case(kind)))
        {
            inputs.push(if kind == fs::Kind::File { Input::File(path) } else { Input::Given(path) });
        }
    }
    Ok(())
}
