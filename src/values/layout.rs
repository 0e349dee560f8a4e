//! `chart.toml`: how a team lays out its values files, so that `--env production --region sg` names them.
//!
//! ```toml
//! [values]
//! # Lowest first, above the chart's defaults; paths start at this file. `?` marks one that may be missing.
//! layers = ["environments/{env}.yaml", "environments/{env}-{region}.yaml?", "services/{service}.yaml?"]
//!
//! # What `chart check` renders: every combination of these, or the ones listed.
//! [values.choices]
//! env = ["staging", "production"]
//! region = ["sg", "eu"]
//!
//! [[values.combinations]]
//! env = "production"
//! region = ["sg", "eu"]
//! ```
//!
//! The file stands next to the chart or in a directory above it, up to the repository's root. A layer takes part when
//! all its names are chosen.

use crate::diagnostic::{Code, Diagnostic, Failure, Sources, Span, nearest};
use crate::fs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The file's name.
pub const FILE: &str = "chart.toml";
/// Combinations that `chart check` renders at most.
const MAX_COMBINATIONS: usize = 1000;

/// What is chosen for each name: `env` is `production`.
pub type Choice = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    values: Option<Values>,
    /// Levels of findings are read where findings are.
    #[serde(rename = "findings")]
    _findings: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    layers: Vec<Spanned<String>>,
    #[serde(default)]
    choices: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    combinations: Vec<BTreeMap<String, OneOrMany>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn all(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// A layer's path with names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template {
    path: String,
    names: Vec<String>,
    optional: bool,
    span: Span,
}

impl Template {
    /// The path for a choice, if all its names are chosen.
    fn path(&self, choice: &Choice, chart: &str, release: &str) -> Option<String> {
        self.names.iter().try_fold(self.path.clone(), |path, name| {
            let value = match name.as_str() {
                "chart" => chart,
                "release" => release,
                name => choice.get(name)?,
            };
            Some(path.replace(&format!("{{{name}}}"), value))
        })
    }
}

/// A `chart.toml` that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    directory: PathBuf,
    layers: Vec<Template>,
    choices: BTreeMap<String, Vec<String>>,
    combinations: Vec<Choice>,
}

impl Layout {
    /// The layout for the chart in this directory, if there is one.
    pub fn find(chart: &Path, sources: &mut Sources) -> Result<Option<Layout>, Failure> {
        let io = |error: fs::Error| vec![Diagnostic::new(Code::Io, error.to_string())];
        let mut directory = chart.to_owned();
        // As many steps up as the real path has; `..` is added to a relative path that has run out.
        let real = fs::canonical(chart).map_err(io)?;
        for real in real.ancestors() {
            let file = directory.join(FILE);
            if fs::exists(&file) {
                let text = fs::read_text(&file).map_err(io)?;
                let source = sources.add(file.to_string_lossy(), text);
                return Self::read(&directory, source, sources).map(Some);
            }
            if fs::exists(&real.join(".git")) {
                break;
            }
            directory = match directory.parent() {
                Some(parent) if directory.file_name().is_some() => {
                    if parent.as_os_str().is_empty() {
                        PathBuf::from(".")
                    } else {
                        parent.to_owned()
                    }
                }
                _ if directory == Path::new(".") => PathBuf::from(".."),
                _ => directory.join(".."),
            };
        }
        Ok(None)
    }

