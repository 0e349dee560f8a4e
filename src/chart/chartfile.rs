//! Reads `Chart.yaml` (and Helm 2's `requirements.yaml`) into [`Metadata`], with Helm's conversions and checks.
//!
//! Helm decodes through JSON: field names match in any case, numbers and booleans become the strings that a field
//! wants, unknown fields are dropped. We say so where a field is unknown, and report every mistake at its line.

use super::metadata::{Dependency, ImportValues, Maintainer, Metadata};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::version::Version;
use crate::yaml::{Data, Entry, Mapping, Node};
use indexmap::IndexMap;

const FIELDS: &[&str] = &[
    "apiVersion",
    "name",
    "version",
    "kubeVersion",
    "description",
    "type",
    "keywords",
    "home",
    "sources",
    "dependencies",
    "maintainers",
    "icon",
    "appVersion",
    "deprecated",
    "annotations",
    "condition",
    "tags",
];
const MAINTAINER_FIELDS: &[&str] = &["name", "email", "url"];
const DEPENDENCY_FIELDS: &[&str] =
    &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

/// Where the fields that Helm checks stand, for findings.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(&'static str, Span)>);

impl Places {
    /// A field's value, or the start of the file.
    pub(super) fn of(&self, field: &str, file: Span) -> Span {
        let last = self.0.iter().rev().find(|(name, _)| *name == field);
        last.map_or(Span { end: file.start, ..file }, |(_, span)| *span)
    }
}

/// Applies a file's fields to `metadata`, as Helm decodes one file over another.
pub(super) struct ChartFile<'a> {
    pub(super) metadata: &'a mut Metadata,
    pub(super) places: &'a mut Places,
    /// Entries that are null, by their list: a later file with the same list replaces them.
    pub(super) nulls: &'a mut Vec<(&'static str, Diagnostic)>,
    /// Mistakes for which Helm refuses the chart.
    pub(super) errors: &'a mut Vec<Diagnostic>,
    /// Oddities that Helm passes over.
    pub(super) findings: &'a mut Vec<Diagnostic>,
}

