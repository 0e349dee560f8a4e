//! `chart check`: renders charts with their defaults and with each `ci/*-values.yaml`, and checks what comes out.

use super::args::{FindingFlags, ValuesFlags};
use super::release::{ClusterFlags, ReleaseFlags, Stop};
use super::{Exit, Failed, Stream, Terminal, discover, project};
use crate::chart;
use crate::diagnostic::{Code, Diagnostic, Frame, Sources, Unit};
use crate::fs;
use crate::manifest;
use crate::render::{self, Options, Outcome};
use crate::schema::{self, Checker};
use crate::template::{Context, Reads};
use crate::values::{Choice, Layer, Layered, Layout, Usage};
use clap::Args;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Check {
    /// Charts, directories, archives, or files of charts
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Check the charts in `charts/` for themselves, too
    #[arg(long)]
    with_subcharts: bool,
    /// Do not check the values against the charts' values.schema.json
    #[arg(long)]
    skip_schema_validation: bool,
    #[command(flatten)]
    values: ValuesFlags,
    #[command(flatten)]
    release: ReleaseFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
    #[command(flatten)]
    findings: FindingFlags,
}

/// A chart with one variant of values.
struct Case {
    chart: PathBuf,
    variant: Variant,
}

enum Variant {
    Defaults,
    /// A file in `ci/`.
    File(PathBuf),
    /// The layers that `chart.toml` has for a choice.
    Choice(Choice),
}

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// That the chart renders to valid manifests.
    Manifests,
    /// Besides, that its values do something.
    Usage,
}

/// What a case came to.
struct Checked {
    findings: Vec<Diagnostic>,
    sources: Sources,
    /// What it was made of and what was read of that, where it rendered.
    used: Option<(Layered, Reads)>,
}

pub fn run(arguments: &Check, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let (exit, charts, variants) = check_all(arguments, Depth::Usage, Stream::Stdout, terminal)?;
    if exit == Exit::Success {
        terminal.say(format!("checked {} with {}", count(charts, "chart"), count(variants, "values variant")));
    }
    Ok(exit)
}

/// Checks a chart that is about to be packed, and says only what is wrong with it.
pub fn gate(
    chart: &Path,
    cluster: &ClusterFlags,
    findings: FindingFlags,
    terminal: &mut Terminal,
) -> Result<Exit, Failed> {
    let check = Check {
        paths: vec![chart.to_owned()],
        with_subcharts: false,
        skip_schema_validation: false,
        values: ValuesFlags::default(),
        release: ReleaseFlags { namespace: "default".to_owned(), ..ReleaseFlags::default() },
        cluster: cluster.clone(),
        findings,
    };
    Ok(check_all(&check, Depth::Manifests, Stream::Stderr, terminal)?.0)
}

