//! `chart validate`: plain manifests against the Kubernetes schemas. kubeconform's flags mean what they mean there.

mod input;
mod kubeconform;
mod parts;
mod work;

pub(super) use kubeconform::translate;

use super::args::{FindingFlags, Format};
use super::{Exit, Failed, Stream, Terminal, project, remote};
use crate::diagnostic::{Code, Level, Severity, Sources, Unit};
use crate::repository::{Kind, http};
use crate::schema::{Catalogs, Checker, KindFilter, KubeVersion, Options, State};
use crate::{fs, yaml};
use clap::Args;
use input::Input;
use regex::Regex;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most bytes of a schema on a server.
const MAX_SCHEMA: u64 = 64 << 20;

#[derive(Debug, Args)]
#[command(mut_arg("strict", |arg| arg.help("Take unknown fields and double keys as errors (the default)")))]
pub struct Validate {
    /// Files or folders of manifests, or `-` for stdin (the default)
    #[arg(value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// The Kubernetes version to check for, or a range: `1.31`, `1.29..1.37`
    #[arg(long, visible_alias = "kubernetes-version", value_name = "VERSION")]
    kube_version: Option<String>,
    /// Allow unknown fields, and warn of double keys
    #[arg(long, conflicts_with = "strict")]
    no_strict: bool,
    /// The namespace of objects that name none
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Do not check objects of these kinds: `Kind` or `group/version/Kind`
    #[arg(long, value_name = "KINDS")]
    skip: Vec<String>,
    /// Refuse objects of these kinds
    #[arg(long, value_name = "KINDS")]
    reject: Vec<String>,
    /// Pass over files whose path matches this regular expression
    #[arg(long, value_name = "REGEX", value_parser = Regex::new)]
    ignore_filename_pattern: Vec<Regex>,
    /// Stop at the first file with an error
    #[arg(long)]
    exit_on_error: bool,
    /// Print how many objects are valid
    #[arg(long)]
    summary: bool,
    /// How many threads check
    #[arg(short = 'n', value_name = "N")]
    workers: Option<usize>,
    #[command(flatten)]
    schemas: SchemaFlags,
    #[command(flatten)]
    findings: FindingFlags,
}

/// Where schemas come from besides those of Kubernetes itself.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schemas")]
struct SchemaFlags {
    /// CustomResourceDefinitions: files or folders; folders may be catalogs of JSON Schemas too
    #[arg(long, value_name = "FILE|DIR")]
    crds: Vec<PathBuf>,
    /// Catalogs of JSON Schemas: a folder or URL, or a template such as `DIR/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`
    #[arg(long, value_name = "LOCATION")]
    schema_location: Vec<String>,
    /// Do not fail for objects without a schema
    #[arg(long)]
    ignore_missing_schemas: bool,
    /// Keep fetched schemas in this folder
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Accept any certificate of schema servers
    #[arg(long)]
    insecure_skip_tls_verify: bool,
}

pub fn run(arguments: &Validate, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut sources = Sources::default();
    let levels = levels(arguments, &mut sources)?;
    let mut checker = Checker::new(arguments.options(terminal)?);
    let definitions = define(&mut checker, &arguments.schemas.crds, &mut sources)?;
    let inputs = input::find(&arguments.paths, &arguments.ignore_filename_pattern)?;
    let work = work::Work::new(&checker, arguments.workers, arguments.exit_on_error);
    let mut outcome = work.run(&inputs, &mut sources)?;
    outcome.restore_waiting(&inputs, &mut sources)?;
    checker.conclude(&mut outcome.checked, &sources);
    outcome.restore_told(&inputs, &mut sources)?;

    let findings = std::mem::take(&mut outcome.checked.findings);
    let findings = arguments.findings.judge(findings, levels.clone(), &sources);
    let mut units = outcome.units(findings, &sources);
    units.extend(definitions.into_iter().map(|Unit { name, findings }| {
        let findings = arguments.findings.judge(findings, levels.clone(), &sources);
        Unit { name, findings }
    }));
    let flags = FindingFlags { strict: false, ..arguments.findings.clone() };
    let exit = terminal.report(&mut units, &sources, &flags, Stream::Stdout)?;
    if terminal.verbose > 0 {
        tell_objects(&outcome, &units, &sources, terminal);
    }
    if arguments.summary {
        summary(arguments, &outcome, &units, inputs.len(), terminal)?;
    }
    Ok(exit)
}