impl ChartFile<'_> {
    /// `name` is the file's name, for messages.
    pub(super) fn apply(&mut self, node: &Node, name: &str) {
        let map = match &node.data {
            Data::Map(map) => map,
            Data::Null => return,
            _ => return self.wrong_type(&format!("`{name}`"), "a mapping", node),
        };
        self.unknown_fields(map, FIELDS, name);
        let mut metadata = std::mem::take(self.metadata);
        for (field, text) in [
            ("apiVersion", &mut metadata.api_version),
            ("name", &mut metadata.name),
            ("version", &mut metadata.version),
            ("kubeVersion", &mut metadata.kube_version),
            ("description", &mut metadata.description),
            ("type", &mut metadata.kind),
            ("home", &mut metadata.home),
            ("icon", &mut metadata.icon),
            ("appVersion", &mut metadata.app_version),
            ("condition", &mut metadata.condition),
            ("tags", &mut metadata.tags),
        ] {
            if let Some((_, entry)) = field_of(map, field) {
                self.places.0.push((field, entry.value.span));
                self.text(field, &entry.value, text);
            }
        }
        self.texts(map, "keywords", &mut metadata.keywords);
        self.texts(map, "sources", &mut metadata.sources);
        if let Some((_, entry)) = field_of(map, "deprecated") {
            self.flag("deprecated", &entry.value, &mut metadata.deprecated);
        }
        if let Some((_, entry)) = field_of(map, "annotations") {
            match &entry.value.data {
                Data::Null => {}
                Data::Map(entries) => {
                    metadata.declares_annotations = true;
                    for (key, entry) in entries.iter() {
                        let mut text = String::new();
                        self.text(&format!("annotations.{key}"), &entry.value, &mut text);
                        metadata.annotations.insert(key.to_string(), text);
                    }
                }
                _ => self.wrong_type("`annotations`", "a mapping", &entry.value),
            }
        }
        if let Some((_, entry)) = field_of(map, "maintainers") {
            let items = self.items("maintainers", &entry.value);
            let before = std::mem::take(&mut metadata.maintainers);
            let before = before.into_iter().map(Some).chain(std::iter::repeat(None));
            self.nulls.retain(|(field, _)| *field != "maintainers");
            metadata.maintainers = items.iter().zip(before).map(|(item, it)| self.maintainer(item, it)).collect();
        }
        if let Some((_, entry)) = field_of(map, "dependencies") {
            metadata.declares_dependencies = !entry.value.is_null();
            let items = self.items("dependencies", &entry.value);
            let before = std::mem::take(&mut metadata.dependencies);
            let before = before.into_iter().map(Some).chain(std::iter::repeat(None));
            self.nulls.retain(|(field, _)| *field != "dependencies");
            metadata.dependencies = items.iter().zip(before).map(|(item, it)| self.dependency(item, it)).collect();
        }
        *self.metadata = metadata;
    }

    /// Reads an entry over the one that another file has in its place, as Go decodes into what is there.
    fn maintainer(&mut self, node: &Node, before: Option<Maintainer>) -> Maintainer {
        let Some(map) = self.entry("maintainers", node) else { return Maintainer::default() };
        self.unknown_fields(map, MAINTAINER_FIELDS, "maintainers");
        let mut maintainer = before.unwrap_or_default();
        for (field, text) in
            [("name", &mut maintainer.name), ("email", &mut maintainer.email), ("url", &mut maintainer.url)]
        {
            if let Some((_, entry)) = field_of(map, field) {
                self.text(&format!("maintainers[].{field}"), &entry.value, text);
                *text = sanitized(text);
            }
        }
        maintainer
    }

    /// The fields of an entry in a list, or none and a mistake. What is left of such an entry is only its place.
    fn entry<'n>(&mut self, list: &'static str, node: &'n Node) -> Option<&'n Mapping> {
        let map = node.as_map();
        if node.is_null() {
            let message = format!("validation: {list} must not contain empty or null nodes");
            self.nulls.push((list, Diagnostic::new(Code::InvalidChart, message).label(node.span, "")));
        } else if map.is_none() {
            self.wrong_type(&format!("an entry of `{list}`"), "a mapping", node);
        }
        map
    }

    fn dependency(&mut self, node: &Node, before: Option<Dependency>) -> Dependency {
        let Some(map) = self.entry("dependencies", node) else { return Dependency::default() };
        self.unknown_fields(map, DEPENDENCY_FIELDS, "dependencies");
        let mut dependency = Dependency { span: Some(node.span), ..before.unwrap_or_default() };
        for (field, text) in [
            ("name", &mut dependency.name),
            ("version", &mut dependency.version),
            ("repository", &mut dependency.repository),
            ("condition", &mut dependency.condition),
            ("alias", &mut dependency.alias),
        ] {
            if let Some((_, entry)) = field_of(map, field) {
                self.text(&format!("dependencies[].{field}"), &entry.value, text);
                if field != "alias" {
                    *text = sanitized(text);
                }
            }
        }
        self.texts(map, "tags", &mut dependency.tags);
        dependency.tags.iter_mut().for_each(|tag| *tag = sanitized(tag));
        if let Some((_, entry)) = field_of(map, "enabled") {
            self.flag("dependencies[].enabled", &entry.value, &mut dependency.enabled);
        }
        if let Some((_, entry)) = field_of(map, "import-values") {
            dependency.import_values =
                self.items("import-values", &entry.value).iter().filter_map(import_values).collect();
        }
        dependency
    }

    fn items<'n>(&mut self, field: &str, node: &'n Node) -> &'n [Node] {
        match &node.data {
            Data::Seq(items) => items,
            Data::Null => &[],
            _ => {
                self.wrong_type(&format!("`{field}`"), "a list", node);
                &[]
            }
        }
    }

    fn texts(&mut self, map: &Mapping, field: &str, into: &mut Vec<String>) {
        if let Some((_, entry)) = field_of(map, field) {
            *into = self
                .items(field, &entry.value)
                .iter()
                .map(|item| {
                    let mut text = String::new();
                    self.text(field, item, &mut text);
                    text
                })
                .collect();
        }
    }

    fn text(&mut self, field: &str, node: &Node, into: &mut String) {
        match scalar_text(node) {
            Some(text) => *into = text,
            None if node.is_null() => {}
            None => self.wrong_type(&format!("`{field}`"), "a string", node),
        }
    }

    fn flag(&mut self, field: &str, node: &Node, into: &mut bool) {
        match node.data {
            Data::Bool(value) => *into = value,
            Data::Null => {}
            _ => self.wrong_type(&format!("`{field}`"), "a boolean", node),
        }
    }

    fn wrong_type(&mut self, field: &str, wanted: &str, node: &Node) {
        let message = format!("{field} must be {wanted}, found {}", found(node));
        self.errors.push(Diagnostic::new(Code::InvalidChart, message).label(node.span, format!("expected {wanted}")));
    }

    fn unknown_fields(&mut self, map: &Mapping, known: &[&str], place: &str) {
        for (key, entry) in map {
            if !known.iter().any(|field| field.eq_ignore_ascii_case(key)) {
                let message = format!("`{key}` is no field of {place}; it is ignored");
                let finding = Diagnostic::new(Code::UnknownChartField, message).label(entry.key_span, "unknown field");
                let finding = match nearest(key, known.iter().copied()) {
                    Some(field) => finding.hint(format!("did you mean `{field}`?")),
                    None => finding,
                };
                self.findings.push(finding);
            }
        }
    }
}

