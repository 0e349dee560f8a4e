//! Catalogs of JSON Schemas, found as kubeconform finds them: folders and servers by a template of the path.

use super::kind::Identity;
use super::path::write_key;
use super::values::node::{Item, Tree};
use super::values::words::{follow, wanted};
use super::version::KubeVersion;
use super::walk::first_line;
use super::words;
use crate::diagnostic::{Code, Diagnostic, Sources, nearest};
use crate::fs;
use crate::yaml::Node;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// Fetches a URL: its content, or `None` where there is nothing.
pub type Fetch = Arc<dyn Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync>;

/// Appended to a location that names no file.
const DEFAULT_PATH: &str =
    "/{{.NormalizedKubernetesVersion}}-standalone{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json";

/// Where schemas are looked for, in order.
#[derive(Clone)]
pub struct Catalogs {
    locations: Vec<String>,
    /// Versions as the user wrote them, for paths: `1.31.4`.
    versions: HashMap<KubeVersion, String>,
    strict: bool,
    loader: Loader,
    loaded: Arc<Mutex<HashMap<String, Arc<Loaded>>>>,
}

impl Debug for Catalogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogs").field("locations", &self.locations).finish_non_exhaustive()
    }
}

/// A schema at a path or URL.
enum Loaded {
    /// There is none.
    Absent,
    Schema(Box<Validator<Tree>>, Value),
    /// It could not be had, or is no schema.
    Failed(Code, String),
}

/// A template that is none, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLocation(pub String);

impl Catalogs {
    /// `locations` are folders, URLs or templates of such; `default` stands for the embedded schemas and is left out.
    /// Fetched schemas are kept in the folder `cache`.
    pub fn new(
        locations: &[String],
        versions: HashMap<KubeVersion, String>,
        strict: bool,
        fetch: Fetch,
        cache: Option<PathBuf>,
    ) -> Result<Self, BadLocation> {
        let named = locations.iter().filter(|location| *location != "default");
        let locations: Vec<String> = named
            .map(|location| match location.ends_with("json") {
                true => location.clone(),
                false => format!("{}{DEFAULT_PATH}", location.trim_end_matches('/')),
            })
            .collect();
        for location in &locations {
            expand(location, &|_| Some(String::new()))?;
        }
        Ok(Catalogs { locations, versions, strict, loader: Loader { fetch, cache }, loaded: Arc::default() })
    }

    pub fn is_empty(&self) -> bool {
        self.locations.is_empty()
    }

    /// Checks an object against the first schema that is found for it; `None` where there is none.
    pub(super) fn check(
        &self,
        identity: &Identity<'_>,
        version: KubeVersion,
        sources: &Sources,
    ) -> Option<Vec<Diagnostic>> {
        let mut failure = None;
        for location in &self.locations {
            let Ok(place) = expand(location, &|name| self.variable(name, identity, version)) else { continue };
            match &*self.load(&place) {
                Loaded::Absent => {}
                Loaded::Failed(code, why) => {
                    let message = format!("the schema of {} could not be used: {why}", identity.kind);
                    failure = Some(Diagnostic::new(*code, message).label(identity.kind_span(), "needed here"));
                }
                Loaded::Schema(validator, schema) => {
                    let told = Told { schema, node: identity.node, sources };
                    let errors = validator.iter_errors(Item::Node(identity.node));
                    return Some(errors.flat_map(|error| told.diagnostics(&error)).collect());
                }
            }
        }
        failure.map(|finding| vec![finding])
    }

    fn variable(&self, name: &str, identity: &Identity<'_>, version: KubeVersion) -> Option<String> {
        let group = identity.group().split('.').next().unwrap_or_default();
        Some(match name {
            "NormalizedKubernetesVersion" => match self.versions.get(&version).map(String::as_str) {
                Some("master") => "master".to_owned(),
                Some(text) => format!("v{}", text.trim_start_matches('v')),
                None => format!("v{version}.0"),
            },
            "StrictSuffix" => if self.strict { "-strict" } else { "" }.to_owned(),
            "ResourceKind" => identity.kind.to_lowercase(),
            "ResourceAPIVersion" => identity.version().to_owned(),
            "Group" => identity.group().to_owned(),
            "KindSuffix" if group.is_empty() => format!("-{}", identity.version().to_lowercase()),
            "KindSuffix" => format!("-{}-{}", group.to_lowercase(), identity.version().to_lowercase()),
            _ => return None,
        })
    }

