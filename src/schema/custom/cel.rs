//! Rules of custom resource definitions in CEL (`x-kubernetes-validations`).
//!
//! A rule that our CEL does not understand, or that fails while it runs, is told as not checked, never as a fault.

use super::{Custom, functions, macros};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::duration;
use crate::schema::path::Path;
use crate::schema::shape::{Format, Shape, Unique};
use crate::schema::walk::{Walk, first_line};
use crate::yaml::{Data, Node};
use cel::objects::{Key, OptionalValue};
use cel::{Context, Env, Program, Value};
use chrono::{DateTime, TimeDelta};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A rule of a schema node; `self` is the node's value.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    source: String,
    message: Option<String>,
    message_expression: Option<String>,
    /// Where below the node the fault is.
    field_path: Option<String>,
    compiled: Arc<OnceLock<Option<Program>>>,
    compiled_message: Arc<OnceLock<Option<Program>>>,
}

impl Rule {
    /// The rules of a node. Rules about a change (`oldSelf`) have nothing to compare with and are left out.
    pub fn read(schema: &Node) -> Vec<Rule> {
        let text = |rule: &Node, key: &str| rule.get(key).and_then(Node::as_str).map(str::to_owned);
        let rules = schema.get("x-kubernetes-validations").and_then(Node::as_seq).unwrap_or_default();
        let rules = rules.iter().filter_map(|rule| {
            let source = text(rule, "rule")?;
            let is_optional = rule.get("optionalOldSelf").and_then(Node::as_bool) == Some(true);
            (is_optional || !source.contains("oldSelf")).then(|| Rule {
                source,
                message: text(rule, "message"),
                message_expression: text(rule, "messageExpression"),
                field_path: text(rule, "fieldPath"),
                compiled: Arc::default(),
                compiled_message: Arc::default(),
            })
        });
        rules.collect()
    }

    fn compares_itself(&self) -> bool {
        ["self ==", "== self", "self !=", "!= self"].iter().any(|sign| self.source.contains(sign))
    }

    fn program(&self) -> Option<&Program> {
        self.compiled.get_or_init(|| compile(&self.source)?.ok()).as_ref()
    }

    /// What the rule says of a value that breaks it.
    fn message(&self, context: &Context<'_, '_>) -> Option<String> {
        let told = self.message_expression.as_ref().and_then(|source| {
            let program = self.compiled_message.get_or_init(|| compile(source)?.ok()).as_ref()?;
            match program.execute(context) {
                // The server takes the plain message for one that is empty or has several lines.
                Ok(Value::String(text)) if !text.trim().is_empty() && !text.trim().contains('\n') => {
                    Some(text.trim().to_owned())
                }
                _ => None,
            }
        });
        told.or_else(|| self.message.clone())
    }

    /// The field that the rule is about, and its path.
    fn field<'n>(&self, node: &'n Node, path: &Path<'_>) -> (&'n Node, String) {
        let (mut place, mut at) = (path.to_string(), node);
        for name in self.field_path.iter().flat_map(|path| field_names(path)) {
            let first = place.is_empty();
            let _ = crate::schema::path::write_key(&mut place, &name, first);
            // A field that is not there is told at what it is missing from.
            at = at.get(&name).unwrap_or(at);
        }
        (at, place)
    }
}

/// The names in a path such as `.a['b-c'].d`.
pub(super) fn field_names(path: &str) -> impl Iterator<Item = String> {
    path.split(['.', '[', ']'])
        .map(|name| name.trim_matches(['\'', '"']).to_owned())
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Operators of an expression past which it is not compiled: they nest, and each level takes some of the stack.
const MAX_OPERATORS: usize = 1000;

/// Compiles an expression, or says why it is none; `None` for one that is too long or too deep for us.
pub(super) fn compile(source: &str) -> Option<Result<Program, String>> {
    let operators = source.bytes().filter(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'\'' | b'"'));
    if operators.count() > MAX_OPERATORS {
        return None;
    }
    match environment().compile(source) {
        Ok(program) => Some(Ok(program)),
        Err(errors) => {
            let message = errors.errors.into_iter().next().map(|error| error.msg).unwrap_or_default();
            (!message.contains("ecursion limit")).then_some(Err(message))
        }
    }
}

/// CEL's standard library with the extensions that the API server has.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Env::stdlib().with_optional_support(true);
        let extensions = [
            cel::extensions::strings,
            cel::extensions::lists,
            cel::extensions::math,
            functions::extension,
            macros::extension,
        ];
        for extension in extensions {
            // An extension that does not fit leaves its functions unknown: rules with them are not checked.
            let _ = env.add_extension(extension);
        }
        Arc::new(env)
    })
}

