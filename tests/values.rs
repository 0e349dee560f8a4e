//! Values: the `--set` grammar, layers, coalescing and dependencies, against what Helm makes of them.

use crate::support::{Folder, root};
use chart::chart::load;
use chart::diagnostic::{Failure, Sources};
use chart::render::{Assembly, Options, assemble};
use chart::template::{Capabilities, Context, Limits, Release};
use chart::values::{Flag, Layer, Layered, lines, resolve};
use chart::yaml::{Data, Node, path_text, read};
use serde_json::Value;

fn data(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("testdata").join(path)).expect("test data");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn context() -> Context {
    Context {
        release: Release {
            name: "rel".into(),
            namespace: "ns".into(),
            revision: 1,
            is_upgrade: false,
            service: "Helm".into(),
        },
        capabilities: Capabilities::default(),
        limits: Limits::default(),
        seed: None,
        now: 0,
        time_zone: None,
        lookup: Vec::new(),
        zone_file: None,
        resolver: None,
        record_reads: false,
    }
}

/// A tree as JSON with every number a float, as Helm holds it.
pub(crate) fn json(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(number) => (*number as f64).into(),
        Data::Uint(number) => (*number as f64).into(),
        Data::Float(number) => (*number).into(),
        Data::Str(text) => (**text).into(),
        Data::Seq(items) => items.iter().map(json).collect(),
        Data::Map(map) => Value::Object(map.iter().map(|(key, entry)| (key.to_string(), json(&entry.value))).collect()),
    }
}

pub(crate) fn floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().expect("a number").into(),
        Value::Array(items) => items.iter().map(floats).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), floats(value))).collect()),
        other => other.clone(),
    }
}

fn layered(layers: Vec<Layer>, sources: &mut Sources) -> Result<Layered, Failure> {
    Layered::read(layers, sources, &mut |path| Err(format!("no file {path}")))
}

#[test]
fn set_arguments_parse_as_in_helm() {
    let flags = |name: &str| match name {
        "set" => Flag::Set,
        "set-string" => Flag::SetString,
        "set-json" => Flag::SetJson,
        "set-literal" => Flag::SetLiteral,
        "set-file" => Flag::SetFile,
        name => panic!("unknown flag {name}"),
    };
    let cases = data("values/strvals.json");
    assert!(cases.len() > 60);
    for case in &cases {
        let text = case["input"].as_str().expect("input");
        let flag = flags(case["flag"].as_str().expect("flag"));
        if flag == Flag::SetJson && text.starts_with('{') {
            // The vectors ask Helm's parser; the command takes this for an object and never gets there.
            continue;
        }
        let mut sources = Sources::default();
        let result = Layered::read(vec![Layer::Argument { flag, text: text.into() }], &mut sources, &mut |path| {
            Ok(path.to_owned())
        });
        match (result, case["error"].as_str()) {
            (Ok(layered), None) => assert_eq!(json(&layered.values), floats(&case["expected"]), "{case}"),
            // Helm hides what is wrong with JSON, and names Go's functions for bad numbers.
            (Err(_), Some(_)) if flag == Flag::SetJson => {}
            (Err(_), Some(error)) if error.contains("strconv.Atoi") => {}
            (Err(failure), Some(error)) => {
                assert!(failure[0].message.contains(error), "{case}: {}", failure[0].message)
            }
            (Ok(layered), Some(error)) => panic!("{case}: {:?} instead of {error}", json(&layered.values)),
            (Err(failure), None) => panic!("{case}: {}", failure[0].message),
        }
    }
}

fn written(case: &Value) -> Folder {
    let folder = Folder::new().file(
        "t/Chart.yaml",
        case["chart"].as_str().unwrap_or("apiVersion: v2\nname: t\nversion: 1.2.3\nappVersion: \"4.5.6\"\n"),
    );
    folder.write("t/templates/t.yaml", "x");
    if let Some(values) = case["values"].as_str() {
        folder.write("t/values.yaml", values);
    }
    for (path, text) in case["files"].as_object().into_iter().flatten() {
        folder.write(&format!("t/{path}"), text.as_str().expect("text"));
    }
    folder
}

