//! Functions that the API server adds to CEL: quantities, URLs, addresses, versions, formats, sets and lists.
//!
//! Source: the packages `k8s.io/apiserver/pkg/cel/library` and `cel-go/ext` as their documentation describes them.
//! A function is declared for the types of its arguments, so those of the same name live side by side.

use super::{address, format, url::Url};
use crate::regexp::Pattern;
use crate::schema::{names, scalar};
use address::{Cidr, Ip};
use cel::common::functions::Function;
use cel::common::types::{BOOL_TYPE, DYN_TYPE, INT_TYPE, LIST_TYPE, STRING_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::objects::{Key, Opaque, OptionalValue};
use cel::{DeclarationError, Env, ExecutionError, Value};
use semver::Version;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

type Result<T> = std::result::Result<T, ExecutionError>;

const QUANTITY: &str = "kubernetes.Quantity";
const URL: &str = "kubernetes.URL";
const SEMVER: &str = "kubernetes.Semver";
const FORMAT: &str = "kubernetes.NamedFormat";
const IP: &str = "net.IP";
const CIDR: &str = "net.CIDR";

/// A value of one of the server's own types.
#[derive(Debug, PartialEq)]
struct Own<T>(&'static str, T);

impl<T: PartialEq> Eq for Own<T> {}

impl<T: std::fmt::Debug + PartialEq + Send + Sync + 'static> Opaque for Own<T> {
    fn runtime_type_name(&self) -> &str {
        self.0
    }
}

fn own<T: std::fmt::Debug + PartialEq + Send + Sync + 'static>(name: &'static str, value: T) -> Value {
    Value::Opaque(Arc::new(Own(name, value)))
}

fn failed<T>(function: &str, why: &str) -> Result<T> {
    Err(ExecutionError::function_error(function, why))
}

/// The value of an argument that is of one of the server's own types.
fn inner<T: 'static>(value: &Value) -> Result<&T> {
    match value {
        Value::Opaque(opaque) => match opaque.downcast_ref::<Own<T>>() {
            Some(own) => Ok(&own.1),
            None => failed("call", "another type"),
        },
        _ => failed("call", "another type"),
    }
}

fn text(value: &Value) -> Result<&str> {
    match value {
        Value::String(text) => Ok(text),
        _ => failed("call", "no string"),
    }
}

fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => failed("call", "no integer"),
    }
}

fn list(value: &Value) -> Result<&[Value]> {
    match value {
        Value::List(items) => Ok(items),
        _ => failed("call", "no list"),
    }
}

fn string(text: impl Into<String>) -> Value {
    Value::String(Arc::new(text.into()))
}

fn order(ordering: Ordering) -> Value {
    Value::Int(ordering as i64)
}

fn some(value: Option<Value>) -> Value {
    Value::Opaque(Arc::new(value.map_or_else(OptionalValue::none, OptionalValue::of)))
}

/// A function of values as one of an environment.
macro_rules! op {
    (|$args:ident| $body:expr) => {{
        fn call<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>> {
            let $args = args.iter().map(|arg| Value::try_from(arg.as_ref())).collect::<Result<Vec<Value>>>()?;
            let result: Result<Value> = $body;
            let value: Box<dyn Val> = result?.try_into()?;
            Ok(CowVal::Owned(value))
        }
        call as Function
    }};
}

/// Adds functions to an environment.
struct Library<'e>(&'e mut Env);

impl Library<'_> {
    /// A function that is called by its name; the types are those of its arguments.
    fn global(&mut self, name: &str, types: &[&Type], call: Function) -> std::result::Result<(), DeclarationError> {
        self.0.add_overload(name, &id(name, types), types.iter().map(|it| copy(it)).collect(), call)
    }

    /// A function of a value; the first type is that of the value.
    fn member(&mut self, name: &str, types: &[&Type], call: Function) -> std::result::Result<(), DeclarationError> {
        let arguments = types[1..].iter().map(|it| copy(it)).collect();
        self.0.add_member_overload(name, &format!("member {}", id(name, types)), copy(types[0]), arguments, call)
    }
}

fn id(name: &str, types: &[&Type]) -> String {
    let types: Vec<&str> = types.iter().map(|it| it.name()).collect();
    format!("kubernetes {name}({})", types.join(","))
}

fn copy(of: &Type) -> Type {
    [BOOL_TYPE, DYN_TYPE, INT_TYPE, LIST_TYPE, STRING_TYPE]
        .into_iter()
        .find(|known| known == of)
        .unwrap_or_else(|| Type::new_opaque_type(of.name().to_owned()))
}