/// Checks a value against the rules of its node.
pub(super) fn check(walk: &mut Walk<'_>, custom: &Custom, node: &Node, path: &Path<'_>) {
    if custom.rules.is_empty() {
        return;
    }
    let mut context = Context::with_env(Arc::clone(environment()));
    context.add_variable_from_value("self", custom_value(custom, node, 0));
    // An object that is new has no older state.
    context.add_variable_from_value("oldSelf", Value::Opaque(Arc::new(OptionalValue::none())));
    for rule in &custom.rules {
        let outcome = rule.program().map(|program| program.execute(&context));
        match outcome {
            Some(Ok(Value::Bool(true))) => {}
            // Lists that are sets or maps are the same in any order, which our values do not know.
            Some(Ok(Value::Bool(false))) if rule.compares_itself() && is_unordered(&custom.shape) => {}
            Some(Ok(Value::Bool(false))) => {
                let (at, place) = rule.field(node, path);
                let place = if place.is_empty() { "the object".to_owned() } else { format!("`{place}`") };
                let message = match rule.message(&context) {
                    Some(message) => format!("{place} breaks a rule of its definition: {message}"),
                    None => format!("{place} breaks a rule of its definition"),
                };
                let whole = at.as_map().is_some() && std::ptr::eq(at, node);
                let span = if whole { walk.place_of(node, path) } else { first_line(at, walk.sources) };
                let finding = Diagnostic::new(Code::CustomRule, message);
                walk.push(finding.label(span, format!("the rule is `{}`", rule.source.trim())));
            }
            _ => {
                let message = format!("a rule of the definition of {} could not be checked", walk.identity.kind);
                let finding = Diagnostic::new(Code::UncheckedRule, message)
                    .label(first_line(node, walk.sources), format!("the rule is `{}`", rule.source.trim()));
                walk.push(finding);
            }
        }
    }
}

fn is_unordered(shape: &Shape) -> bool {
    matches!(shape, Shape::List { unique, .. } if *unique != Unique::Nothing)
}

/// A value of a schema node as CEL sees it.
fn custom_value(custom: &Custom, node: &Node, depth: u32) -> Value {
    let time = match (&custom.shape, &node.data) {
        (Shape::String { format: Format::DateTime, .. }, Data::Str(text)) => time(text),
        (Shape::String { .. }, Data::Str(text)) => match custom.values.as_ref().and_then(|values| values.format()) {
            Some("date") => time(&format!("{text}T00:00:00Z")),
            Some("duration") => duration::parse(text)
                .map(|seconds| Value::Duration(TimeDelta::nanoseconds((seconds * 1e9).round() as i64))),
            _ => None,
        },
        _ => None,
    };
    time.unwrap_or_else(|| value_of(&custom.shape, node, depth))
}

fn time(text: &str) -> Option<Value> {
    DateTime::parse_from_rfc3339(text).ok().map(Value::Timestamp)
}

/// A value as CEL sees it: defaults filled in, keys of objects as identifiers.
fn value_of(shape: &Shape, node: &Node, depth: u32) -> Value {
    if depth > 200 {
        return Value::Null;
    }
    let inner = match shape {
        Shape::Custom(custom) => return custom_value(custom, node, depth + 1),
        other => other,
    };
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(number) => match inner {
            Shape::Number => Value::Float(*number as f64),
            _ => Value::Int(*number),
        },
        Data::Uint(number) => i64::try_from(*number).map_or(Value::UInt(*number), Value::Int),
        Data::Float(number) => match inner {
            Shape::Integer(_) => Value::Int(*number as i64),
            _ => Value::Float(*number),
        },
        Data::Str(text) => Value::String(Arc::new(text.to_string())),
        Data::Seq(items) => {
            let shape = match inner {
                Shape::List { items, .. } => &**items,
                _ => &Shape::Any,
            };
            Value::List(Arc::new(items.iter().map(|item| value_of(shape, item, depth + 1)).collect()))
        }
        Data::Map(map) => {
            let mut entries: HashMap<Key, Value> = HashMap::with_capacity(map.len());
            match inner {
                Shape::Object(fields) => {
                    for (key, entry) in map.iter().filter(|(_, entry)| !entry.value.is_null()) {
                        let shape = fields.get(key).map_or(&Shape::Any, |field| &field.shape);
                        let value = value_of(shape, &entry.value, depth + 1);
                        if is_reserved(key) {
                            entries.insert(Key::from(key.to_string()), value.clone());
                        }
                        entries.insert(Key::from(identifier(key)), value);
                    }
                    for field in fields.iter() {
                        if let Shape::Custom(custom) = &field.shape
                            && let Some(default) = &custom.default
                            && map.get(&field.name).is_none_or(|entry| entry.value.is_null())
                        {
                            let value = value_of(&field.shape, default, depth + 1);
                            if is_reserved(&field.name) {
                                entries.insert(Key::from(field.name.to_string()), value.clone());
                            }
                            entries.insert(Key::from(identifier(&field.name)), value);
                        }
                    }
                }
                _ => {
                    let shape = match inner {
                        Shape::Map(items) => &**items,
                        _ => &Shape::Any,
                    };
                    for (key, entry) in map.iter() {
                        entries.insert(Key::from(key.to_string()), value_of(shape, &entry.value, depth + 1));
                    }
                }
            }
            Value::Map(entries.into())
        }
    }
}

/// Words that CEL reserves.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
];

