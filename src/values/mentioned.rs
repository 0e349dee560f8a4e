//! Where the text of a chart's templates names its values by their full paths.

use crate::chart::Chart;
use regex::Regex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A path that a template names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    pub path: Vec<Arc<str>>,
    /// What stands there may be taken with all that it holds.
    pub whole: bool,
}

static GO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)*)").expect("a valid pattern"));
static JINJA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bvalues((?:\.[A-Za-z_][A-Za-z0-9_]*)*)").expect("a valid pattern"));
static ACTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)\{\{.*?\}\}|\{%.*?%\}").expect("a valid pattern"));
/// What only looks at whether a value is there, or goes on from it by names.
static LOOK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\{[{%][-+]?\s*(else\s+)?(if|elif|with)\s").expect("a valid pattern"));
/// What uses more of a value, even so.
static TAKE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(to_?(yaml|json|toml)|range|tpl|include|template|merge\w*|omit|dict|toPrettyJson|keys|values)\b")
        .expect("a valid pattern")
});

/// The paths from a chart's own values that its templates name, those of its libraries, too.
pub fn mentioned(chart: &Chart) -> Vec<Mention> {
    let mut found: HashMap<Vec<Arc<str>>, bool> = HashMap::new();
    let libraries = chart.subcharts.iter().filter(|it| it.metadata.kind.eq_ignore_ascii_case("library"));
    for chart in [chart].into_iter().chain(libraries) {
        for file in chart.files.iter().filter(|file| file.path.starts_with("templates/")) {
            let text = String::from_utf8_lossy(file.data());
            let chain = if file.path.ends_with(".j2") { &JINJA } else { &GO };
            for action in ACTION.find_iter(&text) {
                let action = action.as_str();
                // What is done with the values, without their names.
                let whole = !LOOK.is_match(action) || TAKE.is_match(&chain.replace_all(action, ""));
                for chain in chain.captures_iter(action) {
                    let path: Vec<Arc<str>> = chain[1].split('.').skip(1).map(Arc::from).collect();
                    *found.entry(path).or_default() |= whole;
                }
            }
        }
    }
    let mut mentions: Vec<Mention> = found.into_iter().map(|(path, whole)| Mention { path, whole }).collect();
    mentions.sort_by(|a, b| a.path.cmp(&b.path));
    mentions
}
