//! Helm's functions under Jinja names, as filters and as functions. What they do is written once, for both dialects.
//!
//! As a function an argument list is Helm's: `trunc(63, name)`. As a filter, what is piped in is the argument that the
//! function works on: `name|trunc(63)`. Arguments keep their values: a function that changes its map in Helm
//! (`set`, `merge`) gives a changed copy here.

use super::convert::{from_go, to_go};
use super::error::{Issue, limit};
use super::runtime::Runtime;
use crate::template::helm::funcs::{self, Env, Function, Type};
use crate::value::{List, ListKind, Value as Go};
use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};
use std::sync::Arc;

/// Which parameter takes what is piped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Last,
    At(usize),
    /// There is none: a function only.
    None,
    /// The last one; there is no function of that name, which means something else.
    FilterOnly,
}

use Subject::{At, FilterOnly, Last, None as No};

/// The Go name, the Jinja name and what a filter works on. Where a function exists with and without `must`, the one
/// that fails is taken: errors are never swallowed.
const FUNCTIONS: &[(&str, &str, Subject)] = &[
    // Text.
    ("trimAll", "trim_all", Last),
    ("trimSuffix", "trim_suffix", Last),
    ("trimPrefix", "trim_prefix", Last),
    ("untitle", "untitle", Last),
    ("swapcase", "swapcase", Last),
    ("snakecase", "snakecase", Last),
    ("kebabcase", "kebabcase", Last),
    ("camelcase", "camelcase", Last),
    ("repeat", "repeat", Last),
    ("substr", "substr", Last),
    ("trunc", "trunc", Last),
    ("abbrev", "abbrev", Last),
    ("abbrevboth", "abbrev_both", Last),
    ("initials", "initials", Last),
    ("nospace", "nospace", Last),
    ("wrap", "wrap", Last),
    ("wrapWith", "wrap_with", Last),
    ("contains", "contains", Last),
    ("hasPrefix", "has_prefix", Last),
    ("hasSuffix", "has_suffix", Last),
    ("plural", "plural", Last),
    ("cat", "cat", No),
    ("shuffle", "shuffle", Last),
    ("toStrings", "to_strings", Last),
    ("sortAlpha", "sort_alpha", Last),
    ("mustRegexMatch", "regex_match", Last),
    ("mustRegexFind", "regex_find", Last),
    ("mustRegexFindAll", "regex_find_all", At(1)),
    ("mustRegexReplaceAll", "regex_replace_all", At(1)),
    ("mustRegexReplaceAllLiteral", "regex_replace_all_literal", At(1)),
    ("mustRegexSplit", "regex_split", At(1)),
    ("regexQuoteMeta", "regex_quote_meta", Last),
    // Lists.
    ("mustRest", "rest", Last),
    ("mustInitial", "initial", Last),
    ("mustAppend", "append", At(0)),
    ("mustPrepend", "prepend", At(0)),
    ("concat", "concat", At(0)),
    ("mustCompact", "compact", Last),
    ("mustWithout", "without", At(0)),
    ("mustHas", "has", Last),
    ("mustChunk", "chunk", Last),
    ("until", "until", Last),
    ("untilStep", "until_step", No),
    // Maps.
    ("set", "set", At(0)),
    ("unset", "unset", At(0)),
    ("hasKey", "has_key", At(0)),
    ("pluck", "pluck", No),
    ("keys", "keys", Last),
    ("values", "values", FilterOnly),
    ("pick", "pick", At(0)),
    ("omit", "omit", At(0)),
    ("dig", "dig", Last),
    ("mustMerge", "merge", At(0)),
    ("mustMergeOverwrite", "merge_overwrite", At(0)),
    // Choices.
    ("empty", "empty", Last),
    ("coalesce", "coalesce", No),
    ("all", "all", No),
    ("any", "any", No),
    ("ternary", "ternary", Last),
    // Numbers.
    ("floor", "floor", Last),
    ("ceil", "ceil", Last),
    ("toDecimal", "to_decimal", Last),
    ("randInt", "rand_int", No),
    // Versions.
    ("semver", "semver", Last),
    ("semverCompare", "semver_compare", Last),
    // Dates.
    ("now", "now", No),
    ("date", "date", Last),
    ("dateInZone", "date_in_zone", At(1)),
    ("htmlDate", "html_date", Last),
    ("htmlDateInZone", "html_date_in_zone", At(0)),
    ("mustToDate", "to_date", Last),
    ("mustDateModify", "date_modify", Last),
    ("ago", "ago", Last),
    ("unixEpoch", "unix_epoch", Last),
    ("duration", "duration", Last),
    ("durationRound", "duration_round", Last),
    ("mustToDuration", "to_duration", Last),
    ("durationNanoseconds", "duration_nanoseconds", Last),
    ("durationMicroseconds", "duration_microseconds", Last),
    ("durationMilliseconds", "duration_milliseconds", Last),
    ("durationSeconds", "duration_seconds", Last),
    ("durationMinutes", "duration_minutes", Last),
    ("durationHours", "duration_hours", Last),
    ("durationDays", "duration_days", Last),
    ("durationWeeks", "duration_weeks", Last),
    ("durationRoundTo", "duration_round_to", At(0)),
    ("durationTruncateTo", "duration_truncate_to", At(0)),
    // Encodings.
    ("b64enc", "b64encode", Last),
    ("b64dec", "b64decode", Last),
    ("b32enc", "b32encode", Last),
    ("b32dec", "b32decode", Last),
    ("mustToPrettyJson", "to_pretty_json", Last),
    ("mustToRawJson", "to_raw_json", Last),
    ("mustToToml", "totoml", Last),
    ("fromToml", "fromtoml", Last),
    // Hashes, keys and certificates.
    ("sha1sum", "sha1sum", Last),
    ("sha256sum", "sha256sum", Last),
    ("sha512sum", "sha512sum", Last),
    ("adler32sum", "adler32sum", Last),
    ("htpasswd", "htpasswd", No),
    ("bcrypt", "bcrypt", Last),
    ("derivePassword", "derive_password", No),
    ("genPrivateKey", "gen_private_key", No),
    ("genCA", "gen_ca", No),
    ("genCAWithKey", "gen_ca_with_key", No),
    ("genSelfSignedCert", "gen_self_signed_cert", No),
    ("genSelfSignedCertWithKey", "gen_self_signed_cert_with_key", No),
    ("genSignedCert", "gen_signed_cert", No),
    ("genSignedCertWithKey", "gen_signed_cert_with_key", No),
    ("buildCustomCert", "build_custom_cert", No),
    ("encryptAES", "encrypt_aes", Last),
    ("decryptAES", "decrypt_aes", Last),
    ("randBytes", "rand_bytes", No),
    ("randAlphaNum", "rand_alpha_num", No),
    ("randAlpha", "rand_alpha", No),
    ("randAscii", "rand_ascii", No),
    ("randNumeric", "rand_numeric", No),
    ("uuidv4", "uuid", No),
    // Paths, addresses, the cluster.
    ("base", "base", Last),
    ("dir", "dir", Last),
    ("ext", "ext", Last),
    ("clean", "clean", Last),
    ("isAbs", "is_abs", Last),
    ("urlParse", "url_parse", Last),
    ("urlJoin", "url_join", Last),
    ("getHostByName", "get_host_by_name", Last),
    ("lookup", "lookup", No),
];

