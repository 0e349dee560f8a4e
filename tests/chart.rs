//! Loading charts: directories, archives, ignore rules, metadata, values files, links; as Helm does.

use crate::support::{Folder, root};
use crate::values::{context, json};
use chart::chart::{Chart, load};
use chart::diagnostic::{Failure, Sources};
use chart::render::{Options, assemble};
use chart::values::Layered;
use serde_json::{Value, json};

fn loaded(folder: &Folder) -> Result<(Chart, Sources), Failure> {
    let mut sources = Sources::default();
    load(&folder.path().join("t"), &mut sources).map(|chart| (chart, sources))
}

/// What templates see of each chart: values, files and metadata.
fn seen(folder: &Folder) -> Result<Value, Failure> {
    let (chart, mut sources) = loaded(folder)?;
    let project = assemble(&chart, &Layered::none(), context(), Options::default(), &mut sources)?.project;
    let scopes = project.scopes.iter().enumerate().map(|(index, scope)| {
        let metadata = &scope.metadata;
        let mut about = serde_json::Map::new();
        for (key, text) in [
            ("Name", &metadata.name),
            ("Version", &metadata.version),
            ("AppVersion", &metadata.app_version),
            ("APIVersion", &metadata.api_version),
            ("Type", &metadata.kind),
            ("Description", &metadata.description),
            ("Icon", &metadata.icon),
        ] {
            if !text.is_empty() {
                about.insert(key.to_owned(), text.as_str().into());
            }
        }
        if metadata.deprecated {
            about.insert("Deprecated".to_owned(), true.into());
        }
        let files: Vec<_> = scope.files.iter().map(|file| file.path.to_string()).collect();
        let values = project.values_of(index).map(json).unwrap_or_else(|| json!({}));
        (scope.path.to_string(), json!({"values": values, "files": files, "chart": about}))
    });
    Ok(Value::Object(scopes.collect()))
}

/// Facts from `helm template` 4.3.1: what it refuses, and what templates see where it does not.
#[test]
fn charts_load_as_in_helm() {
    let text = std::fs::read_to_string(root().join("testdata/chart/loading.json")).expect("test data");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(cases.len() > 150);
    for case in &cases {
        let name = &case["name"];
        let folder = Folder::new().file("t/templates/v.yaml", "T");
        for (path, text) in case["files"].as_object().expect("files") {
            folder.write(&format!("t/{path}"), text.as_str().expect("text"));
        }
        match (seen(&folder), case["refused"].as_str()) {
            (Ok(seen), None) => {
                assert_eq!(crate::values::floats(&seen), crate::values::floats(&case["scopes"]), "{name}");
            }
            (Err(_), Some(_)) => {}
            (Ok(_), Some(refused)) => panic!("{name}: Helm refuses: {refused}"),
            (Err(failure), None) => panic!("{name}: {}", failure[0].message),
        }
    }
}

const CHART: &str = "apiVersion: v2\nname: t\nversion: 1.0.0\n";

#[test]
#[cfg(unix)]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new()
        .file("t/Chart.yaml", CHART)
        .file("t/real/x.txt", "1")
        .file("t/deep/z.txt", "3")
        .file("outside/y.txt", "2")
        .file("t/.helmignore", "ignored\n");
    let path = folder.path().join("t");
    symlink("real", path.join("inside")).expect("a link");
    symlink("../outside", path.join("out")).expect("a link");
    symlink("../outside/y.txt", path.join("file")).expect("a link");
    let (chart, _) = loaded(&folder).expect("loads");
    let paths: Vec<_> = chart.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, [".helmignore", "Chart.yaml", "deep/z.txt", "file", "inside/x.txt", "out/y.txt", "real/x.txt"]);

    for (link, target, message) in [
        ("loop", ".", "the link `loop` leads back to a directory that contains it"),
        ("deep/up", "..", "the link `deep/up` leads back to a directory that contains it"),
        ("nowhere", "nope", "no such file or directory"),
        // Helm follows links before it looks at the rules.
        ("ignored", "nope", "no such file or directory"),
    ] {
        symlink(target, path.join(link)).expect("a link");
        let failure = loaded(&folder).expect_err("refused");
        assert!(failure[0].message.contains(message), "{}", failure[0].message);
        std::fs::remove_file(path.join(link)).expect("removed");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let folder = Folder::new().file("t/Chart.yaml", CHART);
    let file = std::fs::File::create(folder.path().join("t/big")).expect("a file");
    file.set_len(101 << 20).expect("a sparse file");
    let failure = loaded(&folder).expect_err("refused");
    assert_eq!(failure[0].message, "error reading big: chart exceeds maximum size of 104857600 bytes");
    file.set_len(20 << 20).expect("a sparse file");
    assert!(loaded(&folder).is_ok());
}

#[test]
fn mistakes_in_chart_files_are_told_at_their_line() {
    let folder = Folder::new()
        .file(
            "web/Chart.yaml",
            "apiVersion: v2\nname: web/site\nversion: latest\ntype: service\nfoo: bar\n\
             dependencies:\n  - name: redis\n    version: 1.x\n  - name: redis\n    version: 2.x\n    alias: a b\n  \
             - name: redis\n    versoin: 2.x\n",
        )
        .file("list/Chart.yaml", CHART)
        .file("list/values.yaml", "# the ports\n- 80\n")
        .file(
            "types/Chart.yaml",
            "apiVersion: v2\nname: [web]\nversion: 1.0.0\nkeywords: web\nmaintainers: [null, me]\n",
        )
        .file("rules/Chart.yaml", CHART)
        .file("rules/.helmignore", "*.bak\ndocs/**/*.md\n")
        .file("stray/Chart.yaml", CHART)
        .file("stray/charts/README.md", "Subcharts go here\n")
        .file("separator/Chart.yaml", CHART)
        .file("separator/values.yaml", "a: 1\n--- b: 2\n")
        .file("empty/README.md", "");
    let mut shown = String::new();
    for chart in ["web", "list", "types", "rules", "stray", "separator", "empty", "nowhere"] {
        shown += &format!("# {chart}\n{}", folder.run(&format!("render {chart}")).shown());
    }
    insta::assert_snapshot!(shown);
}
