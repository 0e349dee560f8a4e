//! `chart create`, and the charts that it starts from.

use crate::support::{Folder, root, tool};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The files below a folder, by path.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut next = vec![directory.to_owned()];
    while let Some(folder) = next.pop() {
        for entry in std::fs::read_dir(folder).expect("readable folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                next.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("below").to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    files
}

#[test]
fn a_created_chart_is_the_shipped_one_under_another_name() {
    for (arguments, shipped) in [
        (vec!["create", "web"], "service"),
        (vec!["create", "web", "--from", "cronjob"], "cronjob"),
        (vec!["create", "web", "--dialect", "helm"], "service-helm"),
    ] {
        let folder = Folder::new();
        folder.run_args(&arguments).ok();
        let expected: BTreeMap<String, String> = files(&root().join("charts").join(shipped))
            .into_iter()
            .map(|(path, text)| {
                let text = text
                    .replace(&format!("\nname: {shipped}\n"), "\nname: web\n")
                    .replace(&format!("\"{shipped}."), "\"web.");
                (path, text)
            })
            .collect();
        let created = files(&folder.path().join("web"));
        assert_eq!(created, expected);
        assert!(!created.values().any(|text| text.contains("service-helm")));
    }
}

#[test]
fn what_create_makes_passes_its_own_checks() {
    for arguments in [
        vec!["create", "charts/web"],
        vec!["create", "charts/web", "--from", "cronjob"],
        vec!["create", "charts/web", "--dialect", "helm"],
    ] {
        let folder = Folder::new();
        folder.run_args(&arguments).ok();
        folder.run("check --strict charts/web").ok();
        folder.run("render charts/web").ok();
        for environment in ["staging", "production"] {
            let file = format!("charts/web/environments/{environment}.yaml");
            if folder.path().join(&file).exists() {
                folder.run(&format!("render --strict charts/web -f {file}")).ok();
            }
        }
    }
}

#[test]
fn helm_renders_the_created_helm_chart_to_the_same_bytes() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new();
    folder.run("create web --dialect helm").ok();
    for values in ["", "-f web/ci/all-values.yaml", "-f web/ci/bare-values.yaml"] {
        let call = format!("demo web -n prod {values}");
        let output = Command::new(&helm)
            .arg("template")
            .args(call.split_whitespace())
            .current_dir(folder.path())
            .output()
            .expect("helm runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ours = folder.run(&format!("render {call}")).ok();
        assert_eq!(ours.stdout, String::from_utf8_lossy(&output.stdout), "{values}");
    }
}

#[test]
fn names_and_places_are_checked() {
    let folder = Folder::new().file("taken/x", "");
    insta::assert_snapshot!(folder.run("create Web_Shop").fails(2).shown());
    insta::assert_snapshot!(folder.run("create taken").fails(2).shown());
    insta::assert_snapshot!(folder.run("create web --from cronjob --dialect helm").fails(2).shown());
    assert_eq!(files(folder.path()).len(), 1);
}
