//! The Jinja dialect.

use crate::support;
use chart::chart::{File, Metadata};
use chart::diagnostic::{Code, Diagnostic, FileId, Sources, Span};
use chart::template::jinja::{Engine, jinja_name};
use chart::template::{
    Argument, Capabilities, Context, Dialect, Limits, Project, Release, RootContext, Scope, Template,
};
use chart::yaml::{Data, Entry, Node};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Number, Value as Json, json};
use std::sync::Arc;

/// A project of one chart `web` with templates and values, ready to render.
struct Case {
    project: Project,
    sources: Sources,
}

impl Case {
    fn new(values: &Json) -> Self {
        let mut sources = Sources::default();
        let file = sources.add("values.yaml", "");
        Case::of(sources, node(values, file))
    }

    fn yaml(values: &str) -> Self {
        let mut sources = Sources::default();
        let file = sources.add("values.yaml", values);
        Case::of(sources, read(values, file))
    }

    fn of(sources: Sources, values: Node) -> Self {
        let scope = Scope {
            path: "web".into(),
            metadata: Arc::default(),
            files: Arc::default(),
            parent: None,
            children: Vec::new(),
            name: "web".into(),
            is_library: false,
        };
        Case { project: Project { context: context(), scopes: vec![scope], templates: Vec::new(), values }, sources }
    }

    fn template(mut self, name: &str, text: &str) -> Self {
        let name = format!("web/templates/{name}");
        let file = self.sources.add(name.as_str(), text);
        self.project.templates.push(Template { name: name.into(), scope: 0, text: text.into(), file });
        self
    }

    /// Renders the last template: its text, or `LINE:COLUMN code: message (hints)`.
    fn render(&self) -> Result<String, String> {
        let mut engine = Engine::new(&Arc::new(self.project.clone()));
        let template = self.project.templates.len() - 1;
        match engine.render(template) {
            Ok(output) => Ok(output.text),
            Err(failure) => Err(failure.iter().map(|diagnostic| self.show(diagnostic)).collect::<Vec<_>>().join("\n")),
        }
    }

    fn show(&self, diagnostic: &chart::diagnostic::Diagnostic) -> String {
        let place = |span: Span| self.sources.locate(span).replace("web/templates/", "");
        let mut text = format!("error[{}]: {}", diagnostic.code.as_str(), diagnostic.message);
        for label in &diagnostic.labels {
            let shown = &self.sources.text(label.span.file)[label.span.start as usize..label.span.end as usize];
            text += &format!("\n  at {}: `{}` {}", place(label.span), shown, label.text);
        }
        for frame in &diagnostic.trace {
            text += &format!("\n  {}: {}", frame.span.map(place).unwrap_or_default(), frame.text);
        }
        for hint in &diagnostic.hints {
            text += &format!("\n  help: {hint}");
        }
        text
    }
}

fn context() -> Context {
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
        seed: Some(1),
        now: 1_700_000_000_000_000_000,
        time_zone: Some("UTC".into()),
        lookup: Vec::new(),
        enable_dns: false,
        record_reads: true,
    }
}

/// A tree of JSON, without places.
fn node(value: &Json, file: FileId) -> Node {
    let data = match value {
        Json::Null => Data::Null,
        Json::Bool(value) => Data::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Data::Int(number),
            (None, Some(number)) => Data::Uint(number),
            _ => Data::Float(number.as_f64().expect("a number")),
        },
        Json::String(text) => Data::Str(text.as_str().into()),
        Json::Array(items) => Data::Seq(Arc::new(items.iter().map(|item| node(item, file)).collect())),
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| {
                let entry = Entry { key_span: Span::new(file, 0, 0), value: node(value, file) };
                (Arc::from(key.as_str()), entry)
            };
            Data::Map(Arc::new(entries.iter().map(entry).collect()))
        }
    };
    Node::new(Span::new(file, 0, 0), data)
}

/// The only document of a text.
fn read(text: &str, file: FileId) -> Node {
    let parsed = chart::yaml::read(text, file);
    if let Some(error) = parsed.error {
        panic!("not YAML: {}\n{text}", error.diagnostic.message);
    }
    assert!(parsed.findings.is_empty(), "{:?}\n{text}", parsed.findings);
    match parsed.documents.as_slice() {
        [] => Node::new(Span::new(file, 0, 0), Data::Null),
        [one] => one.clone(),
        more => panic!("{} documents in\n{text}", more.len()),
    }
}

