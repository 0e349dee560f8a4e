//! What templates can name: each other, release and chart, files, Go templates.

use super::{Case, json as json_of, read};
use chart::chart::Metadata;
use chart::diagnostic::{Code, Diagnostic, FileId};
use chart::template::jinja::Engine;
use chart::template::{Argument, Dialect, RootContext};
use serde_json::json;
use std::sync::Arc;

#[test]
fn names_of_templates_are_looked_up_from_the_own_chart_outwards() {
    let case = || {
        Case::yaml("own: 1\ndb: {own: 2, cache: {own: 3}}\n")
            .chart(0, "db")
            .chart(1, "cache")
            .chart(0, "common")
            .template("_helpers.j2", "{% macro where() %}web{% endmacro %}\n")
            .template_of(1, "_helpers.j2", "{% macro where() %}db{% endmacro %}\n")
            .template_of(3, "_helpers.j2", "{% macro where() %}common {{ values.own }}{% endmacro %}\n")
            .template_of(3, "parts/_deep.j2", "{% from \"_helpers.j2\" import where %}\ndeep: {{ where() }}\n")
    };
    let import = |name: &str| format!("{{% from \"{name}\" import where %}}\nat: {{{{ where() }}}}\n");
    let at = |scope: usize, name: &str| case().template_of(scope, "t.yaml.j2", &import(name)).render();
    assert_eq!(at(0, "_helpers.j2").as_deref(), Ok("at: web\n"));
    assert_eq!(at(1, "_helpers.j2").as_deref(), Ok("at: db\n"));
    assert_eq!(at(0, "web/templates/_helpers.j2").as_deref(), Ok("at: web\n"));
    assert_eq!(at(1, "web/templates/_helpers.j2").as_deref(), Ok("at: web\n"));
    // A chart of the tree by its name: below, above, beside.
    assert_eq!(at(0, "common/_helpers.j2").as_deref(), Ok("at: common 1\n"));
    assert_eq!(at(1, "common/_helpers.j2").as_deref(), Ok("at: common 2\n"));
    assert_eq!(at(2, "common/_helpers.j2").as_deref(), Ok("at: common 3\n"));
    assert_eq!(at(2, "db/_helpers.j2").as_deref(), Ok("at: db\n"));
    assert_eq!(at(2, "web/_helpers.j2").as_deref(), Ok("at: web\n"));
    // Names inside an included file are its own chart's.
    let deep = case().template("t.yaml.j2", "{% include \"common/parts/_deep.j2\" %}\n");
    assert_eq!(deep.text(), "deep: common 1\n");
    // A chart does not fall back to its parent's files.
    let message = case().template_of(2, "t.yaml.j2", &import("_helpers.j2")).error();
    assert!(message.contains("there is no template `_helpers.j2`"), "{message}");
}

#[test]
fn templates_inherit() {
    let case = Case::new(&json!({ "s": "no", "m": { "a": 1 } }))
        .template("_base.yaml.j2", "kind: {% block kind %}Pod{% endblock %}\nmeta:\n{% block meta %}\n  base: {{ values.s }}\n{% endblock %}\nend: 1\n")
        .template(
            "t.yaml.j2",
            "{% extends \"_base.yaml.j2\" %}\n{% set kind = values.s %}\n{% block kind %}{{ kind }}{% endblock %}\n\
             {% block meta %}\n{{ super() }}\n  child: {{ values.s }}\n  {{ values.m }}\n{% endblock %}\n",
        );
    let data = json_of(&read(&case.text(), FileId(0)));
    assert_eq!(data, json!({ "kind": "no", "meta": { "base": "no", "child": "no", "a": 1 }, "end": 1 }));
}

#[test]
fn includes_go_to_their_place() {
    let case = Case::new(&json!({ "s": "a: b", "l": ["yes"], "text": "x\n  y" }))
        .template("_map.yaml.j2", "s: {{ values.s }}\nl: {{ values.l }}\n")
        .template("_value.j2", "{{ values.s }}")
        .template("_conf.txt.j2", "key = {{ values.s }}\nyes\n")
        .template(
            "t.yaml.j2",
            "{% include \"_map.yaml.j2\" %}\ninner:\n  {% include \"_map.yaml.j2\" %}\n  z: 1\n\
             items:\n- {% include \"_map.yaml.j2\" %}\n- b\nvalue: {% include \"_value.j2\" %}\n\
             quoted: \"<{% include \"_value.j2\" %}>\"\nconf: {% include \"_conf.txt.j2\" %}\nblock: |\n  {% include \"_conf.txt.j2\" %}\n  end\n\
             none: {% include \"_absent.j2\" ignore missing %}\n",
        );
    let map = json!({ "s": "a: b", "l": ["yes"] });
    let mut inner = map.clone();
    inner["z"] = json!(1);
    let data = json_of(&read(&case.text(), FileId(0)));
    let expected = json!({
        "s": "a: b", "l": ["yes"], "inner": inner, "items": [map, "b"], "value": "a: b", "quoted": "<a: b>",
        "conf": "key = a: b\nyes", "block": "key = a: b\nyes\nend\n", "none": null,
    });
    assert_eq!(data, expected, "{}", case.text());
}

