//! `chart render`: what `helm template` does, with its flags, and validation on top.

use super::args::{FindingFlags, ValuesFlags, given};
use super::release::{ClusterFlags, HelmFlags, ReleaseFlags, Stop};
use super::{Exit, Failed, Stream, Terminal, post_renderer, project, source};
use crate::diagnostic::{Code, FileId, Level, Sources, Unit, nearest};
use crate::fs;
use crate::manifest::{Depth, Hooks, Whole, documents, framed, names, show_only};
use crate::render::{self, Crd, Options, Outcome};
use crate::schema::Checker;
use crate::template::Context;
use crate::value::{bytes_of, text_from_bytes};
use crate::values::Usage;
use crate::yaml::{self, Data, Node};
use clap::{Arg, Args, ValueEnum};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
#[command(
    override_usage = "chart render [OPTIONS] [NAME] CHART",
    args_override_self = true,
    mut_args(values_may_start_with_hyphens)
)]
pub struct Render {
    /// The release's name (default: release-name), and the chart: a directory, an archive, or a reference
    #[arg(value_names = ["NAME", "CHART"], num_args = 1.., required = true)]
    names: Vec<String>,
    #[command(flatten)]
    source: source::SourceArgs,
    #[command(flatten)]
    values: ValuesFlags,
    #[command(flatten)]
    release: ReleaseFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    checks: CheckFlags,
    #[command(flatten)]
    findings: FindingFlags,
    #[command(flatten)]
    ignored: HelmFlags,
}

/// What is printed, and where to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct OutputFlags {
    /// Print only what these templates render to: `templates/service.yaml`, `templates/*.yaml`
    #[arg(short, long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
    /// Print the files of `crds/` too
    #[arg(long)]
    include_crds: bool,
    /// Leave out the hooks that are tests
    #[arg(long)]
    skip_tests: bool,
    /// Leave out all hooks
    #[arg(long)]
    no_hooks: bool,
    /// Write a file for each template into this directory instead of printing
    #[arg(long, value_name = "DIR")]
    output_dir: Option<OsString>,
    /// With `--output-dir`: in a directory named after the release
    #[arg(long)]
    release_name: bool,
    /// Print objects as YAML, or as one JSON list
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Shape,
    /// Print each template's text as it was rendered: nothing is split, sorted or checked
    #[arg(long, conflicts_with_all = ["show_only", "include_crds", "post_renderer"])]
    raw: bool,
    /// Pipe the manifests through this command before they are checked and printed
    #[arg(long, value_name = "COMMAND")]
    post_renderer: Option<String>,
    /// Arguments for the post-renderer
    #[arg(long, value_name = "ARGUMENT")]
    post_renderer_args: Vec<String>,
    /// Print manifests even if there are errors in them
    #[arg(long)]
    debug: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Yaml,
    Json,
}

/// What is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checks")]
struct CheckFlags {
    /// Do not check the manifests against the Kubernetes schemas; tolerate what `helm template` tolerates
    #[arg(long, alias = "disable-openapi-validation")]
    no_validate: bool,
    /// Do not check the values against the chart's values.schema.json
    #[arg(long)]
    skip_schema_validation: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    validate: Option<bool>,
}

impl CheckFlags {
    fn skip(&self) -> bool {
        self.no_validate || self.validate == Some(false)
    }
}

/// A flag that needs a value takes the next argument, whatever that is, as Go's flag libraries do.
fn values_may_start_with_hyphens(flag: Arg) -> Arg {
    let needs_value = flag.get_action().takes_values() && !flag.is_positional() && !flag.is_require_equals_set();
    if needs_value { flag.allow_hyphen_values(true) } else { flag }
}

pub fn run(arguments: &Render, terminal: &mut Terminal) -> Result<Exit, Failed> {
    arguments.ignored.refuse()?;
    let mut sources = kept(Sources::default());
    let (name, reference) = arguments.release.name_and_chart(&arguments.names)?;
    let (outcome, findings) = match arguments.render(&name, &reference, &mut sources, terminal) {
        Ok(mut outcome) => {
            let findings = std::mem::take(&mut outcome.findings);
            (Some(kept(outcome)), findings)
        }
        Err(Stop::Found(failure)) => (None, failure),
        Err(Stop::Failed(failed)) => return Err(failed),
    };
    let mut levels = project::levels(Path::new(&reference), &mut sources)?;
    if arguments.checks.skip() {
        levels.entry(Code::DuplicateKey).or_insert(Level::Warn);
    }
    let findings = arguments.findings.judge(findings, levels, &sources);
    let mut units = [Unit { name: reference, findings }];
    let exit = terminal.report(&mut units, &sources, &arguments.findings, Stream::Stderr)?;
    match outcome {
        Some(outcome) if exit == Exit::Success || arguments.output.debug => {
            arguments.write(&name, &outcome, &sources, terminal)?;
        }
        _ => {}
    }
    Ok(exit)
}

/// The process ends with this command. The system takes the memory back sooner than a walk through all that is in it.
fn kept<T>(value: T) -> ManuallyDrop<T> {
    ManuallyDrop::new(value)
}

