//! `chart render` through the binary, against what `helm template` 4.3.1 printed.

use crate::support::{Folder, root};
use serde_json::Value;

/// Calls of `helm template`: files, arguments, and what it printed or why it failed.
#[test]
fn every_command_vector_prints_what_helm_printed() {
    let text = std::fs::read_to_string(root().join("testdata/helm/commands.json")).expect("the vectors");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut wrong = Vec::new();
    for vector in &vectors {
        let folder = Folder::new();
        for (path, text) in vector["files"].as_object().expect("files") {
            folder.write(path, text.as_str().expect("text"));
        }
        let arguments: Vec<&str> =
            vector["args"].as_array().expect("arguments").iter().filter_map(Value::as_str).collect();
        let run = folder.run_args(["render", "--no-validate"].into_iter().chain(arguments.iter().copied()));
        let agrees = match vector["stdout"].as_str() {
            Some(stdout) => run.code == 0 && run.stdout == stdout,
            None => run.code != 0 && run.stdout.is_empty(),
        };
        if !agrees {
            wrong.push(format!("{} {arguments:?}\n{}\nHelm: {:#}", vector["name"], run.shown(), vector["error"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n\n"));
    assert_eq!(vectors.len(), 82);
}