    fn load(&self, place: &str) -> Arc<Loaded> {
        let loaded = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loaded().get(place) {
            return Arc::clone(known);
        }
        let made = Arc::new(self.loader.schema(place));
        Arc::clone(loaded().entry(place.to_owned()).or_insert(made))
    }
}

/// Fills in the variables of a location: `{{.Group}}`, `{{ .ResourceKind }}`.
fn expand(location: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, BadLocation> {
    const KNOWN: &[&str] =
        &["Group", "KindSuffix", "NormalizedKubernetesVersion", "ResourceAPIVersion", "ResourceKind", "StrictSuffix"];
    let mut text = String::new();
    let mut rest = location;
    while let Some((before, tail)) = rest.split_once("{{") {
        text += before;
        let Some((action, after)) = tail.split_once("}}") else {
            return Err(BadLocation(format!("`{location}` has `{{{{` without `}}}}`")));
        };
        let name = action.trim().trim_start_matches('.');
        if !action.trim().starts_with('.') || !KNOWN.contains(&name) {
            let known = words::list(KNOWN.iter().copied());
            return Err(BadLocation(format!("`{{{{{action}}}}}` is no variable of locations; there are {known}")));
        }
        text += &variable(name).unwrap_or_default();
        rest = after;
    }
    text += rest;
    Ok(text)
}

/// Gets schemas from disk and servers.
#[derive(Clone)]
struct Loader {
    fetch: Fetch,
    cache: Option<PathBuf>,
}

impl Loader {
    fn schema(&self, place: &str) -> Loaded {
        let text = match self.read(place) {
            Ok(Some(text)) => text,
            Ok(None) => return Loaded::Absent,
            Err(why) => return Loaded::Failed(Code::Io, why),
        };
        let broken = |why: String| Loaded::Failed(Code::MissingSchema, format!("`{place}` is no JSON Schema: {why}"));
        let schema: Value = match serde_json::from_slice(&text) {
            Ok(schema) => schema,
            Err(error) => return broken(error.to_string()),
        };
        let base = match is_url(place) {
            true => place.to_owned(),
            false => match fs::canonical(Path::new(place)) {
                Ok(path) => Url::from_file_path(path).map_or_else(|()| place.to_owned(), String::from),
                Err(error) => return Loaded::Failed(Code::Io, error.to_string()),
            },
        };
        // Draft 4 is what catalogs for Kubernetes are written in when they do not say it.
        let draft = match schema.get("$schema").and_then(Value::as_str) {
            Some(url) if url.contains("draft-06") => Draft::Draft6,
            Some(url) if url.contains("draft-07") => Draft::Draft7,
            Some(url) if url.contains("2019-09") => Draft::Draft201909,
            Some(url) if url.contains("2020-12") => Draft::Draft202012,
            _ => Draft::Draft4,
        };
        let built = jsonschema::options_for::<Tree>()
            .with_draft(draft)
            .with_base_uri(base)
            .with_format("duration", is_duration)
            .with_pattern_options(PatternOptions::regex())
            .with_retriever(self.clone())
            .build(&schema);
        match built {
            Ok(validator) => Loaded::Schema(Box::new(validator), schema),
            Err(error) => broken(error.to_string()),
        }
    }

    /// The content of a file or URL, `None` where there is nothing.
    fn read(&self, place: &str) -> Result<Option<Vec<u8>>, String> {
        if !is_url(place) {
            return match fs::read(Path::new(place)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error.to_string()),
            };
        }
        let kept = self.cache.as_ref().map(|folder| folder.join(hex(&Sha256::digest(place.as_bytes()))));
        if let Some(text) = kept.as_ref().and_then(|path| fs::read(path).ok()) {
            return Ok(Some(text));
        }
        let text = (self.fetch)(place)?;
        if let (Some(text), Some(path)) = (&text, kept) {
            // A cache that cannot be written is as good as none.
            let _ = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        }
        Ok(text)
    }
}

impl Retrieve for Loader {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let uri = uri.as_str().split('#').next().unwrap_or_default();
        let path = Url::parse(uri).ok().and_then(|url| url.to_file_path().ok());
        let place = path.map_or_else(|| uri.to_owned(), |path| path.to_string_lossy().into_owned());
        match self.read(&place)? {
            Some(text) => Ok(serde_json::from_slice(&text)?),
            None => Err(format!("there is no `{place}`").into()),
        }
    }
}

