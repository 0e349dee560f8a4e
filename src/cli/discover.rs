//! Finding charts: those in directories, the owners of files, and the charts that depend on them.

use crate::diagnostic::FileId;
use crate::fs::{self, Result};
use crate::yaml::{self, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Directories that hold no charts of the project.
const SKIPPED: &[&str] = &["node_modules", "target", "vendor"];
/// How deeply charts are looked for.
const MAX_DEPTH: usize = 24;

/// The charts that paths stand for, in order: a chart itself; all charts of a directory; the chart that a file
/// belongs to, and all charts of the repository that depend on it. Files outside charts stand for none.
pub(super) fn charts(paths: &[PathBuf], with_subcharts: bool) -> Result<Vec<PathBuf>> {
    let mut found = Found::default();
    let mut changed = BTreeSet::new();
    for path in paths {
        if fs::is_dir(path) {
            let mut charts = BTreeSet::new();
            below(path, 0, &mut charts)?;
            for chart in charts {
                found.add(chart)?;
            }
        } else if let Some(chart) = owner(path) {
            changed.insert(fs::canonical(&chart)?);
        } else if path.extension().is_some_and(|extension| extension == "tgz") {
            found.add(path.clone())?;
        } else {
            // A misspelt path would pass as a check of nothing.
            fs::canonical(path)?;
        }
    }
    if !changed.is_empty() {
        for chart in dependents(changed)? {
            let shown = relative(&chart)?;
            found.0.entry(chart).or_insert(shown);
        }
    }
    if with_subcharts {
        for chart in found.0.values().cloned().collect::<Vec<_>>() {
            found.add_subcharts(&chart)?;
        }
    }
    let mut charts: Vec<PathBuf> = found.0.into_values().collect();
    charts.sort();
    Ok(charts)
}

/// Charts by their real path, under the name that the user sees.
#[derive(Default)]
struct Found(BTreeMap<PathBuf, PathBuf>);

impl Found {
    fn add(&mut self, chart: PathBuf) -> Result<bool> {
        Ok(self.0.insert(fs::canonical(&chart)?, chart).is_none())
    }

    fn add_subcharts(&mut self, chart: &Path) -> Result<()> {
        let directory = chart.join("charts");
        if fs::is_dir(&directory) {
            for (_, path, _) in fs::list(&directory)? {
                if is_chart(&path) && self.add(path.clone())? {
                    self.add_subcharts(&path)?;
                }
            }
        }
        Ok(())
    }
}

fn is_chart(directory: &Path) -> bool {
    fs::exists(&directory.join("Chart.yaml"))
}

/// The nearest directory above a file, which may be deleted, that is a chart.
fn owner(file: &Path) -> Option<PathBuf> {
    // The empty path is the current directory.
    let named = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    file.ancestors().skip(1).map(named).find(|directory| is_chart(directory))
}

/// Adds the charts of a directory. Charts in charts are parts of those.
fn below(directory: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    if is_chart(directory) {
        found.insert(directory.components().collect());
        return Ok(());
    }
    if depth == MAX_DEPTH {
        return Ok(());
    }
    for (name, path, is_dir) in fs::list(directory)? {
        if is_dir && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            below(&path, depth + 1, found)?;
        }
    }
    Ok(())
}

/// These charts and all of their repositories that contain them or depend on them by `file://`, however far.
fn dependents(changed: BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>> {
    let mut charts = BTreeSet::new();
    for root in changed.iter().map(|chart| repository(chart)).collect::<BTreeSet<_>>() {
        below(&root, 0, &mut charts)?;
    }
    let mut users: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for chart in charts {
        for dependency in local_dependencies(&chart) {
            users.entry(dependency).or_default().push(chart.clone());
        }
    }
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut next: Vec<PathBuf> = changed.into_iter().collect();
    while let Some(chart) = next.pop() {
        if !seen.insert(chart.clone()) {
            continue;
        }
        next.extend(users.get(&chart).into_iter().flatten().cloned());
        // A chart in another one's `charts/` is checked as a part of that one, with its values.
        match chart.parent().filter(|parent| parent.ends_with("charts")).and_then(Path::parent) {
            Some(parent) if is_chart(parent) => next.push(parent.to_owned()),
            _ => {
                found.insert(chart);
            }
        }
    }
    Ok(found)
}

/// The directory above a chart that has `.git`; without one, the directory that the chart is in.
fn repository(chart: &Path) -> PathBuf {
    let root = chart.ancestors().find(|directory| fs::exists(&directory.join(".git")));
    root.or(chart.parent()).unwrap_or(chart).to_owned()
}

/// The directories that a chart's dependencies name by `file://`.
fn local_dependencies(chart: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in ["Chart.yaml", "requirements.yaml"] {
        let Ok(text) = fs::read_text(&chart.join(name)) else { continue };
        let Ok(document) = yaml::read(&text, FileId(0)).first() else { continue };
        for dependency in document.get("dependencies").and_then(Node::as_seq).unwrap_or_default() {
            let repository = dependency.get("repository").and_then(Node::as_str).unwrap_or_default();
            found.extend(repository.strip_prefix("file://").and_then(|path| fs::canonical(&chart.join(path)).ok()));
        }
    }
    found
}

/// A real path as seen from the current directory.
fn relative(path: &Path) -> Result<PathBuf> {
    let here = fs::canonical(Path::new("."))?;
    let shared = here.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = here.components().skip(shared).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(shared)).collect();
    Ok(if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative })
}
