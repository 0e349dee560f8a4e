//! One version in an index.

use super::{Body, bare_digest, malformed};
use crate::chart::Metadata;
use crate::diagnostic::FileId;
use crate::package;
use crate::repository::error::Result;
use crate::value::Value;
use crate::version::Version;
use crate::yaml::{self, Data, Node};
use serde_json::Value as Json;

/// What an index says about a version, as far as clients need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub version: String,
    pub app_version: String,
    pub description: String,
    pub deprecated: bool,
    pub created: String,
    /// SHA-256 of the archive in hex; empty where the index has none.
    pub digest: String,
    /// Absolute, or relative to the repository.
    pub urls: Vec<String>,
}

impl Entry {
    /// Reads the lines of an entry (a list with one item) or a JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        let node = yaml::read(text, FileId(0)).first().map_err(|error| malformed(&error.diagnostic.message))?;
        let node = match node.as_seq() {
            Some([only]) => only,
            _ => &node,
        };
        if node.as_map().is_none() {
            return Err(malformed("an entry is not a mapping"));
        }
        let field = |key: &str| node.get(key).map(scalar).unwrap_or_default();
        let urls = node.get("urls").and_then(Node::as_seq).unwrap_or_default();
        let digest = field("digest");
        Ok(Entry {
            name: field("name"),
            version: field("version"),
            app_version: field("appVersion"),
            description: field("description"),
            deprecated: node.get("deprecated").and_then(Node::as_bool).unwrap_or(false),
            created: field("created"),
            digest: bare_digest(&digest).to_owned(),
            urls: urls.iter().map(scalar).filter(|url| !url.is_empty()).collect(),
        })
    }
}

/// A scalar as text: what Helm makes of a number where it wants a string.
fn scalar(node: &Node) -> String {
    match &node.data {
        Data::Str(text) => text.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Uint(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Null | Data::Seq(_) | Data::Map(_) => String::new(),
    }
}

/// A version to be put into an index.
#[derive(Debug, Clone)]
pub struct Published {
    pub name: String,
    pub version: String,
    pub digest: String,
    /// The version's place among others.
    pub(super) order: Option<Version>,
    pub(super) body: Body,
}

impl Published {
    /// `url` is the archive's, absolute or relative to the repository; `created` is in RFC 3339.
    pub fn new(metadata: &Metadata, url: &str, digest: &str, created: &str) -> Self {
        let digest = bare_digest(digest).to_owned();
        let mut fields = package::metadata_json(metadata);
        fields.insert("created".to_owned(), created.into());
        fields.insert("digest".to_owned(), digest.clone().into());
        fields.insert("urls".to_owned(), vec![url].into());
        let body = Body::Json(Json::Object(fields));
        let order = Version::parse(&metadata.version).ok();
        Published { name: metadata.name.clone(), version: metadata.version.clone(), digest, order, body }
    }

    /// The same as the text for an index in YAML, which takes a tenth of the memory.
    pub fn written(mut self) -> Result<Self> {
        if let Body::Json(json) = &self.body {
            self.body = Body::Yaml(item_yaml(json)?);
        }
        Ok(self)
    }
}

/// JSON in Helm's YAML style.
pub(super) fn yaml(json: &Json) -> Result<String> {
    package::yaml_of(json).map_err(|error| malformed(&error))
}

/// An entry in YAML without its indent, with long lines broken where Helm breaks them in an index.
pub(super) fn item_yaml(json: &Json) -> Result<String> {
    let item = package::value_of(json).map_err(|error| malformed(&error))?;
    let chart = Value::map([("name", Value::list(vec![item]))]);
    let text = yaml::to_yaml(&Value::map([("entries", chart)])).map_err(|error| malformed(&error))?;
    let mut lines = String::with_capacity(text.len());
    for line in text.lines().skip(2) {
        lines.push_str(line.get("  - ".len()..).unwrap_or_default());
        lines.push('\n');
    }
    lines.pop();
    Ok(lines)
}