/// Functions that are written here, in `filters` and `calls`, because Jinja's differ.
const OWN: &[(&str, &str)] = &[
    ("quote", "quote"),
    ("squote", "squote"),
    ("indent", "indent"),
    ("nindent", "nindent"),
    ("toString", "string"),
    ("join", "join"),
    ("toYaml", "toyaml"),
    ("toYamlPretty", "toyaml"),
    ("fromYaml", "fromyaml"),
    ("fromYamlArray", "fromyaml"),
    ("toJson", "tojson"),
    ("fromJson", "fromjson"),
    ("fromJsonArray", "fromjson"),
    ("required", "required"),
    ("fail", "fail"),
    ("tpl", "tpl"),
    ("include", "include"),
];

/// Functions that may be given what is undefined.
const TOLERANT: &[&str] = &["empty", "coalesce", "all", "any", "ternary"];

/// Go functions without a Jinja name, and what to write instead.
const LEFT_OUT: &[(&str, &str)] = &[
    ("hello", "nothing"),
    ("and", "`a and b`"),
    ("or", "`a or b`"),
    ("not", "`not a`"),
    ("eq", "`a == b`"),
    ("ne", "`a != b`"),
    ("lt", "`a < b`"),
    ("le", "`a <= b`"),
    ("gt", "`a > b`"),
    ("ge", "`a >= b`"),
    ("index", "`list[0]`"),
    ("len", "`length`"),
    ("print", "text side by side"),
    ("println", "text side by side"),
    ("printf", "`\"%s\"|format(value)`, or text side by side"),
    ("urlquery", "`urlencode`"),
    ("date_in_zone", "`date_in_zone`"),
    ("date_modify", "`date_modify`"),
    ("must_date_modify", "`date_modify`"),
    ("trim", "minijinja's `trim`"),
    ("trimall", "`trim_all`"),
    ("upper", "minijinja's `upper`"),
    ("lower", "minijinja's `lower`"),
    ("title", "minijinja's `title`"),
    ("replace", "minijinja's `replace(old, new)`"),
    ("split", "`split(separator)`, a list"),
    ("splitn", "`split(separator, count)`"),
    ("splitList", "`split(separator)`"),
    ("list", "`[a, b]`"),
    ("tuple", "`(a, b)`"),
    ("first", "minijinja's `first`"),
    ("last", "minijinja's `last`"),
    ("push", "`append`"),
    ("reverse", "minijinja's `reverse`"),
    ("uniq", "`unique`"),
    ("slice", "`list[from:to]`"),
    ("seq", "`range`"),
    ("dict", "`{'key': value}` or `dict(key=value)`"),
    ("get", "`map[key]`, `map.key|default('')`"),
    ("deepCopy", "values never change"),
    ("deepEqual", "`==`"),
    ("default", "minijinja's `default`; `default(value, true)` also replaces what is empty"),
    ("add", "`a + b`"),
    ("add1", "`a + 1`"),
    ("sub", "`a - b`"),
    ("mul", "`a * b`"),
    ("div", "`a // b`"),
    ("mod", "`a % b`"),
    ("max", "`[a, b]|max`"),
    ("biggest", "`[a, b]|max`"),
    ("min", "`[a, b]|min`"),
    ("addf", "`a + b`"),
    ("add1f", "`a + 1`"),
    ("subf", "`a - b`"),
    ("mulf", "`a * b`"),
    ("divf", "`a / b`"),
    ("maxf", "`[a, b]|max`"),
    ("minf", "`[a, b]|min`"),
    ("round", "minijinja's `round(digits)`"),
    ("int", "minijinja's `int`"),
    ("int64", "`int`"),
    ("float64", "`float`"),
    ("atoi", "`int`"),
    ("typeOf", "tests: `is string`, `is number`, `is mapping`, `is sequence`, `is boolean`, `is none`"),
    ("typeIs", "tests, see `typeOf`"),
    ("typeIsLike", "tests, see `typeOf`"),
    ("kindOf", "tests, see `typeOf`"),
    ("kindIs", "tests, see `typeOf`"),
    ("osBase", "`base`"),
    ("osDir", "`dir`"),
    ("osExt", "`ext`"),
    ("osClean", "`clean`"),
    ("osIsAbs", "`is_abs`"),
];

