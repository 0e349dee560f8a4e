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
    // What lacks nothing keeps its layout, too.
    folder.write("web/values.schema.json", schema.to_string());
    folder.run("schema web").ok();
    assert_eq!(folder.read("web/values.schema.json"), schema.to_string());
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
    let values = "a: 1 # @schema minimum:x\n# @schema\n# type: [\nb: 1\n# @schema\n# type: string\n# @schema\nc: 2\nd: 1 # @schema type:[int]\n";
    let folder = Folder::new().file("web/Chart.yaml", CHART).file("web/values.yaml", values);
    insta::assert_snapshot!(folder.run("schema web -o -").fails(1).stderr);
}

/// Values that are used in every way that counts.
const USED: &str = r#"replicas: 1
image:
  repository: nginx
  pullPolicy: IfNotPresent
resources: {}
nodeSelector: {}
tolerations: []
podLabels: {}
args: []
settings: {}
service:
  enabled: false
  type: ClusterIP
  port: 80
  annotations: {}
priorityClassName: ""
automount:
subchartLike:
  any: thing
"#;

const GO: &[(&str, &str)] = &[
    (
        "web/templates/deployment.yaml",
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels:
        app: web
        {{- with .Values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      {{- with .Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if .Values.tolerations }}
      tolerations: {{- tpl (toYaml .Values.tolerations) . | nindent 8 }}
      {{- end }}
      priorityClassName: {{ .Values.priorityClassName | quote }}
      automountServiceAccountToken: {{ .Values.automount }}
      containers:
        - name: web
          image: {{ .Values.image.repository }}:{{ .Values.image.tag | default "latest" }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: {{ toJson .Values.args }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
"#,
    ),
    (
        "web/templates/rest.yaml",
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  {{- range $key, $value := .Values.settings }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
  all: {{ toJson .Values.subchartLike | quote }}
{{- if .Values.service.enabled }}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  {{- with .Values.service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  ports: [{port: {{ .Values.service.port }}}]
{{- end }}
"#,
    ),
];

const JINJA: &[(&str, &str)] = &[
    (
        "web/templates/deployment.yaml.j2",
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ values.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels:
        app: web
        {{ values.podLabels }}
    spec:
      {% if values.nodeSelector %}
      nodeSelector: {{ values.nodeSelector }}
      {% endif %}
      {% if values.tolerations %}
      tolerations:
        {{ values.tolerations }}
      {% endif %}
      priorityClassName: {{ values.priorityClassName }}
      automountServiceAccountToken: {{ values.automount | default(true) }}
      containers:
        - name: web
          image: {{ values.image.repository }}:{{ values.image.tag | default("latest") }}
          imagePullPolicy: {{ values.image.pullPolicy }}
          args: {{ values.args }}
          resources: {{ values.resources }}
"#,
    ),
    (
        "web/templates/rest.yaml.j2",
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  {% for key, value in values.settings | items %}
  {{ key }}: {{ value | string }}
  {% endfor %}
  all: {{ values.subchartLike | tojson }}
{% if values.service.enabled %}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {{ values.service.annotations }}
spec:
  type: {{ values.service.type }}
  ports: [{port: {{ values.service.port }}}]
{% endif %}
"#,
    ),
];

fn used(templates: &[(&str, &str)]) -> Folder {
    let folder = Folder::new().file("web/Chart.yaml", CHART).file("web/values.yaml", USED);
    templates.iter().for_each(|(path, text)| folder.write(path, text));
    folder.run("schema web").ok();
    folder
}

/// What the schema says without the definitions, which are Kubernetes'.
fn properties(folder: &Folder) -> serde_json::Value {
    let mut schema: serde_json::Value =
        serde_json::from_str(&folder.read("web/values.schema.json")).expect("the schema is JSON");
    let definitions = schema["definitions"].take();
    let fields = &definitions["core.v1.ResourceRequirements"]["properties"];
    assert!(fields["limits"]["additionalProperties"]["pattern"].is_string(), "{definitions:#}");
    schema["properties"].take()
}

#[test]
fn values_get_the_schemas_of_the_fields_they_become() {
    insta::assert_snapshot!("fields_in_go_templates", format!("{:#}", properties(&used(GO))));
}

#[test]
fn jinja_templates_show_fields_too() {
    insta::assert_snapshot!("fields_in_jinja_templates", format!("{:#}", properties(&used(JINJA))));
}

#[test]
fn mistakes_in_values_are_refused_by_the_derived_schema() {
    for (templates, name) in [(GO, "Go"), (JINJA, "Jinja")] {
        let folder = used(templates);
        for (values, expected) in [
            ("image: {tga: x}", "`image.tga` is no value of this chart"),
            ("image: {pullPolicy: Allways}", "`image.pullPolicy`"),
            ("resources: {limit: {cpu: 1}}", "`resources.limit`"),
            ("resources: {limits: {cpu: 1 core}}", "`resources.limits.cpu`"),
            ("tolerations: [{key: a, operater: Exists}]", "`tolerations[0].operater`"),
            ("nodeSelector: {zone: 1}", "`nodeSelector.zone`"),
            ("replicas: two", "`replicas`"),
            ("replica: 2", "`replica` is no value of this chart"),
            ("automount: \"no\"", "`automount`"),
        ] {
            folder.write("bad.yaml", values);
            let run = folder.run("render web -f bad.yaml --no-validate").fails(1);
            assert!(run.stderr.contains(expected), "{name}: {values}\n{}", run.stderr);
        }
        for values in [
            "image: {tag: \"1\"}",
            "resources: {limits: {cpu: 1, memory: 1Gi}}",
            "podLabels: {team: a}",
            "settings: {a: 1, b: true}",
            "subchartLike: {other: {deep: 1}}",
            "automount: false",
            "service: {enabled: true, type: NodePort}",
            "global: {x: 1}",
        ] {
            folder.write("good.yaml", values);
            folder.run("render web -f good.yaml").ok();
        }
    }
}

#[test]
fn helm_accepts_the_fields_schemas() {
    let Some(helm) = tool("helm") else { return };
    let folder = used(GO);
    for arguments in [&["template", "web"][..], &["lint", "web"]] {
        let run = Command::new(&helm).args(arguments).current_dir(folder.path()).output().expect("helm runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn unknown_keys_are_allowed_or_forbidden_on_request() {
    let folder = used(GO);
    let count = |arguments: &str| {
        let text = folder.run(arguments).ok().stdout;
        let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, it)| it["additionalProperties"] == false)
            .count()
    };
    assert_eq!(count("schema web -o - --unknown-keys allow"), 0);
    assert_eq!(count("schema web -o -"), 2);
    assert_eq!(count("schema web -o - --unknown-keys forbid"), 3);
    assert_eq!(folder.run("schema web -o - --no-render").ok().stdout.matches("definitions").count(), 0);
}

#[test]
fn defaults_are_in_the_schema_on_request() {
    let folder = used(GO);
    let text = folder.run("schema web -o - --with-defaults").ok().stdout;
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(schema["properties"]["image"]["properties"]["pullPolicy"]["default"], "IfNotPresent");
    assert_eq!(schema["properties"]["image"]["properties"]["repository"]["default"], "nginx");
    assert_eq!(schema["properties"]["replicas"]["default"], 1);
}

#[test]
fn archives_are_printed_only() {
    let folder = used(GO);
    folder.run("package web").ok();
    let error = folder.run("schema web-0.1.0.tgz").fails(2).stderr;
    assert!(error.contains("is an archive") && error.contains("--output -"), "{error}");
    let printed = folder.run("schema web-0.1.0.tgz -o -").ok().stdout;
    assert!(printed.contains("core.v1.ResourceRequirements"), "{printed}");
    folder.run("docs web-0.1.0.tgz").fails(2);
    assert!(folder.run("docs web-0.1.0.tgz -o -").ok().stdout.starts_with("# web\n"));
}
