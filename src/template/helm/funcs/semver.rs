//! Semantic versions.

use super::Type::Str;
use super::{Env, Error, Function, text};
use crate::template::helm::print::quote;
use crate::value::{Object, Signature, Value};
use crate::version::{self, Constraint, Version};
use semver::{BuildMetadata, Prerelease};
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Function] =
    &[Function::new("semver", &[Str], parse), Function::new("semverCompare", &[Str, Str], compare)];

fn parse(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let version = Version::parse(text(arguments, 0)).map_err(|error| error.to_string())?;
    Ok(Value::Object(Arc::new(Semver { version, pointer: true })))
}

fn compare(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let constraint = Constraint::parse(text(arguments, 0)).map_err(|error| match error {
        version::Error::Improper(group) => format!("improper constraint: {}", quote(&group)),
        error => error.to_string(),
    })?;
    let version = Version::parse(text(arguments, 1)).map_err(|error| error.to_string())?;
    Ok(constraint.matches(&version).into())
}

/// `*semver.Version`, or the plain `semver.Version` that `IncMajor` and its like give, on which fewer methods work.
#[derive(Debug)]
struct Semver {
    version: Version,
    pointer: bool,
}

const POINTER: &str = "*semver.Version";
const PLAIN: &str = "semver.Version";

impl Semver {
    fn other(value: Option<&Value>) -> Option<&Version> {
        match value {
            Some(Value::Object(object)) => object.as_any().downcast_ref::<Semver>().map(|other| &other.version),
            _ => None,
        }
    }

    /// A changed version, spelt with a `v` if this one is.
    fn changed(&self, change: impl FnOnce(&mut semver::Version)) -> Value {
        let mut parts = self.version.parts().clone();
        change(&mut parts);
        let version = Version::from_parts(parts, self.version.original().starts_with('v'));
        Value::Object(Arc::new(Semver { version, pointer: false }))
    }

    fn next(parts: &mut semver::Version, major: u64, minor: u64, patch: u64) {
        *parts = semver::Version::new(major, minor, patch);
    }
}