#[test]
fn text_templates_insert_text() {
    let case = Case::new(&json!({ "s": "a: b", "b": true, "n": null, "f": 1.0, "l": ["yes", 1], "hosts": ["x", "y"] }))
        .template("_helpers.j2", "{% macro full(a) %}{{ a }}-{{ values.s }}{% endmacro %}\n{% macro lab() %}\na: {{ values.s }}\n{% endmacro %}\n")
        .template(
            "NOTES.txt.j2",
            "{% from \"_helpers.j2\" import full, lab %}\n{{ full('x') }} {{ values.b }} [{{ values.n }}] {{ values.f }} {{ values.l }}\n\
             {% for h in values.hosts %}\n  http://{{ h }}/\n{% endfor %}\n{{ lab() }}\nquote: {{ values.s|quote }}\n",
        );
    assert_eq!(
        case.text(),
        "x-a: b true [] 1.0 [\"yes\", 1]\n  http://x/\n  http://y/\na: \"a: b\"\n\nquote: \"a: b\"\n"
    );
    let case = Case::new(&json!({ "s": "x" })).template("config.json.j2", "{\"a\": {{ {'b': values.s}|tojson }}}");
    assert_eq!(case.text(), "{\"a\": {\"b\":\"x\"}}");
}

#[test]
fn names_describe_release_chart_and_cluster() {
    let mut case = Case::yaml("db: {x: 1}\nglobal: {g: 2}\n")
        .chart(0, "db")
        .file("conf/a.txt", b"one\ntwo\n")
        .file("conf/b.bin", b"\xff\x00")
        .file("other.txt", b"x");
    case.project.scopes[0].metadata = Arc::new(Metadata {
        name: "web".to_owned(),
        version: "1.2.3".to_owned(),
        app_version: "4.5".to_owned(),
        ..Metadata::default()
    });
    let template = "\
release: {{ release }}
chart: {{ chart.name }}-{{ chart.version }}/{{ chart.app_version }}
root: {{ chart.is_root }}
kube: {{ capabilities.kube_version }} {{ capabilities.kube_version.major }}.{{ capabilities.kube_version.minor }}
newer: {{ capabilities.kube_version|semver_compare('>=1.30-0') }}
apps: {{ capabilities.api_versions.has('apps/v1') }} {{ 'apps/v1' in capabilities.api_versions }}
none: {{ capabilities.api_versions.has('x/v1') }}
template: {{ template }}
sub: {{ subcharts.db.values.x }} {{ subcharts.db.chart.name }}
files: {{ files|list }}
text: {{ files.get('conf/a.txt') }}
default: {{ files.get('nope', 'none') }}
lines: {{ files.lines('conf/a.txt') }}
config:
  {{ files.glob('conf/*.txt').as_config() }}
secrets:
  {{ files.glob('conf/**').as_secrets() }}
binary: {{ files.get_bytes('conf/b.bin')|b64encode }}
paths: {{ files.glob('**.txt')|list }}
";
    let case = case.template("t.yaml.j2", template);
    insta::assert_snapshot!("names", case.text());
    let message =
        Case::yaml("a: 1").file("conf.txt", b"").template("t.yaml.j2", "a: {{ files.get('cnf.txt') }}").error();
    insta::assert_snapshot!("missing_file", message);
}

#[test]
fn values_of_charts_are_their_own() {
    let case = Case::yaml("own: 1\ndb: {own: 2, cache: {own: 3}}\n")
        .chart(0, "db")
        .chart(1, "cache")
        .chart(0, "bare")
        .template_of(2, "t.yaml.j2", "own: {{ values.own }}\n");
    assert_eq!(case.text(), "own: 3\n");
    let mut engine = Engine::new(&Arc::new(case.project.clone()));
    engine.render(0).expect("renders");
    let reads: Vec<String> =
        engine.reads().paths.iter().map(|(path, whole)| format!("{} {whole}", path.join("."))).collect();
    assert_eq!(reads, ["db.cache.own false"]);
    let message = case.template_of(3, "t.yaml.j2", "own: {{ values.own }}\n").error();
    assert!(message.contains("`values.own` is not defined"), "{message}");
}

#[test]
fn reads_are_recorded_by_path() {
    let case = Case::yaml("a: {b: 1, c: {d: 2, e: 3}}\nl: [{x: 1, y: 2}]\nm: {p: 1, q: 2}\nunused: 1\nt: yes\n")
        .template(
            "t.yaml.j2",
            "{% if values.t %}\nb: {{ values.a.b }}\n{% endif %}\nd: {{ values.a.c['d'] }}\n\
         {% for i in values.l %}\nx: {{ i.x }}\n{% endfor %}\nm: {{ values.m }}\nz: {{ values.zzz|default('') }}\n",
        );
    let mut engine = Engine::new(&Arc::new(case.project.clone()));
    engine.render(0).expect("renders");
    let reads: Vec<String> =
        engine.reads().paths.iter().map(|(path, whole)| format!("{} {whole}", path.join("."))).collect();
    assert_eq!(reads, ["a.b false", "a.c.d false", "l true", "m true", "t false"]);
}