/// A tree as JSON; floats stay floats.
fn json(node: &Node) -> Json {
    match &node.data {
        Data::Null => Json::Null,
        Data::Bool(value) => Json::Bool(*value),
        Data::Int(number) => Json::Number((*number).into()),
        Data::Uint(number) => Json::Number((*number).into()),
        Data::Float(number) => Number::from_f64(*number).map_or(Json::String(number.to_string()), Json::Number),
        Data::Str(text) => Json::String(text.to_string()),
        Data::Seq(items) => items.iter().map(json).collect(),
        Data::Map(map) => Json::Object(map.iter().map(|(key, entry)| (key.to_string(), json(&entry.value))).collect()),
    }
}

/// Renders a YAML template whose top-level names are the values', and reads it back.
fn round_trip(template: &str, values: &Json) -> Result<Json, String> {
    let mut text = String::new();
    for name in values.as_object().expect("a map").keys() {
        text += &format!("{{% set {name} = values.{name} %}}\n");
    }
    text += template;
    let rendered = Case::new(values).template("t.yaml.j2", &text).render()?;
    Ok(json(&read(&rendered, FileId(0))))
}

/// Cases of a text file: a title, values, a template and the data (or `ERR` and a part of the message).
fn check_file(text: &str) {
    let mut wrong = Vec::new();
    for case in text.split("=== ").filter(|case| !case.trim().is_empty()) {
        let (title, rest) = case.split_once('\n').expect("a title");
        let parts: Vec<&str> = rest.splitn(3, "\n---\n").collect();
        let [values, template, expected] = parts.as_slice() else { panic!("{title}: three parts") };
        let values: Json = serde_json::from_str(values).unwrap_or_else(|error| panic!("{title}: {error}"));
        let result = std::panic::catch_unwind(|| round_trip(template, &values));
        let result = result.unwrap_or_else(|panic| Err(format!("{:?}", panic.downcast_ref::<String>())));
        let right = match (&result, expected.trim().strip_prefix("ERR")) {
            (Err(message), Some(part)) => message.starts_with("error[") && message.contains(part.trim()),
            (Ok(data), None) => {
                *data == serde_json::from_str::<Json>(expected).unwrap_or_else(|error| panic!("{title}: {error}"))
            }
            _ => false,
        };
        if !right {
            let found = match result {
                Ok(data) => data.to_string(),
                Err(message) => message,
            };
            wrong.push(format!("{title}:\n{template}\n  expected {}\n  found {found}", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Where a string can stand, and the data that must come of it.
type Place = (&'static str, fn(&str) -> Json);

const PLACES: &[Place] = &[
    ("k: {{ s }}", |s| json!({ "k": s })),
    ("k: {{ s }}\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("k: {{ s }} # note\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("k: {{- s -}}\n", |s| json!({ "k": s })),
    ("k:\n  {{ s }}\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("- {{ s }}\n- x: {{ s }}\n  q: {{ s }}\n- - {{ s }}", |s| json!([s, { "x": s, "q": s }, [s]])),
    ("{{ s }}: 1", |s| json!({ s: 1 })),
    ("p{{ s }}q: 1\n\"{{ s }}\": 2", |s| json!({ format!("p{s}q"): 1, s: 2 })),
    ("k: [{{ s }}, p{{ s }}, {a: {{ s }}, {{ s }}: 1}]", |s| match s {
        "a" => json!([]),
        _ => json!({ "k": [s, format!("p{s}"), { "a": s, s: 1 }] }),
    }),
    ("k: a{{ s }}b", |s| json!({ "k": format!("a{s}b") })),
    ("k: {{ s }}{{ s }} # {{ s }}", |s| json!({ "k": format!("{s}{s}") })),
    (
        "k: {{ s }}{% if s %}:{{ s }}{% endif %}",
        |s| json!({ "k": if s.is_empty() { String::new() } else { format!("{s}:{s}") } }),
    ),
    ("k: \"a {{ s }} b\"\nz: 1", |s| json!({ "k": format!("a {s} b"), "z": 1 })),
    ("k: 'a {{ s }} b'\nz: 1", |s| json!({ "k": format!("a {s} b"), "z": 1 })),
    ("k: |\n  a {{ s }}b\nz: 1", |s| json!({ "k": format!("a {s}b\n"), "z": 1 })),
    ("k: |+\n  {{ s }}\nz: 1", |s| json!({ "k": format!("{s}\n"), "z": 1 })),
    ("k:\n- l: |+\n    x\n      {{ s }}\n", |s| json!({ "k": [{ "l": format!("x\n  {}\n", indented(s)) }] })),
    (
        "{% macro m(x) %}\n{{ x }}: {{ x }}\nq: a{{ x }}\n{% endmacro %}\nk:\n  {{ m('l' ~ s) }}\nz: {{ m('l' ~ s) }}",
        |s| {
            let key = format!("l{s}");
            let inner = json!({ key.as_str(): key, "q": format!("a{key}") });
            json!({ "k": inner, "z": inner })
        },
    ),
    ("{% macro m(x) %}{{ x }}-{{ x }}{% endmacro %}\nk: {{ m(s) }}\nl: \"{{ m(s) }}!\"\nn: {{ m(s)|length }}", |s| {
        let text = format!("{s}-{s}");
        let text = text.trim();
        json!({ "k": text, "l": format!("{text}!"), "false": text.chars().count() })
    }),
    ("{% set x %}{{ s }}{% endset %}\nk: {{ x }}\nl: {{ x == s }}", |s| json!({ "k": s, "l": true })),
    (
        "k:\n{% for i in [s, s] %}\n- nn: {{ i }}\n  {{ {i: i} }}\n{% endfor %}",
        |s| json!({ "k": [{ "nn": s, s: s }, { "nn": s, s: s }] }),
    ),
    ("k: {{ {'a': [s, {s: s}]} }}", |s| json!({ "k": { "a": [s, { s: s }] } })),
    ("k: {{ [s, [s]] }}\nl:\n  x: 1\n  {{ {s: [s]} }}", |s| match s {
        "x" => json!([]),
        _ => json!({ "k": [s, [s]], "l": { "x": 1, s: [s] } }),
    }),
    (
        "k: {{ s|tojson|fromjson }}\nl: {{ {'a': s}|toyaml }}\nm: {{ s|quote }}",
        |s| json!({ "k": s, "l": { "a": s }, "m": s }),
    ),
    ("k: {{ s ~ s }}\nl: {{ [s, s]|join(', ') }}", |s| json!({ "k": format!("{s}{s}"), "l": format!("{s}, {s}") })),
];

/// The text with its lines after the first indented, unless they are empty.
fn indented(text: &str) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + if line.is_empty() { "\n" } else { "\n  " } + line)
}

/// Texts of pieces that mean something to YAML, to Jinja, or to readers of numbers.
fn hostile() -> impl Strategy<Value = String> {
    let pieces: &[&str] = &[
        "a",
        "b",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\n  ",
        ":",
        ": ",
        "- ",
        "-",
        "#",
        " #",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "?",
        "=",
        "<<",
        "~",
        "null",
        "true",
        "yes",
        "on",
        "n",
        "1",
        "0",
        ".",
        "e",
        "+",
        "_",
        "0x",
        "0o",
        "12:30",
        "2020-01-01",
        "1_000",
        ".inf",
        "\t",
        "\r",
        "{{",
        "}}",
        "{% raw %}",
        "x: y",
        "---",
        "...",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{a0}",
        "\u{7}",
        "\u{1b}",
        "ä",
        "\u{1f600}",
        "privileged: true",
        "\0",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..7).prop_map(|pieces| pieces.concat())
}

/// What may be refused: text that its surroundings cannot hold.
fn may_refuse(template: &str, text: &str) -> bool {
    let special = text.chars().any(|char| {
        char.is_control() && !matches!(char, '\n' | '\t') || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}')
    });
    let block = template.contains("|\n") || template.contains("|+\n");
    block && special || template.contains("'a {{") && (special || text.contains('\n'))
}

#[test]
fn hostile_strings_read_back_exactly() {
    let mut wrong = Vec::new();
    for (template, expected) in PLACES {
        let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
        let result = runner.run(&hostile(), |text| {
            let wanted = expected(&text);
            if wanted == json!([]) {
                return Ok(());
            }
            let found = std::panic::catch_unwind(|| round_trip(template, &json!({ "s": text })));
            match found {
                Ok(Ok(data)) => prop_assert_eq!(data, wanted),
                Ok(Err(message)) => prop_assert!(may_refuse(template, &text), "{}", message),
                Err(_) => prop_assert!(false, "not YAML"),
            }
            Ok(())
        });
        wrong.extend(result.err().map(|error| format!("{template}\n{error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn traps_are_treated() {
    check_file(include_str!("../testdata/jinja/traps.txt"));
}

#[test]
fn every_case_of_the_table_reads_back_exactly() {
    let cases: Vec<Json> =
        serde_json::from_str(include_str!("../testdata/jinja/interpolation.json")).expect("cases are JSON");
    let mut wrong = Vec::new();
    for case in &cases {
        let template = case["template"].as_str().expect("a template");
        let result = round_trip(template, &case["values"]);
        let right = match (&result, case["error"].as_str()) {
            (Err(message), Some(part)) => message.contains(part),
            (Ok(data), None) => *data == case["data"],
            _ => false,
        };
        if !right {
            wrong.push(format!(
                "{}:\n{template}\nexpected {} {}\n   found {result:?}",
                case["name"], case["data"], case["error"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The values of the mistakes below.
const VALUES: &str = "\
image:
  repository: nginx
  tag: '1.27'
replicas: 3
labels:
  team: web
env:
- name: A
  value: '1'
script: |
  echo a
  echo b
";

/// What a user sees who makes a mistake in a template.
#[track_caller]
fn mistake(template: &str) -> String {
    let helpers = "{% macro labels(name) %}\napp: {{ name }}\nteam: {{ values.labels.taem }}\n{% endmacro %}\n\
        {% macro full(a, b) %}{{ a }}-{{ b }}{% endmacro %}\n";
    let case = Case::yaml(VALUES)
        .template("_helpers.j2", helpers)
        .template("_broken.j2", "{% if x %}\n")
        .template("_deep.j2", "x: {{ values.nope }}\n")
        .template("t.yaml.j2", template);
    match case.render() {
        Err(message) => message,
        Ok(text) => panic!("rendered to\n{text}"),
    }
}

#[test]
fn mistakes_are_explained() {
    let mistakes = [
        ("a misspelt value", "kind: X\nimage: {{ values.imag.tag }}\n"),
        ("a misspelt key deeper", "tag: {{ values.image.tga }}\n"),
        ("a value one level up", "n: {{ values.image.replicas }}\n"),
        ("a value one level down", "n: {{ values.tag }}\n"),
        ("a key of a string", "n: {{ values.image.tag.minor }}\n"),
        ("an unknown name", "n: {{ valeus.replicas }}\n"),
        ("a value without `values`", "n: {{ replicas }}\n"),
        ("a misspelt release", "n: {{ release.nmae }}\n"),
        ("a misspelt key of a loop variable", "{% for e in values.env %}\n- {{ e.vlaue }}\n{% endfor %}\n"),
        ("an unknown filter", "n: {{ values.image.tag|uper }}\n"),
        ("Helm's filter name", "n: {{ values.labels|toYaml|nindent(2) }}\n"),
        ("an unknown function", "n: {{ requird('x', values.image) }}\n"),
        ("an unknown test", "{% if values.image is defind %}\na: 1\n{% endif %}\n"),
        ("Helm's syntax", "n: {{ .Values.image.tag }}\n"),
        ("Helm's if", "{{ if values.image }}\na: 1\n{{ end }}\n"),
        ("an unclosed block", "a: 1\n{% if values.image %}\nb: 2\n"),
        ("a wrong end", "{% for e in values.env %}\n- {{ e.name }}\n{% endif %}\n"),
        ("an unclosed expression", "a: {{ values.image.tag }\nb: 1\n"),
        ("a missing quote", "image: \"{{ values.image.repository }}:{{ values.image.tag }}\npolicy: \"Always\"\n"),
        ("a missing quote at the end", "image: \"{{ values.image.repository }}\nb: 1\n"),
        ("a map in a string", "a: \"{{ values.image }}\"\n"),
        ("a map in a value with text", "a: x-{{ values.image }}\n"),
        ("a map as a key", "{{ values.image }}: 1\n"),
        ("several lines in single quotes", "a: '{{ values.script }}'\n"),
        ("a missing template", "{% include \"_helper.j2\" %}\n"),
        ("a missing import", "{% from \"_helpers.j2\" import lables %}\na: {{ lables('x') }}\n"),
        ("a template that includes itself", "a: 1\n{% include \"t.yaml.j2\" %}\n"),
        ("a macro without end", "{% macro m(x) %}{{ m(x) }}{% endmacro %}\na: {{ m(1) }}\n"),
        ("too many arguments", "{% from \"_helpers.j2\" import full %}\na: {{ full(1, 2, 3) }}\n"),
        ("a wrong argument name", "{% from \"_helpers.j2\" import full %}\na: {{ full(1, c=2) }}\n"),
        ("a mistake in a macro of another file", "{% from \"_helpers.j2\" import labels %}\na:\n  {{ labels('x') }}\n"),
        ("a mistake in an included file", "a: 1\n{% include \"_deep.j2\" %}\n"),
        ("an included file that does not parse", "a: 1\n{% include \"_broken.j2\" %}\n"),
        ("an import of a file that does not parse", "{% import \"_broken.j2\" as b %}\na: 1\n"),
        ("an argument of the wrong type", "a: {{ values.image|trunc(5) }}\n"),
        ("a wrong number of arguments", "a: {{ values.image.tag|trunc }}\n"),
        ("a required value", "a: {{ values.host|required('set `host` to the public name') }}\n"),
        ("a failure on purpose", "{% if values.replicas > 1 %}\n{{ fail('only one replica') }}\n{% endif %}\n"),
        ("two lines joined", "a: {{ values.replicas -}}\nb: {{ values.replicas }}\n"),
        ("a tab", "a:\n\tb: {{ values.replicas }}\n"),
        ("a colon in a plain value", "a: see: {{ values.replicas }}\n"),
        ("an expression behind a quoted value", "a: \"x\" {{ values.replicas }}\n"),
        ("a loop over a number", "{% for i in values.replicas %}\n- {{ i }}\n{% endfor %}\n"),
        ("adding text to a number", "a: {{ values.image.tag + values.replicas }}\n"),
        ("a macro that is not called", "{% from \"_helpers.j2\" import full %}\na: {{ full }}\n"),
        (
            "a loop without end",
            "{% for a in range(9999) %}\n{% for b in range(9999) %}\n{% set c = a + b %}\n{% endfor %}\n{% endfor %}\n",
        ),
    ];
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(title, template)| format!("# {title}\n{}\n{}\n", template.trim_end(), mistake(template)))
        .collect();
    insta::assert_snapshot!("mistakes", shown.join("\n"));
}

/// Where each line of the output comes from: the template's text behind it, and the values that were read for it.
fn origins(case: &Case) -> String {
    let mut engine = Engine::new(&Arc::new(case.project.clone()));
    let output = engine.render(case.project.templates.len() - 1).unwrap_or_else(|failure| panic!("{failure:?}"));
    let mut shown = String::new();
    let mut start = 0;
    for line in output.text.split_inclusive('\n') {
        let text = line.trim_end();
        // The value of a key, or the item.
        let value = text.find(": ").map_or(text.len() - text.trim_start_matches([' ', '-']).len(), |at| at + 2);
        let at = |offset: usize| {
            let span = output.map.template((start + offset) as u32).expect("all output is mapped");
            let source = case.sources.text(span.file);
            let end = if span.end > span.start { span.end as usize } else { source.len() };
            let excerpt: String =
                source[span.start as usize..end].chars().take_while(|char| *char != '\n').take(24).collect();
            format!("{} `{excerpt}`", case.sources.locate(span).replace("web/templates/", ""))
        };
        let key = at(text.len() - text.trim_start().len());
        let end = (start + text.len()) as u32;
        let values: Vec<String> = output
            .map
            .values_in((start + value) as u32, end.max((start + value) as u32 + 1))
            .into_iter()
            .map(|span| case.sources.locate(span))
            .collect();
        let value = if value < text.len() { at(value) } else { String::new() };
        shown += &format!("{text:30} | {key} | {value} | {}\n", values.join(" "));
        start += line.len();
    }
    shown
}

#[test]
fn output_leads_back_to_templates_and_values() {
    let helpers = "{% macro labels(name, extra) %}\napp: {{ name }}\nversion: \"{{ values.image.tag }}\"\n{{ extra }}\n{% endmacro %}\n\
        {% macro pod() %}\nmetadata:\n  labels:\n    {{ labels(chart.name, {}) }}\nspec:\n  containers:\n  {% for e in values.env %}\n  - name: {{ e.name }}\n    value: {{ e.value }}\n  {% endfor %}\n{% endmacro %}\n";
    let template = "\
{% from \"_helpers.j2\" import labels, pod %}
kind: Deployment
metadata:
  name: web
  labels:
    {{ labels('web', values.labels) }}
spec:
  {% if values.replicas > 1 %}
  replicas: {{ values.replicas }}
  {% endif %}
  image: {{ values.image.repository }}:{{ values.image.tag }}
  env: {{ values.env }}
  {% set team = values.labels.team %}
  team: {{ team }}
  template:
    {{ pod() }}
  {% include \"_part.yaml.j2\" %}
script: |
  {{ values.script }}
";
    let case = Case::yaml(VALUES)
        .template("_helpers.j2", helpers)
        .template("_part.yaml.j2", "part:\n  tag: {{ values.image.tag }}\n  {{ values.labels }}\n")
        .template("t.yaml.j2", template);
    insta::assert_snapshot!("origins", origins(&case));
}

impl Case {
    /// Adds a chart below another one.
    fn chart(mut self, parent: usize, name: &str) -> Self {
        let index = self.project.scopes.len();
        let path = format!("{}/charts/{name}", self.project.scopes[parent].path);
        self.project.scopes[parent].children.push(index);
        self.project.scopes.push(Scope {
            path: path.into(),
            metadata: Arc::new(Metadata { name: name.to_owned(), version: "0.1.0".to_owned(), ..Metadata::default() }),
            files: Arc::default(),
            parent: Some(parent),
            children: Vec::new(),
            name: name.into(),
            is_library: false,
        });
        self
    }

    /// A template of one of the charts.
    fn template_of(mut self, scope: usize, name: &str, text: &str) -> Self {
        let name = format!("{}/templates/{name}", self.project.scopes[scope].path);
        let file = self.sources.add(name.as_str(), text);
        self.project.templates.push(Template { name: name.into(), scope, text: text.into(), file });
        self
    }

    fn file(mut self, path: &str, data: &[u8]) -> Self {
        let mut files = (*self.project.scopes[0].files).clone();
        files.push(File { path: path.into(), data: data.into(), source: None });
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.project.scopes[0].files = Arc::new(files);
        self
    }

    #[track_caller]
    fn text(&self) -> String {
        self.render().unwrap_or_else(|message| panic!("{message}"))
    }

    #[track_caller]
    fn error(&self) -> String {
        self.render().expect_err("an error")
    }
}

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
    let data = json(&read(&case.text(), FileId(0)));
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
    let data = json(&read(&case.text(), FileId(0)));
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

/// Templates that would take all time or memory, each of which must end in a clear error, soon.
#[test]
fn hostile_templates_end_in_errors() {
    let grow = |step: &str, use_it: &str| {
        format!(
            "{{% set ns = namespace(l=[1]) %}}\n{{% for i in range(100) %}}\n{{% set ns.l = {step} %}}\n{{% endfor %}}\na: {use_it}\n"
        )
    };
    let shared = "[ns.l, ns.l]";
    let deep = "{% macro d(x, n) %}{{ d([x, x], n - 1) if n else x }}{% endmacro %}\na: {{ d([1], 100) }}\n".to_owned();
    let literal: String = (0..60).map(|i| format!("{{% set x{} = [x{i}, x{i}] %}}\n", i + 1)).collect();
    let nested_for: String = {
        let open: String = (0..60).map(|i| format!("{{% for y{} in [y{i}, y{i}] %}}", i + 1)).collect();
        format!("{{% set y0 = [1] %}}{open}{}", "{% endfor %}".repeat(60))
    };
    let templates: Vec<(&str, String)> = vec![
        ("shared, printed", grow(shared, "{{ ns.l }}")),
        ("shared, compared", grow(shared, "{{ ns.l == ns.l }}")),
        ("shared, as JSON", grow(shared, "{{ ns.l|tojson }}")),
        ("shared, joined", grow(shared, "{{ ns.l|join }}")),
        ("shared, as text", grow(shared, "{{ ns.l ~ 'x' }}")),
        ("shared, sorted", grow(shared, "{{ ns.l|sort }}")),
        ("shared map", grow("{'a': ns.l, 'b': ns.l}", "{{ ns.l }}")),
        ("deep", grow("[ns.l]", "{{ ns.l }}").replace("range(100)", "range(100000)")),
        ("deep, batched", grow("ns.l|batch(1)", "{{ ns.l }}").replace("range(100)", "range(100000)")),
        ("shared by a macro", deep),
        ("shared by variables", format!("{{% set x0 = [1] %}}\n{literal}a: {{{{ x60 }}}}\n")),
        ("shared by loops", nested_for),
        ("shared in a dict", grow("dict(a=ns.l, b=ns.l)", "{{ ns.l }}")),
        ("long text", "a: {{ 'x' * 10000000000 }}\n".to_owned()),
        ("doubled text", "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}\na: 1\n".to_owned()),
        ("long format", "a: {{ '%1000000000d'|format(1) }}\n".to_owned()),
        ("wide indent", "a: {{ 'x'|indent(2000000000, true) }}\n".to_owned()),
        ("wide nindent", "a: {{ 'x'|nindent(2000000000) }}\n".to_owned()),
        ("long list", "a: {{ [1] * 1000000000 }}\n".to_owned()),
        ("repeat", "a: {{ 'x'|repeat(1000000000) }}\n".to_owned()),
        ("until", "a: {{ until(1000000000) }}\n".to_owned()),
        ("range", "{% for i in range(1000000000) %}\na: 1\n{% endfor %}\n".to_owned()),
        ("loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}\n".to_owned()),
        ("output", format!("{{% for i in range(99999) %}}\n# {}\n{{% endfor %}}\n", "x".repeat(99999))),
        ("captured output", format!("{{% set x %}}{{% for i in range(99999) %}}{}{{% endfor %}}{{% endset %}}\n", "x".repeat(99999))),
        ("macros", "{% macro m(n) %}{{ m(n) }}{% endmacro %}\na: {{ m(1) }}\n".to_owned()),
        ("includes", "{% include 't.yaml.j2' %}\n".to_owned()),
        ("inheritance", "{% extends 't.yaml.j2' %}\n".to_owned()),
        ("imports", "{% import 't.yaml.j2' as t %}\n".to_owned()),
        ("tpl", "a: {{ tpl('{{ values.s|tpl }}') }}\n".to_owned()),
        ("recursive loop", "{% for i in [[1]] recursive %}{{ loop([[i, i]]) }}{% endfor %}\n".to_owned()),
        ("nested ifs", format!("{}{}", "{% if 1 %}".repeat(5000), "{% endif %}".repeat(5000))),
        ("many elifs", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(20000))),
        ("nested parentheses", format!("a: {{{{ {}1{} }}}}\n", "(".repeat(50000), ")".repeat(50000))),
        ("nested lists", format!("a: {{{{ {}1{} }}}}\n", "[".repeat(50000), "]".repeat(50000))),
        ("nots", format!("a: {{{{ {}1 }}}}\n", "not ".repeat(50000))),
        ("minuses", format!("a: {{{{ {}1 }}}}\n", "- ".repeat(50000))),
        ("sums", format!("a: {{{{ x{} }}}}\n", " + x".repeat(50000))),
        ("filters", format!("a: {{{{ [1]{} }}}}\n", "|batch(1)".repeat(50000))),
        ("attributes", format!("a: {{{{ x{} }}}}\n", ".a".repeat(50000))),
        ("conditions", format!("a: {{{{ 1{} }}}}\n", " if 1 else 2".repeat(50000))),
        ("calls", format!("a: {{{{ x{} }}}}\n", "()".repeat(50000))),
        ("regular expression", "a: {{ ('a' * 50000)|regex_match('(a*)*b{1,1000}{1,1000}') }}\n".to_owned()),
    ];
    let mut wrong = Vec::new();
    for (title, template) in templates {
        let start = std::time::Instant::now();
        let case = Case::yaml("s: '{{ values.s|tpl }}'\n").template("t.yaml.j2", &template);
        let result = case.render();
        let elapsed = start.elapsed();
        let message = match &result {
            Err(message) => message.lines().next().unwrap_or_default().to_owned(),
            Ok(text) => format!("rendered {} bytes", text.len()),
        };
        let clear = message.starts_with("error[limit-exceeded]") || message.starts_with("error[template-");
        if !clear || elapsed.as_secs() >= 10 {
            wrong.push(format!("{title}: {message} after {elapsed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_just_within_the_limits_works() {
    let templates = [
        ("sums", format!("a: {{{{ 1{} }}}}\n", " + 1".repeat(900)), "a: 901\n"),
        ("nots", format!("a: {{{{ {}1 }}}}\n", "not ".repeat(900)), "a: true\n"),
        ("minuses", format!("a: {{{{ {}1 }}}}\n", "- ".repeat(900)), "a: 1\n"),
        ("concatenations", format!("a: {{{{ values.s{} }}}}\n", " ~ values.s".repeat(230)), ""),
        ("comparisons", format!("a: {{{{ values.s{} }}}}\n", " == values.s".repeat(190)), "a: true\n"),
        ("filters", format!("a: {{{{ 'x'{} }}}}\n", "|upper".repeat(450)), "a: X\n"),
        ("choices", format!("a: {{{{ 1{} }}}}\n", " if 1 else 2".repeat(400)), "a: 1\n"),
        ("elifs", format!("a: {{% if 0 %}}{}{{% endif %}}\nb: 1\n", "{% elif 0 %}x".repeat(199)), "a: \nb: 1\n"),
        ("nested", format!("{}a: 1\n{}", "{% if 1 %}\n".repeat(70), "{% endif %}\n".repeat(70)), "a: 1\n"),
        ("parentheses", format!("a: {{{{ {}1{} }}}}\n", "(".repeat(70), ")".repeat(70)), "a: 1\n"),
        (
            "macros",
            "{% macro m(n) %}{{ m(n - 1) if n else 'end' }}{% endmacro %}\na: {{ m(70) }}\n".to_owned(),
            "a: end\n",
        ),
        ("depth", format!("a: {{{{ {}1{} }}}}\n", "[".repeat(60), "]".repeat(60)), ""),
    ];
    for (title, template, expected) in templates {
        let text = Case::yaml("s: x\n").template("t.yaml.j2", &template).render();
        let text = text.unwrap_or_else(|message| panic!("{title}: {}", message.lines().next().unwrap_or_default()));
        assert!(expected.is_empty() || text == expected, "{title}: {text}");
    }
}

const GUIDE: &str = include_str!("../docs/jinja.md");

/// The fenced blocks of the guide, with their languages.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = GUIDE;
    while let Some((_, after)) = rest.split_once("```") {
        let (language, after) = after.split_once('\n').expect("a language");
        let (block, after) = after.split_once("```").expect("the block ends");
        blocks.push((language, block));
        rest = after;
    }
    blocks
}

#[test]
fn examples_of_the_guide_are_true() {
    let blocks = blocks();
    let (_, values) = blocks[0];
    let mut wrong = Vec::new();
    let mut count = 0;
    for pair in blocks.windows(2) {
        let [("jinja", template), ("yaml", expected)] = pair else { continue };
        count += 1;
        match Case::yaml(values).template("t.yaml.j2", template).render() {
            Ok(text) if text == *expected => {}
            Ok(text) => wrong.push(format!("{template}gives\n{text}")),
            Err(message) => wrong.push(format!("{template}fails\n{message}")),
        }
    }
    assert!(count >= 7);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_guide_has_every_function() {
    let row = |name: &str| {
        GUIDE.lines().find_map(|line| {
            let (helm, jinja) = line.strip_prefix("| `")?.split_once(" | ")?;
            format!("`{helm}").split(", ").any(|other| other == format!("`{name}`")).then_some(jinja)
        })
    };
    let mut wrong = Vec::new();
    for function in chart::template::helm::funcs::all() {
        let name = match function.name.strip_prefix("must") {
            Some(rest) if function.name != "mustToDuration" && !function.name.contains('_') => {
                let mut chars = rest.chars();
                chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
            }
            _ => function.name.to_owned(),
        };
        let Some(jinja) = row(&name) else {
            wrong.push(format!("`{name}` has no row"));
            continue;
        };
        match jinja_name(function.name) {
            Ok(known) => {
                let mentioned = jinja.contains(known) || jinja.contains("and so on");
                let call = |template: &str| Case::yaml("a: 1\n").template("t.yaml.j2", template).render();
                let filter = call(&format!("a: {{{{ 1|{known} }}}}\n"));
                let function = call(&format!("a: {{{{ {known}() }}}}\n"));
                let absent = |result: &Result<String, String>| {
                    result.as_ref().is_err_and(|message| message.contains("there is no f"))
                };
                if !mentioned || absent(&filter) && absent(&function) {
                    wrong.push(format!("`{name}` should be `{known}`, which is not there"));
                }
            }
            Err("") => wrong.push(format!("`{name}` is neither there nor left out on purpose")),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names under which the templates of `testdata/jinja/tree` write the tree of values, each in a way of its own.
const WAYS: &[&str] = &["tree", "same", "value", "again", "read", "set", "merged"];

#[test]
fn a_hostile_tree_is_written_exactly_in_every_way() {
    let folder = support::root().join("testdata/jinja/tree");
    let text = std::fs::read_to_string(folder.join("values.json")).expect("values");
    let values: Json = serde_json::from_str(&text).expect("JSON");
    let tree = &values["tree"];
    let mut files: Vec<(String, String)> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "j2"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    let partials = |case: Case| {
        files
            .iter()
            .filter(|(name, _)| name.starts_with('_'))
            .fold(case, |case, (name, text)| case.template(name, text))
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with('_')) {
        let rendered = match partials(Case::new(&values)).template(name, text).render() {
            Ok(rendered) => rendered,
            Err(message) => {
                wrong.push(format!("{name}: {message}"));
                continue;
            }
        };
        let data = match std::panic::catch_unwind(|| json(&read(&rendered, FileId(0)))) {
            Ok(data) => data,
            Err(_) => {
                wrong.push(format!("{name} is not YAML"));
                continue;
            }
        };
        for way in WAYS.iter().filter(|way| data[**way] != Json::Null && data[**way] != Json::Bool(true)) {
            count += 1;
            wrong.extend(difference(&data[*way], tree, &format!("{name}: {way}")));
        }
    }
    assert!(count > 25, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first place where two values differ.
fn difference(found: &Json, wanted: &Json, path: &str) -> Option<String> {
    match (found, wanted) {
        (Json::Object(a), Json::Object(b)) => {
            if let Some(key) = a.keys().find(|key| !b.contains_key(*key)) {
                return Some(format!("{path} has {key:?}"));
            }
            b.iter().find_map(|(key, wanted)| match a.get(key) {
                Some(found) => difference(found, wanted, &format!("{path}.{key:?}")),
                None => Some(format!("{path} lacks {key:?}")),
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (found, wanted))| difference(found, wanted, &format!("{path}[{at}]"))),
        _ if found == wanted => None,
        _ => Some(format!("{path} is {found}, not {wanted}")),
    }
}