/// Adds all of them.
pub(super) fn extension(env: &mut Env) -> std::result::Result<(), DeclarationError> {
    let mut library = Library(env);
    quantities(&mut library)?;
    urls(&mut library)?;
    addresses(&mut library)?;
    versions(&mut library)?;
    formats(&mut library)?;
    lists(&mut library)?;
    patterns(&mut library)?;
    pairs(&mut library)
}

fn quantities(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    let quantity = &Type::new_opaque_type(QUANTITY);
    library.global(
        "isQuantity",
        &[&STRING_TYPE],
        op!(|a| Ok(scalar::quantity_value(text(&a[0])?).is_some().into())),
    )?;
    library.global(
        "quantity",
        &[&STRING_TYPE],
        op!(|a| match scalar::quantity_value(text(&a[0])?) {
            Some(number) => Ok(own(QUANTITY, number)),
            None => failed("quantity", "no quantity"),
        }),
    )?;
    let two = &[quantity, quantity];
    library.member("isGreaterThan", two, op!(|a| Ok((inner::<f64>(&a[0])? > inner::<f64>(&a[1])?).into())))?;
    library.member("isLessThan", two, op!(|a| Ok((inner::<f64>(&a[0])? < inner::<f64>(&a[1])?).into())))?;
    library.member("compareTo", two, op!(|a| Ok(order(inner::<f64>(&a[0])?.total_cmp(inner::<f64>(&a[1])?)))))?;
    library.member("add", two, op!(|a| Ok(own(QUANTITY, inner::<f64>(&a[0])? + inner::<f64>(&a[1])?))))?;
    library.member("sub", two, op!(|a| Ok(own(QUANTITY, inner::<f64>(&a[0])? - inner::<f64>(&a[1])?))))?;
    let mixed = &[quantity, &INT_TYPE];
    library.member("add", mixed, op!(|a| Ok(own(QUANTITY, inner::<f64>(&a[0])? + int(&a[1])? as f64))))?;
    library.member("sub", mixed, op!(|a| Ok(own(QUANTITY, inner::<f64>(&a[0])? - int(&a[1])? as f64))))?;
    let one = &[quantity];
    let sign = op!(|a| {
        let number = *inner::<f64>(&a[0])?;
        Ok(order(number.partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
    });
    library.member("sign", one, sign)?;
    library.global("sign", one, sign)?;
    library.member("isInteger", one, op!(|a| Ok((inner::<f64>(&a[0])?.fract() == 0.0).into())))?;
    library.member(
        "asInteger",
        one,
        op!(|a| match *inner::<f64>(&a[0])? {
            number if number.fract() == 0.0 && number.abs() < 9e18 => Ok(Value::Int(number as i64)),
            _ => failed("asInteger", "no whole number"),
        }),
    )?;
    library.member("asApproximateFloat", one, op!(|a| Ok(Value::Float(*inner::<f64>(&a[0])?))))
}

fn urls(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    let url = &[&Type::new_opaque_type(URL)];
    library.global("isURL", &[&STRING_TYPE], op!(|a| Ok(format::fault("uri", text(&a[0])?).is_none().into())))?;
    library.global(
        "url",
        &[&STRING_TYPE],
        op!(|a| match format::fault("uri", text(&a[0])?) {
            None => Ok(own(URL, Url::new(text(&a[0])?))),
            Some(_) => failed("url", "no URL"),
        }),
    )?;
    library.member("getScheme", url, op!(|a| Ok(string(inner::<Url>(&a[0])?.scheme()))))?;
    library.member("getHost", url, op!(|a| Ok(string(inner::<Url>(&a[0])?.host()))))?;
    library.member("getHostname", url, op!(|a| Ok(string(inner::<Url>(&a[0])?.host_name()))))?;
    library.member("getPort", url, op!(|a| Ok(string(inner::<Url>(&a[0])?.port()))))?;
    library.member("getEscapedPath", url, op!(|a| Ok(string(inner::<Url>(&a[0])?.path()))))?;
    library.member(
        "getQuery",
        url,
        op!(|a| {
            let mut all: HashMap<Key, Vec<Value>> = HashMap::new();
            for (name, value) in inner::<Url>(&a[0])?.query() {
                all.entry(Key::from(name)).or_default().push(string(value));
            }
            let all: HashMap<Key, Value> =
                all.into_iter().map(|(name, values)| (name, Value::List(Arc::new(values)))).collect();
            Ok(Value::Map(all.into()))
        }),
    )
}

fn addresses(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    let (ip, cidr) = (&Type::new_opaque_type(IP), &Type::new_opaque_type(CIDR));
    library.global("isIP", &[&STRING_TYPE], op!(|a| Ok(Ip::parse(text(&a[0])?).is_some().into())))?;
    library.global("isCIDR", &[&STRING_TYPE], op!(|a| Ok(Cidr::parse(text(&a[0])?).is_some().into())))?;
    fn address(text: &str) -> Result<Ip> {
        Ip::parse(text).map_or_else(|| failed("ip", "no IP address"), Ok)
    }
    fn range(text: &str) -> Result<Cidr> {
        Cidr::parse(text).map_or_else(|| failed("cidr", "no range of addresses"), Ok)
    }
    library.global("ip", &[&STRING_TYPE], op!(|a| Ok(own(IP, address(text(&a[0])?)?))))?;
    library.global("cidr", &[&STRING_TYPE], op!(|a| Ok(own(CIDR, range(text(&a[0])?)?))))?;
    library.global(
        "ip.isCanonical",
        &[&STRING_TYPE],
        op!(|a| Ok((address(text(&a[0])?)?.to_string() == text(&a[0])?).into())),
    )?;
    library.global("string", &[ip], op!(|a| Ok(string(inner::<Ip>(&a[0])?.to_string()))))?;
    library.global("string", &[cidr], op!(|a| Ok(string(inner::<Cidr>(&a[0])?.to_string()))))?;
    library.member("family", &[ip], op!(|a| Ok(Value::Int(inner::<Ip>(&a[0])?.family()))))?;
    library.member("isUnspecified", &[ip], op!(|a| Ok(inner::<Ip>(&a[0])?.is_unspecified().into())))?;
    library.member("isLoopback", &[ip], op!(|a| Ok(inner::<Ip>(&a[0])?.is_loopback().into())))?;
    library.member("isLinkLocalMulticast", &[ip], op!(|a| Ok(inner::<Ip>(&a[0])?.is_link_local_multicast().into())))?;
    library.member("isLinkLocalUnicast", &[ip], op!(|a| Ok(inner::<Ip>(&a[0])?.is_link_local_unicast().into())))?;
    library.member("isGlobalUnicast", &[ip], op!(|a| Ok(inner::<Ip>(&a[0])?.is_global_unicast().into())))?;
    library.member(
        "containsIP",
        &[cidr, &STRING_TYPE],
        op!(|a| Ok(inner::<Cidr>(&a[0])?.contains(&address(text(&a[1])?)?).into())),
    )?;
    library.member("containsIP", &[cidr, ip], op!(|a| Ok(inner::<Cidr>(&a[0])?.contains(inner(&a[1])?).into())))?;
    library.member(
        "containsCIDR",
        &[cidr, &STRING_TYPE],
        op!(|a| Ok(inner::<Cidr>(&a[0])?.contains_range(&range(text(&a[1])?)?).into())),
    )?;
    library.member(
        "containsCIDR",
        &[cidr, cidr],
        op!(|a| Ok(inner::<Cidr>(&a[0])?.contains_range(inner(&a[1])?).into())),
    )?;
    library.member("ip", &[cidr], op!(|a| Ok(own(IP, inner::<Cidr>(&a[0])?.address()))))?;
    library.member("prefixLength", &[cidr], op!(|a| Ok(Value::Int(inner::<Cidr>(&a[0])?.length()))))?;
    library.member("masked", &[cidr], op!(|a| Ok(own(CIDR, inner::<Cidr>(&a[0])?.masked()))))
}

/// A version, with what is missing or superfluous in it made good where that is asked for.
fn version(text: &str, normalize: bool) -> Option<Version> {
    if !normalize {
        return Version::parse(text).ok();
    }
    let text = text.trim().trim_start_matches('v');
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            part => part,
        })
        .collect();
    parts.resize(parts.len().max(3), "0");
    Version::parse(&format!("{}{rest}", parts.join("."))).ok()
}

