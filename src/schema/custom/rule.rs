//! Whether the API server can compile the CEL rules of a schema (`x-kubernetes-validations`): their grammar, the
//! functions that they call, and the fields of `self` that they read.

use super::cel::{compile, field_names, identifier, is_reserved};
use crate::diagnostic::{Span, nearest};
use crate::schema::words;
use crate::yaml::{Mapping, Node};
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

/// What is wrong with a rule, as phrases behind the name of the schema node.
pub(super) struct Fault {
    pub span: Span,
    pub what: String,
    pub label: String,
    pub hint: Option<String>,
}

/// The functions of CEL and of Kubernetes' libraries for it.
const FUNCTIONS: &str = "\
    abs add all asApproximateFloat asInteger bind bitAnd bitNot bitOr bitShiftLeft bitShiftRight bitXor bool bytes ceil \
    charAt cidr compareTo contains containsCIDR containsIP decode distinct dns1035Label dns1035LabelPrefix dns1123Label \
    dns1123LabelPrefix dns1123Subdomain dns1123SubdomainPrefix double duration dyn encode endsWith \
    equivalent exists existsOne exists_one family filter find findAll first flatten floor format getDate getDayOfMonth \
    getDayOfWeek getDayOfYear getEscapedPath getFullYear getHost getHostname getHours getMilliseconds getMinutes \
    getMonth getPort getQuery getScheme getSeconds greatest has hasValue indexOf int intersects ip isCIDR isCanonical \
    isFinite isGlobalUnicast isGreaterThan isIP isInf isInteger isLessThan isLinkLocalMulticast isLinkLocalUnicast \
    isLoopback isNaN isQuantity isSemver isSorted isURL isUnspecified join last lastIndexOf least lowerAscii major map \
    masked matches max min minor named none of ofNonZeroValue optFlatMap optMap or orValue patch prefixLength quantity \
    quote range replace reverse round semver sign size slice sort sortBy split sqrt startsWith string sub substring sum uri uuid byte date datetime labelValue qualifiedName \
    timestamp transformList transformMap transformMapEntry trim trunc type uint unwrap unwrapOpt upperAscii url validate \
    value";

/// Names that are neither variables nor functions: types, and libraries.
const NAMES: &str = "\
    base64 bool bytes cel cidr double duration dyn format google int ip kubernetes list lists map math net null_type \
    optional optional_type sets string strings timestamp type uint";

fn is_among(names: &str, name: &str) -> bool {
    names.split_whitespace().any(|known| known == name)
}