/// Checks metadata as Helm does and cleans its strings. Mistakes come in Helm's order. `span` is the whole file.
pub(super) fn validate(metadata: &mut Metadata, places: &Places, span: Span, errors: &mut Vec<Diagnostic>) {
    for text in [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.home,
        &mut metadata.icon,
        &mut metadata.condition,
        &mut metadata.tags,
        &mut metadata.app_version,
        &mut metadata.kube_version,
    ] {
        *text = sanitized(text);
    }
    for text in metadata.sources.iter_mut().chain(&mut metadata.keywords) {
        *text = sanitized(text);
    }
    let place = |field: &str| places.of(field, span);
    let mut invalid = |span: Span, message: String, hint: &str| {
        let diagnostic = Diagnostic::new(Code::InvalidChart, format!("validation: {message}")).label(span, "");
        errors.push(if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) });
    };
    let name = &metadata.name;
    if name.is_empty() {
        invalid(place("name"), "chart.metadata.name is required".into(), "add `name:` to Chart.yaml");
    } else if name == "." || name == ".." {
        invalid(place("name"), format!("chart.metadata.name {} is not allowed", clipped(name)), "");
    } else if name.contains('/') {
        invalid(place("name"), format!("chart.metadata.name {} is invalid", clipped(name)), "a name has no `/`");
    }
    let version = &metadata.version;
    if version.is_empty() {
        invalid(
            place("version"),
            "chart.metadata.version is required".into(),
            "add `version:` to Chart.yaml, such as `version: 0.1.0`",
        );
    } else if Version::parse(version).is_err() {
        invalid(
            place("version"),
            format!("chart.metadata.version {} is invalid", clipped(version)),
            "a version follows SemVer 2, such as `1.2.3` or `1.2.3-rc.1`",
        );
    }
    if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
        invalid(place("type"), "chart.metadata.type must be application or library".into(), "");
    }
    let mut names: IndexMap<&str, Option<Span>> = IndexMap::new();
    for dependency in &metadata.dependencies {
        let at = dependency.span.unwrap_or(span);
        if dependency.alias.chars().any(|char| !char.is_ascii_alphanumeric() && char != '_' && char != '-') {
            let message = format!("dependency {} has disallowed characters in the alias", clipped(&dependency.name));
            invalid(at, message, "an alias has only letters, digits, `_` and `-`");
        }
        let name = dependency.effective_name();
        if names.insert(name, dependency.span).is_some() {
            let message = format!("more than one dependency with name or alias {}", clipped(name));
            invalid(at, message, "give each its own `alias:`");
        }
    }
}

