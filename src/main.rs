//! The `chart` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    chart::cli::main()
}
