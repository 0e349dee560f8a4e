//! `values.schema.json`: a chart's values against the JSON Schema that comes with it.
//!
//! Drafts 4 to 2020-12 with the assertions that Helm makes: `format` up to draft 7, patterns without look-around.
//! References resolve inside the chart, against the directory that the schema is in (Helm resolves them against the
//! root of the disk, where they are never found). The network is not asked: a reference to a server is a finding of
//! its own, and what it stands for accepts everything.

mod formats;
mod helm;
mod light;
pub(super) mod node;
mod quick;
pub(super) mod words;

use crate::chart::{Chart, File};
use crate::diagnostic::{Code, Diagnostic, FileId, Sources, Span};
use crate::yaml::{self, Node};
use formats::FORMATS;
use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use light::Json;
use node::{Item, Tree};
use serde_json::Value;
use std::collections::HashMap;

/// What a chart's schema says to its values.
#[derive(Debug, Clone, Default)]
pub struct ValuesReport {
    /// Values that do not satisfy the schema, or a schema that cannot be used.
    pub errors: Vec<Diagnostic>,
    /// Parts of the schema that could not be looked at.
    pub findings: Vec<Diagnostic>,
    /// What Helm prints for this chart, where there are errors: the chart's name and a list.
    pub helm: Option<String>,
}

/// Holds a chart's values against its schema, if it has one. `name` is the chart's name or alias, `path` leads from
/// the root chart's values to these.
pub fn check(chart: &Chart, name: &str, path: &[&str], values: &Node, sources: &Sources) -> ValuesReport {
    let mut report = ValuesReport::default();
    let Some(file) = chart.file("values.schema.json") else { return report };
    let Some(source) = file.source else {
        report.fail(name, Diagnostic::new(Code::ValuesSchema, format!("the schema of `{name}` is not UTF-8 text")));
        return report;
    };
    let text = sources.text(source);
    if let Some(schema) = Json::read(text) {
        let draft = schema.get("$schema").and_then(Json::as_str).map_or(Some(NEWEST), named_draft);
        if draft.is_some_and(|draft| quick::accepts(&schema, draft, values)) {
            return report;
        }
    }
    let mut schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => {
            let at = offset(text, error.line(), error.column());
            let diagnostic =
                Diagnostic::new(Code::ValuesSchema, format!("the schema of `{name}` is not JSON: {error}"))
                    .label(Span::new(source, at, at), "here");
            report.fail(name, diagnostic);
            return report;
        }
    };
    let draft = draft(&schema, source, text, &mut report);
    report.cut_remote_references(&mut schema, draft, source, text);
    let options =
        FORMATS.iter().fold(jsonschema::options_for::<Tree>(), |it, (name, check)| it.with_format(*name, *check));
    let validator = options
        .with_draft(draft)
        .with_base_uri(format!("{BASE}values.schema.json"))
        .with_pattern_options(PatternOptions::regex())
        // Helm's library takes what these say as a comment, in every draft.
        .without_content_encoding_support("base64")
        .without_content_media_type_support("application/json")
        .with_retriever(ChartFiles::new(chart))
        .build(&schema);
    let validator: Validator<Tree> = match validator {
        Ok(validator) => validator,
        Err(error) => {
            let place = schema_span(text, source, error.schema_path().as_str())
                .or_else(|| schema_span(text, source, error.instance_path().as_str()))
                .unwrap_or(Span::new(source, 0, 0));
            let message = format!("the schema of `{name}` is no valid JSON Schema: {error}");
            report.fail(name, Diagnostic::new(Code::ValuesSchema, message).label(place, ""));
            return report;
        }
    };
    let errors: Vec<_> = validator.iter_errors(Item::Node(values)).collect();
    if errors.is_empty() {
        return report;
    }
    let parsed = yaml::read(text, source).documents.into_iter().next();
    let place = words::Place { path, values, schema: parsed.as_ref(), sources };
    report.errors = words::diagnostics(&errors, &place);
    report.helm = Some(format!("{name}:\n{}\n", helm::text(&errors)));
    report
}

/// What a schema is written in that does not say.
const NEWEST: Draft = Draft::Draft202012;

/// Where a schema's relative references start from.
const BASE: &str = "chart:///";

impl ValuesReport {
    fn fail(&mut self, name: &str, diagnostic: Diagnostic) {
        self.helm = Some(format!("{name}:\n{}", diagnostic.message));
        self.errors.push(diagnostic);
    }