    fn read(directory: &Path, source: crate::diagnostic::FileId, sources: &Sources) -> Result<Layout, Failure> {
        let wrong = |span: std::ops::Range<usize>, message: String| {
            let span = Span::new(source, span.start, span.end);
            vec![Diagnostic::new(Code::InvalidLayout, message).label(span, "")]
        };
        let document: Document = toml::from_str(sources.text(source))
            .map_err(|error| wrong(error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let values = document.values.unwrap_or(Values {
            layers: Vec::new(),
            choices: BTreeMap::new(),
            combinations: Vec::new(),
        });
        let mut layers = Vec::new();
        for layer in values.layers {
            let range = layer.span();
            let text = layer.into_inner();
            let (path, optional) = text.strip_suffix('?').map_or((text.as_str(), false), |path| (path, true));
            let names = names(path).map_err(|message| wrong(range.clone(), message))?;
            let span = Span::new(source, range.start, range.end);
            layers.push(Template { path: path.to_owned(), names, optional, span });
        }
        let mut layout =
            Layout { directory: directory.to_owned(), layers, choices: values.choices, combinations: Vec::new() };
        let listed: Vec<BTreeMap<String, Vec<String>>> = if values.combinations.is_empty() {
            vec![layout.choices.clone()]
        } else {
            let lists = values.combinations.iter();
            lists.map(|list| list.iter().map(|(name, it)| (name.clone(), it.all().to_vec())).collect()).collect()
        };
        for list in listed {
            if let Some(name) = list.keys().find(|name| !layout.has_name(name)) {
                return Err(wrong(0..0, format!("no layer has `{{{name}}}` in its path")));
            }
            layout.combinations.extend(product(&list));
            if layout.combinations.len() > MAX_COMBINATIONS {
                return Err(wrong(0..0, format!("there are more than {MAX_COMBINATIONS} combinations of choices")));
            }
        }
        layout.combinations.retain(|choice| !choice.is_empty());
        Ok(layout)
    }

    fn has_name(&self, name: &str) -> bool {
        self.layers.iter().any(|layer| layer.names.iter().any(|known| known == name))
    }

    /// Every combination that the file names.
    pub fn combinations(&self) -> &[Choice] {
        &self.combinations
    }

    /// The values files for a choice, lowest first. `chart` and `release` are always chosen.
    pub fn files(&self, choice: &Choice, chart: &str, release: &str) -> Result<Vec<PathBuf>, Failure> {
        self.check(choice)?;
        let mut files = Vec::new();
        for layer in &self.layers {
            let Some(path) = layer.path(choice, chart, release) else { continue };
            match self.existing(&path) {
                Some(file) => files.push(file),
                None if layer.optional => {}
                None => {
                    let message = format!("the values file `{}` is missing", self.file(&path).display());
                    let diagnostic =
                        Diagnostic::new(Code::InvalidLayout, message).label(layer.span, "required by this layer");
                    return Err(vec![diagnostic.hint("end the layer with `?` if the file may be missing")]);
                }
            }
        }
        Ok(files)
    }

    /// The file of the layer that is for just this choice: the last one that has all that is chosen in its path. It
    /// may be missing.
    pub fn file_for(&self, choice: &Choice, chart: &str) -> Result<PathBuf, Failure> {
        self.check(choice)?;
        let fits = |layer: &&Template| choice.keys().all(|name| layer.names.contains(name));
        let path = self.layers.iter().rev().filter(fits).find_map(|layer| layer.path(choice, chart, "release-name"));
        let Some(path) = path else {
            let chosen: Vec<String> = choice.keys().map(|name| format!("`{{{name}}}`")).collect();
            let message = format!(
                "no layer of `{}` has {} in its path and nothing else that must be chosen",
                self.file(FILE).display(),
                chosen.join(" and ")
            );
            return Err(vec![Diagnostic::new(Code::Usage, message).hint("name the values file instead of the chart")]);
        };
        let has_ending = path.ends_with(".yaml") || path.ends_with(".yml");
        let new = self.file(&if has_ending { path.clone() } else { format!("{path}.yaml") });
        Ok(self.existing(&path).unwrap_or(new))
    }

    fn existing(&self, path: &str) -> Option<PathBuf> {
        let found = ["", ".yaml", ".yml"].into_iter().map(|end| self.file(&format!("{path}{end}")));
        found.into_iter().find(|file| fs::exists(file) && !fs::is_dir(file))
    }

    fn file(&self, path: &str) -> PathBuf {
        if self.directory == Path::new(".") { PathBuf::from(path) } else { self.directory.join(path) }
    }

    /// Names must be those of layers, and what is chosen for them among the choices, where those are listed.
    fn check(&self, choice: &Choice) -> Result<(), Failure> {
        for (name, value) in choice {
            let usage = |message: String| Diagnostic::new(Code::Usage, message);
            if !self.has_name(name) {
                let known: Vec<&str> = self.layers.iter().flat_map(|layer| &layer.names).map(String::as_str).collect();
                let message = format!("no layer of `{}` has `{{{name}}}` in its path", self.file(FILE).display());
                let diagnostic = usage(message);
                return Err(vec![match nearest(name, known) {
                    Some(known) => diagnostic.hint(format!("did you mean `{known}`?")),
                    None => diagnostic,
                }]);
            }
            if value.is_empty() || value.contains(['/', '\\']) || value == ".." {
                return Err(vec![usage(format!("`{value}` cannot be a part of a file name, for `{name}`"))]);
            }
            let Some(choices) = self.choices.get(name) else { continue };
            if !choices.iter().any(|known| known == value) {
                let message = format!("`{name}` is one of {}, not `{value}`", choices.join(", "));
                let diagnostic = usage(message);
                return Err(vec![match nearest(value, choices.iter().map(String::as_str)) {
                    Some(known) => diagnostic.hint(format!("did you mean `{known}`?")),
                    None => diagnostic,
                }]);
            }
        }
        Ok(())
    }
}

/// The names in braces of a path.
fn names(path: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else { return Err(format!("`{{` does not close in `{path}`")) };
        let name = &rest[start + 1..start + length];
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return Err(format!("`{{{name}}}` is no name: names have letters, digits, `-` and `_`"));
        }
        names.push(name.to_owned());
        rest = &rest[start + length + 1..];
    }
    if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(format!("`{path}` must be a path inside this directory"));
    }
    Ok(names)
}

/// Every way to choose one of each.
fn product(choices: &BTreeMap<String, Vec<String>>) -> Vec<Choice> {
    let mut all = vec![Choice::new()];
    for (name, values) in choices {
        let with = |choice: &Choice, value: &String| {
            let mut choice = choice.clone();
            choice.insert(name.clone(), value.clone());
            choice
        };
        all = all.iter().flat_map(|choice| values.iter().map(|value| with(choice, value))).collect();
        all.truncate(MAX_COMBINATIONS + 1);
    }
    all
}