/// What became of a Go function: its Jinja name, or what to write instead.
pub fn jinja_name(go: &str) -> Result<&'static str, &'static str> {
    let plain = go.strip_prefix("must").map(|rest| {
        let mut chars = rest.chars();
        chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect::<String>()
    });
    let must = {
        let mut chars = go.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        format!("must{first}{}", chars.as_str())
    };
    if let Some((_, name, _)) = FUNCTIONS.iter().find(|(other, name, _)| *other == go || *other == must || *name == go)
    {
        return Ok(name);
    }
    if let Some((_, name)) = OWN.iter().find(|(other, _)| *other == go) {
        return Ok(name);
    }
    if let Some((_, instead)) = LEFT_OUT.iter().find(|(other, _)| *other == go) {
        return Err(instead);
    }
    match plain {
        Some(plain) => jinja_name(&plain),
        None => Err(""),
    }
}

/// The Jinja names of Helm's functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(_, name, _)| *name).chain(OWN.iter().map(|(_, name)| *name))
}

pub(super) fn register(env: &mut Environment<'static>, runtime: &Arc<Runtime>) {
    for &(go, name, subject) in FUNCTIONS {
        let Some(function) = funcs::lookup(go) else { continue };
        if subject != No {
            let with = Arc::clone(runtime);
            env.add_filter(name, move |state: &mut State<'_, '_>, arguments: Rest<Value>| {
                call(&with, state, function, name, order(function, subject, arguments.0))
            });
        }
        if subject == FilterOnly {
            continue;
        }
        let with = Arc::clone(runtime);
        env.add_function(name, move |state: &mut State<'_, '_>, arguments: Rest<Value>| {
            call(&with, state, function, name, arguments.0)
        });
    }
}

