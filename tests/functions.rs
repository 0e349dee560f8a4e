//! The functions of Helm templates against what Helm 4.3.1 gives, and against their documentation.

use crate::support::{root, tool};
use crate::values::context;
use chart::chart::Metadata;
use chart::diagnostic::FileId;
use chart::template::helm::{Engine, funcs};
use chart::template::{Context, Dialect, Project, Scope, Template};
use chart::yaml::{self, Node};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

/// Functions that are part of the language.
const LANGUAGE: &[&str] = &[
    "and", "call", "eq", "fail", "ge", "gt", "html", "include", "index", "js", "le", "len", "lookup", "lt", "ne",
    "not", "or", "print", "printf", "println", "required", "tpl", "urlquery",
];

/// The values that the vectors were made with.
const VALUES: &str = "s: text\nn: 3\nl: [a, 1, null]\nm: {a: 1, b: {c: x}}\nb: true\nf: 1.5\n";

fn values() -> Node {
    yaml::read(VALUES, FileId(0)).first().expect("values")
}

fn project(template: &str) -> Project {
    let metadata = Metadata { name: "t".into(), version: "1.2.3".into(), ..Metadata::default() };
    Project {
        context: Context { zone_file: Some(chart::fs::zone_file), ..context() },
        scopes: vec![Scope {
            path: "t".into(),
            metadata: Arc::new(metadata),
            files: Arc::default(),
            parent: None,
            children: Vec::new(),
            name: "t".into(),
            is_library: false,
        }],
        templates: vec![Template {
            name: "t/templates/t.yaml".into(),
            scope: 0,
            text: template.into(),
            file: FileId(1),
        }],
        values: values(),
    }
}

/// What a template renders to, or Helm's text of the error.
fn render(template: &str) -> Result<String, String> {
    let project = project(template);
    let mut engine = Engine::new(project).map_err(|failure| failure[0].message.clone())?;
    match engine.render(0) {
        Ok(output) => Ok(output.text),
        Err(_) => Err(engine.helm_text().expect("an error").to_owned()),
    }
}

#[test]
fn functions_give_what_helm_gives() {
    let text = std::fs::read_to_string(root().join("testdata/helm/functions.json")).expect("vectors");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(cases.len() > 1000);
    let mut failures = Vec::new();
    for case in &cases {
        let template = case["template"].as_str().expect("template");
        let found = render(template);
        let is_same = match (&found, case["error"].as_str()) {
            (Ok(found), None) => Some(found.as_str()) == case["expected"].as_str(),
            // Templates that do not parse are told of in our own words.
            (Err(_), Some(expected)) if expected.starts_with("parse error at") => true,
            (Err(found), Some(expected)) => found == expected,
            _ => false,
        };
        if !is_same {
            failures.push(format!("{template}\n  expected {case}\n  found    {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Rows of docs/compatibility.md: what we give, and what Helm gives.
#[test]
fn differences_of_times_and_files_are_as_documented() {
    for (template, ours, helm) in [
        ("{{ .Files.NOPE | toJson }}", "\"\"", "null"),
        ("{{ (toDate \"2006 -0700\" \"2023 +0200\").Local.Month }}", "January", "December"),
        ("{{ ((toDate \"x\" \"y\").AddDate -3 0 0) | toJson }}", "\"-0002-01-01T00:00:00Z\"", ""),
    ] {
        assert_eq!(render(template).expect("text"), ours, "{template}");
        assert_ne!(ours, helm, "{template} is no difference any more");
    }
    assert!(render("{{ range (toDate \"2006\" \"2023\").Month }}{{ end }}").is_err());
}

/// What Go finds as a file of the system's zone database is a zone, though the names of zones do not have it.
#[test]
fn zones_may_be_files_of_the_system_alone() {
    let is_there = std::path::Path::new("/usr/share/zoneinfo/posix/Europe/Berlin").exists();
    let expected = if is_there { "01:00 CET" } else { "00:00 UTC" };
    assert_eq!(render("{{ dateInZone \"15:04 MST\" 0 \"posix/Europe/Berlin\" }}").as_deref(), Ok(expected));
}

/// Small values whose text or copy is beyond measure.
#[test]
fn values_that_hold_one_another_end_in_errors() {
    for function in ["toJson", "toYaml", "toYamlPretty", "toPrettyJson", "deepCopy", "toString"] {
        let build = "{{ $d := dict }}{{ range until 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}";
        assert!(render(&format!("{build}{{{{ $_ := {function} $d }}}}")).is_err(), "{function}");
    }
}

#[test]
fn each_function_is_in_the_documentation() {
    let page = std::fs::read_to_string(root().join("docs/functions.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let names = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let documented: BTreeSet<&str> = names.collect();
    let known: BTreeSet<&str> = funcs::all().map(|function| function.name).chain(LANGUAGE.iter().copied()).collect();
    let missing: Vec<_> = known.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}, unknown: {unknown:?}");
}

#[test]
fn openssl_accepts_the_certificates() {
    let Some(openssl) = tool("openssl") else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let template = r#"{{ $ca := genCA "ca é" 10 }}{{ $ca.Cert }}|{{ (genSignedCert "x" (list "10.0.0.1") (list "a.b") 5 $ca).Cert }}"#;
    let rendered = render(template).expect("certificates");
    let (authority, signed) = rendered.split_once('|').expect("two certificates");
    for (name, text) in [("ca.pem", authority), ("x.pem", signed)] {
        std::fs::write(folder.path().join(name), text).expect("written file");
    }
    let time = (context().now / 1_000_000_000 + 60).to_string();
    let arguments = ["verify", "-x509_strict", "-attime", &time, "-CAfile", "ca.pem", "x.pem"];
    let verified = Command::new(openssl).args(arguments).current_dir(folder.path()).output().expect("openssl runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
