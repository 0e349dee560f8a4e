//! `chart values`: a chart's final values, where each comes from, and what differs between two sets of layers.

mod explanation;
mod origins;

use super::args::{FindingFlags, ValuesFlags};
use super::release::Stop;
use super::{Exit, Failed, Stream, Terminal, project, source};
use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Sources, Unit};
use crate::values::{Layered, Resolved, differences, lines, resolve, short, yaml};
use crate::yaml::{Data, Node, parse_path, path_text};
use clap::{Args, FromArgMatches, ValueEnum};
use explanation::Explanation;
use origins::Origins;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Debug, Args)]
pub struct Values {
    /// A directory, an archive, or a reference
    #[arg(value_name = "CHART")]
    chart: String,
    #[command(flatten)]
    source: source::SourceArgs,
    /// Explain this value: `image.tag`, `ports[0].name`, `annotations["a.b/c"]`
    #[arg(value_name = "PATH")]
    path: Option<String>,
    #[command(flatten)]
    values: ValuesFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    findings: FindingFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct OutputFlags {
    /// Say beside each value where it is set, and what it overrides
    #[arg(long)]
    origins: bool,
    /// As YAML, as JSON, or one value a line
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Shape,
    /// Show what changes if the values flags after this one are given instead: `-f staging.yaml --diff -f prod.yaml`
    #[arg(long, num_args = 0.., allow_hyphen_values = true, value_name = "FLAGS", conflicts_with = "origins")]
    diff: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Yaml,
    Json,
    Table,
}

pub fn run(arguments: &Values, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut sources = Sources::default();
    let (findings, text) = match arguments.text(&mut sources, terminal) {
        Ok((findings, text)) => (findings, Some(text)),
        Err(Stop::Found(failure)) => (failure, None),
        Err(Stop::Failed(failed)) => return Err(failed),
    };
    let levels = project::levels(Path::new(&arguments.chart), &mut sources)?;
    let findings = arguments.findings.judge(findings, levels, &sources);
    let mut units = [Unit { name: arguments.chart.clone(), findings }];
    let exit = terminal.report(&mut units, &sources, &arguments.findings, Stream::Stderr)?;
    if let Some(text) = text {
        terminal.print(text)?;
    }
    Ok(exit)
}

/// The final values of a chart, with what they were made of.
struct Final<'a> {
    chart: &'a Chart,
    layered: Layered,
    resolved: Resolved<'a>,
}

impl<'a> Final<'a> {
    fn new(
        chart: &'a Chart,
        flags: &ValuesFlags,
        sources: &mut Sources,
        terminal: &mut Terminal,
    ) -> Result<Self, Stop> {
        let layered = flags.read(chart, "release-name", sources, terminal)?;
        let resolved = resolve(chart, &layered)?;
        Ok(Final { chart, layered, resolved })
    }

    fn findings(&self) -> Vec<Diagnostic> {
        let own = self.chart.findings.iter().chain(&self.layered.findings);
        own.chain(&self.resolved.findings).cloned().collect()
    }
}

impl Values {
    fn text(&self, sources: &mut Sources, terminal: &mut Terminal) -> Result<(Vec<Diagnostic>, String), Stop> {
        let chart = source::load(&self.chart, &self.source, sources, terminal)?;
        let values = Final::new(&chart, &self.values, sources, terminal)?;
        let text = match (&self.output.diff, &self.path) {
            (Some(words), path) => {
                let other = Final::new(&chart, &flags(words)?, sources, terminal)?;
                let path = path.as_deref().map(parse_path).transpose().map_err(usage)?.unwrap_or_default();
                let nothing = Node::new(values.resolved.values.span, Data::Null);
                let before = values.resolved.values.follow(&path).unwrap_or(&nothing);
                let after = other.resolved.values.follow(&path).unwrap_or(&nothing);
                self.difference(before, after, sources)
            }
            (None, Some(path)) => {
                let path = parse_path(path).map_err(usage)?;
                let explanation = Explanation::new(&values, &path, sources)?;
                match self.output.output {
                    Shape::Json => pretty(&explanation.json(sources)),
                    _ => explanation.text(sources),
                }
            }
            (None, None) => self.whole(&values, sources),
        };
        Ok((values.findings(), text))
    }

    fn whole(&self, values: &Final<'_>, sources: &Sources) -> String {
        let root = &values.resolved.values;
        if self.output.origins {
            let origins = Origins::new(values, sources);
            return match self.output.output {
                Shape::Yaml => origins.annotated(),
                Shape::Json => pretty(&origins.json()),
                Shape::Table => origins.table(),
            };
        }
        match self.output.output {
            Shape::Yaml => yaml(root),
            Shape::Json => pretty(&root.to_json()),
            Shape::Table => {
                let rows = lines(root).into_iter().filter(|line| line.is_leaf).map(|line| {
                    let value = root.follow(&line.path).map(short).unwrap_or_default();
                    vec![path_text(&line.path), value]
                });
                table(&["PATH", "VALUE"], rows.collect())
            }
        }
    }

    fn difference(&self, before: &Node, after: &Node, sources: &Sources) -> String {
        let found = differences(before, after);
        if self.output.output == Shape::Json {
            let side = |node: Option<&Node>| match node {
                Some(node) => json!({"value": node.to_json(), "origin": sources.locate(node.span)}),
                None => Value::Null,
            };
            let found = found.iter().map(|difference| {
                let (before, after) = (side(difference.before), side(difference.after));
                json!({"path": path_text(&difference.path), "before": before, "after": after})
            });
            return pretty(&found.collect());
        }
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|difference| {
                let place = |node: Option<&Node>| node.map(|node| sources.locate(node.span)).unwrap_or_default();
                let (sign, value) = match (difference.before, difference.after) {
                    (None, after) => ("+", after.map(short).unwrap_or_default()),
                    (Some(before), None) => ("-", short(before)),
                    (Some(before), Some(after)) => ("~", format!("{} → {}", short(before), short(after))),
                };
                let path = format!("{sign} {}", path_text(&difference.path));
                vec![path, value, place(difference.before), place(difference.after)]
            })
            .collect();
        if rows.is_empty() { String::new() } else { table(&["  PATH", "VALUE", "BEFORE", "AFTER"], rows) }
    }
}

fn usage(message: String) -> Failed {
    Failed::Usage(message, Some("write it like `image.tag`, `ports[0].name` or `annotations[\"a.b/c\"]`".to_owned()))
}

/// Values flags from the words after `--diff`.
fn flags(words: &[String]) -> Result<ValuesFlags, Failed> {
    let command = ValuesFlags::augment_args(clap::Command::new("--diff").no_binary_name(true));
    let matches = command.try_get_matches_from(words).and_then(|matches| ValuesFlags::from_arg_matches(&matches));
    matches.map_err(|error| {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Failed::Usage(format!("after `--diff`: {first}"), Some("only `-f` and the `--set` flags go there".to_owned()))
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Columns as wide as they need to be, two blanks apart.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut rows = rows;
    rows.insert(0, header.iter().map(|&word| word.to_owned()).collect());
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}
