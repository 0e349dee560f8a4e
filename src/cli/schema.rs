//! `chart schema`: a `values.schema.json` derived from a chart's values, their comments and their use.

use super::args::FindingFlags;
use super::check::variants;
use super::derived::{DerivedFlags, Job};
use super::release::{ClusterFlags, ReleaseFlags, Stop};
use super::{Exit, Failed, Terminal};
use crate::chart::{self, Chart, File};
use crate::diagnostic::{Code, Diagnostic, Frame, Sources, Span};
use crate::fs;
use crate::render::Study;
use crate::schema::KubeVersion;
use crate::schema::values as values_schema;
use crate::values::derive::{Closing, Derivation, Usage};
use crate::values::handwritten;
use crate::values::notes::Notes;
use crate::values::{Layer, Layered, Layout, resolve};
use crate::yaml::Node;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Schema {
    /// Charts, or directories of charts
    #[arg(value_name = "CHART", default_value = ".")]
    charts: Vec<PathBuf>,
    /// Whether mappings may have keys that neither values.yaml nor a template knows
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    unknown_keys: UnknownKeys,
    /// Have the defaults in the schema, for editors
    #[arg(long)]
    with_defaults: bool,
    /// Do not render the chart to see how values are used
    #[arg(long)]
    no_render: bool,
    #[command(flatten)]
    cluster: ClusterFlags,
    #[command(flatten)]
    output: DerivedFlags,
    #[command(flatten)]
    findings: FindingFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnknownKeys {
    /// Not where the templates read a mapping by its keys alone
    Auto,
    Allow,
    /// Only in mappings that are empty by default
    Forbid,
}

const FILE: &str = "values.schema.json";

pub fn run(arguments: &Schema, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let derive = |path: &Path, sources: &mut Sources| arguments.derive(path, sources);
    let job = Job { file: FILE, stale: "the schema is not up to date: run `chart schema`", derive: &derive };
    arguments.output.run(&arguments.charts, &arguments.findings, &job, terminal)
}

/// A chart with one set of layers.
struct Variant {
    name: String,
    layered: Layered,
    /// A test of the chart's author: what is in it is right.
    is_example: bool,
}

impl Schema {
    /// The text of a chart's schema, and what does not satisfy it.
    fn derive(&self, path: &Path, sources: &mut Sources) -> Result<(String, Vec<Diagnostic>), Stop> {
        let chart = chart::load(path, sources)?;
        let notes = notes(&chart, sources);
        let mut findings = notes.findings.clone();
        let variants = layers(path, &chart, sources, &mut findings)?;
        let examples: Vec<Node> =
            variants.iter().filter(|it| it.is_example).map(|it| it.layered.values.clone()).collect();
        let subcharts = subcharts(&chart);
        let usage = if self.no_render {
            Usage::default()
        } else {
            self.usage(&chart, &variants, &examples, &subcharts, sources)?
        };
        let derivation = Derivation {
            name: &chart.metadata.name,
            defaults: &chart.values,
            notes: &notes,
            usage: &usage,
            examples: &examples,
            subcharts: &subcharts,
            reserved: &reserved(&chart),
            closing: match self.unknown_keys {
                UnknownKeys::Auto => Closing::Auto,
                UnknownKeys::Allow => Closing::Open,
                UnknownKeys::Forbid => Closing::Closed,
            },
            with_defaults: self.with_defaults,
        };
        let text = self.beside_existing(&chart, path, derivation.schema(), sources)?;
        findings.extend(held(&chart, &text, &variants, sources)?);
        Ok((text, findings))
    }

    fn usage(
        &self,
        chart: &Chart,
        variants: &[Variant],
        examples: &[Node],
        subcharts: &[(String, String)],
        sources: &mut Sources,
    ) -> Result<Usage, Stop> {
        let release =
            ReleaseFlags { namespace: "default".to_owned(), seed: Some("0".to_owned()), ..ReleaseFlags::default() };
        let study = Study {
            chart,
            layers: variants.iter().map(|variant| &variant.layered).collect(),
            examples,
            foreign: subcharts.iter().map(|(name, _)| name.as_str()).chain(["global"]).collect(),
            context: release.context("release-name", &self.cluster, sources)?,
            version: self
                .cluster
                .kube_version
                .as_ref()
                .and_then(|it| KubeVersion::choose(it))
                .map_or_else(KubeVersion::newest, |it| it.version),
        };
        Ok(study.usage(sources))
    }

    /// The text of the derived schema, merged with the one that is there.
    fn beside_existing(
        &self,
        chart: &Chart,
        path: &Path,
        derived: Value,
        sources: &mut Sources,
    ) -> Result<String, Stop> {
        let written = |schema: &Value| format!("{schema:#}\n");
        let target = self.output.path(path, FILE).unwrap_or_else(|| path.join(FILE));
        let text = match chart.file(FILE).filter(|_| target == path.join(FILE)) {
            Some(file) => String::from_utf8_lossy(file.data()).into_owned(),
            None if fs::exists(&target) => fs::read_text(&target)?,
            None => return Ok(written(&derived)),
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(existing @ Value::Object(_)) => {
                let merged = handwritten::merge(&existing, derived);
                // What is by hand and lacks nothing keeps its layout, too.
                Ok(if merged == existing && !handwritten::is_derived(&existing) { text } else { written(&merged) })
            }
            Ok(_) => Ok(written(&derived)),
            Err(error) => {
                let file = sources.add(target.to_string_lossy(), text);
                let line = sources.line_range(file, error.line());
                let message = format!("the schema that is there is not JSON: {error}");
                let finding = Diagnostic::new(Code::ValuesSchema, message);
                let finding = finding.label(Span::new(file, line.start, line.end), "here");
                Err(vec![finding.hint("mend the file, or remove it to have it derived anew")].into())
            }
        }
    }
}

/// What the comments of `values.yaml` say.
pub(super) fn notes(chart: &Chart, sources: &Sources) -> Notes {
    match chart.file("values.yaml").and_then(|file| file.source) {
        Some(file) => Notes::read(&chart.values, sources.text(file), file),
        None => Notes::default(),
    }
}

/// The values of subcharts are under their names or aliases.
fn subcharts(chart: &Chart) -> Vec<(String, String)> {
    let declared = chart.metadata.dependencies.iter().map(|dependency| {
        let about = [dependency.name.as_str(), dependency.version.as_str()].join(" ").trim().to_owned();
        (dependency.effective_name().to_owned(), about)
    });
    let mut subcharts: Vec<(String, String)> = declared.collect();
    for subchart in &chart.subcharts {
        let metadata = &subchart.metadata;
        if !chart.metadata.dependencies.iter().any(|dependency| dependency.name == metadata.name) {
            subcharts.push((metadata.name.clone(), format!("{} {}", metadata.name, metadata.version)));
        }
    }
    subcharts
}

/// Keys that mean something to Helm in this chart.
fn reserved(chart: &Chart) -> Vec<&'static str> {
    let has_tags = chart.metadata.dependencies.iter().any(|dependency| !dependency.tags.is_empty());
    if has_tags { vec!["tags"] } else { Vec::new() }
}

