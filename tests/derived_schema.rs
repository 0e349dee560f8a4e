//! `chart schema`: schemas derived from values and their comments.

use crate::support::{Folder, tool};
use std::process::Command;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";

/// Every notation of comments that is read.
const VALUES: &str = r#"# @schema.root
# title: Everything about web
# @schema.root

# -- (int) How many pods
# run at once
# @default -- as many as there are nodes
replicas:

# @schema
# type: [string, integer]
# minimum: 0
# @schema
# -- CPU of a pod
cpu: 1

name: "x" # @schema minLength:1;pattern:^[a-z]+$;required

image:
  # Where the image is
  repository: nginx
  # Without a tag
  # tag: "1.2"
  tag: ""

## @param service.port [nullable] The port
## @skip internal
service:
  port: 80
internal: {}

hosts:
  - host: a
    # -- Paths of the host
    paths: ["/"]

services: # @schema mergeProperties: true
  a: {image: x}
  b: {image: z, port: 2}

# @schema item:object; itemRequired:[name]
env: []
# -- (tpl/object) Rules, or a template of them
rules: {}
secret: hidden # @schema hidden
cache: 1.5 # @schema nullable
"#;

fn folder() -> Folder {
    Folder::new().file("web/Chart.yaml", CHART).file("web/values.yaml", VALUES)
}

#[test]
fn every_notation_of_comments_counts() {
    let folder = folder();
    let run = folder.run("schema web").ok();
    assert_eq!(run.stderr, "wrote web/values.schema.json\n");
    insta::assert_snapshot!(folder.read("web/values.schema.json"));
    assert_eq!(folder.run("schema web -o -").ok().stdout, folder.read("web/values.schema.json"));
}

#[test]
fn helm_accepts_what_is_derived() {
    let Some(helm) = tool("helm") else { return };
    let folder = folder().file("bad.yaml", "name: A1\n");
    folder.run("schema web").ok();
    let helm = |arguments: &[&str]| {
        let run = Command::new(&helm).args(arguments).current_dir(folder.path()).output().expect("helm runs");
        (run.status.success(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    assert_eq!(helm(&["template", "web"]), (true, String::new()));
    let (accepted, error) = helm(&["template", "web", "-f", "bad.yaml"]);
    assert!(!accepted && error.contains("at '/name': 'A1' does not match pattern"), "{error}");
}

#[test]
fn a_check_shows_what_is_stale() {
    let folder = folder();
    folder.run("schema web").ok();
    folder.run("schema web --check").ok();
    folder.write("web/values.yaml", VALUES.replace("CPU of a pod", "Processors"));
    insta::assert_snapshot!(folder.run("schema web --check").fails(1).shown());
    folder.run("schema web").ok();
    folder.run("schema web --check").ok();
}

#[test]
fn what_is_written_by_hand_stays() {
    let by_hand = r#"{"type": "object", "properties": {"cpu": {"type": "number"}, "extra": {"type": "string"}}}"#;
    let folder = folder().file("web/values.schema.json", by_hand);
    folder.run("schema web").ok();
    let schema: serde_json::Value = serde_json::from_str(&folder.read("web/values.schema.json")).expect("JSON");
    assert_eq!(schema["properties"]["cpu"]["type"], "number");
    assert_eq!(schema["properties"]["cpu"]["description"], "CPU of a pod");
    assert_eq!(schema["properties"]["extra"]["type"], "string");
    assert_eq!(schema["properties"]["image"]["properties"]["tag"]["type"], "string");
    assert_eq!(schema.get("$comment"), None);
    folder.run("schema web --check").ok();
}

#[test]
fn parts_of_a_derived_schema_can_be_kept() {
    let folder = folder();
    folder.run("schema web").ok();
    let mut schema: serde_json::Value = serde_json::from_str(&folder.read("web/values.schema.json")).expect("JSON");
    let kept = serde_json::json!({"$comment": "hand-written", "type": "string", "maxLength": 5});
    schema["properties"]["image"]["properties"]["tag"] = kept.clone();
    schema["properties"]["image"]["properties"]["gone"] = serde_json::json!({"type": "string"});
    folder.write("web/values.schema.json", schema.to_string());
    folder.run("schema web").ok();
    let schema: serde_json::Value = serde_json::from_str(&folder.read("web/values.schema.json")).expect("JSON");
    assert_eq!(schema["properties"]["image"]["properties"]["tag"], kept);
    assert_eq!(schema["properties"]["image"]["properties"].get("gone"), None);
}

#[test]
fn every_layer_is_held_against_the_schema() {
    let folder = folder()
        .file(
            "chart.toml",
            "[values]\nlayers = [\"environments/{env}.yaml\"]\n[values.choices]\nenv = [\"production\"]\n",
        )
        .file("environments/production.yaml", "image:\n  repository: [a]\n")
        .file("web/ci/list-values.yaml", "image:\n  tag: 7\n");
    let run = folder.run("schema web").fails(1);
    insta::assert_snapshot!(run.shown());
    // What the chart's own tests do is right.
    assert!(folder.read("web/values.schema.json").contains("\"integer\""));
}

#[test]
fn mistakes_in_annotations_are_told_at_their_line() {
    let values = "a: 1 # @schema minimum:x\n# @schema\n# type: [\nb: 1\n# @schema\n# type: string\n# @schema\nc: 2\n";
    let folder = Folder::new().file("web/Chart.yaml", CHART).file("web/values.yaml", values);
    insta::assert_snapshot!(folder.run("schema web -o -").fails(1).stderr);
}
