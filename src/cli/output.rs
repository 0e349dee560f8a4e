//! Writing to the terminal: data on stdout, everything else on stderr.

use super::Exit;
use super::args::{Color, Global};
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
    #[error("{0}")]
    Other(String),
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

    /// Writes data to stdout.
    pub fn print(&mut self, data: impl AsRef<[u8]>) -> Result<(), Failed> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(data.as_ref())?;
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
        if let Failed::Usage(_, Some(way_out)) = failed {
            text += &format!("{hint}: {way_out}\n");
        }
        self.complain(text);
        Exit::Environment
    }
}
