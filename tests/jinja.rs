//! The Jinja dialect.

mod guide;
mod interpolation;
mod limits;
mod mistakes;
mod names;
mod trace;

use chart::chart::{File, Metadata};
use chart::diagnostic::{FileId, Sources, Span};
use chart::template::jinja::Engine;
use chart::template::{Capabilities, Context, Dialect, Limits, Project, Release, Scope, Template};
use chart::yaml::{Data, Entry, Node};
use serde_json::{Number, Value as Json};
use std::sync::Arc;

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
        zone_file: None,
        resolver: None,
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
        files.push(File::new(path, data, None));
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
