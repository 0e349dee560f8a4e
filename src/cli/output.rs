//! Writing to the terminal: data on stdout, everything else on stderr.

use super::Exit;
use super::args::{Color, FindingFlags, Format, Global};
use crate::diagnostic::{self, Code, Emitter, Human, Report, Severity, Sources, Unit};
use crate::repository::{self, Kind};
use crate::value::bytes_of;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};

/// Why a command could not do its work, for the user: the world failed or the usage is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Fs(#[from] crate::fs::Error),
    /// Writing to stdout failed. A closed pipe is no failure.
    #[error("failed to write to stdout: {0}")]
    Stdout(#[from] io::Error),
    /// The command line asks for something that cannot be done; the second text is the way out.
    #[error("{0}")]
    Usage(String, Option<String>),
    #[error(transparent)]
    Repository(#[from] repository::Error),
    /// Something is not signed, or not by whom it should be.
    #[error(transparent)]
    Provenance(#[from] crate::package::provenance::Error),
    #[error("{0}")]
    Other(String),
}

/// Where a report for machines goes: stdout, unless that has other data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// `2 errors, 1 warning`; `None` where there is nothing to count.
fn count(report: Report<'_>) -> Option<String> {
    let count = |severity| report.findings().filter(|finding| finding.severity == severity).count();
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")].map(
        |(severity, name)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {name}")),
            many => Some(format!("{many} {name}s")),
        },
    );
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The two streams, as the global flags want them.
#[derive(Debug)]
pub struct Terminal {
    pub quiet: bool,
    pub color: bool,
    pub verbose: u8,
}

impl Terminal {
    pub fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && io::stderr().is_terminal(),
        };
        Terminal { quiet: global.quiet, color, verbose: global.verbose }
    }

    /// A bar for work in so many parts; unseen where nobody looks, or where there is little to do.
    pub fn progress(&self, verb: &str, parts: usize) -> ProgressBar {
        if parts < 3 || !self.is_interactive() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(&format!("{verb} {{bar:30}} {{pos}}/{{len}} {{elapsed}}"));
        ProgressBar::new(parts as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    /// Whether someone watches stderr: progress may be shown.
    pub fn is_interactive(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes data to stdout.
    pub fn print(&mut self, data: impl AsRef<[u8]>) -> Result<(), Failed> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(data.as_ref())?;
        stdout.flush()?;
        Ok(())
    }

    /// Writes pieces of data to stdout, one after the other.
    pub fn print_pieces(&mut self, pieces: &[&str]) -> Result<(), Failed> {
        let mut stdout = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        for piece in pieces {
            stdout.write_all(&bytes_of(piece))?;
        }
        stdout.flush()?;
        Ok(())
    }

    /// Writes a line to stderr, unless `--quiet`.
    pub fn say(&mut self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
        }
    }

    /// Writes text to stderr, also with `--quiet`: errors.
    pub fn complain(&mut self, text: impl AsRef<str>) {
        let _ = io::stderr().lock().write_all(text.as_ref().as_bytes());
    }

    /// Prints findings, and gives the exit code that they mean. People's formats go to stderr, with a line that
    /// counts them; the formats for machines go to `machine`.
    pub fn report(
        &mut self,
        units: &mut [Unit],
        sources: &Sources,
        flags: &FindingFlags,
        machine: Stream,
    ) -> Result<Exit, Failed> {
        if flags.strict {
            for finding in units.iter_mut().flat_map(|unit| &mut unit.findings) {
                if finding.severity == Severity::Warning {
                    finding.severity = Severity::Error;
                }
            }
        }
        if self.quiet && flags.format == Format::Human {
            for unit in &mut *units {
                unit.findings.retain(|finding| finding.severity == Severity::Error);
            }
        }
        let report = Report { sources, units };
        let emitter: &dyn Emitter = match flags.format {
            Format::Human => &Human { color: self.color },
            Format::Short => &diagnostic::Short,
            Format::Json => &diagnostic::Json,
            Format::Sarif => &diagnostic::Sarif,
            Format::Github => &diagnostic::Github,
            Format::Junit => &diagnostic::Junit,
            Format::Tap => &diagnostic::Tap,
        };
        let text = emitter.emit(report);
        match (flags.format, machine) {
            (Format::Human, _) | (_, Stream::Stderr) => self.complain(text),
            (_, Stream::Stdout) => self.print(text)?,
        }
        if flags.format == Format::Human
            && !self.quiet
            && let Some(line) = count(report)
        {
            self.complain(format!("{line}\n"));
        }
        let errors = || report.findings().filter(|finding| finding.severity == Severity::Error);
        Ok(if errors().any(|finding| matches!(finding.code, Code::Io | Code::Usage)) {
            Exit::Environment
        } else if errors().next().is_some() {
            Exit::Findings
        } else {
            Exit::Success
        })
    }

    /// Prints why a command failed and gives the exit code.
    pub fn fail(&mut self, failed: &Failed) -> Exit {
        if let Failed::Stdout(error) = failed
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return Exit::Success;
        }
        let (error, hint) =
            if self.color { ("\x1b[1;31merror\x1b[0m", "\x1b[1;36mhint\x1b[0m") } else { ("error", "hint") };
        let mut text = format!("{error}: {failed}\n");
        let way_out = match failed {
            Failed::Usage(_, way_out) => way_out.as_deref(),
            Failed::Repository(error) => error.hint(),
            _ => None,
        };
        if let Some(way_out) = way_out {
            text += &format!("{hint}: {way_out}\n");
        }
        self.complain(text);
        match failed {
            Failed::Repository(error) if matches!(error.kind, Kind::Conflict | Kind::Integrity) => Exit::Findings,
            Failed::Provenance(_) => Exit::Findings,
            _ => Exit::Environment,
        }
    }
}