impl Render {
    fn render(
        &self,
        name: &str,
        reference: &str,
        sources: &mut Sources,
        terminal: &mut Terminal,
    ) -> Result<Outcome, Stop> {
        let chart = kept(source::load(reference, &self.source, sources, terminal)?);
        let layered = kept(self.values.read(&chart, name, sources, terminal)?);
        let context = self.release.context(name, &self.cluster, sources)?;
        let options = Options { skip_schema_validation: self.checks.skip_schema_validation, ..Options::default() };
        let depth = if self.checks.skip() { Depth::Head } else { Depth::Full };
        let mut once = |record_reads| {
            let context = Context { record_reads, ..context.clone() };
            let mut outcome = render::run(&chart, &layered, context, options, sources)?;
            let fine = self.output.raw || outcome.parse(depth, &layered, sources);
            Ok::<_, Stop>((fine && outcome.rendered.failures.is_empty(), outcome))
        };
        let record_reads = self.findings.strict || !self.checks.skip();
        let (fine, mut outcome) = once(record_reads)?;
        if !fine && !record_reads {
            // Says which values were behind it.
            (_, outcome) = once(true)?;
        }
        if self.output.raw {
            return Ok(outcome);
        }
        if let Some(command) = given(&self.output.post_renderer) {
            post_renderer::run(command, &self.output.post_renderer_args, &mut outcome, depth, self.hooks(), sources)?;
        }
        if !self.checks.skip() {
            let schemas = self.cluster.schemas(self.release.namespace(), terminal);
            let checker = Checker::new(schemas);
            outcome.validate(&checker, &layered, sources);
            if self.output.include_crds {
                outcome.validate_crds(&checker, sources);
            }
        }
        if self.findings.strict {
            let mut usage = Usage::new(&chart);
            usage.add_reads(outcome.rendered.reads.paths.iter().map(|(path, whole)| (path.as_slice(), *whole)));
            outcome.findings.extend(layered.layers.iter().flat_map(|(_, layer)| usage.check(layer)));
        }
        Ok(outcome)
    }

    fn hooks(&self) -> Hooks {
        match self.output {
            OutputFlags { no_hooks: true, .. } => Hooks::None,
            OutputFlags { skip_tests: true, .. } => Hooks::NoTests,
            _ => Hooks::All,
        }
    }

    /// Writes what the user asked for, to stdout or files.
    fn write(&self, name: &str, outcome: &Outcome, sources: &Sources, terminal: &mut Terminal) -> Result<(), Failed> {
        let crds = if self.output.include_crds { texts(&outcome.crds) } else { Vec::new() };
        let crds: Vec<Whole<'_>> =
            crds.iter().map(|(source, text)| Whole { source: Arc::clone(source), text }).collect();
        let output = Writer { flags: &self.output, release: name, outcome, sources, crds, hooks: self.hooks() };
        output.write(terminal)
    }
}

/// The CRD files of a chart as text.
fn texts(crds: &[Crd]) -> Vec<(Arc<str>, Cow<'_, str>)> {
    crds.iter().map(|crd| (crd.name.as_str().into(), text_from_bytes(crd.file.data()))).collect()
}

struct Writer<'a> {
    flags: &'a OutputFlags,
    release: &'a str,
    outcome: &'a Outcome,
    sources: &'a Sources,
    crds: Vec<Whole<'a>>,
    hooks: Hooks,
}