impl Object for Semver {
    fn type_name(&self) -> Cow<'static, str> {
        if self.pointer { POINTER.into() } else { PLAIN.into() }
    }

    fn kind(&self) -> &'static str {
        if self.pointer { "ptr" } else { "struct" }
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let (params, results): (&[_], &[_]) = match name {
            "Compare" => (&[POINTER], &["int"]),
            "Equal" | "GreaterThan" | "GreaterThanEqual" | "LessThan" | "LessThanEqual" => (&[POINTER], &["bool"]),
            "SetMetadata" | "SetPrerelease" => (&["string"], &[PLAIN, "error"]),
            "IncMajor" | "IncMinor" | "IncPatch" => (&[], &[PLAIN]),
            "Major" | "Minor" | "Patch" => (&[], &["uint64"]),
            "Prerelease" | "Metadata" | "Original" | "String" => (&[], &["string"]),
            "MarshalText" | "MarshalJSON" => (&[], &["[]uint8", "error"]),
            "Value" => (&[], &["driver.Value", "error"]),
            _ => return None,
        };
        let needs_pointer = name == "Original" || params == [POINTER];
        (self.pointer || !needs_pointer).then_some(Signature { params, results })
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let version = &self.version;
        let parts = version.parts();
        let overflow = |part: &str| Err(format!("{part} version increment would overflow uint64"));
        let order = Semver::other(arguments.first()).map_or(std::cmp::Ordering::Equal, |other| version.cmp(other));
        let argument = arguments.first().and_then(Value::as_str).unwrap_or_default();
        let result = match name {
            "Major" => Ok(Value::Uint(parts.major)),
            "Minor" => Ok(Value::Uint(parts.minor)),
            "Patch" => Ok(Value::Uint(parts.patch)),
            "Prerelease" => Ok(parts.pre.as_str().into()),
            "Metadata" => Ok(parts.build.as_str().into()),
            "Original" => Ok(version.original().into()),
            "String" | "Value" => Ok(version.to_string().into()),
            "MarshalText" => Ok(Value::Bytes(version.to_string().into_bytes().into())),
            "MarshalJSON" => Ok(Value::Bytes(format!("\"{version}\"").into_bytes().into())),
            "Compare" => Ok(Value::Int(order as i64)),
            "Equal" => Ok(order.is_eq().into()),
            "GreaterThan" => Ok(order.is_gt().into()),
            "GreaterThanEqual" => Ok(order.is_ge().into()),
            "LessThan" => Ok(order.is_lt().into()),
            "LessThanEqual" => Ok(order.is_le().into()),
            "IncMajor" => match parts.major.checked_add(1) {
                Some(major) => Ok(self.changed(|parts| Semver::next(parts, major, 0, 0))),
                None => overflow("major"),
            },
            "IncMinor" => match parts.minor.checked_add(1) {
                Some(minor) => Ok(self.changed(|parts| Semver::next(parts, parts.major, minor, 0))),
                None => overflow("minor"),
            },
            "IncPatch" => match parts.patch.checked_add(u64::from(!version.is_prerelease())) {
                Some(patch) => Ok(self.changed(|parts| Semver::next(parts, parts.major, parts.minor, patch))),
                None => overflow("patch"),
            },
            "SetPrerelease" => match Prerelease::new(argument) {
                Ok(pre) => Ok(self.changed(|parts| parts.pre = pre)),
                Err(_) => Err(version::Error::Prerelease.to_string()),
            },
            "SetMetadata" => match BuildMetadata::new(argument) {
                Ok(build) => Ok(self.changed(|parts| parts.build = build)),
                Err(_) => Err(version::Error::Metadata.to_string()),
            },
            _ => return None,
        };
        Some(result)
    }

    fn display(&self) -> String {
        self.version.to_string()
    }

    fn public_copy(&self) -> Option<Value> {
        Some(Value::Object(Arc::new(Semver { version: Version::zero(), pointer: self.pointer })))
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        let parts = self.version.parts();
        Some(vec![
            ("major", Value::Uint(parts.major)),
            ("minor", Value::Uint(parts.minor)),
            ("patch", Value::Uint(parts.patch)),
            ("pre", parts.pre.as_str().into()),
            ("metadata", parts.build.as_str().into()),
            ("original", self.version.original().into()),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;
    use crate::template::helm::print::strval;

    fn version(text: &str) -> Semver {
        Semver { version: Version::parse(text).expect(text), pointer: true }
    }

    #[test]
    fn versions_are_compared() {
        assert_eq!(call("semver", &["v1.2".into()]), "1.2.0");
        assert_eq!(call("semver", &["x".into()]), "error: invalid semantic version");
        assert_eq!(call("semverCompare", &["^1".into(), "v1.2".into()]), "true");
        assert_eq!(call("semverCompare", &["é\n".into(), "1".into()]), "error: improper constraint: \"é\\n\"");
        assert_eq!(call("semverCompare", &["1".into(), "x".into()]), "error: invalid semantic version");
    }

    #[test]
    fn versions_have_methods() {
        let one = version("v1.2.3-a.1+b");
        for (name, expected) in [
            ("Major", "1"),
            ("Prerelease", "a.1"),
            ("Metadata", "b"),
            ("Original", "v1.2.3-a.1+b"),
            ("IncPatch", "1.2.3"),
            ("IncMinor", "1.3.0"),
            ("IncMajor", "2.0.0"),
        ] {
            let result = one.call(name, &[]).expect(name).expect(name);
            assert_eq!(strval(&result).expect("text"), expected, "{name}");
        }
        let two = Value::Object(Arc::new(version("1.2.3")));
        assert!(matches!(one.call("Compare", &[two]), Some(Ok(Value::Int(-1)))));
        let next = one.call("IncMajor", &[]).expect("a method").expect("a version");
        let Value::Object(next) = next else { panic!("no version") };
        assert!(next.method("Original").is_none() && one.method("Original").is_some());
    }
}
