//! What inserted filters do while a template renders.

use super::calls::IncludeGo;
use super::data::Log;
use super::error::{Issue, limit};
use super::fragment::{push_blanks, push_shifted, trim_lines};
use super::rewrite::{Place, Problem, Rewritten, Role, Site, Spot};
use super::scalar::needs_escapes;
use super::trace::{Piece, Record, aligned, shifted};
use super::write::{Writer, as_fragment, describe, part_text, scalar_text};
use crate::diagnostic::Failure;
use crate::template::helm::funcs::Env;
use crate::template::{Argument, Project};
use crate::yaml::Place as ScalarPlace;
use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maps, lists and scalars that a value may have where it is stored or compared.
const MAX_NODES: usize = 1 << 18;

/// State that the inserted filters of one engine share.
pub(super) struct Runtime {
    pub(super) project: Arc<Project>,
    pub(super) log: Arc<Log>,
    /// All sites of the templates that were compiled, by number.
    pub(super) spots: Mutex<Vec<Arc<Spot>>>,
    pub(super) run: Mutex<Run>,
    /// The source of random names and keys, once one is asked for.
    random: Mutex<Option<ChaCha20Rng>>,
    include: Mutex<Option<Arc<IncludeGo>>>,
}

/// More sites than this are not told apart in one render.
const MAX_RECORDS: usize = 200_000;

/// State of a render.
#[derive(Debug, Default)]
pub(super) struct Run {
    root: Value,
    scope: usize,
    /// The texts of sites, and of sites in what is being captured.
    pub(super) records: Vec<Record>,
    /// Fragments whose parts are known, by address.
    pub(super) traces: HashMap<usize, (Arc<str>, Arc<Vec<Piece>>)>,
    /// What the only expression of a macro or capture wrote, and its value.
    pub(super) sole: Option<(String, Value)>,
    /// Whether an expression of the current group has written something.
    pub(super) written: bool,
    /// Calls of `tpl` inside each other.
    depth: usize,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

impl Runtime {
    pub(super) fn new(project: Arc<Project>, log: Arc<Log>) -> Self {
        Runtime {
            project,
            log,
            spots: Mutex::default(),
            run: Mutex::default(),
            random: Mutex::default(),
            include: Mutex::default(),
        }
    }

    /// Starts a render for a chart, with its names.
    pub(super) fn start(&self, root: Value, scope: usize) {
        *lock(&self.run) = Run { root, scope, ..Run::default() };
        *lock(&self.random) = None;
        self.log.clear_reads();
        self.log.take_miss();
    }

    /// Runs something with the names of another chart while a render is under way.
    pub(super) fn within<T>(&self, root: Value, scope: usize, run: impl FnOnce() -> T) -> T {
        let outer = {
            let mut current = lock(&self.run);
            let depth = current.depth;
            std::mem::replace(&mut *current, Run { root, scope, depth, ..Run::default() })
        };
        let result = run();
        *lock(&self.run) = outer;
        result
    }

    /// The chart that renders.
    pub(super) fn scope(&self) -> usize {
        lock(&self.run).scope
    }

    /// The names of the template that renders.
    pub(super) fn root(&self) -> Value {
        lock(&self.run).root.clone()
    }

    /// Counts how deep calls are in each other.
    pub(super) fn nested<T>(&self, run: impl FnOnce(usize) -> T) -> T {
        let depth = {
            let mut run = lock(&self.run);
            run.depth += 1;
            run.depth
        };
        let result = run(depth);
        lock(&self.run).depth -= 1;
        result
    }

    /// Rewrites text that is no file of the project.
    pub(super) fn rewrite_text(
        &self,
        text: &str,
        rewrite: impl FnOnce(&str, usize) -> Result<Rewritten, Vec<Problem>>,
    ) -> Result<String, Vec<Problem>> {
        let mut spots = lock(&self.spots);
        let rewritten = rewrite(text, spots.len())?;
        spots.extend(rewritten.spots.into_iter().map(Arc::new));
        Ok(rewritten.text)
    }

    /// Says how Go templates are called.
    pub(super) fn set_include(&self, include: Arc<IncludeGo>) {
        *lock(&self.include) = Some(include);
    }

    /// Calls a Go template; `None` if there is no way to.
    pub(super) fn include_go(&self, name: &str, argument: Argument) -> Option<Result<String, Failure>> {
        let include = lock(&self.include).clone()?;
        Some(include(name, self.scope(), argument))
    }