impl Writer<'_> {
    fn write(&self, terminal: &mut Terminal) -> Result<(), Failed> {
        match (self.flags.raw, given(&self.flags.output_dir).map(Path::new)) {
            (true, Some(directory)) => {
                let mut files = Files::new();
                for (name, text) in self.raw() {
                    stays_inside(name)?;
                    files.insert(directory.join(name), vec![text.to_owned()]);
                }
                write_files(&files)?;
                terminal.print(files.keys().map(|path| format!("wrote {}\n", path.display())).collect::<String>())
            }
            (true, None) if self.flags.output == Shape::Json => {
                let object: serde_json::Map<String, serde_json::Value> =
                    self.raw().map(|(name, text)| (name.to_owned(), text.into())).collect();
                terminal.print(format!("{}\n", serde_json::Value::Object(object)))
            }
            (true, None) => {
                let pieces: Vec<&str> = self.raw().flat_map(|(name, text)| framed(name, text)).collect();
                terminal.print_pieces(&pieces)
            }
            (false, Some(directory)) => self.write_directory(directory, terminal),
            (false, None) => self.write_stream(terminal),
        }
    }

    /// Every template's text, by name.
    fn raw(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut files: Vec<_> = self.outcome.rendered.files.iter().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.into_iter().map(|file| (&*file.name, self.sources.text(file.file)))
    }

    fn write_stream(&self, terminal: &mut Terminal) -> Result<(), Failed> {
        let manifests = &self.outcome.manifests;
        let stream = manifests.stream(self.sources, &self.crds, self.hooks);
        if !self.flags.show_only.is_empty() {
            let stream = stream.concat();
            let shown = self.shown(&stream)?;
            return match self.flags.output {
                Shape::Yaml => terminal.print(bytes_of(&shown)),
                Shape::Json => self.print_list(&shown, terminal),
            };
        }
        match self.flags.output {
            Shape::Yaml => terminal.print_pieces(&stream),
            Shape::Json => self.print_list(&stream.concat(), terminal),
        }
    }

    /// `--show-only`: a Jinja template is known by its own name, and by the name that it has in the stream.
    fn patterns(&self) -> Vec<String> {
        let name = |pattern: &String| pattern.strip_suffix(".j2").unwrap_or(pattern).to_owned();
        self.flags.show_only.iter().map(name).collect()
    }

    /// The part of the stream that `--show-only` names.
    fn shown(&self, stream: &str) -> Result<String, Failed> {
        show_only(stream, &self.patterns()).map_err(|pattern| self.not_found(pattern))
    }

    fn not_found(&self, pattern: &str) -> Failed {
        let names = self.outcome.rendered.files.iter().filter_map(|file| Some(file.name.split_once('/')?.1));
        let way_out = match nearest(pattern, names) {
            Some(name) if name != pattern => format!("did you mean `{name}`?"),
            Some(_) => "the template gives no manifest with these values".to_owned(),
            None => "templates are named by their path in the chart, such as `templates/service.yaml`".to_owned(),
        };
        Failed::Usage(format!("could not find template {pattern} in chart"), Some(way_out))
    }

    /// Prints the objects of a stream as one JSON list, which `kubectl` and `jq` read.
    fn print_list(&self, stream: &str, terminal: &mut Terminal) -> Result<(), Failed> {
        let mut items = Vec::new();
        for range in documents(stream) {
            let parsed = yaml::read_range(stream, range, FileId(0));
            items.extend(parsed.documents.first().filter(|node| !node.is_null()).map(json));
        }
        let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": items });
        terminal.print(serde_json::to_string_pretty(&list).unwrap_or_default() + "\n")
    }

    /// A file for each template, in directories like those of the charts. What is printed is Helm's.
    fn write_directory(&self, directory: &Path, terminal: &mut Terminal) -> Result<(), Failed> {
        let named = match self.flags.release_name {
            true => cleaned(&directory.join(self.release)),
            false => directory.to_owned(),
        };
        let mut files = Files::new();
        let mut written = String::new();
        // Helm prints the directory as it is given, with a slash of its own behind it.
        let mut add = |directory: &Path, source: &str, text: &str| {
            stays_inside(source)?;
            let path = format!("{}/{source}", directory.display());
            written += &format!("wrote {path}\n");
            files.entry(path.into()).or_default().push(framed(source, text).concat());
            Ok::<(), Failed>(())
        };
        // Helm leaves the release's name out of the path of CRDs.
        for crd in self.crds.iter().filter(|crd| self.is_shown(&crd.source)) {
            add(directory, &crd.source, crd.text)?;
        }
        let manifests = &self.outcome.manifests;
        for manifest in manifests.objects.iter().chain(manifests.shown_hooks(self.hooks)) {
            if self.is_shown(&manifest.source) {
                add(&named, &manifest.source, manifest.text(self.sources))?;
            }
        }
        for pattern in &self.patterns() {
            let is_there = |source: &str| names(pattern, source);
            if !self.crds.iter().any(|crd| is_there(&crd.source))
                && !manifests.objects.iter().chain(manifests.shown_hooks(self.hooks)).any(|one| is_there(&one.source))
            {
                return Err(self.not_found(pattern));
            }
        }
        write_files(&files)?;
        terminal.print(written + "\n")
    }

    fn is_shown(&self, source: &str) -> bool {
        let patterns = self.patterns();
        patterns.is_empty() || patterns.iter().any(|pattern| names(pattern, source))
    }
}

type Files = BTreeMap<PathBuf, Vec<String>>;

fn write_files(files: &Files) -> Result<(), Failed> {
    for (path, texts) in files {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &bytes_of(&texts.concat()))?;
    }
    Ok(())
}

/// Refuses the name of a file that would not be below the directory that is written to.
fn stays_inside(name: &str) -> Result<(), Failed> {
    match Path::new(name).components().any(|part| part == Component::ParentDir) {
        true => Err(Failed::Other(format!("`{name}` leads out of the output directory"))),
        false => Ok(()),
    }
}

/// The shortest path to the same place if no part of it is a link: Go's `filepath.Clean`.
fn cleaned(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        match (part, short.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => _ = short.pop(),
            _ => short.push(part),
        }
    }
    short
}

/// A node as JSON, keys in the author's order.
fn json(node: &Node) -> serde_json::Value {
    match &node.data {
        Data::Null => serde_json::Value::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(number) => (*number).into(),
        Data::Uint(number) => (*number).into(),
        Data::Float(number) => (*number).into(),
        Data::Str(text) => (&**text).into(),
        Data::Seq(items) => items.iter().map(json).collect(),
        Data::Map(map) => map.iter().map(|(key, entry)| (key.to_string(), json(&entry.value))).collect(),
    }
}
