//! Rules of custom resource definitions in CEL (`x-kubernetes-validations`).
//!
//! A rule that our CEL does not understand, or that fails while it runs, is told as not checked, never as a fault.

use super::{Custom, functions};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::path::Path;
use crate::schema::shape::Shape;
use crate::schema::walk::{Walk, first_line};
use crate::yaml::{Data, Node};
use cel::objects::Key;
use cel::{Context, Env, Program, Value};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A rule of a schema node; `self` is the node's value.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    source: String,
    message: Option<String>,
    message_expression: Option<String>,
    compiled: Arc<OnceLock<Option<Program>>>,
}

impl Rule {
    /// The rules of a node. Rules about a change (`oldSelf`) have nothing to compare with and are left out.
    pub fn read(schema: &Node) -> Vec<Rule> {
        let text = |rule: &Node, key: &str| rule.get(key).and_then(Node::as_str).map(str::to_owned);
        let rules = schema.get("x-kubernetes-validations").and_then(Node::as_seq).unwrap_or_default();
        let rules = rules.iter().filter_map(|rule| {
            let source = text(rule, "rule")?;
            (!source.contains("oldSelf")).then(|| Rule {
                source,
                message: text(rule, "message"),
                message_expression: text(rule, "messageExpression"),
                compiled: Arc::default(),
            })
        });
        rules.collect()
    }

    fn program(&self) -> Option<&Program> {
        self.compiled.get_or_init(|| compile(&self.source)?.ok()).as_ref()
    }
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
        for extension in [cel::extensions::strings, cel::extensions::lists, cel::extensions::math] {
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
    // A function that does not fit stays unknown, and rules with it are not checked.
    let _ = functions::add(&mut context);
    context.add_variable_from_value("self", value_of(&custom.shape, node, 0));
    for rule in &custom.rules {
        let outcome = rule.program().map(|program| program.execute(&context));
        let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
        let span = first_line(node, walk.sources);
        match outcome {
            Some(Ok(Value::Bool(true))) => {}
            Some(Ok(Value::Bool(false))) => {
                let told = rule.message_expression.as_ref().and_then(|source| {
                    let program = compile(source)?.ok()?;
                    match program.execute(&context) {
                        Ok(Value::String(text)) => Some(text.to_string()),
                        _ => None,
                    }
                });
                let message = told.or_else(|| rule.message.clone());
                let finding = match message {
                    Some(message) => {
                        Diagnostic::new(Code::CustomRule, format!("{place} breaks a rule of its definition: {message}"))
                    }
                    None => Diagnostic::new(Code::CustomRule, format!("{place} breaks a rule of its definition")),
                };
                walk.push(finding.label(span, format!("the rule is `{}`", rule.source.trim())));
            }
            _ => {
                let message = format!("a rule of the definition of {} could not be checked", walk.identity.kind);
                let finding = Diagnostic::new(Code::UncheckedRule, message)
                    .label(span, format!("the rule is `{}`", rule.source.trim()));
                walk.push(finding);
            }
        }
    }
}

/// A value as CEL sees it: defaults filled in, keys of objects as identifiers.
fn value_of(shape: &Shape, node: &Node, depth: u32) -> Value {
    if depth > 200 {
        return Value::Null;
    }
    let inner = match shape {
        Shape::Custom(custom) => &custom.shape,
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
                        entries.insert(Key::from(identifier(key)), value_of(shape, &entry.value, depth + 1));
                    }
                    for field in fields.iter() {
                        if let Shape::Custom(custom) = &field.shape
                            && let Some(default) = &custom.default
                            && map.get(&*field.name).is_none_or(|entry| entry.value.is_null())
                        {
                            entries
                                .insert(Key::from(identifier(&field.name)), value_of(&field.shape, default, depth + 1));
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

/// The identifier by which rules reach a field, escaped as the API server does it.
pub(super) fn identifier(key: &str) -> String {
    if RESERVED.contains(&key) {
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
            let mut context = Context::with_env(Arc::clone(environment()));
            functions::add(&mut context).expect("functions that fit");
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
        ] {
            assert_eq!(run(source), Some(Value::Bool(true)), "{source}");
        }
        // As deep as is allowed, on the small stack of a thread.
        assert_eq!(run(&format!("1{} > 0", "+1".repeat(MAX_OPERATORS - 1))), Some(Value::Bool(true)));
    }
}