/// A text in quotes, and of a long one the start.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Checks a lock file as far as Helm does when it loads a chart.
pub(super) fn check_lock(name: &str, lock: &Node) -> Option<Diagnostic> {
    let wrong = |node: &Node, what: &str, wanted: &str| {
        let message = format!("`{what}` in {name} must be {wanted}, found {}", found(node));
        let diagnostic = Diagnostic::new(Code::InvalidChart, message).label(node.span, format!("expected {wanted}"));
        Some(diagnostic.hint("`chart dependency update` writes the file anew"))
    };
    let map = match &lock.data {
        Data::Null => return None,
        Data::Map(map) => map,
        _ => return wrong(lock, "the whole", "a mapping"),
    };
    let field = |field| field_of(map, field).map(|(_, entry)| &entry.value).filter(|node| !node.is_null());
    if let Some(node) = field("digest").filter(|node| scalar_text(node).is_none()) {
        return wrong(node, "digest", "a string");
    }
    if let Some(node) = field("dependencies").filter(|node| node.as_seq().is_none()) {
        return wrong(node, "dependencies", "a list");
    }
    let is_time = |text: &str| text.as_bytes().get(10) == Some(&b'T') && text.parse::<jiff::Timestamp>().is_ok();
    let generated = field("generated")?;
    if generated.as_str().is_some_and(is_time) {
        return None;
    }
    wrong(generated, "generated", "a date and time such as `2026-01-31T12:00:00Z`")
}

fn import_values(node: &Node) -> Option<ImportValues> {
    match &node.data {
        Data::Str(name) => Some(ImportValues::Export(name.to_string())),
        Data::Map(map) => {
            let path = |key: &str| {
                let text = map.get(key).and_then(|entry| scalar_text(&entry.value));
                text.unwrap_or_else(|| "<nil>".to_owned())
            };
            Some(ImportValues::Copy { child: path("child"), parent: path("parent") })
        }
        _ => None,
    }
}

/// The entry for a field: spelt exactly, or else in another case.
fn field_of<'a>(map: &'a Mapping, field: &str) -> Option<(&'a str, &'a Entry)> {
    map.get_key_value(field)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(field)))
        .map(|(key, entry)| (&**key, entry))
}

/// The string that Helm reads where a string is wanted: `appVersion: 1.10` is `1.1`.
fn scalar_text(node: &Node) -> Option<String> {
    Some(match &node.data {
        Data::Str(text) => text.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Uint(number) => number.to_string(),
        Data::Float(number) => go_float(*number),
        _ => return None,
    })
}

/// Go's `strconv.FormatFloat(number, 'g', -1, 64)`.
fn go_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{number}")
}

/// Blanks as plain spaces, and nothing that does not print.
fn sanitized(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(|char| if char.is_whitespace() { ' ' } else { char }).filter(|&char| is_printable(char)).collect()
}

fn is_printable(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        && !matches!(char, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffb}')
        && !matches!(char, '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
}

/// What a node is, for people.
pub(super) fn found(node: &Node) -> &'static str {
    match node.data {
        Data::Null => "nothing",
        Data::Bool(_) => "a boolean",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "a number",
        Data::Str(_) => "a string",
        Data::Seq(_) => "a list",
        Data::Map(_) => "a mapping",
    }
}

impl Metadata {
    /// Reads the text of a `Chart.yaml` by itself, and checks it; the error is the first mistake's message.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut metadata, mut places) = (Metadata::default(), Places::default());
        let (mut nulls, mut errors, mut findings) = (Vec::new(), Vec::new(), Vec::new());
        let file = crate::diagnostic::FileId(0);
        let node = crate::yaml::read(text, file).first().map_err(|error| error.diagnostic.message)?;
        let mut reader = ChartFile {
            metadata: &mut metadata,
            places: &mut places,
            nulls: &mut nulls,
            errors: &mut errors,
            findings: &mut findings,
        };
        reader.apply(&node, "Chart.yaml");
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".to_owned();
        }
        errors.extend(nulls.into_iter().map(|(_, error)| error));
        if errors.is_empty() {
            validate(&mut metadata, &places, Span::new(file, 0, text.len()), &mut errors);
        }
        match errors.into_iter().next() {
            Some(error) => Err(error.message),
            None => Ok(metadata),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_go() {
        for (number, text) in [
            (1.1, "1.1"),
            (1.0, "1"),
            (1e6, "1e+06"),
            (123456.0, "123456"),
            (1234567.0, "1.234567e+06"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25, "1.25"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(go_float(number), text);
        }
    }

    #[test]
    fn strings_lose_what_does_not_print() {
        assert_eq!(sanitized("a\tb\nc\u{200b}d\u{7}é"), "a b cdé");
    }
}