const REASONS: &[&str] = &["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Nesting of an expression past which it is not looked at.
const MAX_DEPTH: u32 = 200;

/// The faults of a schema node's rules. The root's `self` has metadata, too. What is `uncorrelated` has no older state.
pub(super) fn faults(schema: &Node, is_root: bool, uncorrelated: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in schema.get("x-kubernetes-validations").and_then(Node::as_seq).unwrap_or_default() {
        let text = |key: &str| rule.get(key).and_then(|node| Some((node, node.as_str()?)));
        let mut tell = |span, what: &str, label: String, hint| {
            faults.push(Fault { span, what: what.to_owned(), label, hint });
        };
        if let Some((node, reason)) = text("reason")
            && !REASONS.contains(&reason)
        {
            let expected = words::alternatives(REASONS.iter().copied());
            tell(node.span, &format!("has a rule with the reason `{reason}`"), format!("expected {expected}"), None);
        }
        if let Some((node, message)) = text("message")
            && message.trim().contains('\n')
        {
            tell(node.span, "has a rule with a message of several lines", "one line is allowed".to_owned(), None);
        }
        if let Some((node, path)) = text("fieldPath")
            && !path.starts_with(['.', '['])
        {
            let hint = Some(format!("write `.{path}`"));
            tell(node.span, "has a rule whose `fieldPath` is no path", "it starts with a dot".to_owned(), hint);
        } else if let Some((node, path)) = text("fieldPath")
            && let Some((name, hint)) = no_field(schema, path)
        {
            let label = format!("there is no field `{name}`");
            tell(node.span, "has a rule whose `fieldPath` leads nowhere", label, hint);
        }
        let on_change = text("rule").is_some_and(|(_, source)| source.contains("oldSelf"));
        if let Some(optional) = rule.get("optionalOldSelf").filter(|_| !on_change) {
            let label = "remove it".to_owned();
            tell(optional.span, "has a rule with `optionalOldSelf` that does not use `oldSelf`", label, None);
        }
        if let Some((node, _)) = text("rule").filter(|_| on_change && uncorrelated) {
            let hint = "give the list around it `x-kubernetes-list-type: map` and `x-kubernetes-list-map-keys`";
            let what = "has a rule with `oldSelf`, but is in a list whose items have no identity";
            tell(node.span, what, "there is no older state to compare with".to_owned(), Some(hint.to_owned()));
        }
        for (key, called) in [("rule", "a rule"), ("messageExpression", "a `messageExpression`")] {
            let Some((node, source)) = text(key) else { continue };
            let mut tell = |what: String, label: String, hint| tell(node.span, &what, label, hint);
            if source.trim().is_empty() {
                tell(format!("has {called} that is empty"), "expected an expression".to_owned(), None);
                continue;
            }
            let program = match compile(source) {
                None => continue,
                Some(Ok(program)) => program,
                Some(Err(message)) => {
                    let label = words_of(&message);
                    let hint = Some(format!("the rule is `{}`", source.trim()));
                    tell(format!("has {called} that does not compile: {label}"), "no CEL expression".to_owned(), hint);
                    continue;
                }
            };
            let mut reader = Reader { schema, is_root, bound: Vec::new(), told: None };
            let result = reader.read(program.expression(), 0);
            let wanted = if key == "rule" { Kind::Boolean } else { Kind::String };
            if let Some(kind) = kind_of(program.expression(), result).filter(|kind| *kind != wanted) {
                let label = format!("its result is {}, not {}", kind.words(), wanted.words());
                reader.tell(label, None);
            }
            if let Some((label, hint)) = reader.told {
                tell(format!("has {called} that does not compile: {label}"), "in this expression".to_owned(), hint);
            }
        }
    }
    faults
}

/// Why a text is not in the grammar of CEL.
pub fn syntax_fault(source: &str) -> Option<String> {
    compile(source)?.err().map(|message| words_of(&message))
}

/// What the parser says, without the list of all that it would have taken.
fn words_of(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    let quoted = |prefix: &str| message.strip_prefix(prefix)?.trim().strip_prefix('\'')?.strip_suffix('\'');
    let found =
        ["mismatched input", "extraneous input", "token recognition error at:", "no viable alternative at input"]
            .into_iter()
            .find_map(quoted);
    match found {
        Some("<EOF>") => "it ends too early".to_owned(),
        Some(text) => format!("`{}` is not expected there", text.trim()),
        None => message.to_owned(),
    }
}

/// Reads an expression, and keeps the first fault.
struct Reader<'n> {
    schema: &'n Node,
    is_root: bool,
    /// Variables of macros, with the schema of their values where it is known.
    bound: Vec<(String, Option<&'n Node>)>,
    told: Option<(String, Option<String>)>,
}

impl<'n> Reader<'n> {
    fn tell(&mut self, label: String, hint: Option<String>) {
        self.told.get_or_insert((label, hint));
    }

    /// Reads an expression; gives the schema of its value where that is known.
    fn read(&mut self, expression: &IdedExpr, depth: u32) -> Option<&'n Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let depth = depth + 1;
        match &expression.expr {
            Expr::Ident(name) => return self.variable(name),
            Expr::Select(select) => {
                let object = self.read(&select.operand, depth)?;
                return self.field(object, &select.field);
            }
            Expr::Call(call) => {
                let is_operator = call.func_name.contains(|char: char| !char.is_ascii_alphanumeric() && char != '_')
                    || call.func_name.starts_with('_');
                if !is_operator && !is_among(FUNCTIONS, &call.func_name) {
                    let hint = nearest(&call.func_name, FUNCTIONS.split_whitespace());
                    let label = format!("Kubernetes has no function `{}`", call.func_name);
                    self.tell(label, hint.map(|name| format!("did you mean `{name}`?")));
                }
                if let Some(target) = &call.target {
                    self.read(target, depth);
                }
                let arguments: Vec<_> = call.args.iter().map(|argument| self.read(argument, depth)).collect();
                if let ([Some(left), Some(right)], Some(sign)) = (
                    [0, 1].map(|at| kind_of(call.args.get(at)?, *arguments.get(at)?)),
                    COMPARISONS.iter().find(|name| **name == call.func_name),
                ) && left != right
                {
                    let sign = sign.trim_matches('_');
                    self.tell(format!("`{sign}` compares {} with {}", left.words(), right.words()), None);
                }
                if call.func_name == "_[_]" {
                    let of = arguments.first().copied().flatten()?;
                    return of.get("items").or_else(|| of.get("additionalProperties"));
                }
            }
            Expr::Comprehension(all) => {
                let range = self.read(&all.iter_range, depth);
                self.read(&all.accu_init, depth);
                let count = self.bound.len();
                let item = range.and_then(|range| range.get("items"));
                // With two variables the first one is an index or a key.
                match &all.iter_var2 {
                    None => self.bound.push((all.iter_var.clone(), item)),
                    Some(second) => {
                        self.bound.push((all.iter_var.clone(), None));
                        self.bound.push((second.clone(), item));
                    }
                }
                self.bound.push((all.accu_var.clone(), None));
                for part in [&all.loop_cond, &all.loop_step, &all.result] {
                    self.read(part, depth);
                }
                self.bound.truncate(count);
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.read(element, depth);
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.read(&entry.key, depth);
                        self.read(&entry.value, depth);
                    }
                }
            }
            Expr::Struct(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
        None
    }

    fn variable(&mut self, name: &str) -> Option<&'n Node> {
        if let Some((_, schema)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return *schema;
        }
        match name {
            "self" | "oldSelf" => return Some(self.schema),
            _ if is_among(NAMES, name) || name.starts_with(['@', '_']) => {}
            _ => {
                let is_field = fields(self.schema).is_some_and(|map| map.keys().any(|key| identifier(key) == name));
                let hint = is_field.then(|| format!("write `self.{name}`"));
                self.tell(format!("there is no variable `{name}`"), hint);
            }
        }
        None
    }

    fn field(&mut self, object: &'n Node, name: &str) -> Option<&'n Node> {
        let flag = |key: &str| object.get(key).and_then(Node::as_bool) == Some(true);
        let is_root = self.is_root && std::ptr::eq(object, self.schema);
        if let Some(items) = object.get("additionalProperties") {
            return items.as_map().map(|_| items);
        }
        let known = fields(object)?;
        // Behind a dot a reserved word is a name: `self.metadata.namespace`.
        let plain = known.get(name).filter(|_| identifier(name) == name || is_reserved(name));
        if let Some(entry) =
            plain.or_else(|| known.iter().find(|(key, _)| identifier(key) == name).map(|(_, entry)| entry))
        {
            // What is known of metadata is not in the schema.
            return (!(is_root && name == "metadata")).then_some(&entry.value);
        }
        let is_head =
            matches!(name, "apiVersion" | "kind" | "metadata") && (is_root || flag("x-kubernetes-embedded-resource"));
        if !is_head && !flag("x-kubernetes-preserve-unknown-fields") {
            let names: Vec<String> = known.keys().map(|key| identifier(key)).collect();
            let hint = match nearest(name, names.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it has {}", words::list(names.iter().map(String::as_str).take(12))),
            };
            self.tell(format!("there is no field `{name}`"), Some(hint));
        }
        None
    }
}