/// Checks and prints; gives the numbers of charts and of variants.
fn check_all(
    arguments: &Check,
    depth: Depth,
    stream: Stream,
    terminal: &mut Terminal,
) -> Result<(Exit, usize, usize), Failed> {
    let charts = discover::charts(&arguments.paths, arguments.with_subcharts)?;
    let mut cases = Vec::new();
    let chosen = arguments.values.choice()?;
    let mut layouts = Sources::default();
    let mut refused = Vec::new();
    for chart in &charts {
        let case = |variant| Case { chart: chart.clone(), variant };
        cases.push(case(Variant::Defaults));
        cases.extend(variants(chart)?.into_iter().map(Variant::File).map(case));
        match Layout::find(chart, &mut layouts) {
            Ok(layout) => {
                let all = layout.iter().flat_map(Layout::combinations);
                let fits = |choice: &&Choice| chosen.iter().all(|(name, value)| choice.get(name) == Some(value));
                cases.extend(all.filter(fits).cloned().map(Variant::Choice).map(case));
            }
            Err(failure) => refused.extend(failure),
        }
    }
    if !refused.is_empty() {
        let mut units = [Unit { name: "chart.toml".to_owned(), findings: refused }];
        let exit = terminal.report(&mut units, &layouts, &arguments.findings, stream)?;
        return Ok((exit, charts.len(), 0));
    }
    // Stdin and URLs are read once, not for each case.
    let user = arguments.values.layers(terminal)?;
    let schemas = arguments.cluster.schemas(arguments.release.namespace(), terminal);
    let progress = terminal.progress("checking", cases.len());
    let check = |case: &Case| {
        let checked = case.check(arguments, &user, &schemas);
        progress.inc(1);
        checked
    };
    let checked: Vec<Result<Checked, Failed>> = match cases.as_slice() {
        [case] => vec![check(case)],
        cases => cases.par_iter().map(check).collect(),
    };
    progress.finish_and_clear();
    let mut checked: Vec<Checked> = checked.into_iter().collect::<Result<_, _>>()?;
    if depth == Depth::Usage {
        add_usage(&cases, &mut checked);
    }
    for (case, checked) in cases.iter().zip(&mut checked) {
        let levels = project::levels(&case.chart, &mut checked.sources)?;
        let findings = std::mem::take(&mut checked.findings);
        checked.findings = arguments.findings.judge(findings, levels, &checked.sources);
    }
    let (mut units, sources) = merge(&cases, checked);
    let exit = terminal.report(&mut units, &sources, &arguments.findings, stream)?;
    Ok((exit, charts.len(), cases.len() - charts.len()))
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The `ci/*-values.yaml` files of a chart, which need not be part of its package.
pub(super) fn variants(chart: &Path) -> fs::Result<Vec<PathBuf>> {
    let directory = chart.join("ci");
    if !fs::is_dir(&directory) {
        return Ok(Vec::new());
    }
    let files = fs::list(&directory)?.into_iter();
    Ok(files.filter(|(name, _, is_dir)| !is_dir && name.ends_with("-values.yaml")).map(|(_, path, _)| path).collect())
}

impl Case {
    /// As the user would say it.
    fn name(&self) -> String {
        match self.variant_name() {
            None => self.chart.display().to_string(),
            Some(variant) => format!("{} with {variant}", self.chart.display()),
        }
    }

    fn variant_name(&self) -> Option<String> {
        match &self.variant {
            Variant::Defaults => None,
            Variant::File(file) => Some(file.strip_prefix(&self.chart).unwrap_or(file).display().to_string()),
            Variant::Choice(choice) => {
                let chosen: Vec<String> = choice.iter().map(|(name, value)| format!("--{name} {value}")).collect();
                Some(chosen.join(" "))
            }
        }
    }

    fn check(&self, arguments: &Check, user: &[Layer], schemas: &schema::Options) -> Result<Checked, Failed> {
        let mut sources = Sources::default();
        let mut definitions = Vec::new();
        let (mut findings, used) = match self.outcome(arguments, user, schemas, &mut sources, &mut definitions) {
            Ok((layered, outcome)) => {
                let failed = !outcome.rendered.failures.is_empty();
                (outcome.findings, (!failed).then_some((layered, outcome.rendered.reads)))
            }
            Err(Stop::Found(findings)) => (findings, None),
            Err(Stop::Failed(failed)) => return Err(failed),
        };
        findings.append(&mut definitions);
        Ok(Checked { findings, sources, used })
    }

    fn outcome(
        &self,
        arguments: &Check,
        user: &[Layer],
        schemas: &schema::Options,
        sources: &mut Sources,
        definitions: &mut Vec<Diagnostic>,
    ) -> Result<(Layered, Outcome), Stop> {
        let chart = chart::load(&self.chart, sources)?;
        let checker = Checker::new(schemas.clone());
        // The files of `crds/` are the same for all values, and checked also where no template renders.
        if matches!(self.variant, Variant::Defaults) {
            *definitions = render::validate_crds(&chart, &checker, sources);
        }
        let mut layers = Vec::new();
        match &self.variant {
            Variant::Defaults => {}
            Variant::File(file) => {
                let text = fs::read_text(file)?.into();
                layers.push(Layer::File { name: file.to_string_lossy().into_owned(), text });
            }
            Variant::Choice(choice) => {
                layers.extend(super::layers::laid_out(choice, &chart, "release-name", sources)?);
            }
        }
        layers.extend(user.iter().cloned());
        let layered = Layered::read(layers, sources, &mut super::layers::read_file)?;
        let context = arguments.release.context("release-name", &arguments.cluster, sources)?;
        let context = Context { record_reads: true, ..context };
        let options = Options {
            skip_schema_validation: arguments.skip_schema_validation,
            incomplete: chart.metadata.kind.eq_ignore_ascii_case("library"),
        };
        let mut outcome = render::run(&chart, &layered, context, options, sources)?;
        outcome.parse(manifest::Depth::Full, &layered, sources);
        outcome.validate(&checker, &layered, sources);
        Ok((layered, outcome))
    }
}

/// Adds what is said about values that do nothing, judged by all variants of a chart together. Where a variant does
/// not render, nobody knows whether it would have read a value.
fn add_usage(cases: &[Case], checked: &mut [Checked]) {
    let mut rest = checked;
    let mut groups = Vec::new();
    for group in cases.chunk_by(|a, b| a.chart == b.chart) {
        let (own, others) = rest.split_at_mut(group.len());
        rest = others;
        groups.push((&group[0].chart, own));
    }
    groups.into_par_iter().for_each(|(chart, checked)| {
        let complete = checked.iter().all(|checked| checked.used.is_some());
        // The defaults come first among the cases, so what is said about them has a place among its sources.
        let Ok(chart) = chart::load(chart, &mut Sources::default()) else { return };
        let mut usage = Usage::new(&chart);
        for (_, reads) in checked.iter().filter_map(|checked| checked.used.as_ref()) {
            usage.add_reads(reads.paths.iter().map(|(path, whole)| (path.as_slice(), *whole)));
        }
        for checked in checked.iter_mut() {
            let Some((layered, _)) = &checked.used else { continue };
            let findings = layered.layers.iter().flat_map(|(_, layer)| usage.check(layer));
            checked.findings.extend(findings.filter(|finding| complete || finding.code == Code::UnknownValue));
        }
        if let Some(first) = checked.first_mut().filter(|_| complete) {
            first.findings.extend(usage.check_defaults(&chart));
        }
    });
}

/// One report of all cases. What several variants of a chart have in common is told once, with the first of them.
fn merge(cases: &[Case], checked: Vec<Checked>) -> (Vec<Unit>, Sources) {
    let mut sources = Sources::default();
    let mut units: Vec<Unit> = Vec::new();
    let mut told: HashMap<String, (usize, usize)> = HashMap::new();
    let mut variants: HashMap<(usize, usize), Vec<String>> = HashMap::new();
    for (case, checked) in cases.iter().zip(checked) {
        let mut unit = Unit { name: case.name(), findings: Vec::new() };
        let offset = if checked.findings.is_empty() { 0 } else { sources.append(&checked.sources) };
        for mut finding in checked.findings {
            let key = format!("{}\0{}", case.chart.display(), identity(&finding, &checked.sources));
            let place = *told.entry(key).or_insert((units.len(), unit.findings.len()));
            if let Some(variant) = case.variant_name() {
                variants.entry(place).or_default().push(format!("`{variant}`"));
            }
            if place == (units.len(), unit.findings.len()) {
                finding.shift(offset);
                unit.findings.push(finding);
            }
        }
        units.push(unit);
    }
    for ((unit, index), names) in variants {
        // What the defaults have wrong is wrong everywhere.
        if cases[unit].variant_name().is_some() {
            let frame = Frame { text: format!("with {}", names.join(", ")), span: None };
            units[unit].findings[index].trace.insert(0, frame);
        }
    }
    (units, sources)
}

/// What makes two findings the same to their reader: what is said, and the place in a file.
fn identity(finding: &Diagnostic, sources: &Sources) -> String {
    let place = finding.file_label(sources).or(finding.labels.first());
    let place = place.map(|label| sources.locate(label.span)).unwrap_or_default();
    format!("{}\0{}\0{place}", finding.code.as_str(), finding.message)
}
