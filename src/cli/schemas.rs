//! `chart schemas`: makes the embedded Kubernetes schemas. For this project's developers.

use super::{Exit, Failed, Terminal};
use crate::fs;
use crate::schema::build::{Built, build};
use crate::schema::enums::Corrections;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Schemas {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the bundle from the schemas of the PyPI package `kubernetes-validate`
    Build(Build),
}

#[derive(Debug, Args)]
struct Build {
    /// The package's folder `kubernetes-json-schema`, which has a folder such as `v1.31.0-local` for each version
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where `corrections.txt` is, and the bundle goes
    #[arg(long, value_name = "DIR", default_value = "schemas")]
    to: PathBuf,
    /// Write nothing; fail where the files differ from what would be written
    #[arg(long)]
    check: bool,
}

pub fn run(arguments: &Schemas, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let Command::Build(arguments) = &arguments.command;
    let corrections = Corrections::read(&fs::read_text(&arguments.to.join("corrections.txt"))?)
        .map_err(|error| Failed::Other(format!("corrections.txt: {error}")))?;
    let mut sources = Vec::new();
    for (name, path, is_dir) in fs::list(&arguments.from)? {
        if let Some(minor) = minor_of(&name).filter(|_| is_dir) {
            let text = fs::read_text(&path.join("_definitions.json"))?;
            let source =
                serde_json::from_str(&text).map_err(|error| Failed::Other(format!("{}: {error}", path.display())))?;
            sources.push((minor, source));
        }
    }
    sources.sort_by_key(|(minor, _)| *minor);
    let Built { definitions, kinds, enums } = build(&sources, &corrections).map_err(Failed::Other)?;
    let files = [("definitions.txt", definitions), ("kinds.txt", kinds), ("enums.txt", enums)];
    if arguments.check {
        return check(&arguments.to, &files, terminal);
    }
    for (name, text) in &files {
        fs::write(&arguments.to.join(name), text.as_bytes())?;
        terminal.say(format!("wrote {} ({} bytes)", arguments.to.join(name).display(), text.len()));
    }
    Ok(Exit::Success)
}

fn check(folder: &Path, files: &[(&str, String)], terminal: &mut Terminal) -> Result<Exit, Failed> {
    let mut exit = Exit::Success;
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_text(&path)? != *text {
            terminal.complain(format!("{} is not what `chart schemas build` writes\n", path.display()));
            exit = Exit::Findings;
        }
    }
    Ok(exit)
}

/// 31 for `v1.31.0-local`.
fn minor_of(name: &str) -> Option<u16> {
    name.strip_prefix("v1.")?.strip_suffix(".0-local")?.parse().ok()
}
