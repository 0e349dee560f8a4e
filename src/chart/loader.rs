//! Brings a chart into memory, from a directory or an archive.

use super::chartfile::{ChartFile, Places, check_lock, validate};
use super::{Chart, Content, File, IgnoreRules, Metadata, OnDisk, archive, read_values, without_bom};
use crate::diagnostic::{Code, Diagnostic, Failure, FileId, Sources, Span, nearest};
use crate::fs;
use crate::yaml::{self, Node};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Bytes of the files of a directory, or of an archive; Helm's limit.
const MAX_SIZE: u64 = 100 << 20;
/// Bytes of a chart with all its subcharts, which may come as archives in archives.
const MAX_TOTAL: u64 = 512 << 20;
/// How deeply directories, and charts in charts, may nest.
const MAX_DEPTH: usize = 64;
/// How many charts there may be in a chart, at all depths: an archive of archives of archives grows beyond measure.
const MAX_CHARTS: usize = 1000;

/// Loads the chart in a directory or a `.tgz` archive. Texts of its files go to `sources`, under the path as given.
pub fn load(path: &Path, sources: &mut Sources) -> Result<Chart, Failure> {
    let mut loader = Loader { sources, total: 0, charts: 0 };
    let shown = path.to_string_lossy();
    let location = shown.trim_end_matches('/');
    if fs::is_dir(path) {
        let files = loader.directory(path, location)?;
        if !files.iter().any(|(path, _)| path == "Chart.yaml") {
            let message = format!("no chart at `{}`: Chart.yaml file is missing", shown);
            let hint = if fs::exists(&path.join("Chart.yaml")) {
                "a rule in `.helmignore` leaves `Chart.yaml` out; a rule that starts with `!` leaves out all that it does not match"
            } else {
                "name the directory that has the `Chart.yaml`, or start one with `chart create`"
            };
            return Err(vec![Diagnostic::new(Code::InvalidChart, message).hint(hint)]);
        }
        return loader.chart(location, files, 0, true);
    }
    let bytes = match fs::read_at_most(path, MAX_SIZE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return refuse(format!("`{shown}` is larger than a chart may be")),
        Err(error) if error.is_not_found() => return Err(vec![missing(path)]),
        Err(error) => return Err(vec![Diagnostic::new(Code::Io, error.to_string())]),
    };
    let files = loader.archive(location, &bytes)?;
    loader.chart(location, files, 0, true)
}

/// Says that there is nothing at a path, and which chart beside it may be meant.
fn missing(path: &Path) -> Diagnostic {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut charts = fs::list(parent).unwrap_or_default();
    charts.retain(|(name, path, is_dir)| name.ends_with(".tgz") || *is_dir && fs::exists(&path.join("Chart.yaml")));
    let hint = match nearest(&name, charts.iter().map(|(name, ..)| name.as_str())) {
        Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
        None => "name the directory or archive of a chart, or an address such as `oci://…`; `chart create` starts one"
            .to_owned(),
    };
    let message = format!("no chart at `{}`: no such file or directory", path.display());
    Diagnostic::new(Code::Io, message).hint(hint)
}

/// Loads the chart in an archive that is in memory; `location` is where it came from.
pub fn load_archive(location: &str, bytes: &[u8], sources: &mut Sources) -> Result<Chart, Failure> {
    let mut loader = Loader { sources, total: 0, charts: 0 };
    let files = loader.archive(location, bytes)?;
    loader.chart(location, files, 0, true)
}

/// Loads what a chart directory says of itself, without templates, values and subcharts: those may be missing or broken.
pub fn head(path: &Path, sources: &mut Sources) -> Result<Chart, Failure> {
    let mut loader = Loader { sources, total: 0, charts: 0 };
    let location = path.to_string_lossy();
    let mut files = RawFiles::new();
    for name in ["Chart.yaml", "requirements.yaml"] {
        match fs::read(&path.join(name)) {
            Ok(data) => files.push((name.to_owned(), Raw::Here(data))),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(vec![Diagnostic::new(Code::Io, error.to_string())]),
        }
    }
    loader.chart(location.trim_end_matches('/'), files, 0, true)
}

/// The files of a chart as they are packed: every byte of a directory, without what `.helmignore` leaves out, or what
/// an archive holds.
pub fn files(path: &Path, sources: &mut Sources) -> Result<Files, Failure> {
    let mut loader = Loader { sources, total: 0, charts: 0 };
    let location = path.to_string_lossy();
    let io = |error: fs::Error| vec![Diagnostic::new(Code::Io, error.to_string())];
    let files = if fs::is_dir(path) {
        loader.directory(path, &location)?
    } else {
        loader.archive(&location, &fs::read(path).map_err(io)?)?
    };
    let read = |(name, raw)| match raw {
        Raw::Here(data) => Ok((name, data)),
        Raw::Text(text) => Ok((name, text.as_bytes().to_vec())),
        Raw::OnDisk(path) => Ok((name, fs::read(&path).map_err(io)?)),
    };
    files.into_iter().map(read).collect()
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(vec![Diagnostic::new(Code::InvalidChart, message)])
}

