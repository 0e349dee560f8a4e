//! `chart package`.

use crate::support::{Folder, tool};
use std::process::Command;

const CHART_YAML: &str = "# our chart\napiVersion: v2\nname: web # the name\nversion: 1.0.0\nappVersion: \"1.4\"\n";

fn chart() -> Folder {
    Folder::new()
        .file("web/Chart.yaml", CHART_YAML)
        .file("web/values.yaml", "a: 1 # kept\n")
        .file("web/.helmignore", "*.bak\n/ci/\n")
        .file("web/junk.bak", "junk")
        .file("web/ci/x-values.yaml", "a: 2")
        .file("web/templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n")
        .file("web/files/data.bin", b"\xff\xfe\x00binary")
}

fn entries(folder: &Folder, archive: &str) -> Vec<(String, Vec<u8>)> {
    let data = std::fs::read(folder.path().join(archive)).expect("the archive");
    let entries = chart::chart::archive::read(&data, &Default::default()).expect("readable");
    entries.into_iter().map(|entry| (entry.path, entry.data)).collect()
}

#[test]
fn a_package_holds_the_authors_bytes() {
    let folder = chart();
    let run = folder.run("package web -d dist").ok();
    let (path, digest) = run.stdout.trim().split_once(' ').expect("path and digest");
    assert_eq!(path, "dist/web-1.0.0.tgz");
    let data = std::fs::read(folder.path().join(path)).expect("the archive");
    assert_eq!(digest, format!("sha256:{}", chart::package::digest(&data)));
    let entries = entries(&folder, path);
    let paths: Vec<_> = entries.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["Chart.yaml", ".helmignore", "files/data.bin", "templates/config.yaml", "values.yaml"]);
    assert_eq!(entries[0].1, CHART_YAML.as_bytes());
    assert_eq!(entries[2].1, b"\xff\xfe\x00binary");
}

#[test]
fn versions_are_edited_in_place() {
    let folder = chart();
    let run = folder.run("package web --version 2.0.0-rc.1+b5 --app-version 1.10 --format json").ok();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("one object");
    assert_eq!(json["path"], "web-2.0.0-rc.1+b5.tgz");
    assert_eq!((&json["name"], &json["version"]), (&"web".into(), &"2.0.0-rc.1+b5".into()));
    let entries = entries(&folder, "web-2.0.0-rc.1+b5.tgz");
    let expected = CHART_YAML.replace("1.0.0", "2.0.0-rc.1+b5").replace("\"1.4\"", "\"1.10\"");
    assert_eq!(String::from_utf8_lossy(&entries[0].1), expected);
    insta::assert_snapshot!(folder.run("package web --version one").shown(), @r#"
    exit: 1
    --- stdout
    --- stderr
    error[invalid-chart]: "one" is not a version: invalid semantic version
     │
     ╰ help: versions look like `1.2.3` or `1.2.3-rc.1`

    1 error
    "#);
}

#[test]
fn same_chart_same_bytes() {
    let digest = |umask: &str, reverse: bool, epoch: Option<&str>| {
        let folder = Folder::new();
        let mut files: Vec<_> = ["templates/a.yaml", "templates/b.yaml", "values.yaml", "z", "charts/sub/Chart.yaml"]
            .map(|path| (path, "apiVersion: v2\nname: sub\nversion: 0.1.0\n"))
            .into();
        files[..4].iter_mut().for_each(|file| file.1 = "# a\n");
        files.push(("Chart.yaml", CHART_YAML));
        if reverse {
            files.reverse();
        }
        for (path, text) in files {
            folder.write(&format!("deep/web/{path}"), text);
        }
        let script = format!("umask {umask}; touch -d 2001-02-03 deep/web/z; exec {} package deep/web", binary());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path()).env_clear().env("PATH", "/usr/bin:/bin");
        if let Some(epoch) = epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        let output = command.output().expect("sh runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let first = digest("022", false, None);
    assert_eq!(first, digest("077", true, None));
    assert_eq!(first, digest("000", false, Some("315532800")));
    assert_ne!(first, digest("022", false, Some("1700000000")));
}

fn binary() -> String {
    crate::support::binary().display().to_string()
}

#[test]
fn packing_where_the_chart_is_does_not_pack_the_package() {
    let folder = chart();
    let pack = || {
        let mut command = folder.command(["package", "."]);
        let output = command.current_dir(folder.path().join("web")).output().expect("chart runs");
        assert!(output.status.success());
        output.stdout
    };
    assert_eq!(pack(), pack());
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let folder = chart()
        .file("dep/Chart.yaml", "apiVersion: v2\nname: dep\nversion: 1.0.0\ndependencies:\n- name: redis\n  version: 1.x\n  repository: https://charts.example\n")
        .file("empty/values.yaml", "");
    insta::assert_snapshot!(folder.run("package dep empty").shown(), @r"
    exit: 1
    --- stdout
    --- stderr
    error[invalid-chart]: the dependency `redis` is missing in `charts/`
      ╭▸ dep/Chart.yaml:5:3
      │
    5 │ - name: redis
      │   ━━━━━━━━━━━ declared here
      │
      ╰ help: fetch it with `chart dependency build dep`

    1 error
    error[invalid-chart]: no chart at `empty`: Chart.yaml file is missing
     │
     ╰ help: name the directory that has the `Chart.yaml`, or start one with `chart create`

    1 error
    ");
}

#[test]
fn a_chart_that_is_not_valid_is_packed_only_when_told_to() {
    let folder =
        chart().file("web/templates/bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndate: {}\n");
    let run = folder.run("package web").fails(1);
    assert!(run.stderr.contains("web/templates/bad.yaml:4:1"), "{}", run.stderr);
    assert!(!folder.path().join("web-1.0.0.tgz").exists());
    folder.run(&format!("push web file://{}/repo", folder.path().display())).fails(1);
    assert!(!folder.path().join("repo").exists());
    folder.run("package web --no-validate").ok();
}

#[test]
fn helm_reads_what_we_pack() {
    let Some(helm) = tool("helm") else { return };
    let folder = chart()
        .file("web/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n")
        .file("web/charts/sub/values.yaml", "b: 1\n");
    let yaml = format!("{CHART_YAML}dependencies:\n- name: sub\n  version: 0.1.0\n- name: packed\n  version: 0.1.0\n");
    folder.write("web/Chart.yaml", yaml);
    folder.write("packed/Chart.yaml", "apiVersion: v2\nname: packed\nversion: 0.1.0\n");
    folder.write("packed/templates/x.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: packed}\n");
    folder.run("package packed -d web/charts").ok();
    folder.run("package web --version 1.2.3+b").ok();
    let run = |arguments: &[&str]| {
        let output = Command::new(&helm).args(arguments).current_dir(folder.path()).output().expect("helm runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let archive = "web-1.2.3+b.tgz";
    run(&["lint", archive]);
    let from_archive = run(&["template", "r", archive]);
    assert_eq!(from_archive, run(&["template", "r", "web"]));
    assert!(from_archive.contains("name: packed") && from_archive.contains("name: r"));
    assert_eq!(run(&["show", "values", archive]).trim_end(), "a: 1 # kept");
    assert!(run(&["show", "chart", archive]).contains("version: 1.2.3+b\n"));
}