/// A filter's arguments in Go's order.
fn order(function: &Function, subject: Subject, mut arguments: Vec<Value>) -> Vec<Value> {
    if arguments.is_empty() {
        return arguments;
    }
    let piped = arguments.remove(0);
    match subject {
        At(index) => {
            // The count of `regex_find_all` and `regex_split` is all of them unless it is given.
            if index == 1 && arguments.len() == 1 && function.params.get(2) == Some(&Type::Int) {
                arguments.push(Value::from(-1));
            }
            arguments.insert(index.min(arguments.len()), piped);
        }
        Last | FilterOnly | No => arguments.push(piped),
    }
    arguments
}

/// Calls a Go function with Jinja values.
fn call(
    runtime: &Runtime,
    state: &State<'_, '_>,
    function: &Function,
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    if arguments.last().is_some_and(Value::is_kwargs) {
        return Err(Issue::new(format!("`{name}` takes no named arguments")).hint(signature(function, name)).error());
    }
    let least = function.params.len() - usize::from(function.variadic);
    if arguments.len() < least || (!function.variadic && arguments.len() > least) {
        let wanted = format!("{}{}", if function.variadic { "at least " } else { "" }, least);
        let message = format!("`{name}` takes {wanted} arguments, but {} were given", arguments.len());
        return Err(Issue::new(message).hint(signature(function, name)).error());
    }
    if !TOLERANT.contains(&name)
        && let Some(undefined) = arguments.iter().find(|argument| argument.is_undefined())
    {
        undefined.get_attr("")?;
    }
    runtime.guard_all(state, &arguments)?;
    let mut converted = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let kind = function.params.get(index).or(function.params.last()).copied().unwrap_or(Type::Any);
        let value = to_go(argument)?;
        converted.push(fit(value, kind).map_err(|value| {
            let message =
                format!("`{name}` expects {} as argument {}, found {}", type_name(kind), index + 1, found(&value));
            Issue::new(message).hint(signature(function, name)).error()
        })?);
    }
    let result = runtime.with_env(state, |env| checked(function, name, env, &converted))?;
    match result {
        Ok(value) => Ok(from_go(&value)),
        Err(funcs::Error::Message(message)) => Err(Issue::new(format!("`{name}`: {message}")).error()),
        Err(_) => Err(limit(format!("`{name}` takes too many steps or too much memory"))),
    }
}

