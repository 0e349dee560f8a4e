//! `chart show`: the parts of a chart that people read, as their authors wrote them.

use super::args::FindingFlags;
use super::release::Stop;
use super::{Exit, Failed, Stream, Terminal, source};
use crate::chart::{Chart, File};
use crate::diagnostic::{Sources, Unit};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct Show {
    /// What to show
    #[arg(value_name = "PART")]
    part: Part,
    /// A directory, an archive, or a reference
    #[arg(value_name = "CHART")]
    chart: String,
    #[command(flatten)]
    source: source::SourceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Chart.yaml
    Chart,
    /// values.yaml, with its comments
    Values,
    /// The README
    Readme,
    /// The files of crds/, subcharts included
    Crds,
    /// All of them
    All,
}

pub fn run(arguments: &Show, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut sources = Sources::default();
    let chart = match source::load(&arguments.chart, &arguments.source, &mut sources, terminal) {
        Ok(chart) => chart,
        Err(Stop::Failed(failed)) => return Err(failed),
        Err(Stop::Found(findings)) => {
            let mut units = [Unit { name: arguments.chart.clone(), findings }];
            return terminal.report(&mut units, &sources, &FindingFlags::default(), Stream::Stderr);
        }
    };
    terminal.print(text(&chart, arguments.part))?;
    Ok(Exit::Success)
}

/// The parts in Helm's layout: those that follow another one start with `---`.
fn text(chart: &Chart, part: Part) -> Vec<u8> {
    let all = part == Part::All;
    let mut text = Vec::new();
    let mut push = |data: &[u8], separated: bool| {
        if separated {
            text.extend_from_slice(b"---\n");
        }
        text.extend_from_slice(data);
        text.push(b'\n');
    };
    if let Some(file) = chart.file("Chart.yaml").filter(|_| all || part == Part::Chart) {
        push(file.data(), false);
    }
    if let Some(file) = chart.file("values.yaml").filter(|_| all || part == Part::Values) {
        push(file.data(), all);
    }
    if let Some(file) = readme(chart).filter(|_| all || part == Part::Readme) {
        push(file.data(), all);
    }
    if all || part == Part::Crds {
        for data in crds(chart) {
            push(&data, !data.starts_with(b"---"));
        }
    }
    text
}

fn readme(chart: &Chart) -> Option<&File> {
    ["readme.md", "readme.txt", "readme"]
        .iter()
        .find_map(|name| chart.files.iter().find(|file| file.path.eq_ignore_ascii_case(name)))
}

fn crds(chart: &Chart) -> Vec<std::sync::Arc<[u8]>> {
    let own = chart.crds.iter().filter_map(|path| chart.file(path)).map(|file| file.data().clone());
    own.chain(chart.subcharts.iter().flat_map(crds)).collect()
}