    pub(super) fn spot(&self, number: usize) -> Result<Arc<Spot>, Error> {
        match lock(&self.spots).get(number) {
            Some(spot) => Ok(Arc::clone(spot)),
            None => Err(Error::new(ErrorKind::UnknownFilter, "filter __y is unknown")),
        }
    }

    fn limit(&self) -> usize {
        self.project.context.limits.output
    }

    /// `__y`: an expression's value as it is to stand in the text.
    fn expression(&self, state: &State<'_, '_>, value: &Value, number: usize) -> Result<Value, Error> {
        if value.is_undefined() {
            return Ok(value.clone());
        }
        let spot = self.spot(number)?;
        let Role::Site(site) = spot.role else { return Ok(value.clone()) };
        self.log.read_origin(value, &self.project.values);
        let value = match (site.text, as_fragment(value)) {
            (true, Some(text)) => &Value::from(text),
            _ => value,
        };
        let written = self.written(spot, site, value)?;
        state.consume_fuel(written.as_str().map_or(0, str::len) as u64 / 16)?;
        Ok(written)
    }

    /// `__p`: a plain scalar of several pieces.
    fn composite(&self, value: &Value, number: usize) -> Result<Value, Error> {
        let spot = self.spot(number)?;
        let Role::Site(site) = spot.role else { return Ok(value.clone()) };
        self.written(spot, site, &Value::from(value.as_str().unwrap_or_default()))
    }

    /// Writes a value for a site, and notes it unless it is only a part of a text that is noted as a whole.
    fn written(&self, spot: Arc<Spot>, site: Site, value: &Value) -> Result<Value, Error> {
        let mut writer = Writer::new(self.limit());
        writer.literals = !site.tail;
        if matches!(site.place, Place::Part | Place::Text) {
            self.write(site, value, &mut writer)?;
            return Ok(Value::from_safe_string(writer.out));
        }
        let trace = self.trace(value, &spot, site.include);
        if !spot.before.is_empty() {
            let text = &self.project.templates[spot.template].text;
            writer.out.push_str(text.get(spot.before.clone()).unwrap_or_default());
        }
        let lead = writer.out.len();
        writer.lines = trace.as_ref().map(|_| Vec::new());
        self.write(site, value, &mut writer)?;
        if site.place == Place::Line && writer.out.len() == lead {
            writer.out.clear();
        }
        let pieces = match (trace, writer.lines) {
            (Some(trace), Some(lines)) if !lines.is_empty() => shifted(&trace, &lines, writer.out.len()),
            _ => Vec::new(),
        };
        let written = Value::from_safe_string(writer.out);
        let reads = self.log.take_reads();
        let mut run = lock(&self.run);
        if run.records.len() < MAX_RECORDS {
            let text = written.to_str().unwrap_or_default();
            run.records.push(Record { spot, text, pieces, reads });
        }
        Ok(written)
    }

    /// What is known of a fragment: it came from a macro or capture, or from an included template just now.
    fn trace(&self, value: &Value, spot: &Spot, include: bool) -> Option<Arc<Vec<Piece>>> {
        as_fragment(value)?;
        let text = value.to_str()?;
        let mut run = lock(&self.run);
        if let Some((_, trace)) = run.traces.get(&(text.as_ptr() as usize)) {
            return Some(Arc::clone(trace));
        }
        if !include {
            return None;
        }
        let own = run.records.iter().rposition(|record| record.spot.template == spot.template);
        let included = run.records.split_off(own.map_or(0, |own| own + 1));
        drop(run);
        if included.is_empty() {
            return None;
        }
        Some(Arc::new(aligned(&text, &included, None, &self.project)))
    }

    /// The records of a render, in the order of writing.
    pub(super) fn take_records(&self) -> Vec<Record> {
        std::mem::take(&mut lock(&self.run).records)
    }

