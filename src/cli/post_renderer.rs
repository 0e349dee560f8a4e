//! A command between rendering and printing, as in `helm template --post-renderer`.

use super::Failed;
use crate::diagnostic::Sources;
use crate::manifest::{Depth, Hooks, Text, collect, documents};
use crate::render::Outcome;
use crate::value::bytes_of;
use std::io::Write;
use std::process::{Command, Stdio};

/// Gives the manifests to a command, hooks included, and takes what it prints for the manifests. A document's
/// `# Source:` comment tells its template; one without is `generated-by-postrender-N.yaml`, as in Helm.
pub(super) fn run(
    command: &str,
    arguments: &[String],
    outcome: &mut Outcome,
    depth: Depth,
    hooks: Hooks,
    sources: &mut Sources,
) -> Result<(), Failed> {
    let stream = outcome.manifests.stream(sources, &[], hooks).concat();
    let output = pipe(command, arguments, &bytes_of(&stream))?;
    let mut texts = Vec::new();
    for (index, range) in documents(&output).into_iter().enumerate() {
        let document = &output[range];
        let (name, text) = match document.strip_prefix("# Source: ").and_then(|rest| rest.split_once('\n')) {
            Some((name, text)) => (name.trim_end().to_owned(), text),
            None => (format!("generated-by-postrender-{index}.yaml"), document),
        };
        // What stood between this document and the next separator is not the document's.
        let text = format!("{}\n", text.trim_end());
        texts.push(Text { file: sources.add_rendered(&name, text), name: name.into() });
    }
    let (manifests, findings) = collect(texts, depth, sources);
    outcome.manifests = manifests;
    outcome.findings.extend(findings);
    Ok(())
}

fn pipe(command: &str, arguments: &[String], input: &[u8]) -> Result<String, Failed> {
    let failed = |error: std::io::Error| Failed::Other(format!("the post-renderer `{command}` cannot run: {error}"));
    let mut child =
        Command::new(command).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A command that does not read all its input is no error of ours.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })
    .map_err(failed)?;
    if !output.status.success() {
        return Err(Failed::Other(format!("the post-renderer `{command}` failed: {}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failed::Other(format!("the post-renderer `{command}` printed what is not UTF-8 text")))
}