    fn remote(&mut self, url: &str, source: FileId, text: &str) {
        let message =
            format!("`{url}` is on a server, which is not asked: this part of the schema accepts every value");
        let at = text.find(url).unwrap_or(0);
        self.findings.push(
            Diagnostic::new(Code::RemoteReference, message)
                .label(Span::new(source, at, at + url.len()), "referred to here")
                .hint("put the file into the chart and refer to it by its path, or pass `--allow remote-reference`"),
        );
    }

    /// Takes out references that lead to servers.
    fn cut_remote_references(&mut self, schema: &mut Value, draft: Draft, source: FileId, text: &str) {
        let mut ids = Vec::new();
        collect_ids(schema, &mut ids);
        let mut remote = Vec::new();
        cut(schema, draft, &ids, &mut remote);
        remote.dedup();
        for url in remote {
            self.remote(&url, source, text);
        }
    }
}

fn is_remote(url: &str, ids: &[String]) -> bool {
    let plain = url.split('#').next().unwrap_or(url);
    (url.starts_with("http://") || url.starts_with("https://"))
        && known_draft(plain).is_none()
        && !ids.iter().any(|id| id.split('#').next() == Some(plain))
}

fn collect_ids(schema: &Value, ids: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            ids.extend(["$id", "id"].into_iter().filter_map(|key| map.get(key)?.as_str().map(str::to_owned)));
            map.values().for_each(|value| collect_ids(value, ids));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        _ => {}
    }
}

fn cut(schema: &mut Value, draft: Draft, ids: &[String], remote: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            let url = map.get("$ref").and_then(Value::as_str).filter(|url| is_remote(url, ids)).map(str::to_owned);
            if let Some(url) = url {
                remote.push(url);
                // Up to draft 7, nothing beside a `$ref` counts.
                if matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7) {
                    map.clear();
                } else {
                    map.remove("$ref");
                }
            }
            map.values_mut().for_each(|value| cut(value, draft, ids, remote));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, draft, ids, remote)),
        _ => {}
    }
}

/// The draft that a schema names, or the newest.
fn draft(schema: &Value, source: FileId, text: &str, report: &mut ValuesReport) -> Draft {
    let Some(url) = schema.get("$schema").and_then(Value::as_str) else { return NEWEST };
    named_draft(url).unwrap_or_else(|| {
        report.remote(url, source, text);
        NEWEST
    })
}

fn named_draft(url: &str) -> Option<Draft> {
    known_draft(url.trim_end_matches('#'))
}

fn known_draft(url: &str) -> Option<Draft> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or(url);
    Some(match rest {
        "json-schema.org/draft-04/schema" => Draft::Draft4,
        "json-schema.org/draft-06/schema" => Draft::Draft6,
        "json-schema.org/draft-07/schema" => Draft::Draft7,
        "json-schema.org/draft/2019-09/schema" => Draft::Draft201909,
        "json-schema.org/draft/2020-12/schema" | "json-schema.org/schema" => Draft::Draft202012,
        _ => return None,
    })
}

/// The byte of a line and column that `serde_json` reports, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The place of a JSON pointer in the schema's text.
fn schema_span(text: &str, source: FileId, pointer: &str) -> Option<Span> {
    let schema = yaml::read(text, source).documents.into_iter().next()?;
    words::follow(&schema, pointer).map(|node| node.span)
}

/// The JSON files of a chart and its subcharts, by their path in the chart.
struct ChartFiles(HashMap<String, File>);

impl ChartFiles {
    fn new(chart: &Chart) -> Self {
        let mut files = HashMap::new();
        for file in &chart.files {
            if (file.path.ends_with(".json") || file.path.ends_with(".yaml") || file.path.ends_with(".yml"))
                && !file.path.starts_with("templates/")
                && &*file.path != "values.schema.json"
            {
                files.insert(file.path.to_string(), file.clone());
            }
        }
        for subchart in &chart.subcharts {
            let base = subchart.location.rsplit_once("charts/").map_or(&*subchart.location, |(_, name)| name);
            for file in subchart.files.iter().filter(|file| file.path.ends_with(".json")) {
                files.insert(format!("charts/{base}/{}", file.path), file.clone());
            }
        }
        ChartFiles(files)
    }
}

impl Retrieve for ChartFiles {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let uri = uri.as_str().split('#').next().unwrap_or_default();
        // Helm takes what it cannot resolve under `urn:` for a schema that accepts everything.
        if uri.starts_with("urn:") {
            return Ok(Value::Bool(true));
        }
        let path = [BASE, "file:///"].iter().find_map(|base| uri.strip_prefix(base));
        match path.and_then(|path| self.0.get(path)).and_then(|file| serde_json::from_slice(file.data()).ok()) {
            Some(value) => Ok(value),
            None => Err(format!("the chart has no JSON file `{}`", path.unwrap_or(uri)).into()),
        }
    }
}
