//! The README's commands and tables.

use crate::support::{Folder, root};
use std::collections::BTreeSet;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

/// The text under a heading, up to the next of its level.
fn section(text: &str, heading: &str) -> String {
    let text = text.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is there");
    text.split("\n## ").next().unwrap_or_default().to_owned()
}

#[test]
fn every_dependency_has_its_line() {
    let told: BTreeSet<String> = section(&readme(), "Dependencies")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next().map(str::to_owned))
        .filter(|names| names != "crate")
        .flat_map(|names| names.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let table = manifest.split("\n[dependencies]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("a table");
    let used: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.split(" = ").next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(told, used);
}

#[test]
fn every_command_is_in_the_table() {
    let told = section(&readme(), "Commands");
    let folder = Folder::new();
    let help = folder.run("--help").ok().stdout;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().expect("a name");
        assert!(told.contains(&format!("chart {name}")), "`chart {name}` is missing");
        let about: Vec<&str> = line.split_whitespace().skip(1).take(3).collect();
        let own = folder.run(&format!("{name} -h")).ok().stdout;
        assert_eq!(own.split_whitespace().take(3).collect::<Vec<_>>(), about, "`chart {name} -h`");
    }
}

/// The walk, as a new user would take it.
#[test]
fn the_walk_works() {
    let folder = Folder::new();
    folder.run("create shop").ok();
    let manifests = folder.run("render shop shop -f shop/environments/production.yaml").ok().stdout;
    assert!(manifests.contains("kind: Deployment"), "{manifests}");
    folder.write("bad.yaml", "imag:\n  tag: \"2\"\n");
    let error = folder.run("render shop shop -f bad.yaml").fails(1).stderr;
    let shown = section(&readme(), "Five minutes");
    let shown = shown.split("-f bad.yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the error");
    assert_eq!(error, shown);
    folder.run("values shop -f shop/environments/production.yaml --origins").ok();
    folder.run("check shop").ok();
    folder.run("package shop -d out").ok();
    let url = format!("file://{}/repo", folder.path().display());
    folder.run_args(["push", "out/shop-0.1.0.tgz", &url]).ok();
    assert!(folder.path().join("repo/index.yaml").is_file());
}

#[test]
fn links_lead_to_files() {
    for page in ["README.md", "docs/compatibility.md", "docs/jinja.md", "docs/schemas-and-readmes.md"] {
        let path = root().join(page);
        let text = std::fs::read_to_string(&path).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                assert!(path.parent().expect("a folder").join(file).exists(), "{page} links to {link}");
            }
        }
    }
}