/// Paths relative to the chart, and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A file's bytes, or where they are, see [`Content`].
enum Raw {
    Here(Vec<u8>),
    Text(Arc<str>),
    OnDisk(PathBuf),
}

/// Paths relative to the chart, and what is there.
type RawFiles = Vec<(String, Raw)>;

struct Loader<'a> {
    sources: &'a mut Sources,
    total: u64,
    charts: usize,
}

impl Loader<'_> {
    /// The files of a directory, in the order of a walk by name.
    fn directory(&mut self, path: &Path, location: &str) -> Result<RawFiles, Failure> {
        let io = |error: fs::Error| vec![Diagnostic::new(Code::Io, error.to_string())];
        let ignore_file = path.join(".helmignore");
        let rules = if fs::exists(&ignore_file) {
            let text = String::from_utf8_lossy(&fs::read(&ignore_file).map_err(io)?).into_owned();
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            IgnoreRules::parse(text).map_err(|(range, error)| {
                let file = self.sources.add(joined(location, ".helmignore"), text);
                let span = Span::new(file, range.start, range.end);
                vec![Diagnostic::new(Code::InvalidChart, error.to_string()).label(span, "in this rule")]
            })?
        } else {
            IgnoreRules::parse("").map_err(|_| Failure::new())?
        };
        let mut files = RawFiles::new();
        let mut walk =
            Walk { rules: &rules, root: path, links: Vec::new(), files: &mut files, total: 0, room: Vec::new() };
        walk.directory("", 0)?;
        self.total += walk.total;
        Ok(files)
    }

    fn archive(&mut self, location: &str, bytes: &[u8]) -> Result<RawFiles, Failure> {
        let limits = archive::Limits::default();
        let entries = match archive::read(bytes, &limits) {
            Ok(entries) => entries,
            Err(error) => return refuse(format!("`{location}`: {error}")),
        };
        self.total += entries.iter().map(|entry| entry.data.len() as u64).sum::<u64>();
        if self.total > MAX_TOTAL {
            return refuse(format!("the chart and its subcharts have more than {} MiB", MAX_TOTAL >> 20));
        }
        Ok(entries.into_iter().map(|entry| (entry.path, Raw::Here(entry.data))).collect())
    }

    /// Builds a chart from its files, its subcharts included.
    fn chart(&mut self, location: &str, files: RawFiles, depth: usize, is_root: bool) -> Result<Chart, Failure> {
        self.charts += 1;
        if self.charts > MAX_CHARTS {
            return refuse(format!("there are more than {MAX_CHARTS} charts in it"));
        }
        let mut own = Vec::new();
        let mut nested: BTreeMap<String, RawFiles> = BTreeMap::new();
        for (path, data) in files {
            match path.strip_prefix("charts/") {
                Some(rest) if !path.ends_with(".prov") => {
                    let name = rest.split('/').next().unwrap_or(rest).to_owned();
                    nested.entry(name).or_default().push((rest.to_owned(), data));
                }
                _ => own.push(self.file(location, path, data)),
            }
        }
        let crds = own.iter().filter(|file| is_crd(&file.path)).map(|file| Arc::clone(&file.path)).collect();
        own.sort_by(|a, b| a.path.cmp(&b.path));

        let mut chart = Chart {
            metadata: Metadata::default(),
            location: location.into(),
            files: own,
            values: Node::empty_map(FileId(0)),
            subcharts: Vec::new(),
            crds,
            findings: Vec::new(),
        };
        self.metadata(&mut chart, is_root)?;
        self.values(&mut chart)?;
        if !nested.is_empty() && depth >= MAX_DEPTH {
            return refuse(format!("`{location}`: charts nest more than {MAX_DEPTH} deep"));
        }
        for (name, files) in nested {
            if name.starts_with(['_', '.']) {
                continue;
            }
            match self.subchart(location, &name, files, depth) {
                Ok(subchart) => chart.subcharts.push(subchart),
                Err(mut failure) => {
                    for diagnostic in &mut failure {
                        if diagnostic.labels.is_empty() && diagnostic.trace.is_empty() {
                            let parent = &chart.metadata.name;
                            let message =
                                format!("error unpacking subchart {name} in {parent}: {}", diagnostic.message);
                            diagnostic.message = message;
                        } else {
                            let frame = format!("in subchart {name} of {}", chart.metadata.name);
                            diagnostic.trace.insert(0, crate::diagnostic::Frame { text: frame, span: None });
                        }
                    }
                    return Err(failure);
                }
            }
        }
        Ok(chart)
    }

    fn subchart(&mut self, location: &str, name: &str, files: RawFiles, depth: usize) -> Result<Chart, Failure> {
        let location = joined(location, &format!("charts/{name}"));
        if name.ends_with(".tgz") {
            let (path, data) = match files.first() {
                Some((path, Raw::Here(data))) => (path, data.as_slice()),
                Some((path, Raw::Text(text))) => (path, text.as_bytes()),
                _ => return refuse("Chart.yaml file is missing"),
            };
            if path != name {
                return refuse(format!("expected {name}, got {path}"));
            }
            let files = self.archive(&location, data)?;
            return self.chart(&location, files, depth + 1, false);
        }
        let inside = name.len() + 1;
        let files: RawFiles = files
            .into_iter()
            .filter(|(path, _)| path.len() > inside)
            .map(|(mut path, data)| (path.split_off(inside), data))
            .collect();
        if files.is_empty() {
            let diagnostic = Diagnostic::new(Code::InvalidChart, "Chart.yaml file is missing");
            let hint = "only charts may be in `charts/`: move the file, begin its name with `_`, or leave it out with a rule in `.helmignore`";
            return Err(vec![diagnostic.hint(hint)]);
        }
        self.chart(&location, files, depth + 1, false)
    }

    fn file(&mut self, location: &str, path: String, raw: Raw) -> File {
        let name = joined(location, &path);
        let data = match raw {
            Raw::Here(data) => without_bom(data),
            Raw::Text(text) => {
                let text = text.strip_prefix('\u{feff}').map(Arc::from).unwrap_or(text);
                let source = Some(self.sources.add(name, Arc::clone(&text)));
                return File::new(path, text, source);
            }
            Raw::OnDisk(on_disk) => {
                let file = Arc::new(OnDisk { path: on_disk, data: OnceLock::new() });
                let source = is_crd(&path).then(|| {
                    let file = Arc::clone(&file);
                    self.sources.add_later(name, move || String::from_utf8_lossy(file.data()).into())
                });
                return File { path: path.into(), content: Content::OnDisk(file), source };
            }
        };
        match String::from_utf8(data) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                let source = Some(self.sources.add(name, Arc::clone(&text)));
                File::new(path, text, source)
            }
            Err(error) => File::new(path, error.into_bytes(), None),
        }
    }

    fn metadata(&mut self, chart: &mut Chart, is_root: bool) -> Result<(), Failure> {
        let (mut errors, mut nulls, mut places) = (Vec::new(), Vec::new(), Places::default());
        let mut metadata = Metadata::default();
        let Some(file) = self.text(chart, "Chart.yaml")? else { return refuse("Chart.yaml file is missing") };
        for (name, file) in [("Chart.yaml", Some(file)), ("requirements.yaml", self.text(chart, "requirements.yaml")?)]
        {
            let Some(file) = file else { continue };
            let parsed = yaml::read(self.sources.text(file), file);
            chart.findings.extend(parsed.findings.iter().cloned());
            let node = parsed.first().map_err(|error| vec![error.diagnostic])?;
            let mut reader = ChartFile {
                metadata: &mut metadata,
                places: &mut places,
                nulls: &mut nulls,
                errors: &mut errors,
                findings: &mut chart.findings,
            };
            reader.apply(&node, name);
            if name == "Chart.yaml" && metadata.api_version.is_empty() {
                metadata.api_version = "v1".to_owned();
            }
        }
        errors.extend(nulls.into_iter().map(|(_, error)| error));
        if !errors.is_empty() {
            errors.append(&mut chart.findings);
            return Err(errors);
        }
        let whole = Span::new(file, 0, self.sources.text(file).len());
        if is_root && !matches!(metadata.api_version.as_str(), "v1" | "v2") {
            let message = format!("chart apiVersion {:?} is not supported", metadata.api_version);
            let span = places.of("apiVersion", whole);
            let diagnostic = Diagnostic::new(Code::InvalidChart, message).label(span, "expected `v1` or `v2`");
            return Err(vec![diagnostic.hint("write `apiVersion: v2`")]);
        }
        validate(&mut metadata, &places, whole, &mut errors);
        for name in ["Chart.lock", "requirements.lock"] {
            if let Some(file) = self.text(chart, name)? {
                let node = yaml::read(self.sources.text(file), file).first().map_err(|error| vec![error.diagnostic])?;
                errors.extend(check_lock(name, &node));
            }
        }
        chart.metadata = metadata;
        if errors.is_empty() {
            return Ok(());
        }
        errors.append(&mut chart.findings);
        Err(errors)
    }

    fn values(&mut self, chart: &mut Chart) -> Result<(), Failure> {
        if let Some(file) = self.text(chart, "Chart.yaml")? {
            // Without a values file, what lacks a value is told at the start of Chart.yaml.
            chart.values = Node::empty_map(file);
        }
        if let Some(file) = self.text(chart, "values.yaml")? {
            let read = read_values(file, self.sources)?;
            chart.values = read.values;
            chart.findings.extend(read.findings);
        }
        Ok(())
    }

    /// The source of a file that must be text, if the chart has it.
    fn text(&self, chart: &Chart, path: &str) -> Result<Option<FileId>, Failure> {
        match chart.file(path) {
            None => Ok(None),
            Some(File { source: Some(file), .. }) => Ok(Some(*file)),
            Some(_) => refuse(format!("`{}` is not UTF-8 text", joined(&chart.location, path))),
        }
    }
}