    fn write(&self, site: Site, value: &Value, writer: &mut Writer) -> Result<(), Error> {
        match site.place {
            Place::Value => writer.value(value, site.column, site.lead)?,
            Place::Item => {
                if site.lead {
                    writer.out.push(' ');
                }
                writer.block(value, site.column)?;
            }
            Place::Line => self.line(site, value, writer)?,
            Place::Key => match part_text(value)? {
                Some(text) => writer.string(&text, ScalarPlace::Key),
                None => {
                    return Err(Issue::new(format!("{} cannot be a key", describe(value)))
                        .hint("a key is a string; loop over a map with `{% for key, value in map|items %}`")
                        .error());
                }
            },
            Place::Flow => {
                if site.lead {
                    writer.out.push(' ');
                }
                writer.flow(value)?;
            }
            Place::Part => writer.out = part(value, "a plain value with other text")?.into_owned(),
            Place::Text => writer.out = self.text(site, value)?,
            Place::Double => {
                let text = part(value, "a quoted string")?;
                writer.escaped(&text);
            }
            Place::Single => {
                let text = part(value, "a quoted string")?;
                if text.contains('\n') || needs_escapes(&text) {
                    return Err(Issue::new(
                        "text with line breaks or control characters cannot stand in single quotes",
                    )
                    .hint("use double quotes, or no quotes at all if the expression stands alone")
                    .error());
                }
                writer.out = text.replace('\'', "''");
            }
            Place::Comment => {
                if let Some(fragment) = as_fragment(value) {
                    writer.out = fragment.to_owned();
                } else if let Some(text) = scalar_text(value)? {
                    writer.out = text.into_owned();
                } else {
                    writer.flow(value)?;
                }
                writer.out = writer
                    .out
                    .replace(|char: char| char.is_control() || needs_escapes(char.encode_utf8(&mut [0; 4])), " ");
            }
            Place::BlockLine | Place::BlockPart => block_text(site, value, writer)?,
        }
        Ok(())
    }

    /// A value alone on its line. What is empty vanishes between other lines.
    fn line(&self, site: Site, value: &Value, writer: &mut Writer) -> Result<(), Error> {
        let empty = match value.kind() {
            ValueKind::None => true,
            ValueKind::Map | ValueKind::Seq => value.len() == Some(0),
            _ => as_fragment(value).is_some_and(|fragment| matches!(fragment.trim(), "" | "{}" | "[]" | "null")),
        };
        if site.first {
            lock(&self.run).written = false;
        }
        if !empty {
            writer.line(value, site.column)?;
            lock(&self.run).written = true;
        } else if site.last && !lock(&self.run).written {
            writer.block(value, site.column)?;
        }
        Ok(())
    }

    /// A piece of a macro's or capture's text.
    fn text(&self, site: Site, value: &Value) -> Result<String, Error> {
        let text = match as_fragment(value) {
            Some(fragment) => Cow::Borrowed(fragment),
            None => match scalar_text(value)? {
                Some(text) => text,
                None if site.sole => {
                    let mut writer = Writer::new(self.limit());
                    writer.flow(value)?;
                    Cow::Owned(writer.out)
                }
                None => return Err(container_in("text with other text", value)),
            },
        };
        let text = text.into_owned();
        if site.sole {
            lock(&self.run).sole = Some((text.clone(), value.clone()));
        }
        Ok(text)
    }

    /// `__d`: a value that is stored or compared, if it is not too deep or large.
    pub(super) fn guard(&self, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
        let mut nodes = 0;
        weigh(value, 0, &mut nodes)?;
        state.consume_fuel(nodes as u64 / 16)
    }

    /// Guards all arguments of a call.
    pub(super) fn guard_all(&self, state: &State<'_, '_>, values: &[Value]) -> Result<(), Error> {
        values.iter().try_for_each(|value| self.guard(state, value))
    }