fn user_layers(case: &Value) -> Vec<Layer> {
    if case["user_values"].is_null() {
        return Vec::new();
    }
    vec![Layer::File { name: "user.yaml".into(), text: case["user_values"].to_string().into() }]
}

fn assembled(case: &Value) -> Result<Assembly, Failure> {
    let folder = written(case);
    let mut sources = Sources::default();
    let chart = load(&folder.path().join("t"), &mut sources)?;
    let layered = layered(user_layers(case), &mut sources)?;
    assemble(&chart, &layered, context(), Options { incomplete: true, ..Options::default() }, &mut sources)
}

#[test]
fn values_coalesce_and_dependencies_resolve_as_in_helm() {
    let cases = data("values/coalesce.json");
    assert!(cases.len() > 50);
    for case in &cases {
        let name = &case["name"];
        match (assembled(case), case["error"].as_str()) {
            (Ok(assembly), None) => {
                let project = assembly.project;
                let mut scopes: Vec<_> = project
                    .templates
                    .iter()
                    .filter(|template| !template.is_partial())
                    .map(|template| project.scopes[template.scope].path.to_string())
                    .collect();
                scopes.sort();
                scopes.dedup();
                assert_eq!(serde_json::json!(scopes), case["scopes"], "{name}");
                for (path, expected) in case["scope_values"].as_object().expect("an object") {
                    let scope = project.scopes.iter().position(|scope| *scope.path == **path).expect("scope");
                    let values = project.values_of(scope).map(json).unwrap_or_default();
                    let mut sources = Sources::default();
                    let file = sources.add("expected", expected.as_str().expect("text"));
                    let expected = read(sources.text(file), file).first().expect("YAML");
                    assert_eq!(values, json(&expected), "{name}: {path}");
                }
            }
            (Err(failure), Some(error)) => assert!(failure[0].message.contains(error), "{name}: {failure:?}"),
            (Ok(_), Some(error)) => panic!("{name}: should fail with {error}"),
            (Err(failure), None) => panic!("{name}: {failure:?}"),
        }
    }
}

#[test]
fn schemas_accept_and_refuse_what_helm_does() {
    let mut same_text = 0;
    for case in data("values/schema.json") {
        let folder = Folder::new().file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n");
        folder.write("t/values.yaml", case["values"].to_string());
        folder.write("t/values.schema.json", case["schema"].to_string());
        let mut sources = Sources::default();
        let chart = load(&folder.path().join("t"), &mut sources).expect("a chart");
        let report = chart::schema::values::check(&chart, "t", &[], &chart.values, &sources);
        assert_eq!(report.errors.is_empty(), case["helm"].is_null(), "{case}: {:?}", report.errors);
        let mut lines: Vec<_> = report.helm.iter().flat_map(|text| text.lines().skip(1)).collect();
        lines.sort_unstable();
        let helm: Vec<_> = case["helm"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        same_text += usize::from(lines == helm);
    }
    // The others name reasons of Go's libraries (for formats, patterns and broken schemas), or what `contains` tried.
    assert!(same_text >= 40, "{same_text}");
}

#[test]
fn findings_on_values_name_the_line_and_the_way_out() {
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "replicas: 1\nimage:\n  tag: v1\nport: 80\n")
        .file(
            "web/values.schema.json",
            r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "replicas": {"type": "integer", "minimum": 1},
    "image": {"type": "object", "required": ["repository"], "properties": {"tag": {"type": "string"}}},
    "port": {"anyOf": [{"type": "integer", "maximum": 65535}, {"type": "string", "pattern": "^[a-z]+$"}]},
    "global": {}
  }
}
"#,
        )
        .file("web/templates/a.yaml", "a: b\n")
        .file("prod.yaml", "replicas: three\nimage:\n  tag: 1.10\nports: 8080\nport: 99999\n");
    insta::assert_snapshot!(folder.run("render web -f prod.yaml").shown());
}

