//! Tells values that satisfy their schema in one pass over both, without compiling the schema.
//!
//! Most renders have nothing wrong with their values, and most schemas say little more than types. This pass knows the
//! common keywords; where it meets another one, or a keyword whose value is not what it should be, it knows nothing.

use super::light::{Json, Object};
use crate::yaml::{Data, Node};
use jsonschema::Draft;

/// Schemas in schemas, and references, are followed this deep.
const MAX_DEPTH: usize = 64;

/// Whether a schema is certainly well formed and accepts the values. `false` says nothing.
pub(super) fn accepts(schema: &Json<'_>, draft: Draft, values: &Node) -> bool {
    let reference_alone = match draft {
        Draft::Draft6 | Draft::Draft7 => true,
        Draft::Draft201909 | Draft::Draft202012 => false,
        _ => return false,
    };
    let quick = Quick { root: schema, reference_alone };
    quick.is_plain(schema, MAX_DEPTH) && quick.check(schema, values, MAX_DEPTH) == Some(true)
}

struct Quick<'s> {
    root: &'s Json<'s>,
    /// Up to draft 7, nothing beside a `$ref` counts.
    reference_alone: bool,
}

impl<'s> Quick<'s> {
    /// Whether a schema and all in it has only keywords that this pass knows, or that no draft knows.
    fn is_plain(&self, schema: &Json<'_>, depth: usize) -> bool {
        match schema {
            Json::Bool(_) => true,
            Json::Object(keywords) if depth > 0 => {
                keywords.iter().all(|(keyword, value)| self.is_plain_keyword(keyword, value, depth - 1))
            }
            _ => false,
        }
    }