/// Levels of the project that the first path belongs to, and what the flags make of some codes.
fn levels(arguments: &Validate, sources: &mut Sources) -> Result<HashMap<Code, Level>, Failed> {
    let first = arguments.paths.first().filter(|path| path.as_os_str() != "-").map_or(Path::new("."), PathBuf::as_path);
    let mut levels = project::levels(first, sources)?;
    levels.entry(Code::MissingSchema).or_insert(match arguments.schemas.ignore_missing_schemas {
        true => Level::Note,
        false => Level::Deny,
    });
    if arguments.no_strict {
        levels.entry(Code::DuplicateKey).or_insert(Level::Warn);
    }
    Ok(levels)
}

impl Validate {
    fn options(&self, terminal: &mut Terminal) -> Result<Options, Failed> {
        let mut options = Options {
            strict: !self.no_strict,
            namespace: self.namespace.clone(),
            ignore_missing: self.schemas.ignore_missing_schemas,
            skip: self.skip.iter().flat_map(|list| KindFilter::list(list)).collect(),
            reject: self.reject.iter().flat_map(|list| KindFilter::list(list)).collect(),
            ..Options::default()
        };
        let mut texts = HashMap::new();
        if let Some(asked) = &self.kube_version {
            let chosen = KubeVersion::choose_range(asked).ok_or_else(|| {
                let hint = format!("write a version such as `{}`, or a range `1.29..1.37`", KubeVersion::newest());
                Failed::Usage(format!("`{asked}` is no Kubernetes version"), Some(hint))
            })?;
            if let Some(missed) = chosen.iter().find(|chosen| !chosen.exact) {
                let (oldest, newest) = (KubeVersion::oldest(), KubeVersion::newest());
                terminal.say(format!(
                    "note: there are schemas for Kubernetes {oldest} to {newest}: checking against {}",
                    missed.version
                ));
            }
            if let [one] = chosen[..] {
                texts.insert(one.version, asked.clone());
            }
            options.versions = chosen.into_iter().map(|chosen| chosen.version).collect();
        }
        let catalogs = self.locations();
        if !catalogs.is_empty() {
            let cache = self.schemas.cache.clone().or_else(|| remote::cache_folder().map(|root| root.join("schemas")));
            let catalogs = Catalogs::new(&catalogs, texts, options.strict, self.fetch(), cache);
            let catalogs = catalogs.map_err(|error| {
                let hint = "a location is a folder, a URL, or a template such as \
                            `DIR/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`";
                Failed::Usage(error.0, Some(hint.to_owned()))
            })?;
            options.catalogs = (!catalogs.is_empty()).then_some(catalogs);
        }
        Ok(options)
    }

    /// The given locations, and folders of `--crds` as catalogs in the layout that the CRDs-catalog project has.
    fn locations(&self) -> Vec<String> {
        let folders = self.schemas.crds.iter().filter(|path| fs::is_dir(path));
        let folders = folders.map(|path| {
            let path = path.to_string_lossy();
            format!(
                "{}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
                path.trim_end_matches('/')
            )
        });
        self.schemas.schema_location.iter().cloned().chain(folders).collect()
    }