#[test]
fn go_templates_are_called_by_name() {
    let case = Case::yaml("x: 1\n").chart(0, "db").template(
        "t.yaml.j2",
        "name: {{ include(\"web.fullname\") }}\nlabels:\n  {{ include(\"web.labels\", ctx) }}\n  z: 1\n\
         short: {{ include(\"web.fullname\")|trunc(3) }}\nq: \"{{ include(\"web.fullname\") }}!\"\n\
         e: {{ include(\"web.echo\", {'value': values.x, 'context': ctx}) }}\n",
    );
    let engine = Engine::new(&Arc::new(case.project.clone()));
    engine.set_include(Arc::new(|name, scope, argument| match (name, argument) {
        ("web.fullname", Argument::Root) => Ok(format!("rel-web{scope}")),
        ("web.labels", Argument::Root) => Ok("app: web\nversion: \"1\"\n".to_owned()),
        ("web.echo", Argument::Value(value)) => {
            let map = value.as_map().expect("a map");
            let context = map.get("context").expect("a context");
            let root = matches!(&context, chart::value::Value::Object(object) if object.as_any().is::<RootContext>());
            Ok(format!("{:?} {root}", map.get("value").expect("a value")))
        }
        _ => Err(vec![Diagnostic::new(Code::TemplateError, format!("no template {name}"))]),
    }));
    let output = engine.clone().render(0).expect("renders");
    assert_eq!(
        output.text,
        "name: rel-web0\nlabels:\n  app: web\n  version: \"1\"\n  z: 1\nshort: rel\nq: \"rel-web0!\"\ne: Int64(1) true\n"
    );
    let case = Case::yaml("x: 1\n").template("t.yaml.j2", "name: {{ include(\"web.fullname\") }}\n");
    insta::assert_snapshot!("include_without_go", case.error());
}

#[test]
fn macros_are_called_from_go_templates() {
    let case = Case::yaml("x: 1\ndb: {x: 2}\n").chart(0, "db").template(
        "_helpers.j2",
        "{% macro labels(name='none') %}\napp: {{ name }}\nx: {{ values.x }}\n{% endmacro %}\n{% macro full() %}web-{{ values.x }}{% endmacro %}\n",
    ).template("_part.j2", "part: {{ values.x }}\n");
    let engine = Engine::new(&Arc::new(case.project.clone()));
    let value = |text: &str| Argument::Value(chart::value::Value::from(text));
    assert_eq!(engine.call("_helpers.j2:full", 0, Argument::Root).as_deref(), Ok("web-1"));
    assert_eq!(engine.call("web/_helpers.j2:full", 1, Argument::Root).as_deref(), Ok("web-2"));
    assert_eq!(engine.call("_helpers.j2:labels", 0, value("yes")).as_deref(), Ok("app: \"yes\"\nx: 1\n"));
    assert_eq!(engine.call("_part.j2", 0, Argument::Root).as_deref(), Ok("part: 1"));
    let failure = engine.call("_helpers.j2:lables", 0, Argument::Root).expect_err("no such macro");
    assert_eq!(failure[0].message, "there is no macro `lables`");
}

#[test]
fn tpl_renders_texts_of_values() {
    let values = "name: '{{ release.name }}-x'\nplain: 'a: b'\nmap: {a: ['{{ chart.name }}', 1], b: 'no'}\n\
        lines: \"{% for i in [1, 2] %}{{ i }}\\n{% endfor %}\"\nbad: '{{ .Values.x }}'\nmissing: '{{ values.nmae }}'\nloop: '{{ values.loop|tpl }}'\n";
    let render = |template: &str| Case::yaml(values).template("t.yaml.j2", template).render();
    assert_eq!(render("a: {{ values.name|tpl }}\n").as_deref(), Ok("a: rel-x\n"));
    assert_eq!(render("a: {{ values.plain|tpl }}\n").as_deref(), Ok("a: \"a: b\"\n"));
    assert_eq!(render("a: {{ values.map|tpl }}\n").as_deref(), Ok("a:\n  a:\n  - \"\"\n  - 1\n  b: \"no\"\n"));
    assert_eq!(render("a: {{ values.lines|tpl }}\n").as_deref(), Ok("a: |\n  1\n  2\n"));
    assert_eq!(render("a: {{ tpl('{{ x }}-{{ values.plain }}', x=1) }}\n").as_deref(), Ok("a: \"1-a: b\"\n"));
    let errors: Vec<String> = ["bad", "missing", "loop"]
        .iter()
        .map(|name| render(&format!("a: {{{{ values.{name}|tpl }}}}\n")).expect_err("an error"))
        .collect();
    insta::assert_snapshot!("tpl_errors", errors.join("\n"));
}