    fn is_plain_keyword(&self, keyword: &str, value: &Json<'_>, depth: usize) -> bool {
        let schemas = |value: &Json<'_>| match value {
            Json::Object(named) => named.iter().all(|(_, schema)| self.is_plain(schema, depth)),
            _ => false,
        };
        match keyword {
            "title" | "description" | "$comment" | "$schema" => value.as_str().is_some(),
            "default" => true,
            "examples" => value.as_array().is_some(),
            "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => value.as_bool().is_some(),
            "type" => match value {
                Json::Str(name) => is_type(name),
                Json::Array(names) => {
                    are_distinct_scalars(names) && names.iter().all(|name| name.as_str().is_some_and(is_type))
                }
                _ => false,
            },
            "enum" => value.as_array().is_some_and(|values| are_distinct_scalars(values)),
            "const" => is_scalar(value),
            "required" => value.as_array().is_some_and(|names| {
                names.iter().all(|name| name.as_str().is_some()) && (names.is_empty() || are_distinct_scalars(names))
            }),
            "properties" | "definitions" | "$defs" => schemas(value),
            "additionalProperties" | "items" | "not" | "if" | "then" | "else" => self.is_plain(value, depth),
            "anyOf" | "oneOf" | "allOf" => value.as_array().is_some_and(|schemas| {
                !schemas.is_empty() && schemas.iter().all(|schema| self.is_plain(schema, depth))
            }),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.as_i64().is_some(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                value.as_u64().is_some()
            }
            "$ref" => value.as_str().is_some_and(|reference| self.target(reference).is_some()),
            "$id"
            | "id"
            | "$anchor"
            | "$dynamicRef"
            | "$dynamicAnchor"
            | "$recursiveRef"
            | "$recursiveAnchor"
            | "$vocabulary"
            | "multipleOf"
            | "pattern"
            | "format"
            | "additionalItems"
            | "prefixItems"
            | "contains"
            | "minContains"
            | "maxContains"
            | "patternProperties"
            | "propertyNames"
            | "dependencies"
            | "dependentRequired"
            | "dependentSchemas"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contentEncoding"
            | "contentMediaType"
            | "contentSchema" => false,
            _ => true,
        }
    }

    /// What a reference to a definition of the schema leads to.
    fn target(&self, reference: &str) -> Option<&'s Json<'s>> {
        let (group, name) = reference.strip_prefix("#/")?.split_once('/')?;
        let plain = matches!(group, "definitions" | "$defs") && !name.contains(['/', '~', '%']);
        self.root.get(group).filter(|_| plain)?.get(name)
    }

    fn check(&self, schema: &Json<'_>, node: &Node, depth: usize) -> Option<bool> {
        let keywords = match schema {
            Json::Object(keywords) => keywords,
            other => return other.as_bool(),
        };
        let depth = depth.checked_sub(1)?;
        if let Some(reference) = keywords.get("$ref") {
            let verdict = self.check(self.target(reference.as_str()?)?, node, depth);
            if self.reference_alone || verdict != Some(true) {
                return verdict;
            }
        }
        for (keyword, value) in keywords.iter() {
            match self.holds(keyword, value, keywords, node, depth) {
                Some(true) => {}
                other => return other,
            }
        }
        Some(true)
    }

    fn holds(&self, keyword: &str, value: &Json<'_>, beside: &Object<'_>, node: &Node, depth: usize) -> Option<bool> {
        Some(match (keyword, &node.data) {
            ("type", data) => match value {
                Json::Str(name) => has_type(data, name)?,
                Json::Array(names) => any(names.iter().map(|name| has_type(data, name.as_str()?)))?,
                _ => return None,
            },
            ("enum", data) => any(value.as_array()?.iter().map(|value| is(data, value)))?,
            ("const", data) => is(data, value)?,
            ("required", Data::Map(map)) => {
                value.as_array()?.iter().all(|name| name.as_str().is_some_and(|name| map.contains_key(name)))
            }
            ("properties", Data::Map(map)) => {
                let properties = value.as_object()?;
                all(map.iter().filter_map(|(key, entry)| {
                    properties.get(key).map(|schema| self.check(schema, &entry.value, depth))
                }))?
            }
            ("additionalProperties", Data::Map(map)) => {
                let known = beside.get("properties").and_then(Json::as_object);
                let others = map.iter().filter(|(key, _)| known.is_none_or(|known| known.get(key).is_none()));
                all(others.map(|(_, entry)| self.check(value, &entry.value, depth)))?
            }
            ("items", Data::Seq(items)) => all(items.iter().map(|item| self.check(value, item, depth)))?,
            ("uniqueItems", Data::Seq(items)) if value.as_bool()? && items.len() > 1 => return None,
            ("minItems", Data::Seq(items)) => items.len() as u64 >= value.as_u64()?,
            ("maxItems", Data::Seq(items)) => items.len() as u64 <= value.as_u64()?,
            ("minProperties", Data::Map(map)) => map.len() as u64 >= value.as_u64()?,
            ("maxProperties", Data::Map(map)) => map.len() as u64 <= value.as_u64()?,
            ("minLength", Data::Str(text)) => text.chars().count() as u64 >= value.as_u64()?,
            ("maxLength", Data::Str(text)) => text.chars().count() as u64 <= value.as_u64()?,
            ("minimum", Data::Int(number)) => *number >= value.as_i64()?,
            ("maximum", Data::Int(number)) => *number <= value.as_i64()?,
            ("exclusiveMinimum", Data::Int(number)) => *number > value.as_i64()?,
            ("exclusiveMaximum", Data::Int(number)) => *number < value.as_i64()?,
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", Data::Uint(_) | Data::Float(_)) => {
                return None;
            }
            ("anyOf", _) => any(value.as_array()?.iter().map(|schema| self.check(schema, node, depth)))?,
            ("allOf", _) => all(value.as_array()?.iter().map(|schema| self.check(schema, node, depth)))?,
            ("oneOf", _) => {
                let verdicts = value.as_array()?.iter().map(|schema| self.check(schema, node, depth));
                verdicts.collect::<Option<Vec<bool>>>()?.into_iter().filter(|holds| *holds).count() == 1
            }
            ("not", _) => !self.check(value, node, depth)?,
            ("if", _) => {
                let then = if self.check(value, node, depth)? { "then" } else { "else" };
                return beside.get(then).map_or(Some(true), |schema| self.check(schema, node, depth));
            }
            _ => true,
        })
    }
}

/// Whether all verdicts are true; the first other one if not.
fn all(mut verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    verdicts.find(|verdict| *verdict != Some(true)).unwrap_or(Some(true))
}

/// Whether one verdict is true; unknown if none is and one is unknown.
fn any(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for verdict in verdicts {
        match verdict {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = false,
        }
    }
    known.then_some(false)
}

fn is_type(name: &str) -> bool {
    matches!(name, "null" | "boolean" | "integer" | "number" | "string" | "array" | "object")
}

fn is_scalar(value: &Json<'_>) -> bool {
    matches!(value, Json::Null | Json::Bool(_) | Json::Int(_) | Json::Str(_))
}

