//! Every output format over the same findings.

use crate::support::Folder;
use crate::support::{root, skip};
use chart::diagnostic::{
    Code, Diagnostic, Emitter, Github, Human, Json, Junit, Report, Sarif, Severity, Short, Sources, Span, Tap, Unit,
};
use serde_json::Value;

/// A range of a source by the text that it covers.
fn at(sources: &Sources, file: chart::diagnostic::FileId, text: &str) -> Span {
    let start = sources.text(file).find(text).expect("text of the source");
    Span::new(file, start, start + text.len())
}

/// A wrong type with its three places, a failed include, a duplicate key, and a finding without a place.
fn findings() -> (Sources, Vec<Unit>) {
    let mut sources = Sources::default();
    let rendered =
        sources.add_rendered("web/templates/deploy.yaml", "kind: Deployment\nspec:\n  replicas: \"three\"\n");
    let template = sources
        .add("web/templates/deploy.yaml", "kind: Deployment\nspec:\n  replicas: {{ .Values.replicas | quote }}\n");
    let values = sources.add("prod.yaml", "# production\nreplicas: three\nimage: {}\n\n\nimage: x\n");
    let helpers = sources.add("web/templates/_helpers.tpl", "{{ define \"labels\" }}{{ .Values.a.b }}{{ end }}\n");
    let argument = sources.add("<--set 1>", "replicas=a,b");

    let wrong_type = Diagnostic::new(
        Code::InvalidManifest,
        "`spec.replicas` must be an integer, found a string, 100% <sure> & \"so\"",
    )
    .label(at(&sources, rendered, "\"three\""), "expected integer (apps/v1 Deployment)")
    .label(at(&sources, template, "{{ .Values.replicas | quote }}"), "written here")
    .label(at(&sources, values, "three"), "value set here (layer 2 of 3)")
    .hint("write `replicas: 3`, or drop `quote`");
    let include = Diagnostic::new(Code::TemplateError, "nil pointer evaluating `interface {}.b`")
        .label(at(&sources, helpers, ".Values.a.b"), "`.Values.a` is nil")
        .frame("while including `labels`", Some(at(&sources, template, "Deployment")))
        .frame("in subchart `redis`", None);
    let duplicate = Diagnostic::new(Code::DuplicateKey, "`image` is set twice")
        .label(at(&sources, values, "image: x"), "again here")
        .label(at(&sources, values, "image: {}"), "first here");
    let mut argument = Diagnostic::new(Code::InvalidValues, "key `b` has no value")
        .label(at(&sources, argument, "b"), "")
        .hint("write `b=` for an empty string")
        .hint("escape a comma in a value: `a\\,b`");
    argument.severity = Severity::Warning;
    let mut note = Diagnostic::new(Code::InvalidChart, "the chart has no icon");
    note.severity = Severity::Note;
    let units = vec![
        Unit { name: "web".into(), findings: vec![wrong_type, include, duplicate] },
        Unit { name: "web with ci/a,b:c#1.yaml".into(), findings: vec![argument, note] },
        Unit { name: "other".into(), findings: vec![] },
    ];
    (sources, units)
}

fn emit(emitter: &dyn Emitter) -> String {
    let (sources, units) = findings();
    emitter.emit(Report { sources: &sources, units: &units })
}

#[test]
fn human_shows_every_place() {
    insta::assert_snapshot!(emit(&Human { color: false }));
}

#[test]
fn human_colours_when_told_to() {
    insta::assert_snapshot!(emit(&Human { color: true }).replace('\x1b', "␛"));
}

#[test]
fn short_is_one_line_each() {
    insta::assert_snapshot!(emit(&Short));
}

