//! The Helm dialect against the outputs of Helm's own engine.

use crate::support::{Folder, root};
use crate::values::context;
use chart::chart::load;
use chart::diagnostic::{Failure, Sources};
use chart::render::{Options, assemble};
use chart::template::helm::Engine;
use chart::template::{Capabilities, Dialect};
use chart::values::{Layer, Layered};
use serde_json::Value;
use std::collections::BTreeMap;

/// What Helm 4.2.3 reports, with which the vectors were made.
fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::for_version("v1.36.0").expect("a version");
    capabilities.helm_version = "v4.2".to_owned();
    let newer = ["lifecycle.k8s.io/v1alpha1", "storagemigration.k8s.io/v1"];
    capabilities.api_versions.retain(|version| !newer.contains(&version.as_str()));
    capabilities
}

/// The files of a vector's chart.
fn chart(case: &Value) -> Folder {
    let folder = Folder::new();
    let default = "apiVersion: v2\nname: t\nversion: 1.2.3\nappVersion: \"4.5.6\"\n";
    folder.write("t/Chart.yaml", case["chart"].as_str().unwrap_or(default));
    folder.write("t/templates/t.yaml", case["template"].as_str().expect("template"));
    if let Some(values) = case["values"].as_str() {
        folder.write("t/values.yaml", values);
    }
    for (path, text) in case["files"].as_object().into_iter().flatten() {
        folder.write(&format!("t/{path}"), text.as_str().expect("text"));
    }
    folder
}

/// JSON with all but ASCII escaped, as a YAML reader takes it.
fn escaped(json: &str) -> String {
    let escape = |char: char| match char {
        ' '..='~' => char.to_string(),
        _ => format!("\\U{:08x}", u32::from(char)),
    };
    json.chars().map(escape).collect()
}

/// Every rendered file by its path in the chart, or Helm's text of the error.
fn render(case: &Value) -> Result<BTreeMap<String, String>, String> {
    let folder = chart(case);
    let mut sources = Sources::default();
    let mut layers = Vec::new();
    if case["user_values"].is_object() {
        let text = escaped(&case["user_values"].to_string());
        layers.push(Layer::File { name: "user.yaml".into(), text: text.into() });
    }
    let words = |failure: Failure| failure[0].message.clone();
    let chart = load(&folder.path().join("t"), &mut sources).map_err(words)?;
    let layered = Layered::read(layers, &mut sources, &mut |_| Err("no file".into())).map_err(words)?;
    let context =
        chart::template::Context { capabilities: capabilities(), now: 1_700_000_000_000_000_000, ..context() };
    let options = Options { incomplete: true, skip_schema_validation: false };
    let assembly = assemble(&chart, &layered, context, options, &mut sources).map_err(words)?;
    let project = &assembly.project;
    let mut engine = Engine::new(project).map_err(|failure| {
        let span = failure[0].labels[0].span;
        let template = project.templates.iter().find(|template| template.file == span.file).expect("a template");
        let line = sources.position(span.file, span.start).line;
        let message = failure[0].message.rsplit(": ").next().unwrap_or_default();
        format!("parse error at ({}:{line}): {message}", template.name)
    })?;
    let mut rendered = BTreeMap::new();
    for (index, template) in project.templates.iter().enumerate() {
        if template.is_partial() || project.scopes[template.scope].is_library {
            continue;
        }
        let output = engine.render(index).map_err(|failure| {
            assert!(!failure.is_empty() && !failure[0].message.is_empty());
            engine.helm_text().expect("an error").to_owned()
        })?;
        rendered.insert(template.name.to_string(), output.text);
    }
    Ok(rendered)
}

/// What the Helm of the vectors says of its own build, and what we say.
const BUILD: (&str, &str) = (
    r#"{"version":"v4.2","go_version":"go1.26.6","kube_client_version":"v1.36"}"#,
    r#"{"version":"v4.2","git_commit":"c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff","git_tree_state":"clean","go_version":"go1.27.2","kube_client_version":"v1.37"}"#,
);

fn is_of_templates(error: &str) -> bool {
    ["parse error at", "execution error at", "template: ", "t/"].iter().any(|start| error.starts_with(start))
}

#[test]
fn vectors_render_as_by_helm() {
    let text = std::fs::read_to_string(root().join("testdata/helm/vectors.json")).expect("vectors");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(cases.len() > 900);
    let mut failures = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().expect("name");
        let rendered = render(case);
        let expected = case["expected"].as_str().map(|text| text.replace(BUILD.0, BUILD.1));
        let difference = match (&rendered, case["error"].as_str()) {
            (Err(found), Some(expected)) if found == expected => continue,
            // What is wrong before templates run is said in our own words.
            (Err(_), Some(expected)) if !is_of_templates(expected) => continue,
            // Values are held against schemas after this stage.
            (Ok(_), Some(expected)) if expected.starts_with("values don't meet the specifications") => continue,
            (Err(found), Some(expected)) => format!("expected error {expected:?}\n  found error    {found:?}"),
            (Err(found), None) => format!("unexpected error {found:?}"),
            (Ok(found), Some(expected)) => format!("expected error {expected:?}\n  found          {found:?}"),
            (Ok(found), None) => match case["expected_files"].as_object() {
                Some(files) => {
                    let files = files.iter().map(|(name, text)| (name.clone(), text.as_str().unwrap_or("").to_owned()));
                    let expected: BTreeMap<String, String> = files.collect();
                    if *found == expected {
                        continue;
                    }
                    format!("expected {expected:?}\n  found    {found:?}")
                }
                None => {
                    let found = found.get("t/templates/t.yaml");
                    if found == expected.as_ref() {
                        continue;
                    }
                    format!("expected {expected:?}\n  found    {found:?}")
                }
            },
        };
        failures.push(format!("{name}: {}\n  {difference}", case["template"]));
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