    /// Lends Helm's functions what they may use of the world; the steps that they take are the template's.
    pub(super) fn with_env<T>(
        &self,
        state: &State<'_, '_>,
        use_env: impl FnOnce(&mut Env<'_>) -> T,
    ) -> Result<T, Error> {
        let fuel = state.fuel_levels().map_or(u64::MAX, |(_, remaining)| remaining);
        let mut random = lock(&self.random);
        let generator = random.take().unwrap_or_else(|| self.generator());
        let mut env = Env { context: &self.project.context, random: generator, fuel };
        let result = use_env(&mut env);
        let spent = fuel - env.fuel;
        *random = Some(env.random);
        drop(random);
        state.consume_fuel(spent)?;
        Ok(result)
    }

    /// Random numbers for the template that renders: those of a seed do not depend on what else is rendered.
    fn generator(&self) -> ChaCha20Rng {
        let Some(seed) = self.project.context.seed else { return ChaCha20Rng::from_os_rng() };
        let mut generator = ChaCha20Rng::seed_from_u64(seed);
        let name = self.root().get_attr("template").and_then(|template| template.get_attr("name")).unwrap_or_default();
        // FNV-1a
        let stream = name
            .as_str()
            .unwrap_or_default()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        generator.set_stream(stream);
        generator
    }

    /// `__c`: what a condition read does not count for the next expression.
    pub(super) fn condition(&self) {
        self.log.clear_reads();
    }
}

/// Counts what a value holds, each time that it holds it.
fn weigh(value: &Value, depth: usize, nodes: &mut usize) -> Result<(), Error> {
    *nodes += 1;
    if depth > super::write::MAX_DEPTH {
        return Err(limit(format!("a value has maps or lists more than {} levels deep", super::write::MAX_DEPTH)));
    }
    if *nodes > MAX_NODES {
        return Err(limit(format!("a value has more than {MAX_NODES} parts")));
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    // The values themselves are bounded by their reader.
    if value.downcast_object_ref::<super::data::Entries>().is_some()
        || value.downcast_object_ref::<super::data::Items>().is_some()
    {
        return Ok(());
    }
    match object.repr() {
        ObjectRepr::Map => {
            for (key, value) in object.try_iter_pairs().into_iter().flatten() {
                weigh(&key, depth + 1, nodes)?;
                weigh(&value, depth + 1, nodes)?;
            }
        }
        ObjectRepr::Seq | ObjectRepr::Iterable => {
            for item in object.try_iter().into_iter().flatten() {
                weigh(&item, depth + 1, nodes)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The text of a value inside other text.
fn part<'a>(value: &'a Value, place: &str) -> Result<Cow<'a, str>, Error> {
    part_text(value)?.ok_or_else(|| container_in(place, value))
}

fn container_in(place: &str, value: &Value) -> Error {
    let hint = match place {
        "a quoted string" => "leave the quotes out: an expression that stands alone is written as data",
        _ => "let the expression stand alone after the key, or pass it through `|tojson` to insert its JSON as text",
    };
    Issue::new(format!("{} cannot be inserted into {place}", describe(value))).hint(hint).error()
}

/// Text in a block scalar: its further lines at the column.
fn block_text(site: Site, value: &Value, writer: &mut Writer) -> Result<(), Error> {
    let alone = site.place == Place::BlockLine;
    if let Some(fragment) = as_fragment(value) {
        if alone {
            push_shifted(&mut writer.out, fragment, site.column, true, writer.lines.as_mut());
        } else {
            push_lines(&mut writer.out, trim_lines(fragment).trim_start(), site.column, true);
        }
        return Ok(());
    }
    let Some(text) = scalar_text(value)? else { return writer.block(value, site.column) };
    if needs_escapes(&text) {
        return Err(Issue::new("text with control characters or Unicode line breaks cannot stand in a block scalar")
            .hint("write `key: {{ … }}` without `|`: the text is then quoted as it needs")
            .error());
    }
    push_lines(&mut writer.out, &text, site.column, !alone);
    Ok(())
}

/// Text whose lines after the first start at the column, unless they are empty. With `open`, text may follow the last.
fn push_lines(out: &mut String, text: &str, column: usize, open: bool) {
    let mut lines = text.split('\n').peekable();
    out.push_str(lines.next().unwrap_or_default());
    while let Some(line) = lines.next() {
        out.push('\n');
        if !line.is_empty() || open && lines.peek().is_none() {
            push_blanks(out, column);
        }
        out.push_str(line);
    }
}

/// The inserted filters and functions.
pub(super) fn register(env: &mut minijinja::Environment<'static>, runtime: &Arc<Runtime>) {
    let with = Arc::clone(runtime);
    env.add_filter("__y", move |state: &mut State<'_, '_>, value: &Value, number: usize| {
        with.expression(state, value, number)
    });
    let with = Arc::clone(runtime);
    env.add_filter("__p", move |value: &Value, number: usize| with.composite(value, number));
    let with = Arc::clone(runtime);
    env.add_filter("__cap", move |value: &Value, number: usize| {
        with.capture(value.as_str().unwrap_or_default(), number)
    });
    let with = Arc::clone(runtime);
    env.add_filter("__d", move |state: &mut State<'_, '_>, value: Value| with.guard(state, &value).map(|()| value));
    let with = Arc::clone(runtime);
    env.add_filter("__c", move |value: Value| {
        with.condition();
        value
    });
    let with = Arc::clone(runtime);
    env.add_filter("__s", move |state: &mut State<'_, '_>, value: Value| {
        with.condition();
        with.guard(state, &value).map(|()| value)
    });
    let with = Arc::clone(runtime);
    env.add_function("__macro", move |inner: Value, number: usize| with.wrap_macro(inner, number));
}