fn is_url(place: &str) -> bool {
    place.starts_with("http://") || place.starts_with("https://")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Durations of catalogs are Go's or ISO 8601's.
fn is_duration(text: &str) -> bool {
    let iso = || {
        let rest = text.strip_prefix('P')?;
        let fits = |char: char| char.is_ascii_digit() || "YMWDTHS.".contains(char);
        (rest.len() >= 2 && rest.chars().all(fits) && !rest.ends_with('T')).then_some(())
    };
    super::duration::parse(text).is_some() || iso().is_some()
}

/// Turns the validator's errors into findings at their place.
struct Told<'a> {
    schema: &'a Value,
    node: &'a Node,
    sources: &'a Sources,
}

impl Told<'_> {
    fn diagnostics(&self, error: &ValidationError<'_>) -> Vec<Diagnostic> {
        let pointer = error.instance_path().as_str();
        let at = follow(self.node, pointer).unwrap_or(self.node);
        let place = match self.name(pointer) {
            name if name.is_empty() => "the object".to_owned(),
            name => format!("`{name}`"),
        };
        let start = at.as_map().and_then(|map| map.values().next()).map_or(at.span, |entry| entry.key_span);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                let known = self.beside(error, "properties");
                let names: Vec<&str> =
                    known.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let tell = |key: &String| {
                    let span =
                        at.as_map().and_then(|map| map.get(key.as_str())).map_or(at.span, |entry| entry.key_span);
                    let finding = Diagnostic::new(Code::UnknownField, format!("unknown field `{key}` in {place}"))
                        .label(span, "not in the schema");
                    match nearest(key, names.iter().copied()) {
                        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
                        None => finding,
                    }
                };
                unexpected.iter().map(tell).collect()
            }
            Kind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                let finding = Diagnostic::new(Code::MissingField, format!("{place} has no `{property}`"));
                vec![finding.label(start, format!("required field `{property}` is missing"))]
            }
            kind => {
                let code = match kind {
                    Kind::Type { .. } => Code::TypeMismatch,
                    Kind::Pattern { .. } | Kind::Format { .. } => Code::InvalidFormat,
                    Kind::AnyOf { .. }
                    | Kind::OneOfNotValid { .. }
                    | Kind::OneOfMultipleValid { .. }
                    | Kind::Not { .. } => Code::ConflictingFields,
                    Kind::Enum { .. } | Kind::Constant { .. } => Code::InvalidValue,
                    Kind::UniqueItems => Code::DuplicateItem,
                    _ => Code::OutOfRange,
                };
                let wanted = wanted(kind, at);
                let found = words::found(at);
                let finding = Diagnostic::new(code, format!("{place} {wanted}, found {found}"));
                vec![finding.label(first_line(at, self.sources), "here")]
            }
        }
    }

    /// `spec.containers[0]` for `/spec/containers/0`.
    fn name(&self, pointer: &str) -> String {
        let mut name = String::new();
        let mut node = Some(self.node);
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let list = node.and_then(Node::as_seq);
            if let Some(list) = list {
                name += &format!("[{token}]");
                node = token.parse().ok().and_then(|at: usize| list.get(at));
            } else {
                let first = name.is_empty();
                let _ = write_key(&mut name, &token, first);
                node = node.and_then(|node| node.get(&token));
            }
        }
        name
    }

    /// Another keyword of the schema that an error comes from.
    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Value> {
        let pointer = error.schema_path().as_str();
        let owner = pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
        self.schema.pointer(owner)?.get(keyword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_have_variables() {
        let variable = |name: &str| Some(format!("<{name}>"));
        let expanded = |text: &str| expand(text, &variable);
        assert_eq!(expanded("a/{{.Group}}/{{ .ResourceKind }}_x.json").unwrap(), "a/<Group>/<ResourceKind>_x.json");
        assert_eq!(expanded("plain.json").unwrap(), "plain.json");
        assert!(expanded("{{.Kind}}.json").unwrap_err().0.contains("`{{.Kind}}` is no variable"));
        assert!(expanded("{{.Group.json").is_err());
        assert!(expanded("{{ if .Group }}.json").is_err());
    }

    #[test]
    fn durations_are_gos_or_iso() {
        for text in ["1h30m", "P1D", "PT1H30M", "P2W"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "P", "PT", "1 hour", "1d"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