const COMPARISONS: &[&str] = &["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"];

/// A type of values, as far as mixing it up with another one is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Number,
    String,
    List,
    Object,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

/// The type of an expression where it is plain to see; `schema` is that of its value where it is known.
fn kind_of(expression: &IdedExpr, schema: Option<&Node>) -> Option<Kind> {
    match &expression.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => Some(Kind::Boolean),
            LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Some(Kind::Number),
            LiteralValue::String(_) => Some(Kind::String),
            _ => None,
        },
        Expr::List(_) => Some(Kind::List),
        Expr::Call(call) => match call.func_name.as_str() {
            name if COMPARISONS.contains(&name) => Some(Kind::Boolean),
            "_&&_" | "_||_" | "!_" | "@in" | "startsWith" | "endsWith" | "matches" | "has" => Some(Kind::Boolean),
            "size" => Some(Kind::Number),
            "string" | "lowerAscii" | "upperAscii" | "trim" | "join" => Some(Kind::String),
            _ => None,
        },
        Expr::Select(select) if select.test => Some(Kind::Boolean),
        Expr::Ident(name) if name == "oldSelf" => None,
        Expr::Ident(_) | Expr::Select(_) => {
            let schema = schema?;
            // Texts in some formats are times and durations.
            let is_plain = schema.get("format").is_none() && schema.get("x-kubernetes-int-or-string").is_none();
            match schema.get("type")?.as_str()? {
                "boolean" => Some(Kind::Boolean),
                "integer" | "number" => Some(Kind::Number),
                "string" if is_plain => Some(Kind::String),
                "array" => Some(Kind::List),
                "object" => Some(Kind::Object),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The first name of a path that a schema does not have, and the one that is meant.
fn no_field(schema: &Node, path: &str) -> Option<(String, Option<String>)> {
    let mut at = schema;
    for name in field_names(path) {
        let below =
            at.get("properties").and_then(|fields| fields.get(&name)).or_else(|| at.get("additionalProperties"));
        let Some(below) = below else {
            let names = fields(at).into_iter().flat_map(|map| map.keys().map(|key| &**key));
            let hint = nearest(&name, names).map(|meant| format!("did you mean `{meant}`?"));
            return Some((name, hint));
        };
        at = below;
    }
    None
}

/// The fields that a schema describes, if it describes any.
fn fields(schema: &Node) -> Option<&Mapping> {
    schema.get("properties")?.as_map().filter(|map| !map.is_empty())
}

#[cfg(test)]
mod tests {
    use super::syntax_fault;

    #[test]
    fn faults_are_told_in_words() {
        for (source, expected) in [
            ("self.a > 0", None),
            ("self.a >", Some("it ends too early")),
            ("self.a = 1", Some("`=` is not expected there")),
            ("self.a > 0)", Some("`)` is not expected there")),
            // Not for us to judge.
            (&"(".repeat(5000), None),
            (&format!("1{}", "+1".repeat(50_000)), None),
            (&format!("1{}", "+1".repeat(900)), None),
        ] {
            assert_eq!(syntax_fault(source).as_deref(), expected, "{source}");
        }
    }
}