    /// Fetches schemas; nothing is started before the first one.
    fn fetch(&self) -> crate::schema::Fetch {
        let options = http::Options { insecure: self.schemas.insecure_skip_tls_verify, ..remote::anonymous() };
        let client = http::Client::new(options);
        Arc::new(move |url: &str| {
            let fetched = http::parse_url(url).and_then(|url| client.get(&url, MAX_SCHEMA));
            match fetched {
                Ok(content) => Ok(Some(content)),
                Err(error) if error.kind == Kind::Missing => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

/// Reads the definitions of `--crds` and checks them; those with findings come with them.
fn define(checker: &mut Checker, paths: &[PathBuf], sources: &mut Sources) -> Result<Vec<Unit>, Failed> {
    let mut units = Vec::new();
    for input in input::find_yaml(paths)? {
        let (Input::Given(path) | Input::File(path)) = &input else { continue };
        let text = fs::read_text(path)?;
        let file = sources.add(input.name(), text.as_str());
        let parsed = yaml::read(&text, file);
        checker.define(&parsed.documents);
        let mut findings = checker.check(&parsed.documents, sources, |_| Vec::new());
        // A folder of definitions may hold other things, too.
        findings.retain(|finding| finding.code != Code::MissingSchema);
        findings.extend(parsed.error.map(|error| error.diagnostic));
        match findings.is_empty() {
            true => sources.set_text(file, ""),
            false => units.push(Unit { name: input.name(), findings }),
        }
    }
    Ok(units)
}

/// The objects that have an error, by the start of their span.
fn broken(units: &[Unit], outcome: &work::Outcome) -> BTreeSet<usize> {
    let errors = units.iter().flat_map(|unit| &unit.findings).filter(|finding| finding.severity == Severity::Error);
    let mut starts: Vec<_> =
        outcome.checked.objects.iter().enumerate().map(|(at, seen)| (seen.span.file, seen.span.start, at)).collect();
    starts.sort_unstable();
    errors
        .filter_map(|finding| {
            let span = finding.labels.first()?.span;
            let after = starts.partition_point(|(file, start, _)| (*file, *start) <= (span.file, span.start));
            let (file, _, at) = starts[after.checked_sub(1)?];
            (file == span.file).then_some(at)
        })
        .collect()
}

/// A line for each object that is well, as `-v` asks for.
fn tell_objects(outcome: &work::Outcome, units: &[Unit], sources: &Sources, terminal: &mut Terminal) {
    let broken = broken(units, outcome);
    for (at, seen) in outcome.checked.objects.iter().enumerate() {
        let state = match seen.state {
            _ if broken.contains(&at) => continue,
            State::Checked => "is valid",
            State::Skipped => "is skipped",
            State::Unknown => "has no schema",
        };
        terminal.say(format!("{}: {} {state}", sources.name(seen.span.file), seen.name));
    }
}

/// kubeconform's line.
fn summary(
    arguments: &Validate,
    outcome: &work::Outcome,
    units: &[Unit],
    files: usize,
    terminal: &mut Terminal,
) -> Result<(), Failed> {
    let broken = broken(units, outcome);
    let mut counts = [0usize; 4];
    for (at, seen) in outcome.checked.objects.iter().enumerate() {
        let place = match (seen.state, broken.contains(&at)) {
            (State::Skipped, _) => 3,
            (State::Unknown, true) => 2,
            (State::Unknown, false) => 3,
            (State::Checked, true) => 1,
            (State::Checked, false) => 0,
        };
        counts[place] += 1;
    }
    counts[2] += outcome.unreadable;
    let total: usize = counts.iter().sum();
    let plural = |count| if count > 1 { "s" } else { "" };
    let [valid, invalid, errors, skipped] = counts;
    let line = format!(
        "Summary: {total} resource{} found in {files} file{} - Valid: {valid}, Invalid: {invalid}, Errors: {errors}, Skipped: {skipped}\n",
        plural(total),
        plural(files)
    );
    match arguments.findings.format {
        Format::Human | Format::Short => terminal.print(line),
        _ => {
            terminal.complain(line);
            Ok(())
        }
    }
}
