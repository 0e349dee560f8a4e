//! The command line: parse, run, print, exit code. The only module that prints, reads the environment or exits.

use std::process::ExitCode;

/// Runs the command that the process arguments ask for.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
