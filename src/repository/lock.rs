//! `Chart.lock`: which version each dependency resolved to, and which archive that was.
//!
//! The file is Helm's, with one more field: `digest` of an entry is the SHA-256 of its archive. Helm passes over it,
//! and the file's own `digest` does not cover it, so locks of both tools work in both.

use super::error::{Error, Kind, Result};
use super::oci::go_json;
use crate::chart::Dependency;
use crate::diagnostic::FileId;
use crate::package::{self, dependency_json};
use crate::yaml::{self, Node};
use serde_json::json;

/// A resolved dependency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    pub name: String,
    pub version: String,
    pub repository: String,
    /// SHA-256 of the archive in hex, where it is known and the archive comes from a repository.
    pub digest: Option<String>,
}

impl Locked {
    /// The name of its archive in `charts/`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }
}

/// The contents of `Chart.lock`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    pub dependencies: Vec<Locked>,
    /// `sha256:…` over what `Chart.yaml` asks for and what it resolved to, see [`sum`].
    pub digest: String,
    /// RFC 3339.
    pub generated: String,
}

/// The digest that ties a lock to a `Chart.yaml`: of Go's JSON of both lists.
pub fn sum(required: &[Dependency], locked: &[Locked]) -> String {
    let locked: Vec<_> = locked
        .iter()
        .map(|locked| {
            dependency_json(&Dependency {
                name: locked.name.clone(),
                version: locked.version.clone(),
                repository: locked.repository.clone(),
                ..Dependency::default()
            })
        })
        .collect();
    let required: Vec<_> = required.iter().map(dependency_json).collect();
    format!("sha256:{}", package::digest(go_json(&json!([required, locked])).as_bytes()))
}

/// The digest of Helm 2, in locks of charts with `apiVersion: v1`: of what the chart asks for alone.
pub fn old_sum(required: &[Dependency]) -> String {
    let required: Vec<_> = required.iter().map(dependency_json).collect();
    format!("sha256:{}", package::digest(go_json(&json!({ "dependencies": required })).as_bytes()))
}

impl Lock {
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::new(Kind::Malformed, format!("the lock file is not readable: {why}"));
        let node = yaml::read(text, FileId(0)).first().map_err(|error| bad(&error.diagnostic.message))?;
        let field = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        let items = node.get("dependencies").and_then(Node::as_seq).unwrap_or_default();
        let dependencies = items.iter().map(|item| {
            let digest = field(item, "digest");
            let digest = digest.strip_prefix("sha256:").map(str::to_owned);
            Locked {
                name: field(item, "name"),
                version: field(item, "version"),
                repository: field(item, "repository"),
                digest,
            }
        });
        let lock = Lock {
            dependencies: dependencies.collect(),
            digest: field(&node, "digest"),
            generated: field(&node, "generated"),
        };
        // Names and versions become file names.
        let unsafe_text = |text: &str| text.contains(['/', '\\']) || text.chars().any(char::is_control);
        if lock.dependencies.iter().any(|it| unsafe_text(&it.name) || unsafe_text(&it.version) || it.name.is_empty()) {
            return Err(bad("a dependency's name or version cannot be part of a file's name"));
        }
        Ok(lock)
    }

    pub fn render(&self) -> Result<String> {
        let dependencies: Vec<_> = self
            .dependencies
            .iter()
            .map(|locked| {
                let mut entry = json!({
                    "name": locked.name,
                    "repository": locked.repository,
                    "version": locked.version,
                });
                if let Some(digest) = &locked.digest {
                    entry["digest"] = format!("sha256:{digest}").into();
                }
                entry
            })
            .collect();
        let lock = json!({ "dependencies": dependencies, "digest": self.digest, "generated": self.generated });
        let text = package::yaml_of(&lock).map_err(|error| Error::new(Kind::Malformed, error))?;
        Ok(text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_helm() {
        // Made with Helm 4 for these very dependencies.
        let required = [Dependency {
            name: "a&b".into(),
            version: ">= 1.0.0 <2".into(),
            repository: "https://charts.example".into(),
            ..Dependency::default()
        }];
        let json = go_json(&json!([required.each_ref().map(dependency_json)]));
        let expected = "[[{\"name\":\"a\\u0026b\",\"version\":\"\\u003e= 1.0.0 \\u003c2\",\"repository\":\"https://charts.example\"}]]";
        assert_eq!(json, expected);
    }

    #[test]
    fn a_lock_is_written_as_it_is_read() {
        let digest = "a".repeat(64);
        let text = format!(
            "dependencies:\n- digest: sha256:{digest}\n  name: redis\n  repository: https://charts.example\n  version: 1.2.3\n- name: local\n  repository: \"\"\n  version: 0.1.0\ndigest: sha256:{digest}\ngenerated: \"2026-01-01T00:00:00Z\"\n"
        );
        let lock = Lock::parse(&text).expect("a lock");
        assert_eq!(lock.dependencies[0].digest, Some(digest));
        assert_eq!(lock.render().expect("text"), text);
        assert!(Lock::parse("dependencies:\n- name: ../../x\n  version: 1.0.0\n").is_err());
        assert!(Lock::parse("dependencies:\n- name: x\n  version: 1.0.0/../..\n").is_err());
    }
}
