//! What templates ask of the cluster: `lookup`. Without one, nothing is found, as with `helm template`; objects from
//! `--lookup-dir` stand in for it.

use super::Type::Str;
use super::{Env, Function, any};
use crate::value::{Map, Value};
use crate::yaml::{Node, Numbers, untagged};

pub(super) const FUNCTIONS: &[Function] = &[Function::new("lookup", &[Str, Str, Str, Str], |env, a| {
    let [api_version, kind, namespace, name] = [0, 1, 2, 3].map(|at| any(a, at).as_str().unwrap_or_default());
    Ok(find(env, api_version, kind, namespace, name))
})];

/// One object by its name, all as the `items` of a list without one. An empty namespace means every namespace.
fn find(env: &Env<'_>, api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let text = |node: &Node, path: &[&str]| -> String {
        node.at(path.iter().copied()).and_then(Node::as_str).unwrap_or_default().to_owned()
    };
    let mut found = env.context.lookup.iter().filter(|object| {
        text(object, &["apiVersion"]) == api_version
            && text(object, &["kind"]) == kind
            && (namespace.is_empty() || text(object, &["metadata", "namespace"]) == namespace)
            && (name.is_empty() || text(object, &["metadata", "name"]) == name)
    });
    if !name.is_empty() {
        return found.next().map_or_else(|| Value::Map(Map::default()), |object| untagged(object, Numbers::Exact));
    }
    let items: Vec<Value> = found.map(|object| untagged(object, Numbers::Exact)).collect();
    if items.is_empty() {
        return Value::Map(Map::default());
    }
    Value::map([
        ("apiVersion", api_version.into()),
        ("kind", format!("{kind}List").into()),
        ("metadata", Value::Map(Map::default())),
        ("items", Value::list(items)),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;

    #[test]
    fn nothing_is_found_without_a_cluster() {
        assert_eq!(call("lookup", &["v1".into(), "Secret".into(), "ns".into(), "name".into()]), "map[]");
        assert_eq!(call("lookup", &["v1".into(), "Secret".into(), "".into(), "".into()]), "map[]");
    }
}