/// Calls a function. Some of Helm's give an error's text as their result: that is an error here.
fn checked(function: &Function, name: &str, env: &mut Env<'_>, arguments: &[Go]) -> Result<Go, funcs::Error> {
    let result = function.invoke(env, arguments)?;
    let encoder = match name {
        "b64decode" => "b64enc",
        "b32decode" => "b32enc",
        "fromtoml" => {
            let error = result.as_map().filter(|map| map.len() == 1).and_then(|map| map.get("Error"));
            let is_error = error.as_ref().filter(|_| arguments[0].as_str().is_none_or(|text| !text.contains("Error")));
            return match is_error.and_then(Go::as_str) {
                Some(message) => Err(funcs::Error::Message(message.to_owned())),
                None => Ok(result),
            };
        }
        _ => return Ok(result),
    };
    let Some(encoder) = funcs::lookup(encoder) else { return Ok(result) };
    let again = encoder.invoke(env, std::slice::from_ref(&result))?;
    let bare = |text: &Go| text.as_str().unwrap_or_default().replace(['\n', '\r', '='], "");
    match arguments.first().is_some_and(|text| bare(text) == bare(&again)) {
        true => Ok(result),
        false => Err("the text is not in this encoding".into()),
    }
}

/// A value as the type that a parameter has.
fn fit(value: Go, kind: Type) -> Result<Go, Go> {
    Ok(match (kind, value) {
        (Type::Int, Go::Int64(number)) => Go::Int(number),
        (Type::Int, Go::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => Go::Int(number as i64),
        (Type::Int64, value @ Go::Int64(_)) => value,
        (Type::Int64, Go::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => Go::Int64(number as i64),
        (Type::Float64, Go::Int64(number)) => Go::Float(number as f64),
        (Type::Float64, value @ Go::Float(_)) => value,
        (Type::Str, value @ Go::Str(_)) => value,
        (Type::Str, Go::Int64(number)) => Go::from(number.to_string()),
        (Type::Bool, value @ Go::Bool(_)) => value,
        (Type::Map, value @ Go::Map(_)) => value,
        (Type::List, value @ Go::List(_)) => value,
        (Type::Strings, Go::List(list)) if list.items().iter().all(|item| matches!(item, Go::Str(_))) => {
            Go::List(List::with(ListKind::Str, Some(list.items().to_vec()), 0))
        }
        (Type::Object(wanted), Go::Object(object)) if object.type_name() == wanted => Go::Object(object),
        (Type::Any, value) => value,
        (Type::Uint32, Go::Int64(number)) if u32::try_from(number).is_ok() => Go::Int64(number),
        (_, value) => return Err(value),
    })
}

fn type_name(kind: Type) -> String {
    match kind {
        Type::Any => "a value".to_owned(),
        Type::Str => "a string".to_owned(),
        Type::Int | Type::Int64 | Type::Uint32 => "a whole number".to_owned(),
        Type::Float64 => "a number".to_owned(),
        Type::Bool => "a boolean".to_owned(),
        Type::Map => "a map".to_owned(),
        Type::List => "a list".to_owned(),
        Type::Strings => "a list of strings".to_owned(),
        Type::Object(name) => format!("a `{}`", name.trim_start_matches('*')),
    }
}

fn found(value: &Go) -> &'static str {
    match value {
        Go::Nil => "null",
        Go::Bool(_) => "a boolean",
        Go::Int(_) | Go::Int64(_) | Go::Uint(_) | Go::Byte(_) => "a whole number",
        Go::Float(_) => "a number",
        Go::Str(_) => "a string",
        Go::Bytes(_) => "binary data",
        Go::List(_) => "a list",
        Go::Map(_) => "a map",
        Go::Object(_) => "an object",
    }
}

fn signature(function: &Function, name: &str) -> String {
    let mut types: Vec<String> = function.params.iter().map(|kind| type_name(*kind)).collect();
    if function.variadic
        && let Some(last) = types.last_mut()
    {
        last.push_str(" …");
    }
    let subject = FUNCTIONS.iter().find(|(_, other, _)| *other == name).map(|(_, _, subject)| *subject);
    let all = format!("`{name}` is called as `{name}({})`", types.join(", "));
    let index = match subject {
        Some(Last | FilterOnly) => types.len().checked_sub(1),
        Some(At(index)) => Some(index),
        _ => None,
    };
    match index.filter(|&index| index < types.len()) {
        Some(index) => {
            let piped = types.remove(index);
            format!("{all} or `{piped}|{name}({})`", types.join(", "))
        }
        None => all,
    }
}

/// Whether a value counts as given for `required`.
pub(super) fn is_given(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => false,
        ValueKind::String => value.is_true(),
        _ => true,
    }
}
