//! `chart index`: the table of contents of a directory of archives.

use super::package::ResultFormat;
use super::remote::{cache, now};
use super::{Exit, Failed, Terminal};
use crate::fs;
use crate::repository::listing::{self, Options};
use crate::repository::redacted;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Directory with archives
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// URL of the directory: makes the index's URLs absolute
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Take over the versions of this index that have no archive here
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
    /// Write JSON, which clients read faster, under the same name
    #[arg(long)]
    json: bool,
    /// Change nothing: find entries without archives, archives without entries, and digests that differ
    #[arg(long, conflicts_with_all = ["merge", "json"])]
    check: bool,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
}

pub fn run(arguments: &IndexArgs, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let directory = &arguments.directory;
    if let Some(url) = arguments.url.as_deref().filter(|url| redacted(url) != **url) {
        let message =
            format!("`--url` has a password or a query, and the index would tell it to everybody: {}", redacted(url));
        return Err(Failed::Usage(message, Some("give the address alone".to_owned())));
    }
    if arguments.check {
        let wrong = listing::check(directory, arguments.url.as_deref())?;
        match arguments.format {
            ResultFormat::Human => {
                terminal.print(wrong.iter().map(|line| format!("{line}\n")).collect::<String>())?;
                if wrong.is_empty() {
                    terminal.say("the index and the archives agree");
                }
            }
            ResultFormat::Json => {
                let line = serde_json::json!({ "directory": directory, "problems": wrong });
                terminal.print(format!("{line}\n"))?;
            }
        }
        return Ok(if wrong.is_empty() { Exit::Success } else { Exit::Findings });
    }
    let merge = arguments.merge.as_deref().map(fs::read_text).transpose()?;
    let options = Options { url: arguments.url.clone(), merge, json: arguments.json, now: now() };
    let made = listing::make(directory, &options, &cache())?;
    for (file, why) in &made.skipped {
        terminal.complain(format!("warning: `{file}` is left out: {why}\n"));
    }
    match arguments.format {
        ResultFormat::Human => {
            let counts = [(made.added, "new"), (made.changed, "changed"), (made.removed, "gone")];
            let counts: Vec<_> =
                counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
            let what = if counts.is_empty() { "nothing new".to_owned() } else { counts.join(", ") };
            terminal.say(format!("{} versions listed: {what}", made.listed));
        }
        ResultFormat::Json => {
            let line = serde_json::json!({
                "listed": made.listed,
                "added": made.added,
                "changed": made.changed,
                "removed": made.removed,
                "read": made.read,
                "written": made.written,
                "skipped": made.skipped.iter().map(|(file, _)| file).collect::<Vec<_>>(),
            });
            terminal.print(format!("{line}\n"))?;
        }
    }
    Ok(Exit::Success)
}