#[test]
fn json_is_one_object_a_line_and_fits_its_schema() {
    let text = emit(&Json);
    let schema = std::fs::read_to_string(root().join("schemas/finding.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for line in text.lines() {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&finding).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "version": 2 })));
    insta::assert_snapshot!(text);
}

#[test]
fn sarif_has_rules_places_and_stable_fingerprints() {
    let log: Value = serde_json::from_str(&emit(&Sarif)).expect("JSON");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        for place in result["locations"].as_array().expect("locations") {
            let region = &place["physicalLocation"]["region"];
            assert!(region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1));
        }
    }
    let mut results = log.clone();
    results["runs"][0]["tool"]["driver"]["rules"] = Value::Null;
    results["runs"][0]["tool"]["driver"]["semanticVersion"] = Value::Null;
    // Indices move when codes are added.
    for result in results["runs"][0]["results"].as_array_mut().expect("results") {
        result["ruleIndex"] = Value::Null;
    }
    insta::assert_json_snapshot!(results);
}

/// SARIF's published schema, which the package of the crate `serde-sarif` has: `cargo info serde-sarif@0.8.0` fetches it.
fn sarif_schema() -> Option<std::path::PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let files = registries.filter_map(|entry| Some(entry.ok()?.path().join("serde-sarif-0.8.0/src/schema.json")));
    files.into_iter().find(|file| file.is_file())
}

#[test]
fn sarif_fits_its_published_schema() {
    let Some(schema) = sarif_schema() else { return skip("cargo has not fetched serde-sarif 0.8.0") };
    // One of its patterns has a bracket too many, which strict readers refuse.
    let schema = std::fs::read_to_string(schema).expect("the schema").replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let log: Value = serde_json::from_str(&emit(&Sarif)).expect("JSON");
    let faults: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The schema does refuse.
    let mut wrong = log;
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn github_escapes_its_commands() {
    insta::assert_snapshot!(emit(&Github));
}

#[test]
fn junit_has_a_case_for_each_unit() {
    insta::assert_snapshot!(emit(&Junit));
}

#[test]
fn tap_counts_units() {
    insta::assert_snapshot!(emit(&Tap));
}

#[test]
fn human_copes_with_extreme_places() {
    let mut sources = Sources::default();
    let long = format!("{}é{}\nnext\n", "x".repeat(100_000), "y".repeat(100_000));
    let long = sources.add("long.yaml", long);
    let empty = sources.add("empty.yaml", "");
    let crlf = sources.add("crlf.yaml", "a: 1\r\nb: 2\r\n");
    let spans = [
        (Span::new(long, 10, 20), "long.yaml:1:11"),
        (Span::new(long, 100_000, 100_002), "long.yaml:1:100001"),
        // In the middle of a character, and past the end.
        (Span::new(long, 100_001, 100_001), "long.yaml:1:"),
        (Span::new(long, 300_000, 300_001), "long.yaml:3:1"),
        (Span::new(long, 10, 200_005), "long.yaml:1:11"),
        (Span::new(empty, 0, 0), "empty.yaml:1:1"),
        (Span::new(crlf, 4, 6), "crlf.yaml:1:5"),
        (Span::new(crlf, 9, 20), "crlf.yaml:2:4"),
    ];
    for (span, place) in spans {
        let findings = vec![Diagnostic::new(Code::YamlSyntax, "wrong").label(span, "here")];
        let text =
            Human { color: false }.emit(Report { sources: &sources, units: &[Unit { name: "x".into(), findings }] });
        assert!(text.contains(place), "{place} in\n{text}");
        assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
    }
}

#[test]
fn quiet_leaves_the_errors() {
    let folder = Folder::new().file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n").file(
        "c/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: a, x: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndta: {}\n",
    );
    let said = |flags: &str| folder.run(&format!("render r c --warn duplicate-key {flags}")).stderr;
    let (all, quiet) = (said(""), said("-q"));
    assert!(all.contains("warning[duplicate-key]") && all.ends_with("1 error, 1 warning\n"), "{all}");
    assert!(quiet.starts_with("error[unknown-field]") && !quiet.contains("warning"), "{quiet}");
    assert_eq!(said("--quiet --format short").lines().count(), 2, "formats for programs have all");
}