/// The defaults, the author's tests, and the layers of `chart.toml`.
fn layers(
    path: &Path,
    chart: &Chart,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<Variant>, Stop> {
    let mut found = vec![Variant { name: String::new(), layered: Layered::none(), is_example: false }];
    let mut read = |name: String, layers: Vec<Layer>, is_example: bool, sources: &mut Sources| match Layered::read(
        layers,
        sources,
        &mut super::layers::read_file,
    ) {
        Ok(layered) => found.push(Variant { name, layered, is_example }),
        Err(failure) => findings.extend(failure),
    };
    for file in variants(path)? {
        let name = file.strip_prefix(path).unwrap_or(&file).display().to_string();
        let text = fs::read_text(&file)?.into();
        let layer = Layer::File { name: file.to_string_lossy().into_owned(), text };
        read(name, vec![layer], true, sources);
    }
    if fs::is_dir(path)
        && let Some(layout) = Layout::find(path, sources)?
    {
        for choice in layout.combinations() {
            let words: Vec<String> = choice.iter().map(|(name, value)| format!("--{name} {value}")).collect();
            let layers = super::layers::laid_out(choice, chart, "release-name", sources)?;
            read(words.join(" "), layers, false, sources);
        }
    }
    Ok(found)
}

/// Holds each set of layers against a schema. What several have in common is told once.
fn held(chart: &Chart, text: &str, variants: &[Variant], sources: &mut Sources) -> Result<Vec<Diagnostic>, Stop> {
    let mut chart = chart.clone();
    let source = sources.add(format!("{}/{FILE}", chart.location), text);
    let file = File::new(FILE, text.as_bytes(), Some(source));
    match chart.files.binary_search_by(|file| (*file.path).cmp(FILE)) {
        Ok(at) => chart.files[at] = file,
        Err(at) => chart.files.insert(at, file),
    }
    let mut findings: Vec<Diagnostic> = Vec::new();
    for variant in variants {
        let resolved = match resolve(&chart, &variant.layered) {
            Ok(resolved) => resolved,
            Err(failure) => {
                findings.extend(failure);
                continue;
            }
        };
        let report = values_schema::check(&chart, &chart.metadata.name, &[], &resolved.values, sources);
        for mut finding in report.errors.into_iter().chain(report.findings) {
            let place = |finding: &Diagnostic| finding.labels.first().map(|label| label.span);
            if findings.iter().any(|it| it.message == finding.message && place(it) == place(&finding)) {
                continue;
            }
            if !variant.name.is_empty() {
                finding.trace.insert(0, Frame { text: format!("with `{}`", variant.name), span: None });
            }
            findings.push(finding);
        }
    }
    Ok(findings)
}
