//! The manifest of a chart, as Helm writes and reads it.

use crate::chart::Metadata;
use crate::package;
use crate::repository::Upload;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use serde_json::{Map, Value as Json};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// What Helm 3.0 to 3.6 wrote.
const OLD_CHART: &str = "application/tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// The layer with the archive.
pub(super) fn chart_layer(manifest: &OciImageManifest) -> Option<&OciDescriptor> {
    manifest.layers.iter().find(|layer| layer.media_type == CHART || layer.media_type == OLD_CHART)
}

/// The layer with the provenance file.
pub(super) fn provenance_layer(manifest: &OciImageManifest) -> Option<&OciDescriptor> {
    manifest.layers.iter().find(|layer| layer.media_type == PROVENANCE)
}

/// The manifest's text: the fields and their order are Helm's.
pub(super) fn text(upload: &Upload, config: &[u8]) -> String {
    let descriptor = |media_type: &str, data: &[u8]| {
        serde_json::json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", package::digest(data)),
            "size": data.len(),
        })
    };
    let mut layers = vec![descriptor(CHART, &upload.data)];
    layers.extend(upload.provenance.as_ref().map(|provenance| descriptor(PROVENANCE, provenance)));
    layers.sort_by(|a, b| a["digest"].as_str().cmp(&b["digest"].as_str()));
    go_json(&serde_json::json!({
        "schemaVersion": 2,
        "config": descriptor(CONFIG, config),
        "layers": layers,
        "annotations": annotations(&upload.metadata, upload.modified),
    }))
}

fn annotations(metadata: &Metadata, modified: u64) -> Map<String, Json> {
    let mut found = std::collections::BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        if !value.trim().is_empty() {
            found.insert(format!("org.opencontainers.image.{key}"), value.to_owned());
        }
    };
    add("description", &metadata.description);
    add("title", &metadata.name);
    add("version", &metadata.version);
    add("url", &metadata.home);
    let created = i64::try_from(modified).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    add("created", &created.unwrap_or(jiff::Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    add("source", metadata.sources.first().map_or("", String::as_str));
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    add("authors", &authors.join(", "));
    for (key, value) in &metadata.annotations {
        if !matches!(key.as_str(), "org.opencontainers.image.title" | "org.opencontainers.image.version") {
            found.insert(key.clone(), value.clone());
        }
    }
    found.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// JSON as Go's `encoding/json` writes it, so that config blobs and lock digests are Helm's.
pub(in crate::repository) fn go_json(json: &Json) -> String {
    // Outside of strings none of these characters can stand.
    let text = json.to_string();
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