/// `location/path`, and `path` alone for the chart in `.`.
fn joined(location: &str, path: &str) -> String {
    if location == "." { path.to_owned() } else { format!("{location}/{path}") }
}

/// Whether a chart cannot be loaded without the bytes of this file, the path of which may lead through subcharts.
fn is_vital(path: &str) -> bool {
    let mut own = path;
    while let Some((_, inside)) = own.strip_prefix("charts/").and_then(|rest| rest.split_once('/')) {
        own = inside;
    }
    own.starts_with("templates/")
        || own.starts_with("charts/")
        || ["Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock", "values.yaml", "values.schema.json"]
            .contains(&own)
}

fn raw(data: &[u8]) -> Raw {
    match std::str::from_utf8(data) {
        Ok(text) => Raw::Text(text.into()),
        Err(_) => Raw::Here(data.to_vec()),
    }
}

fn is_crd(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    path.starts_with("crds/") && ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

struct Walk<'a> {
    rules: &'a IgnoreRules,
    root: &'a Path,
    /// The directories that links led into on the way here, and the root.
    links: Vec<PathBuf>,
    files: &'a mut RawFiles,
    total: u64,
    /// For the bytes of one file after the other.
    room: Vec<u8>,
}

impl Walk<'_> {
    fn directory(&mut self, inside: &str, depth: usize) -> Result<(), Failure> {
        let io = |error: fs::Error| vec![Diagnostic::new(Code::Io, error.to_string())];
        if depth > MAX_DEPTH {
            return refuse(format!("directories nest more than {MAX_DEPTH} deep at `{inside}`"));
        }
        for (name, kind) in fs::entries(&self.root.join(inside)).map_err(io)? {
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let is_directory = matches!(kind, fs::Kind::Directory | fs::Kind::LinkedDirectory);
            let full = self.root.join(&path);
            if kind == fs::Kind::BrokenLink {
                // Helm follows links before it asks the rules. This fails, with the system's words.
                fs::canonical(&full).map_err(io)?;
            }
            if self.rules.ignores(&path, is_directory) {
                continue;
            }
            match kind {
                fs::Kind::Directory => self.directory(&path, depth + 1)?,
                fs::Kind::LinkedDirectory => {
                    let target = fs::canonical(&full).map_err(io)?;
                    let here = fs::canonical(&self.root.join(inside)).map_err(io)?;
                    if here.starts_with(&target) || self.links.contains(&target) {
                        return refuse(format!("the link `{path}` leads back to a directory that contains it"));
                    }
                    self.links.push(target);
                    self.directory(&path, depth + 1)?;
                    self.links.pop();
                }
                fs::Kind::File => {
                    let limit = MAX_SIZE - self.total;
                    let read = if is_vital(&path) {
                        let read = fs::read_into(&full, &mut self.room, limit).map_err(io)?;
                        read.map(|(_, data)| (data.len() as u64, raw(data)))
                    } else {
                        let size = fs::readable_size(&full).map_err(io)?;
                        (size <= limit).then_some((size, Raw::OnDisk(full)))
                    };
                    let Some((size, raw)) = read else {
                        let message = format!("error reading {path}: chart exceeds maximum size of {MAX_SIZE} bytes");
                        let hint = "leave what is no part of the chart out with rules in `.helmignore`";
                        return Err(vec![Diagnostic::new(Code::InvalidChart, message).hint(hint)]);
                    };
                    self.total += size;
                    self.files.push((path, raw));
                }
                fs::Kind::BrokenLink => {}
                fs::Kind::Other => {
                    return refuse(format!("cannot load irregular file {path}: it is no file, directory or link"));
                }
            }
        }
        Ok(())
    }
}