#[test]
fn every_leaf_knows_its_origin() {
    let mut leaves = 0;
    for case in data("values/coalesce.json").iter().filter(|case| case["error"].is_null()) {
        let folder = written(case);
        let mut sources = Sources::default();
        let chart = load(&folder.path().join("t"), &mut sources).expect("a chart");
        let layered = layered(user_layers(case), &mut sources).expect("layers");
        let resolved = resolve(&chart, &layered).expect("values");
        for line in lines(&resolved.values).into_iter().filter(|line| line.is_leaf) {
            let value = resolved.values.follow(&line.path).expect("a value");
            let history = resolved.history(&layered, &line.path);
            let is_generated = value.as_map().is_some_and(|map| map.is_empty()) && value.span.start == value.span.end;
            if is_generated {
                continue;
            }
            let winner = history.winner.map(|at| history.setters[at].value.span);
            assert_eq!(winner, Some(value.span), "{}: {}", case["name"], path_text(&line.path));
            leaves += 1;
        }
    }
    assert!(leaves > 80, "{leaves}");
}

const WEB: &[(&str, &str)] = &[
    ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
    (
        "web/values.yaml",
        "replicas: 1\nimage:\n  repository: nginx\n  tag: v1\nports:\n- 80\n- 443\n\
         sidecar:\n  enabled: true\n  image: envoy\nredis:\n  auth: {enabled: false}\nglobal: {registry: docker.io}\n",
    ),
    ("web/charts/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.0.0\n"),
    ("web/charts/redis/values.yaml", "auth:\n  enabled: true\n  password: \"\"\nport: 6379\nglobal: {tls: on}\n"),
    (
        "web/templates/d.yaml",
        "replicas: {{ .Values.replicas }}\nimage: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n\
         {{- with .Values.image }}\ntag: {{ .tag }}\n{{- end }}\n",
    ),
    ("staging.yaml", "replicas: 3\nimage:\n  tag: v1.9\nsidecar: null\n"),
    ("prod.yaml", "replicas: 5\nimage:\n  tag: v2\nredis:\n  port: 6380\nnotes: |\n  a\n  b\n"),
];