fn are_distinct_scalars(values: &[Json<'_>]) -> bool {
    let is_new = |(at, value): (usize, &Json<'_>)| is_scalar(value) && !values[..at].contains(value);
    (1..=100).contains(&values.len()) && values.iter().enumerate().all(is_new)
}

/// Whether a value has a type; unknown for numbers with a fraction's notation that may be whole.
fn has_type(data: &Data, name: &str) -> Option<bool> {
    Some(match data {
        Data::Null => name == "null",
        Data::Bool(_) => name == "boolean",
        Data::Int(_) | Data::Uint(_) => matches!(name, "integer" | "number"),
        Data::Float(_) if name == "integer" => return None,
        Data::Float(number) => name == "number" && number.is_finite(),
        Data::Str(_) => name == "string",
        Data::Seq(_) => name == "array",
        Data::Map(_) => name == "object",
    })
}

/// Whether a value is a scalar of a schema.
fn is(data: &Data, scalar: &Json<'_>) -> Option<bool> {
    Some(match (data, scalar) {
        (Data::Null, Json::Null) => true,
        (Data::Bool(value), Json::Bool(other)) => value == other,
        (Data::Int(value), Json::Int(other)) => value == other,
        (Data::Int(_), Json::Float(_))
        | (Data::Uint(_) | Data::Float(_), Json::Int(_) | Json::Uint(_) | Json::Float(_)) => {
            return None;
        }
        (Data::Str(value), Json::Str(other)) => **value == **other,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::light::Json;
    use super::accepts;
    use crate::diagnostic::FileId;
    use crate::yaml::{self, Node};
    use jsonschema::Draft;
    use proptest::prelude::*;
    use serde_json::Value;

    fn values(text: &str) -> Node {
        yaml::read(text, FileId(0)).documents.remove(0)
    }

    fn schema() -> impl Strategy<Value = Value> {
        let scalar = prop::sample::select(vec![
            serde_json::json!(null),
            serde_json::json!(true),
            serde_json::json!(1),
            serde_json::json!(-3),
            serde_json::json!(1.5),
            serde_json::json!("a"),
            serde_json::json!("object"),
            serde_json::json!("#/definitions/b"),
            serde_json::json!(["a", "b"]),
            serde_json::json!(["a", "a"]),
            serde_json::json!([]),
        ]);
        let keyword = prop::sample::select(vec![
            "type",
            "enum",
            "const",
            "required",
            "items",
            "minimum",
            "exclusiveMaximum",
            "minLength",
            "maxItems",
            "minProperties",
            "uniqueItems",
            "title",
            "default",
            "$ref",
            "unknown",
            "additionalProperties",
            "pattern",
        ]);
        let kind = prop::sample::select(vec!["object", "string", "integer", "number", "array", "boolean", "null"]);
        let leaf = prop_oneof![
            kind.prop_map(|kind| serde_json::json!({ "type": kind })),
            prop::collection::vec((keyword, scalar), 0..3).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
            any::<bool>().prop_map(Value::Bool),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let named = prop::collection::hash_map(prop::sample::select(vec!["a", "b", "c"]), inner.clone(), 0..3);
            let list = prop::collection::vec(inner.clone(), 1..3);
            let group = prop::sample::select(vec!["properties", "definitions", "$defs"]);
            let one = prop::sample::select(vec!["items", "additionalProperties", "not", "if", "then", "else"]);
            let many = prop::sample::select(vec!["anyOf", "oneOf", "allOf"]);
            prop_oneof![
                (group, named).prop_map(|(group, named)| serde_json::json!({ group: named })),
                (one, inner.clone()).prop_map(|(keyword, schema)| serde_json::json!({ keyword: schema })),
                (many, list).prop_map(|(keyword, schemas)| serde_json::json!({ keyword: schemas })),
                (inner.clone(), inner).prop_map(|(first, second)| match (first, second) {
                    (Value::Object(mut first), Value::Object(second)) => {
                        first.extend(second);
                        Value::Object(first)
                    }
                    (first, _) => first,
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_it_accepts_the_validator_accepts(schema in schema(), which in 0..6_usize, newer in any::<bool>()) {
            let texts = ["a: 1", "a: {b: [x, y], c: null}", "{a: [1, 2.5, {b: true}], b: text}", "{}", "c: {a: {b: {}}}", "b: -3"];
            let values = values(texts[which]);
            let draft = if newer { Draft::Draft202012 } else { Draft::Draft7 };
            let text = schema.to_string();
            if accepts(&Json::read(&text).unwrap(), draft, &values) {
                let validator = jsonschema::options().with_draft(draft).build(&schema);
                prop_assert!(validator.is_ok_and(|validator| validator.is_valid(&values.to_json())), "{schema}");
            }
        }
    }

    #[test]
    fn common_schemas_are_accepted() {
        let schema = serde_json::json!({
            "$schema": "http://json-schema.org/schema#",
            "type": "object",
            "required": ["image"],
            "properties": {
                "image": { "$ref": "#/definitions/image" },
                "replicas": { "type": ["integer", "null"], "minimum": 0, "form": true, "hidden": { "value": 1 } },
                "list": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] } },
            },
            "definitions": {
                "image": {
                    "type": "object",
                    "properties": { "tag": { "type": "string", "minLength": 1 } },
                    "additionalProperties": false,
                },
            },
        });
        let schema = schema.to_string();
        let schema = Json::read(&schema).unwrap();
        let accepted = |text: &str| accepts(&schema, Draft::Draft202012, &values(text));
        assert!(accepted("{image: {tag: '1'}, replicas: 2, list: [a, b], more: 1}"));
        for text in ["{}", "image: {tag: ''}", "image: {tg: a}", "{image: {}, replicas: -1}", "{image: {}, list: [c]}"]
        {
            assert!(!accepted(text), "{text}");
        }
    }
}
