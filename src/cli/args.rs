//! Flags that several commands share.

use super::flag_values::{Record, record};
use crate::diagnostic::{Code, Diagnostic, Level, Sink, Sources, level_by_comment};
use clap::{Args, ValueEnum};
use std::collections::HashMap;
use std::ffi::OsStr;

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Say more on stderr: what is read, rendered, fetched (twice for details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// How findings are judged and printed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Findings")]
pub struct FindingFlags {
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// Take warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// Make findings of this kind errors
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub deny: Vec<Code>,
    /// Make findings of this kind warnings
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub warn: Vec<Code>,
    /// Drop findings of this kind
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub allow: Vec<Code>,
}

/// Output formats for findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines of every place, for people
    #[default]
    Human,
    /// `path:line:column: error[code]: …`
    Short,
    /// One JSON object per line
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// JUnit XML
    Junit,
    /// Test Anything Protocol 14
    Tap,
}

impl FindingFlags {
    /// The findings as they are to be told: at the levels of the flags, else of the project, or of
    /// a comment at their place.
    pub fn judge(
        &self,
        findings: Vec<Diagnostic>,
        mut levels: HashMap<Code, Level>,
        sources: &Sources,
    ) -> Vec<Diagnostic> {
        for (codes, level) in [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)] {
            levels.extend(codes.iter().map(|code| (*code, level)));
        }
        // A custom resource is often defined by another chart.
        levels.entry(Code::MissingSchema).or_insert(Level::Warn);
        let mut sink = Sink::new(levels);
        for finding in findings {
            match level_by_comment(&finding, sources) {
                Some(level) => sink.push_at(finding, level),
                None => sink.push(finding),
            }
        }
        sink.finish()
    }
}

fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| "there is no finding of this name".to_owned())
}

/// What a flag was given. An empty text is nothing: scripts pass variables that may be unset.
pub fn given<T: AsRef<OsStr>>(value: &Option<T>) -> Option<&T> {
    value.as_ref().filter(|value| !value.as_ref().is_empty())
}

/// Where values come from. Each kind wins over the kinds before it, and in a kind the later one wins.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Values")]
pub struct ValuesFlags {
    /// Values from a YAML file, a URL, or stdin (`-`)
    #[arg(short = 'f', long = "values", value_name = "FILE", value_parser = record)]
    pub files: Vec<Record>,
    /// Values as JSON: `KEY=JSON` or an object
    #[arg(long, value_name = "KEY=JSON")]
    pub set_json: Vec<String>,
    /// Values: `a.b=1,c[0]=x,d={x,y}`
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Values that are strings, whatever they look like
    #[arg(long, value_name = "KEY=VALUE")]
    pub set_string: Vec<String>,
    /// Values that are the texts of files
    #[arg(long, value_name = "KEY=PATH")]
    pub set_file: Vec<String>,
    /// A string value, taken as it stands to the end
    #[arg(long, value_name = "KEY=VALUE")]
    pub set_literal: Vec<String>,
    /// Take the values files that chart.toml names for this environment, below `-f`
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// The same for a region
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// The same for a service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// The same for any other name in the layers of chart.toml
    #[arg(long, value_name = "NAME=VALUE")]
    pub choose: Vec<String>,
}
