//! `chart index`, and reading indexes of any size.

use crate::servers::files;
use crate::support::{Folder, tool};
use std::process::Command;

fn package(folder: &Folder, name: &str, version: &str, destination: &str) {
    folder.write(&format!("src/{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\n"));
    folder.run(&format!("package src/{name} -d {destination}")).ok();
}

fn index(folder: &Folder, arguments: &str) -> serde_json::Value {
    let run = folder.run(&format!("index --format json {arguments}")).ok();
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn only_what_changed_is_read_and_written() {
    let folder = Folder::new();
    package(&folder, "web", "1.0.0", "repo");
    package(&folder, "web", "1.10.0", "repo");
    package(&folder, "api", "0.1.0", "repo/deep");
    folder.write("repo/junk.tgz", "junk");
    let made = index(&folder, "repo");
    assert_eq!((&made["added"], &made["read"]), (&3.into(), &3.into()));
    assert_eq!(made["skipped"], serde_json::json!(["junk.tgz"]));
    let huge = std::fs::File::create(folder.path().join("repo/huge-1.0.0.tgz")).expect("a file");
    huge.set_len(1 << 40).expect("a file of nothing but its size");
    let made = index(&folder, "repo --url https://x.example --json");
    assert_eq!(made["skipped"], serde_json::json!(["huge-1.0.0.tgz", "junk.tgz"]));
    std::fs::remove_file(folder.path().join("repo/huge-1.0.0.tgz")).expect("removed");
    std::fs::remove_file(folder.path().join("repo/index.yaml")).expect("removed");
    index(&folder, "repo");
    let first = folder.read("repo/index.yaml");
    assert!(first.contains("- deep/api-0.1.0.tgz"));
    let made = index(&folder, "repo");
    assert_eq!((&made["read"], &made["written"]), (&0.into(), &false.into()));
    assert_eq!(folder.read("repo/index.yaml"), first);
    package(&folder, "web", "1.9.0", "repo");
    std::fs::remove_file(folder.path().join("repo/web-1.0.0.tgz")).expect("removed");
    let made = index(&folder, "repo");
    assert_eq!((&made["added"], &made["removed"], &made["read"]), (&1.into(), &1.into(), &1.into()));
    let second = folder.read("repo/index.yaml");
    let kept: Vec<_> = first.lines().filter(|line| second.contains(*line)).collect();
    assert!(kept.len() + 5 >= first.lines().count(), "only the lines of one version went");
    let order: Vec<_> = second.lines().filter(|line| line.contains("version: ")).collect();
    assert_eq!(order, ["    version: 0.1.0", "    version: 1.10.0", "    version: 1.9.0"]);
    // Another URL for the same archives.
    let made = index(&folder, "repo --url https://charts.example/x/");
    assert_eq!(made["changed"], 3);
    assert!(folder.read("repo/index.yaml").contains("- https://charts.example/x/deep/api-0.1.0.tgz"));
}

#[test]
fn an_index_is_checked_against_its_archives() {
    let folder = Folder::new();
    package(&folder, "web", "1.0.0", "repo");
    package(&folder, "web", "1.1.0", "repo");
    package(&folder, "web", "1.2.0", "repo");
    folder.run("index repo").ok();
    folder.run("index repo --check").ok();
    std::fs::remove_file(folder.path().join("repo/web-1.0.0.tgz")).expect("removed");
    folder.write("src/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.1.0\ndescription: other\n");
    folder.run("package src/web -d repo").ok();
    package(&folder, "api", "1.0.0", "repo");
    let before = folder.read("repo/index.yaml");
    let run = folder.run("index repo --check").fails(1);
    let hex = regex::Regex::new("[0-9a-f]{64}").expect("a pattern");
    insta::assert_snapshot!(hex.replace_all(&run.stdout, "[HEX]"), @r"
    `web` 1.1.0 is listed with SHA-256 [HEX], but `web-1.1.0.tgz` has [HEX]
    `web` 1.0.0 is listed but its archive is missing
    `api-1.0.0.tgz` is not listed
    ");
    assert_eq!(folder.read("repo/index.yaml"), before);
}

#[test]
fn other_indexes_are_merged_and_json_is_written() {
    let folder = Folder::new();
    package(&folder, "web", "1.0.0", "old");
    folder.run("index old --url https://old.example").ok();
    package(&folder, "web", "2.0.0", "repo");
    folder.run("index repo --merge old/index.yaml").ok();
    let text = folder.read("repo/index.yaml");
    assert!(text.contains("https://old.example/web-1.0.0.tgz") && text.contains("- web-2.0.0.tgz"), "{text}");
    folder.run("index repo --merge old/index.yaml --json").ok();
    let json: serde_json::Value = serde_json::from_str(&folder.read("repo/index.yaml")).expect("JSON");
    assert_eq!(json["entries"]["web"].as_array().map(Vec::len), Some(2));
    let run = folder.run(&format!("versions file://{}/repo/web", folder.path().display())).ok();
    assert_eq!(run.stdout, "2.0.0\n1.0.0\n");
    let Some(helm) = tool("helm") else { return };
    let server = crate::server::Server::start({
        let text = folder.read("repo/index.yaml");
        move |_| crate::server::Answer::new(200, &text)
    });
    let mut command = Command::new(helm);
    command.args(["repo", "add", "x", &server.url("")]).env_clear().env("HOME", folder.path());
    let output = command.output().expect("helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_archives_of_one_version_are_a_conflict() {
    let folder = Folder::new();
    package(&folder, "web", "1.0.0", "repo");
    package(&folder, "web", "1.0.0", "repo/copy");
    folder.run("index repo").ok();
    folder.write("src/web/values.yaml", "a: 1\n");
    folder.run("package src/web -d repo/copy").ok();
    insta::assert_snapshot!(folder.run("index repo").fails(1).stderr, @r"
    error: `copy/web-1.0.0.tgz` and `web-1.0.0.tgz` are both `web` 1.0.0
    hint: remove one of them
    ");
    assert_eq!(files(&folder.path().join("repo")), [".index.yaml.lock", "copy", "index.yaml", "web-1.0.0.tgz"]);
}

#[test]
fn one_chart_is_found_in_a_huge_index() {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    for chart in 0..100 {
        text += &format!("  chart-{chart:03}:\n");
        for version in 0..500 {
            text += &format!(
                "  - apiVersion: v2\n    created: \"2026-01-01T00:00:00Z\"\n    description: {}\n    digest: {:064x}\n    name: chart-{chart:03}\n    urls:\n    - chart-{chart:03}-1.{version}.0.tgz\n    version: 1.{version}.0\n",
                "d".repeat(600),
                chart * 1000 + version
            );
        }
    }
    assert!(text.len() > 35 << 20);
    let folder = Folder::new();
    folder.write("index.yaml", &text);
    let run = folder.run(&format!("versions file://{}/chart-042 --version ~1.499", folder.path().display())).ok();
    assert_eq!(run.stdout, "1.499.0\n");
}

#[test]
fn an_index_is_helms_but_for_its_times() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new();
    for (name, more) in [
        ("plain", ""),
        (
            "long",
            "description: A description that is longer than a line of eighty characters, so that it is broken somewhere.\n",
        ),
        (
            "full",
            "appVersion: \"1.0\"\nkubeVersion: '>=1.25.0-0'\ntype: application\nhome: https://x.example\nicon: https://x.example/i.png\n\
             deprecated: true\nkeywords: [a, \"yes\", '1']\nsources: [https://x.example/src]\nannotations:\n  b: |\n    - two\n\n    - lines\n  a: 'x'\n\
             maintainers:\n- name: Ann\n  email: ann@x.example\n- name: Bob\n  url: https://bob.example\n\
             dependencies:\n- name: own\n  version: 1.x\n  condition: own.enabled\n  tags: [t]\n  import-values: [a, {child: b, parent: c}]\n",
        ),
    ] {
        folder
            .write(&format!("src/{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}"));
        folder.write("src/full/charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n");
        for version in ["1.2.0-rc.1", "1.10.0", "1.9.0+b.1"] {
            folder.run(&format!("package src/{name} -d repo --version {version} --no-validate")).ok();
        }
    }
    let time = regex::Regex::new(r#""20\d\d-[^"]*""#).expect("a pattern");
    for options in [["--url", "https://charts.example/x"].as_slice(), &[]] {
        let _ = std::fs::remove_file(folder.path().join("repo/index.yaml"));
        let mut command = Command::new(&helm);
        command.args(["repo", "index", "repo"]).args(options).current_dir(folder.path());
        assert!(command.env_clear().env("HOME", folder.path()).status().expect("helm runs").success());
        let theirs = folder.read("repo/index.yaml");
        std::fs::remove_file(folder.path().join("repo/index.yaml")).expect("removed");
        let mut arguments = vec!["index", "repo"];
        arguments.extend(options);
        folder.run_args(arguments).ok();
        assert_eq!(time.replace_all(&folder.read("repo/index.yaml"), "T"), time.replace_all(&theirs, "T"));
    }
}
