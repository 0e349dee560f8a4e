//! The project that a chart belongs to: its `chart.toml`, beside the chart or in a directory above it.

use super::Failed;
use crate::diagnostic::{Code, Level, Sources, project_levels};
use crate::fs;
use std::collections::HashMap;
use std::path::Path;

const FILE: &str = "chart.toml";

/// The levels of findings that the nearest `chart.toml` sets. The search ends at the directory that has `.git`.
pub(super) fn levels(chart: &Path, sources: &mut Sources) -> Result<HashMap<Code, Level>, Failed> {
    let Ok(start) = fs::canonical(chart) else { return Ok(HashMap::new()) };
    for directory in start.ancestors() {
        let path = directory.join(FILE);
        if fs::exists(&path) {
            let file = sources.add(path.to_string_lossy(), fs::read_text(&path)?);
            let levels = project_levels(&sources.shared_text(file), file);
            return levels.map_err(|findings| {
                let reasons: Vec<String> = findings
                    .iter()
                    .map(|finding| {
                        let place = finding.labels.first().map(|label| sources.locate(label.span));
                        format!("{}: {}", place.unwrap_or_default(), finding.message)
                    })
                    .collect();
                Failed::Usage(reasons.join("\n"), findings.into_iter().flat_map(|finding| finding.hints).next())
            });
        }
        if fs::exists(&directory.join(".git")) {
            break;
        }
    }
    Ok(HashMap::new())
}