fn versions(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    let semver = &Type::new_opaque_type(SEMVER);
    fn flag(a: &[Value]) -> bool {
        matches!(a.get(1), Some(Value::Bool(true)))
    }
    let is = op!(|a| Ok(version(text(&a[0])?, flag(&a)).is_some().into()));
    let new = op!(|a| match version(text(&a[0])?, flag(&a)) {
        Some(version) => Ok(own(SEMVER, version)),
        None => failed("semver", "no version"),
    });
    for types in [&[&STRING_TYPE][..], &[&STRING_TYPE, &BOOL_TYPE]] {
        library.global("isSemver", types, is)?;
        library.global("semver", types, new)?;
    }
    fn compare(a: &[Value]) -> Result<Ordering> {
        Ok(inner::<Version>(&a[0])?.cmp_precedence(inner::<Version>(&a[1])?))
    }
    library.member("isGreaterThan", &[semver, semver], op!(|a| Ok(compare(&a)?.is_gt().into())))?;
    library.member("isLessThan", &[semver, semver], op!(|a| Ok(compare(&a)?.is_lt().into())))?;
    library.member("compareTo", &[semver, semver], op!(|a| Ok(order(compare(&a)?))))?;
    library.member("major", &[semver], op!(|a| Ok(Value::Int(inner::<Version>(&a[0])?.major as i64))))?;
    library.member("minor", &[semver], op!(|a| Ok(Value::Int(inner::<Version>(&a[0])?.minor as i64))))?;
    library.member("patch", &[semver], op!(|a| Ok(Value::Int(inner::<Version>(&a[0])?.patch as i64))))
}

