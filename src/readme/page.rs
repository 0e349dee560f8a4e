//! From a chart to the text of its README.

use super::markers::{self, Marked};
use super::rows::Row;
use crate::chart::Chart;
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span};
use crate::template::{Argument, Context, Dialect, Project, Scope, Template, helm, jinja};
use crate::value::{Map, MapKind, Value};
use crate::yaml::Node;
use std::sync::Arc;

/// The named templates that every page may use.
const PARTS: &str = include_str!("parts.gotmpl");
/// The page of a chart that has no template.
const WHOLE: &str = include_str!("whole.gotmpl");

/// The Jinja template that gives the author's its names.
const WRAPPER: &str = "_page.j2";

/// A chart's README as far as it does not depend on a template.
#[derive(Debug)]
pub struct Page<'a> {
    pub chart: &'a Chart,
    pub rows: &'a [Row],
    /// The style of images from shields.io that stand for versions; `None` writes versions as text.
    pub badges: Option<&'a str>,
    /// Nanoseconds since the Unix epoch, for templates that ask.
    pub now: i128,
}

/// A template of the author's.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub file: FileId,
}

impl Page<'_> {
    /// What templates render to, one after the other; without one, the page as it usually is.
    pub fn render(&self, templates: &[Source], sources: &mut Sources) -> Result<String, Failure> {
        let mut text = String::new();
        let whole = [Source { name: "README.md.gotmpl".to_owned(), file: sources.add("<README.md.gotmpl>", WHOLE) }];
        let templates = if templates.is_empty() { &whole[..] } else { templates };
        let (jinja, go): (Vec<&Source>, Vec<&Source>) = templates.iter().partition(|it| it.name.ends_with(".j2"));
        if !go.is_empty() {
            let project = Arc::new(self.project(&go, sources));
            let mut engine = helm::Engine::new(Arc::clone(&project))?;
            for template in &project.templates[1..] {
                text += &engine.include(&template.name, 0, Argument::Value(self.data()))?;
            }
        }
        if !jinja.is_empty() {
            let wrapper = sources.add("<page>", "{% set docs = __argument.docs -%}{% include __argument.page %}");
            let wrapper = Source { name: WRAPPER.to_owned(), file: wrapper };
            let templates: Vec<&Source> = jinja.into_iter().chain([&wrapper]).collect();
            let project = Arc::new(self.project(&templates, sources));
            let mut engine = jinja::Engine::new(&project);
            let names = self.names(sources)?;
            for template in project.templates[1..].iter().filter(|template| &*template.name != WRAPPER) {
                let name = Value::from(&*template.name);
                let argument = Value::map([("docs", names.clone()), ("page", name)]);
                let page = engine.include(WRAPPER, 0, Argument::Value(argument)).map_err(|mut failure| {
                    for finding in &mut failure {
                        finding.trace.retain(|frame| {
                            frame.span.is_none_or(|span| span.file != wrapper.file) && !frame.text.contains(WRAPPER)
                        });
                    }
                    failure
                })?;
                text += page.trim_end_matches('\n');
                text.push('\n');
            }
        }
        Ok(tidy(&text))
    }

    /// Renders the marked parts of a README anew. `None`: it has none.
    pub fn refresh(&self, file: FileId, sources: &mut Sources) -> Result<Option<String>, Failure> {
        let text = sources.shared_text(file);
        let marked = markers::find(&text).map_err(|(message, at)| {
            let finding = Diagnostic::new(Code::InvalidChart, message);
            vec![finding.label(Span::new(file, at, at + 4), "begins here")]
        })?;
        if marked.is_empty() {
            return Ok(None);
        }
        let mut engine = helm::Engine::new(self.project(&[], sources))?;
        let mut parts: Vec<(Marked, String)> = Vec::new();
        for marked in marked {
            if !PARTS.contains(&format!("define \"{}\"", marked.name)) {
                let finding = Diagnostic::new(Code::InvalidChart, format!("there is no part `{}`", marked.name));
                let label = Span::new(file, marked.place, marked.place + marked.name.len());
                return Err(vec![finding.label(label, "asked for here").hint("such as `chart.valuesTable`")]);
            }
            let part = engine.include(&marked.name, 0, Argument::Value(self.data()))?;
            parts.push((marked, tidy(&part)));
        }
        Ok(Some(markers::fill(&text, &parts)))
    }

    fn project(&self, templates: &[&Source], sources: &mut Sources) -> Project {
        let metadata = &self.chart.metadata;
        let scope = Scope {
            path: metadata.name.as_str().into(),
            metadata: Arc::new(metadata.clone()),
            files: Arc::new(self.chart.files.clone()),
            parent: None,
            children: Vec::new(),
            name: metadata.name.as_str().into(),
            is_library: false,
        };
        let parts = sources.add("<parts.gotmpl>", PARTS);
        let template = |name: &str, file: FileId, text: Arc<str>| Template { name: name.into(), scope: 0, text, file };
        let mut all = vec![template("_parts.tpl", parts, sources.shared_text(parts))];
        for source in templates {
            let text = sources.shared_text(source.file);
            all.push(template(&source.name, source.file, text));
        }
        Project {
            context: Context { now: self.now, ..Context::default() },
            scopes: vec![scope],
            templates: all,
            values: Node { ..self.chart.values.clone() },
        }
    }

    /// What Go templates start with: helm-docs' names.
    fn data(&self) -> Value {
        let metadata = &self.chart.metadata;
        let text = |text: &str| Value::from(text);
        let maintainers = metadata
            .maintainers
            .iter()
            .map(|one| Value::map([("Name", text(&one.name)), ("Email", text(&one.email)), ("Url", text(&one.url))]));
        let mut dependencies: Vec<_> = metadata.dependencies.iter().collect();
        dependencies.sort_by_key(|it| format!("{}/{}", it.repository, it.name));
        let dependencies = dependencies.into_iter().map(|one| {
            let fields = [
                ("Name", &one.name),
                ("Version", &one.version),
                ("Repository", &one.repository),
                ("Alias", &one.alias),
                ("Condition", &one.condition),
            ];
            Value::map(fields.map(|(name, value)| (name, text(value))))
        });
        let files = Arc::new(self.chart.files.clone());
        let files = Map::later(MapKind::Files, move || {
            files.iter().map(|file| (Arc::clone(&file.path), Value::Bytes(Arc::clone(file.data())))).collect()
        });
        let row = |row: &Row| {
            Value::map([
                ("Key", text(&row.key)),
                ("Type", text(&row.type_name)),
                ("NotationType", text(&row.notation)),
                ("AutoDefault", text(&row.written_default)),
                ("Default", text(&row.default)),
                ("AutoDescription", text(&row.description)),
                ("Description", text("")),
                ("Section", text(&row.section)),
                ("LineNumber", Value::Int(row.line as i64)),
                ("Column", Value::Int(row.column as i64)),
                ("Dependency", text("")),
                ("IsGlobal", Value::Bool(false)),
            ])
        };
        let section = |name: &str, rows: Vec<&Row>| {
            let items = rows.into_iter().map(row).collect();
            Value::map([("SectionName", text(name)), ("SectionItems", Value::list(items))])
        };
        let (sections, others) = self.sections();
        let sections = sections.into_iter().map(|(name, rows)| section(name, rows)).collect();
        let sections =
            Value::map([("Sections", Value::list(sections)), ("DefaultSection", section("Other Values", others))]);
        Value::map([
            ("ApiVersion", text(&metadata.api_version)),
            ("Name", text(&metadata.name)),
            ("Version", text(&metadata.version)),
            ("AppVersion", text(&metadata.app_version)),
            ("KubeVersion", text(&metadata.kube_version)),
            ("Type", text(&metadata.kind)),
            ("Description", text(&self.description())),
            ("Home", text(&metadata.home)),
            ("Icon", text(&metadata.icon)),
            ("Engine", text("")),
            ("Deprecated", Value::Bool(metadata.deprecated)),
            ("Sources", Value::list(metadata.sources.iter().map(|it| text(it)).collect())),
            ("Keywords", Value::list(metadata.keywords.iter().map(|it| text(it)).collect())),
            ("Maintainers", Value::list(maintainers.collect())),
            ("Dependencies", Value::list(dependencies.collect())),
            ("Values", Value::list(self.rows.iter().map(row).collect())),
            ("Sections", sections),
            ("Files", Value::Map(files)),
            ("ChartDirectory", text(&self.chart.location)),
            ("HelmDocsVersion", text("")),
            ("SkipVersionFooter", Value::Bool(false)),
            ("BadgeStyle", text(self.badges.unwrap_or_default())),
        ])
    }

    /// The description with its line breaks, which Helm takes out.
    fn description(&self) -> String {
        let text = self.chart.file("Chart.yaml").map(|file| String::from_utf8_lossy(file.data()).into_owned());
        let read = text.and_then(|text| crate::yaml::read(&text, FileId(0)).first().ok());
        let written = read.as_ref().and_then(|node| node.get("description")?.as_str());
        written.unwrap_or(&self.chart.metadata.description).to_owned()
    }

    /// Rows under the headings that comments give, in the order of their first rows, and those without.
    fn sections(&self) -> (Vec<(&str, Vec<&Row>)>, Vec<&Row>) {
        let mut sections: Vec<(&str, Vec<&Row>)> = Vec::new();
        let mut others = Vec::new();
        for row in self.rows {
            if row.section.is_empty() {
                others.push(row);
                continue;
            }
            match sections.iter_mut().find(|(name, _)| *name == row.section) {
                Some((_, rows)) => rows.push(row),
                None => sections.push((&row.section, vec![row])),
            }
        }
        (sections, others)
    }

    /// What `docs` is in Jinja templates: rows, sections, and the named templates under their names.
    fn names(&self, sources: &mut Sources) -> Result<Value, Failure> {
        let text = |text: &str| Value::from(text);
        let row = |row: &Row| {
            let default = if row.written_default.is_empty() { &row.default } else { &row.written_default };
            Value::map([
                ("key", text(&row.key)),
                ("type", text(&row.type_name)),
                ("default", text(default)),
                ("description", text(&row.description)),
                ("section", text(&row.section)),
                ("line", Value::Int(row.line as i64)),
            ])
        };
        let (sections, others) = self.sections();
        let all = sections.into_iter().chain((!others.is_empty()).then_some(("", others)));
        let sections = all.map(|(name, rows)| {
            Value::map([("name", text(name)), ("rows", Value::list(rows.into_iter().map(row).collect()))])
        });
        let sections = Value::list(sections.collect());
        let mut engine = helm::Engine::new(self.project(&[], sources))?;
        let mut names = vec![
            ("rows".to_owned(), Value::list(self.rows.iter().map(row).collect())),
            ("sections".to_owned(), sections),
        ];
        for part in ["header", "badges", "description", "homepage", "maintainers", "sources", "requirements", "values"]
        {
            let name = match part {
                "header" | "description" => format!("chart.{part}"),
                "homepage" => "chart.homepageLine".to_owned(),
                _ => format!("chart.{part}Section"),
            };
            let value = tidy(&engine.include(&name, 0, Argument::Value(self.data()))?);
            names.push((part.to_owned(), Value::from(value.trim())));
        }
        Ok(Value::map(names.iter().map(|(name, value)| (name.as_str(), value.clone()))))
    }
}

/// Without blanks at the ends of lines, as far as they are single ones, and with one empty line at most.
fn tidy(text: &str) -> String {
    let text = text.replace(" \n", "\n");
    let mut tidy = String::with_capacity(text.len());
    let mut breaks = 0;
    for char in text.chars() {
        breaks = if char == '\n' { breaks + 1 } else { 0 };
        if breaks <= 2 {
            tidy.push(char);
        }
    }
    tidy
}