#[test]
fn the_values_command_shows_explains_and_compares() {
    let folder = Folder::new();
    WEB.iter().for_each(|(path, text)| folder.write(path, text));
    let mut shown = String::new();
    for line in [
        "values web -f staging.yaml,prod.yaml --set image.tag=v3",
        "values web -f staging.yaml,prod.yaml --set image.tag=v3 --origins",
        "values web -f staging.yaml --origins -o table",
        "values web -f prod.yaml -o json",
        "values web image.tag -f staging.yaml,prod.yaml --set image.tag=v3",
        "values web sidecar.image -f staging.yaml",
        "values web redis.global.registry",
        "values web image.tag -o json",
        "values web image.tga",
        "values web image..tag",
        "values web -f staging.yaml --diff -f prod.yaml --set a=1",
        "values web redis -o json --diff -f prod.yaml",
        "values web --diff --no-such-flag",
        "values web --set redis=1",
    ] {
        shown += &format!("$ chart {line}\n{}\n", folder.run(line).shown());
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn chart_toml_names_the_layers_of_an_environment() {
    let folder = Folder::new()
        .file("repo/.git/HEAD", "")
        .file(
            "repo/chart.toml",
            "[values]\nlayers = [\"env/{env}.yaml\", \"env/{env}-{region}?\", \"services/{service}.yaml?\", \"{chart}.yml?\"]\n\
             [values.choices]\nenv = [\"staging\", \"production\"]\nregion = [\"sg\", \"eu\"]\n",
        )
        .file("repo/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("repo/charts/web/values.yaml", "replicas: 1\nregion: none\nwho: nobody\n")
        .file(
            "repo/charts/web/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.who }}\ndata:\n  replicas: {{ .Values.replicas | quote }}\n  region: {{ .Values.region }}\n",
        )
        .file("repo/env/staging.yaml", "replicas: 2\n")
        .file("repo/env/production.yaml", "replicas: 5\n")
        .file("repo/env/production-sg.yaml", "region: sg\n")
        .file("repo/env/production-eu.yaml", "who: Not A Name\n")
        .file("repo/services/checkout.yaml", "who: checkout\n")
        .file("alone/Chart.yaml", "apiVersion: v2\nname: alone\nversion: 1.0.0\n")
        .file("broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 1.0.0\n")
        .file("broken/chart.toml", "[values]\nlayer = [\"a.yaml\"]\n")
        .file("outside/Chart.yaml", "apiVersion: v2\nname: outside\nversion: 1.0.0\n")
        .file("outside/chart.toml", "[values]\nlayers = [\"../{env}.yaml\"]\n");
    let mut shown = String::new();
    for line in [
        "values repo/charts/web --env production --region sg --service checkout --origins",
        "values repo/charts/web --env production --region sg --set replicas=9 -f repo/env/staging.yaml",
        "render repo/charts/web --env staging --service checkout",
        "values repo/charts/web --region sg",
        "values repo/charts/web --env prodution",
        "values repo/charts/web --choose cluster=blue",
        "values repo/charts/web --choose env",
        "values repo/charts/web --service ../../etc",
        "values alone --env production",
        "values broken --env production",
        "values outside --env production",
        "check repo/charts/web",
        "check repo/charts/web --env staging",
    ] {
        shown += &format!("$ chart {line}\n{}\n", folder.run(line).shown());
    }
    // A required layer that is missing, from inside the chart.
    folder.write("repo/chart.toml", "[values]\nlayers = [\"env/{env}.yaml\"]\n");
    let mut command = folder.command(["values", ".", "--env", "canary"]);
    let output = command.current_dir(folder.path().join("repo/charts/web")).output().expect("runs");
    shown += &String::from_utf8_lossy(&output.stderr);
    insta::assert_snapshot!(shown);
}

#[test]
fn lists_merge_where_the_schema_asks_for_it() {
    let schema = r##"{
  "properties": {
    "env": {"$ref": "#/$defs/env"},
    "plain": {"type": "array"},
    "containers": {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      "items": {"properties": {
        "env": {"$ref": "#/$defs/env"},
        "ports": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}
      }}
    }
  },
  "$defs": {"env": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}}
}"##;
    let chart = |name: &str, more: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}");
    let values = "env:\n- {name: A, value: one}\n- {name: B, value: two, note: x}\n- {name: C, value: three}\nplain: [1, 2]\n\
                  containers:\n- name: main\n  image: web\n  env:\n  - {name: X, value: x}\n  ports:\n  - {port: 80, protocol: TCP}\n  \
                  - {port: 80, protocol: UDP}\n";
    let folder = Folder::new()
        .file("jinja/Chart.yaml", chart("jinja", ""))
        .file("jinja/values.yaml", values)
        .file("jinja/values.schema.json", schema)
        .file("jinja/templates/a.yaml.j2", "a: 1\n")
        .file("go/Chart.yaml", chart("go", ""))
        .file("go/values.yaml", values)
        .file("go/values.schema.json", schema)
        .file("asks/Chart.yaml", chart("asks", "annotations: {chart/merge-lists: \"true\"}\n"))
        .file("asks/values.yaml", values)
        .file("asks/values.schema.json", schema)
        .file("one.yaml", "env:\n- {name: B, value: changed, note: null}\n- {name: D, value: four}\nplain: [3]\n")
        .file(
            "two.yaml",
            "env:\n- {name: C, $patch: delete}\n- {name: A, value: again}\n- {name: E}\n- {name: E}\n\
             containers:\n- name: main\n  env:\n  - {name: W, value: w}\n  ports:\n  - {port: 80, protocol: UDP, hostPort: 8080}\n- name: side\n",
        )
        .file("none.yaml", "env: null\n")
        .file("after.yaml", "env:\n- {name: Z}\n");
    let mut shown = String::new();
    for line in [
        "values jinja -f one.yaml,two.yaml",
        "values jinja env[0].value -f one.yaml,two.yaml",
        "values jinja containers[0].ports[1].hostPort -f one.yaml,two.yaml",
        "values jinja env[3].value -f one.yaml,two.yaml --origins",
        "values jinja env -f none.yaml,after.yaml",
        "values go env -f one.yaml,two.yaml",
        "values asks env -f one.yaml",
    ] {
        shown += &format!("$ chart {line}\n{}\n", folder.run(line).shown());
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn values_that_do_nothing_are_told() {
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: redis, version: 1.x, condition: cache.enabled}\n")
        .file(
            "web/values.yaml",
            "replicaCount: 1\nimage:\n  repository: nginx\n  tag: v1\n  pullPolicy: Always\nresources: {}\nlabels:\n  team: web\n\
             ingress:\n  enabled: false\n  host: example.com\n  tls:\n    secret: x\nforgotten:\n  a: 1\n  b: 2\ncache: {enabled: true}\nglobal: {region: eu}\n",
        )
        .file("web/values.schema.json", "{\"properties\": {\"fromSchema\": {\"properties\": {\"size\": {}}}}}")
        .file("web/charts/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.2.3\n")
        .file("web/charts/redis/values.yaml", "port: 6379\nauth:\n  password: secret\n")
        .file("web/charts/redis/templates/s.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: redis}\ndata:\n  port: {{ .Values.port | quote }}\n  password: {{ .Values.auth.password }}\n  region: {{ .Values.global.region }}\n")
        .file("web/templates/_h.tpl", "{{- define \"image\" -}}{{ .repository }}:{{ .tag }}{{- end -}}\n")
        .file(
            "web/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  labels: {{ toJson .Values.labels }}\ndata:\n  image: {{ include \"image\" .Values.image }}\n  \
             replicas: {{ .Values.replicaCount | quote }}\n  resources: {{ toJson .Values.resources | quote }}\n  extra: {{ .Values.extra | default \"none\" }}\n\
             {{- if .Values.ingress.enabled }}\n  host: {{ .Values.ingress.host }}\n  {{- with .Values.ingress.tls }}\n  tls: {{ .secret }}\n  {{- end }}\n{{- end }}\n\
             {{- if .Values.fromSchema }}\n  size: {{ .Values.fromSchema.size | quote }}\n{{- end }}\n",
        )
        .file("good.yaml", "replicaCount: 2\nextra: x\nlabels: {any: thing}\nresources: {limits: {cpu: 1}}\nfromSchema: {size: 1}\ningress: {tls: {secret: y}}\ncache: {enabled: true}\nredis: {port: 1, auth: {password: p}}\nglobal: {region: us}\n")
        .file(
            "bad.yaml",
            "replicaCnt: 3\nimage:\n  tga: v2\n  replicaCount: 3\ntag: v3\nredis:\n  prot: 1\n  password: x\nfromSchema: {sise: 2}\nglobal: {regoin: us}\nforgotten:\n  a: 5\ningress:\n  tls: {secrt: z}\n",
        );
    let mut shown = String::new();
    for line in [
        "check web -f good.yaml --format short",
        "check web -f bad.yaml --format short --allow unused-value",
        "render web -f good.yaml --strict --format short",
        "render web -f bad.yaml --strict",
        "render web -f bad.yaml --format short --show-only templates/a.yaml",
    ] {
        shown += &format!("$ chart {line}\n{}\n", folder.run(line).shown());
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn lines_that_name_a_value_are_shown_for_both_dialects() {
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "enabled: false\nimage: {tag: v1}\n")
        .file(
            "web/templates/a.yaml",
            "# ${#none}\n{{- if .Values.enabled }}\na: {{ with .Values.image }}{{ .tag }}{{ end }}\n{{- end }}\n",
        )
        .file(
            "web/templates/b.yaml.j2",
            "# one\n{% if values.enabled %}\n{% set image = values.image %}\na: {{ image.tag }}\n{% endif %}\n",
        );
    let enabled = folder.run("values web enabled").ok().stdout;
    for line in ["web/templates/a.yaml:2:1 ", "web/templates/b.yaml.j2:2:1 "] {
        assert!(enabled.contains(line), "{enabled}");
    }
    let tag = folder.run("values web image.tag").ok().stdout;
    for line in ["web/templates/a.yaml:3:28 ", "web/templates/b.yaml.j2:4:4 "] {
        assert!(tag.contains(line), "{tag}");
    }
}