/// The formats that `format.named` knows.
const FORMATS: &[&str] = &[
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

/// What is wrong with a text in one of the formats.
fn format_fault(name: &str, text: &str) -> Option<String> {
    // A prefix is what a generated name starts with, which may end in a dash.
    let trimmed = text.strip_suffix('-').unwrap_or(text);
    match name {
        "dns1123Label" => names::dns_label(text),
        "dns1123Subdomain" => names::dns_subdomain(text),
        "dns1035Label" => names::dns_1035_label(text),
        "dns1123LabelPrefix" => names::dns_label(trimmed),
        "dns1123SubdomainPrefix" => names::dns_subdomain(trimmed),
        "dns1035LabelPrefix" => names::dns_1035_label(trimmed),
        "qualifiedName" => names::qualified(text),
        "labelValue" => names::label_value(text),
        _ => format::fault(name, text).map(Into::into),
    }
    .map(|fault| fault.into_owned())
}

fn formats(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    macro_rules! formats {
        ($($name:literal)*) => {
            $(library.global(concat!("format.", $name), &[], op!(|_a| Ok(own(FORMAT, $name))))?;)*
        };
    }
    formats!("dns1123Label" "dns1123Subdomain" "dns1035Label" "qualifiedName" "dns1123LabelPrefix"
        "dns1123SubdomainPrefix" "dns1035LabelPrefix" "labelValue" "uri" "uuid" "byte" "date" "datetime");
    let named = op!(|a| {
        let name = text(&a[0])?;
        Ok(some(FORMATS.iter().find(|known| **known == name).map(|known| own(FORMAT, *known))))
    });
    library.global("format.named", &[&STRING_TYPE], named)?;
    let validate = op!(|a| {
        let fault = format_fault(inner::<&'static str>(&a[0])?, text(&a[1])?);
        Ok(some(fault.map(|fault| Value::List(Arc::new(vec![string(fault)])))))
    });
    library.member("validate", &[&Type::new_opaque_type(FORMAT), &STRING_TYPE], validate)
}

fn best(list: &[Value], wanted: Ordering) -> Result<Value> {
    let better = |a: &Value, b: &Value| a.partial_cmp(b) == Some(wanted);
    let found = list.iter().reduce(|best, item| if better(item, best) { item } else { best });
    found.cloned().map_or_else(|| failed("min", "the list is empty"), Ok)
}

fn sum(list: &[Value]) -> Result<Value> {
    let whole = |item: &Value| if let Value::Int(number) = item { Some(*number) } else { None };
    let float = |item: &Value| if let Value::Float(number) = item { Some(*number) } else { None };
    let ints = list.iter().map(whole).try_fold(0i64, |sum, number| sum.checked_add(number?));
    let floats = || list.iter().map(float).sum::<Option<f64>>();
    let durations = || {
        let duration = |item: &Value| if let Value::Duration(duration) = item { Some(*duration) } else { None };
        list.iter().map(duration).try_fold(chrono::TimeDelta::zero(), |sum, next| sum.checked_add(&next?))
    };
    let sum = ints.map(Value::Int).or_else(|| floats().map(Value::Float)).or_else(|| durations().map(Value::Duration));
    sum.map_or_else(|| failed("sum", "not a list of numbers"), Ok)
}

fn lists(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    let one = &[&LIST_TYPE];
    library.member("isSorted", one, op!(|a| Ok(list(&a[0])?.is_sorted().into())))?;
    library.member("min", one, op!(|a| best(list(&a[0])?, Ordering::Less)))?;
    library.member("max", one, op!(|a| best(list(&a[0])?, Ordering::Greater)))?;
    library.member("sum", one, op!(|a| sum(list(&a[0])?)))?;
    fn at(position: Option<usize>) -> Value {
        Value::Int(position.map_or(-1, |at| at as i64))
    }
    let with = &[&LIST_TYPE, &DYN_TYPE];
    library.member("indexOf", with, op!(|a| Ok(at(list(&a[0])?.iter().position(|it| *it == a[1])))))?;
    library.member("lastIndexOf", with, op!(|a| Ok(at(list(&a[0])?.iter().rposition(|it| *it == a[1])))))?;
    fn within(all: &[Value], some: &[Value]) -> bool {
        some.iter().all(|item| all.contains(item))
    }
    let two = &[&LIST_TYPE, &LIST_TYPE];
    library.global("sets.contains", two, op!(|a| Ok(within(list(&a[0])?, list(&a[1])?).into())))?;
    library.global(
        "sets.equivalent",
        two,
        op!(|a| {
            let (a, b) = (list(&a[0])?, list(&a[1])?);
            Ok((within(a, b) && within(b, a)).into())
        }),
    )?;
    library.global(
        "sets.intersects",
        two,
        op!(|a| {
            let (a, b) = (list(&a[0])?, list(&a[1])?);
            Ok(a.iter().any(|item| b.contains(item)).into())
        }),
    )
}

fn patterns(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    fn failed(error: String) -> ExecutionError {
        ExecutionError::function_error("find", error)
    }
    library.member(
        "find",
        &[&STRING_TYPE, &STRING_TYPE],
        op!(|a| {
            let pattern = Pattern::new(text(&a[1])?).map_err(failed)?;
            Ok(string(pattern.find(text(&a[0])?).map_err(failed)?.unwrap_or_default()))
        }),
    )?;
    let all = op!(|a| {
        let pattern = Pattern::new(text(&a[1])?).map_err(failed)?;
        let most = a.get(2).map(int).transpose()?.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let text = text(&a[0])?;
        let found = pattern.on(text).map_err(failed)?.find_iter(text).take(most);
        Ok(Value::List(Arc::new(found.map(|found| string(&text[found.range()])).collect())))
    });
    library.member("findAll", &[&STRING_TYPE, &STRING_TYPE], all)?;
    library.member("findAll", &[&STRING_TYPE, &STRING_TYPE, &INT_TYPE], all)
}

/// What the macros with two variables are made of: see [`super::macros`].
fn pairs(library: &mut Library<'_>) -> std::result::Result<(), DeclarationError> {
    fn pair(a: Value, b: Value) -> Value {
        Value::List(Arc::new(vec![a, b]))
    }
    let split = op!(|a| {
        let pairs = match &a[0] {
            Value::List(items) => {
                let numbered = items.iter().enumerate();
                numbered.map(|(at, item)| pair(Value::Int(at as i64), item.clone())).collect()
            }
            Value::Map(map) => map.map.iter().map(|(key, value)| pair(key.into(), value.clone())).collect(),
            _ => return failed("all", "neither a list nor a map"),
        };
        Ok(Value::List(Arc::new(pairs)))
    });
    library.global("@pairs", &[&DYN_TYPE], split)?;
    fn map_key(key: &Value) -> Result<Key> {
        match key {
            Value::Int(number) => Ok(Key::Int(*number)),
            Value::UInt(number) => Ok(Key::Uint(*number)),
            Value::Bool(is) => Ok(Key::Bool(*is)),
            Value::String(text) => Ok(Key::String(Arc::clone(text))),
            _ => failed("transformMap", "no key"),
        }
    }
    let join = op!(|a| {
        let mut map: HashMap<Key, Value> = HashMap::new();
        for item in list(&a[0])? {
            let entries: Vec<(Key, Value)> = match item {
                Value::Map(entry) => entry.map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
                pair => match list(pair)? {
                    [key, value] => vec![(map_key(key)?, value.clone())],
                    _ => return failed("transformMap", "no pair"),
                },
            };
            map.extend(entries);
        }
        Ok(Value::Map(map.into()))
    });
    library.global("@entries", &[&LIST_TYPE], join)
}
