//! The structs behind `.Capabilities`.

use super::print;
use crate::template::Capabilities;
use crate::value::{List, ListKind, Map, MapKind, Object, Signature, Value};
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

/// `.Capabilities`.
pub(super) fn capabilities(capabilities: &Capabilities) -> Value {
    let versions = capabilities.api_versions.iter().map(|version| Value::from(&**version)).collect();
    let kube = Kube {
        version: capabilities.kube_version.clone(),
        normalized: capabilities.normalized.clone(),
        major: capabilities.major.clone(),
        minor: capabilities.minor.clone(),
        is_addressable: true,
    };
    let build = Build { version: capabilities.helm_version.clone() };
    Value::Object(Arc::new(Root {
        kube: Value::Object(Arc::new(kube)),
        versions: Value::List(List::with(ListKind::Versions, Some(versions), 0)),
        build: Value::Object(Arc::new(build)),
    }))
}

/// What Go's `interface {}` holds of a value that a function is given: a copy, without the methods of its pointer.
pub(super) fn copied(value: Value) -> Value {
    if let Value::Object(object) = &value
        && let Some(kube) = object.as_any().downcast_ref::<Kube>()
        && kube.is_addressable
    {
        return Value::Object(Arc::new(Kube { is_addressable: false, ..kube.clone() }));
    }
    value
}

/// A struct's fields for marshallers.
fn fields<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let entries = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Value::Map(Map::with(MapKind::Struct, entries, 0))
}

/// `*common.Capabilities`
#[derive(Debug)]
struct Root {
    kube: Value,
    versions: Value,
    build: Value,
}

impl Object for Root {
    fn type_name(&self) -> Cow<'static, str> {
        "*common.Capabilities".into()
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(self.kube.clone()),
            "APIVersions" => Some(self.versions.clone()),
            "HelmVersion" => Some(self.build.clone()),
            _ => None,
        }
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Copy").then_some(Signature { params: &[], results: &["*common.Capabilities"] })
    }

    fn call(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        let copy = Root { kube: self.kube.clone(), versions: self.versions.clone(), build: self.build.clone() };
        (name == "Copy").then(|| Ok(Value::Object(Arc::new(copy))))
    }

    fn display(&self) -> String {
        let parts = [copied(self.kube.clone()), self.versions.clone(), self.build.clone()];
        print::sprintf("{%v %v %v}", &parts).unwrap_or_default()
    }

    fn stringer(&self) -> Option<String> {
        None
    }

    fn public_copy(&self) -> Option<Value> {
        let kube = match &self.kube {
            Value::Object(object) => object.public_copy()?,
            other => other.clone(),
        };
        Some(Value::Object(Arc::new(Root { kube, versions: self.versions.clone(), build: self.build.clone() })))
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![
            ("KubeVersion", copied(self.kube.clone())),
            ("APIVersions", self.versions.clone()),
            ("HelmVersion", self.build.clone()),
        ])
    }

    fn to_json(&self) -> Value {
        let json = |value: &Value| match value {
            Value::Object(object) => object.to_json(),
            other => other.clone(),
        };
        fields([
            ("KubeVersion", json(&self.kube)),
            ("APIVersions", json(&self.versions)),
            ("HelmVersion", json(&self.build)),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.KubeVersion`, whose `String` has a pointer receiver.
#[derive(Debug, Clone)]
struct Kube {
    version: String,
    normalized: String,
    major: String,
    minor: String,
    is_addressable: bool,
}

impl Kube {
    /// What its `String` gives.
    fn shown(&self) -> &str {
        if self.normalized.is_empty() { &self.version } else { &self.normalized }
    }
}

impl Object for Kube {
    fn type_name(&self) -> Cow<'static, str> {
        "common.KubeVersion".into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version.as_str().into()),
            "Major" => Some(self.major.as_str().into()),
            "Minor" => Some(self.minor.as_str().into()),
            _ => None,
        }
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let is_one = self.is_addressable && matches!(name, "String" | "GitVersion");
        is_one.then_some(Signature { params: &[], results: &["string"] })
    }

    fn call(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        let value = match name {
            "String" if self.is_addressable => self.shown(),
            "GitVersion" if self.is_addressable => self.version.as_str(),
            _ => return None,
        };
        Some(Ok(value.into()))
    }

    fn display(&self) -> String {
        if self.is_addressable {
            return self.shown().to_owned();
        }
        format!("{{{} {} {} {}}}", self.version, self.normalized, self.major, self.minor)
    }

    fn stringer(&self) -> Option<String> {
        None
    }

    fn public_copy(&self) -> Option<Value> {
        Some(Value::Object(Arc::new(Kube { normalized: String::new(), ..self.clone() })))
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![
            ("Version", self.version.as_str().into()),
            ("normalizedVersion", self.normalized.as_str().into()),
            ("Major", self.major.as_str().into()),
            ("Minor", self.minor.as_str().into()),
        ])
    }

    fn to_json(&self) -> Value {
        fields([
            ("Version", Value::from(self.version.as_str())),
            ("Major", self.major.as_str().into()),
            ("Minor", self.minor.as_str().into()),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `version.BuildInfo`; all but the version is what Helm 4.3.1 says of itself.
#[derive(Debug)]
struct Build {
    version: String,
}

const GIT_COMMIT: &str = "c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff";
const GIT_TREE_STATE: &str = "clean";
const GO_VERSION: &str = "go1.27.2";
const KUBE_CLIENT_VERSION: &str = "v1.37";

impl Object for Build {
    fn type_name(&self) -> Cow<'static, str> {
        "version.BuildInfo".into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::from(match name {
            "Version" => self.version.as_str(),
            "GitCommit" => GIT_COMMIT,
            "GitTreeState" => GIT_TREE_STATE,
            "GoVersion" => GO_VERSION,
            "KubeClientVersion" => KUBE_CLIENT_VERSION,
            _ => return None,
        }))
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn display(&self) -> String {
        format!("{{{} {GIT_COMMIT} {GIT_TREE_STATE} {GO_VERSION} {KUBE_CLIENT_VERSION}}}", self.version)
    }

    fn stringer(&self) -> Option<String> {
        None
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![
            ("Version", self.version.as_str().into()),
            ("GitCommit", GIT_COMMIT.into()),
            ("GitTreeState", GIT_TREE_STATE.into()),
            ("GoVersion", GO_VERSION.into()),
            ("KubeClientVersion", KUBE_CLIENT_VERSION.into()),
        ])
    }

    fn to_json(&self) -> Value {
        fields([
            ("version", Value::from(self.version.as_str())),
            ("git_commit", GIT_COMMIT.into()),
            ("git_tree_state", GIT_TREE_STATE.into()),
            ("go_version", GO_VERSION.into()),
            ("kube_client_version", KUBE_CLIENT_VERSION.into()),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
