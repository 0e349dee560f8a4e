//! The flags of kubeconform as its users type them: long names behind one dash.

use std::ffi::{OsStr, OsString};

/// kubeconform's flags, and ours for them.
const FLAGS: &[(&str, &str)] = &[
    ("cache", "cache"),
    ("debug", "verbose"),
    ("exit-on-error", "exit-on-error"),
    ("ignore-filename-pattern", "ignore-filename-pattern"),
    ("ignore-missing-schemas", "ignore-missing-schemas"),
    ("insecure-skip-tls-verify", "insecure-skip-tls-verify"),
    ("kubernetes-version", "kube-version"),
    ("output", "format"),
    ("reject", "reject"),
    ("schema-location", "schema-location"),
    ("skip", "skip"),
    ("strict", "strict"),
    ("summary", "summary"),
    ("verbose", "verbose"),
];

/// kubeconform's output formats under other names.
const FORMATS: &[(&str, &str)] = &[("text", "short"), ("pretty", "human")];

/// Rewrites the arguments of `chart validate`: `-kubernetes-version 1.31` is `--kube-version 1.31`, `--output text` is
/// `--format short`. Others stay as they are.
pub(in crate::cli) fn translate(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some(command) = arguments.iter().skip(1).position(|argument| !is_flag(argument)) else { return arguments };
    if arguments[command + 1] != "validate" {
        return arguments;
    }
    let mut value_is_format = false;
    for argument in &mut arguments[command + 2..] {
        let Some(text) = argument.to_str() else { continue };
        if text == "--" {
            break;
        }
        if std::mem::take(&mut value_is_format) {
            *argument = format(text).into();
        } else if let Some(("strict", Some("0" | "f" | "F" | "false" | "FALSE" | "False"))) = flag(text) {
            *argument = "--no-strict".into();
        } else if let Some((flag, value)) = flag(text) {
            value_is_format = flag == "format" && value.is_none();
            let value = value.map(|value| if flag == "format" { format(value) } else { value });
            *argument = value.map_or_else(|| format!("--{flag}"), |value| format!("--{flag}={value}")).into();
        }
    }
    arguments
}

fn is_flag(argument: &OsStr) -> bool {
    argument.to_str().is_some_and(|text| text.starts_with('-'))
}

/// Our name of a flag, and its value behind `=`.
fn flag(text: &str) -> Option<(&'static str, Option<&str>)> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    };
    let (_, ours) = FLAGS.iter().find(|(theirs, _)| *theirs == name)?;
    Some((ours, value))
}

fn format(name: &str) -> &str {
    FORMATS.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &str) -> String {
        let words = translate(line.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_of_kubeconform_become_ours() {
        for (theirs, ours) in [
            ("chart validate -strict -summary x.yaml", "chart validate --strict --summary x.yaml"),
            ("chart -q validate -kubernetes-version 1.31.0 -n 4 -", "chart -q validate --kube-version 1.31.0 -n 4 -"),
            ("chart validate -output json -skip A,B", "chart validate --format json --skip A,B"),
            ("chart validate --output=text -output pretty", "chart validate --format=short --format human"),
            ("chart validate -schema-location=default", "chart validate --schema-location=default"),
            ("chart validate -summary=true -- -strict", "chart validate --summary=true -- -strict"),
            ("chart validate -strict=false x", "chart validate --no-strict x"),
            ("chart validate -strict=true x", "chart validate --strict=true x"),
            ("chart render -strict", "chart render -strict"),
            ("chart validate -v -x", "chart validate -v -x"),
            ("chart", "chart"),
        ] {
            assert_eq!(translated(theirs), ours);
        }
    }
}