/// Whether CEL reserves the word. Since Kubernetes 1.31 rules reach such a field by its own name, too.
pub(super) fn is_reserved(key: &str) -> bool {
    RESERVED.contains(&key)
}

/// The identifier by which rules reach a field, escaped as the API server does it.
pub(super) fn identifier(key: &str) -> String {
    if is_reserved(key) {
        return format!("__{key}__");
    }
    if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !key.contains("__") {
        return key.to_owned();
    }
    key.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_identifiers() {
        assert_eq!(identifier("replicas"), "replicas");
        assert_eq!(identifier("x-y.z/a"), "x__dash__y__dot__z__slash__a");
        assert_eq!(identifier("namespace"), "__namespace__");
        assert_eq!(identifier("a__b"), "a__underscores__b");
    }

    #[test]
    fn the_environment_knows_the_servers_functions() {
        let run = |source: &str| {
            let context = Context::with_env(Arc::clone(environment()));
            environment().compile(source).ok().and_then(|program| program.execute(&context).ok())
        };
        for source in [
            "'aB'.lowerAscii() == 'ab'",
            "' a '.trim() == 'a'",
            "'a,b'.split(',').size() == 2",
            "'abc'.matches('^a.c$')",
            "[1, 2].all(x, x > 0)",
            "[1, 2].exists_one(x, x == 1)",
            "'a-b'.replace('-', '_') == 'a_b'",
            "has({'a': 1}.a)",
            "{'a': 1}.?a.orValue(2) == 1",
            "'abc'.indexOf('c') == 2",
            "[1].size() == 1 ? true : false",
            "1 in [1]",
            "duration('1h') > duration('30m') && duration('60s') == duration('1m')",
            "isURL('https://example.com/a') && isIP('10.0.0.1') && isCIDR('10.0.0.0/8') && !isIP('10.0.0')",
            "isQuantity('1Gi') && !isQuantity('1GB')",
            "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').compareTo(quantity('0.5')) == 0",
            "quantity('2').isLessThan(quantity('3')) && quantity('2k').asInteger() == 2000",
            "'10.0.0.1'.matches('^[0-9.]+$') && 'a,b'.split(',').all(x, x.size() == 1)",
            "[3, 1].exists(x, x == 1) && {'a': 1}.all(k, k == 'a')",
            "['a', 'b'].map(x, x + 'c').join('-') == 'ac-bc'",
            "[1, 2].isSorted() && [1, 2].sum() == 3 && [1, 2].max() == 2",
            "'ab'.find('[b]') == 'b'",
            "'%s is %d'.format(['a', 1]) == 'a is 1'",
            "type(1) == int && int('3') == 3 && string(3) == '3'",
            "timestamp('2026-01-31T12:00:00Z') > timestamp('2025-01-31T12:00:00+01:00')",
            "timestamp('2026-01-31T12:00:00Z').getFullYear() == 2026 && duration('90m').getHours() == 1",
            "timestamp('2026-01-31T12:00:00Z') + duration('1h') == timestamp('2026-01-31T13:00:00Z')",
            "quantity('1k').add(1).sub(quantity('1')) == quantity('1000') && quantity('-1').sign() == -1",
            "url('https://a.io:80/x?k=v').getHost() == 'a.io:80' && url('https://a.io/?k=v').getQuery()['k'] == ['v']",
            "ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && string(ip('::1')) == '::1'",
            "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1')",
            "cidr('10.0.0.0/8').containsIP('10.1.1.1') && cidr('10.0.0.0/8').containsIP(ip('10.1.1.1'))",
            "cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16')) && cidr('10.1.0.0/8').masked() == cidr('10.0.0.0/8')",
            "cidr('10.1.0.0/8').ip() == ip('10.1.0.0') && cidr('10.1.0.0/8').prefixLength() == 8",
            "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']",
            "['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2",
            "sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 2], [2, 1])",
            "semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1')) && semver('v1.2', true).minor() == 2",
            "isSemver('1.2.3') && !isSemver('v1.2') && isSemver('v1.02', true) && semver('1.0.0').major() == 1",
            "!format.dns1123Label().validate('a-b').hasValue() && format.dns1123Label().validate('A').hasValue()",
            "format.named('uuid').hasValue() && !format.named('none').hasValue()",
            "format.named('date').value().validate('31.1.').value().size() == 1",
            "{'a': 1}.all(k, v, k == 'a' && v == 1) && [5].exists(i, v, i == 0 && v == 5)",
            "{'a': 1, 'b': 2}.existsOne(k, v, v == 2) && [1, 2].transformList(i, v, i > 0, v * 2) == [4]",
            "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2} && {'a': 1}.transformMapEntry(k, v, {v: k}) == {1: 'a'}",
            "[1].all(i, v, [2].all(j, w, v < w && i == j))",
        ] {
            assert_eq!(run(source), Some(Value::Bool(true)), "{source}");
        }
        // As deep as is allowed, on the small stack of a thread.
        assert_eq!(run(&format!("1{} > 0", "+1".repeat(MAX_OPERATORS - 1))), Some(Value::Bool(true)));
    }
}
