//! `chart validate`.

use crate::support::{Folder, root, skip};
use chart::diagnostic::{Code, Level};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n";
const TYPO: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndat: {a: b}\n";

/// Forty-five mistakes, as a user sees them: each must be fixable without the Kubernetes documentation.
#[test]
fn mistakes_are_told_with_their_fix() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("testdata/validate/mistakes"))
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 45);
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let folder = Folder::new().file(&name, &text);
        let shown = folder.run_args(["validate", name.as_str()]).shown();
        insta::with_settings!({
            snapshot_path => root().join("testdata/validate/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => text,
        }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), shown);
        });
    }
}

#[test]
fn what_is_right_is_passed_in_silence() {
    let run = Folder::new().file("a.yaml", GOOD).run("validate a.yaml").ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn unknown_fields_may_be_allowed() {
    let folder = Folder::new().file("a.yaml", TYPO);
    folder.run("validate a.yaml").fails(1);
    folder.run("validate --strict a.yaml").fails(1);
    folder.run("validate --no-strict a.yaml").ok();
    folder.run("validate --allow unknown-field a.yaml").ok();
    let run = folder.run("validate --warn unknown-field a.yaml").ok();
    assert!(run.stderr.starts_with("warning[unknown-field]: unknown field `dat` in the object\n"), "{}", run.stderr);
}

#[test]
fn double_keys_are_a_matter_of_strictness() {
    let folder = Folder::new().file("a.yaml", format!("{GOOD}data:\n  a: b\n  a: c\n"));
    folder.run("validate a.yaml").fails(1);
    folder.run("validate --no-strict a.yaml").ok();
}

#[test]
fn comments_and_projects_allow_findings() {
    let folder = Folder::new().file("a.yaml", TYPO.replace("dat: {", "# chart: allow unknown-field\ndat: {"));
    folder.run("validate a.yaml").ok();
    let folder = Folder::new().file("a.yaml", TYPO).file("chart.toml", "[findings]\nunknown-field = \"allow\"\n");
    folder.run("validate a.yaml").ok();
    folder.run("validate --deny unknown-field a.yaml").fails(1);
    let run = folder.file("chart.toml", "[findings]\nunknown-feild = \"allow\"\n").run("validate a.yaml").fails(2);
    assert_eq!(
        run.stderr,
        "error: [DIR]/chart.toml:2:1: there is no finding `unknown-feild`\nhint: did you mean `unknown-field`?\n"
    );
}

#[test]
fn stdin_folders_and_json_are_read() {
    let json = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json"}, "data": {"a": 1}}"#;
    let folder = Folder::new()
        .file("all/a.yaml", GOOD)
        .file("all/deep/b.yml", TYPO)
        .file("all/c.json", json)
        .file("all/readme.txt", "not: [a manifest");
    let run = folder.run("validate --format short all").fails(1);
    assert_eq!(
        run.stdout + &run.stderr,
        "all/c.json:1:87: error[type-mismatch]: `data.a` must be a string, found the integer `1`\n\
         all/deep/b.yml:4:1: error[unknown-field]: unknown field `dat` in the object\n"
    );
    folder.run("validate --ignore-filename-pattern deep --ignore-filename-pattern json$ all").ok();
    for arguments in [&["validate"][..], &["validate", "-"]] {
        let mut command = folder.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("chart runs");
        child.stdin.take().expect("stdin").write_all(TYPO.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("<stdin>:4:1"));
    }
}

#[test]
fn every_document_is_checked_whatever_the_others_are() {
    let text = format!("{TYPO}---\na: [\n---\n# nothing\n---\n{GOOD}---\n{}", TYPO.replace("typo", "other"));
    let run = Folder::new().file("a.yaml", text).run("validate --format short --summary a.yaml").fails(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("a.yaml:4:1: error[unknown-field]"), "{lines:?}");
    assert!(lines[1].starts_with("a.yaml:7:1: error[yaml-syntax]"), "{lines:?}");
    assert!(lines[2].starts_with("a.yaml:17:1: error[unknown-field]"), "{lines:?}");
    assert_eq!(lines[3], "Summary: 4 resources found in 1 file - Valid: 1, Invalid: 2, Errors: 1, Skipped: 0");
}

#[test]
fn a_missing_file_is_the_environments_fault() {
    let run = Folder::new().run("validate nothing.yaml").fails(2);
    assert_eq!(run.stderr, "error: failed to read `nothing.yaml`: no such file or directory\n");
}

#[test]
fn it_can_stop_at_the_first_file_with_an_error() {
    let folder = Folder::new().file("1.yaml", GOOD).file("2.yaml", TYPO).file("3.yaml", TYPO.replace("typo", "x"));
    let run = folder.run("validate --exit-on-error --format short .").fails(1);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
}

#[test]
fn kinds_can_be_skipped_and_rejected() {
    let folder = Folder::new().file("a.yaml", TYPO);
    for kinds in ["ConfigMap", "Secret,ConfigMap", "v1/ConfigMap"] {
        let run = folder.run(&format!("validate --skip {kinds} --summary a.yaml")).ok();
        assert_eq!(run.stdout, "Summary: 1 resource found in 1 file - Valid: 0, Invalid: 0, Errors: 0, Skipped: 1\n");
    }
    folder.run("validate --skip configmap --skip v2/ConfigMap a.yaml").fails(1);
    let run = folder.run("validate --reject v1/ConfigMap --format short a.yaml").fails(1);
    assert_eq!(run.stdout, "a.yaml:2:7: error[rejected-kind]: ConfigMap objects are rejected here\n");
}

#[test]
fn versions_are_chosen_and_compared() {
    let text = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\n\
                spec: {priorityLevelConfiguration: {name: b}}\n";
    let folder = Folder::new().file("a.yaml", text);
    let told = |flag: &str| {
        let run = folder.run(&format!("validate {flag} --format short a.yaml"));
        run.stdout + &run.stderr
    };
    assert_eq!(
        told("--kube-version 1.30"),
        "a.yaml:1:13: warning[deprecated-api]: `flowcontrol.apiserver.k8s.io/v1beta3` FlowSchema is removed in Kubernetes 1.32\n"
    );
    assert_eq!(
        told("--kube-version v1.25.9"),
        "a.yaml:1:13: error[unavailable-api]: `flowcontrol.apiserver.k8s.io/v1beta3` FlowSchema comes with Kubernetes 1.26\n"
    );
    assert_eq!(
        told("--kube-version 1.25..1.37").replace("`flowcontrol.apiserver.k8s.io/v1beta3` ", ""),
        "a.yaml:1:13: error[removed-api]: FlowSchema was removed in Kubernetes 1.32 (Kubernetes 1.32 to 1.37)\n\
         a.yaml:1:13: error[unavailable-api]: FlowSchema comes with Kubernetes 1.26 (Kubernetes 1.25)\n"
    );
    let run = folder.run("validate --kube-version 1.20 --summary a.yaml").fails(1);
    assert!(
        run.stderr.starts_with("note: there are schemas for Kubernetes 1.25 to 1.37: checking against 1.25\n"),
        "{}",
        run.stderr
    );
    let run = folder.run("validate --kube-version latest.1 a.yaml").fails(2);
    assert_eq!(
        run.stderr,
        "error: `latest.1` is no Kubernetes version\nhint: write a version such as `1.37`, or a range `1.29..1.37`\n"
    );
}

#[test]
fn the_flags_of_kubeconform_are_understood() {
    let folder = Folder::new().file("a.yaml", TYPO);
    let run = folder.run("validate -strict -kubernetes-version 1.31.0 -output text -n 2 -summary a.yaml").fails(1);
    assert_eq!(
        run.stdout,
        "a.yaml:4:1: error[unknown-field]: unknown field `dat` in the object\n\
         Summary: 1 resource found in 1 file - Valid: 0, Invalid: 1, Errors: 0, Skipped: 0\n"
    );
    folder.run("validate -skip ConfigMap -ignore-missing-schemas -exit-on-error -schema-location default a.yaml").ok();
    folder.run("validate -output json -reject=ConfigMap -verbose a.yaml").fails(1);
}

const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
";
const WIDGET: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: big}\n";

#[test]
fn definitions_are_found_wherever_they_are() {
    let wrong = "error[type-mismatch]: `spec.size` must be an integer, found the string `big`\n";
    // The definition comes behind its instance, in another file.
    let folder = Folder::new().file("a.yaml", WIDGET).file("z.yaml", DEFINITION);
    let run = folder.run("validate --format short .").fails(1);
    assert_eq!(run.stdout, format!("a.yaml:4:14: {wrong}"));
    for crds in ["z.yaml", "."] {
        let run = folder.run(&format!("validate --format short --crds {crds} a.yaml")).fails(1);
        assert_eq!(run.stdout, format!("a.yaml:4:14: {wrong}"));
    }
    let run = folder.run("validate --format short --summary a.yaml").fails(1);
    assert_eq!(
        run.stdout,
        "a.yaml:2:7: error[missing-schema]: no schema for `example.com/v1` Widget, so it is not checked\n\
         Summary: 1 resource found in 1 file - Valid: 0, Invalid: 0, Errors: 1, Skipped: 0\n"
    );
    let run = folder.run("validate --format short --ignore-missing-schemas --summary a.yaml").ok();
    assert_eq!(
        run.stdout,
        "a.yaml:2:7: note[missing-schema]: no schema for `example.com/v1` Widget, so it is not checked\n\
         Summary: 1 resource found in 1 file - Valid: 0, Invalid: 0, Errors: 0, Skipped: 1\n"
    );
}

const SCHEMA: &str = r#"{
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"$ref": "shared.json#/definitions/spec"}
    },
    "additionalProperties": false
}"#;
const SHARED: &str = r#"{"definitions": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}"#;

#[test]
fn catalogs_are_found_as_kubeconform_finds_them() {
    let widget = WIDGET.replace("spec:", "sepc: {}\nspec:");
    for (path, location) in [
        ("schemas/example.com/widget_v1.json", "schemas/{{.Group}}/{{.ResourceKind}}_{{ .ResourceAPIVersion }}.json"),
        ("schemas/v1.31.2-standalone-strict/widget-example-v1.json", "schemas"),
        ("schemas/widget.json", "schemas/{{ .ResourceKind }}.json"),
    ] {
        let shared = PathBuf::from(path).with_file_name("shared.json");
        let folder = Folder::new().file("a.yaml", &widget).file(path, SCHEMA).file(&shared.to_string_lossy(), SHARED);
        let run = folder.run_args([
            "validate",
            "--format",
            "short",
            "--kube-version",
            "1.31.2",
            "--schema-location",
            "nowhere",
            "--schema-location",
            location,
            "a.yaml",
        ]);
        assert_eq!(
            run.fails(1).stdout,
            "a.yaml:4:1: error[unknown-field]: unknown field `sepc` in the object\n\
             a.yaml:5:14: error[type-mismatch]: `spec.size` must be an integer, found the string `big`\n",
            "{location}"
        );
    }
    // Folders of definitions may be catalogs.
    let folder = Folder::new()
        .file("a.yaml", WIDGET)
        .file("crds/example.com/widget_v1.json", SHARED.replace("definitions", "properties"));
    folder.run("validate --crds crds a.yaml").fails(1);
    let run = folder.run_args(["validate", "--schema-location", "x/{{.Kind}}.json", "a.yaml"]).fails(2);
    assert_eq!(
        run.stderr,
        "error: `{{.Kind}}` is no variable of locations; there are `Group`, `KindSuffix`, `NormalizedKubernetesVersion`, \
         `ResourceAPIVersion`, `ResourceKind` and `StrictSuffix`\n\
         hint: a location is a folder, a URL, or a template such as \
         `DIR/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`\n"
    );
    folder.write("broken.json", "{");
    let run = folder.run("validate --format short --schema-location broken.json a.yaml").fails(1);
    assert!(
        run.stdout
            .contains("error[missing-schema]: the schema of Widget could not be used: `broken.json` is no JSON Schema"),
        "{}",
        run.stdout
    );
}

/// Answers requests with a schema, or 404 for what is not it; counts them.
fn serve(path: &'static str, body: &'static str) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap_or_default();
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let (status, body) =
                if request.starts_with(&format!("GET {path} ")) { ("200 OK", body) } else { ("404 Not Found", "") };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (port, count)
}

#[test]
fn catalogs_on_servers_are_asked_once() {
    let (port, count) =
        serve("/widget.json", r#"{"properties": {"spec": {"properties": {"size": {"type": "integer"}}}}}"#);
    let folder = Folder::new().file("a.yaml", WIDGET).file("b.yaml", WIDGET.replace("name: a", "name: b"));
    let location = format!("http://127.0.0.1:{port}/{{{{.ResourceKind}}}}.json");
    let run = || {
        folder
            .run_args([
                "validate",
                "--format",
                "short",
                "--schema-location",
                &location,
                "--cache",
                "cache",
                "a.yaml",
                "b.yaml",
            ])
            .fails(1)
    };
    assert_eq!(run().stdout.lines().count(), 2);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    // The second run takes it from the disk.
    assert_eq!(run().stdout.lines().count(), 2);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    // What is not there is a missing schema.
    let run = folder.run_args([
        "validate",
        "--format",
        "short",
        "--schema-location",
        &format!("http://127.0.0.1:{port}/x.json"),
        "a.yaml",
    ]);
    assert!(run.fails(1).stdout.contains("error[missing-schema]"));
}

#[test]
fn many_files_are_checked_in_order_and_with_references_between_them() {
    let mut folder = Folder::new();
    for at in 0..300 {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: config-{at}}}\ndata: {{a: '{}'}}\n",
            "x".repeat(2000)
        );
        folder = folder.file(&format!("all/{at:03}.yaml"), text);
    }
    folder.run("validate all").ok();
    folder.write("all/150.yaml", TYPO);
    folder.write("all/299.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-7}\n");
    for workers in ["1", "4"] {
        let run = folder.run(&format!("validate -n {workers} --format short all")).fails(1);
        assert_eq!(
            run.stdout,
            "all/150.yaml:4:1: error[unknown-field]: unknown field `dat` in the object\n\
             all/299.yaml:3:18: error[duplicate-object]: ConfigMap `config-7` in namespace `default` is there twice (all/007.yaml:3:18 first here)\n"
        );
    }
}

#[test]
fn namespaces_of_objects_that_name_none_can_be_given() {
    let text = format!("{GOOD}---\n{}", GOOD.replace("name: good", "name: good, namespace: team"));
    let folder = Folder::new().file("a.yaml", text);
    folder.run("validate a.yaml").ok();
    folder.run("validate --namespace team a.yaml").fails(1);
}

/// kubeconform's own fixtures, where the folder is at hand: the same verdict on each, or a difference that
/// `docs/findings.md` defends.
#[test]
fn kubeconforms_fixtures_get_the_same_verdicts() {
    let Some(folder) = std::env::var_os("CHART_TEST_KUBECONFORM_FIXTURES").map(PathBuf::from) else {
        return skip("CHART_TEST_KUBECONFORM_FIXTURES does not name kubeconform's folder of fixtures");
    };
    // File, flags, whether it is taken.
    let cases: &[(&str, &str, bool)] = &[
        ("blank.yaml", "", true),
        ("comment.yaml", "", true),
        ("valid.yaml", "", true),
        ("folder", "", true),
        ("int_or_string.yaml", "", true),
        ("generate_name.yaml", "", true),
        ("quantity.yaml", "", true),
        ("null_array.yaml", "", true),
        ("null_string.yaml", "", true),
        ("multi_valid.yaml", "", true),
        ("multi_valid_source.yaml", "", true),
        ("multi_with_list.yaml", "", true),
        ("list_valid.yaml", "", true),
        ("list_empty_valid.yaml", "", true),
        ("full_domain_group.yaml", "", true),
        ("multi_invalid.yaml", "", false),
        ("multi_invalid_resources.yaml", "", false),
        ("list_invalid.yaml", "", false),
        ("invalid.yaml", "", false),
        ("missing_kind.yaml", "", false),
        ("missing_kind_value.yaml", "", false),
        ("missing_apiversion.yaml", "", false),
        ("extra_property.yaml", "--strict", false),
        ("duplicate_property.yaml", "--strict", false),
        ("httpproxy.yaml", "", false),
        ("httpproxy.yaml", "--ignore-missing-schemas", true),
        ("test_crd.yaml", "--ignore-missing-schemas", true),
        ("duplicates-with-namespace-default.yaml", "", true),
        // kubeconform takes what follows. Objects of one name overwrite each other.
        ("duplicates.yaml", "", false),
        ("duplicates-with-namespace.yaml", "", false),
        ("duplicates-non-namespaced.yaml", "", false),
        // A selector that does not select the pods of its template is refused by the server.
        ("extra_property.yaml", "--no-strict", false),
        ("duplicate_property.yaml", "--no-strict", false),
    ];
    for (name, flags, ours) in cases {
        let path = folder.join(name);
        if !path.exists() {
            skip(&format!("there is no fixture {name}"));
            continue;
        }
        let mut arguments = vec!["validate"];
        arguments.extend(flags.split_whitespace());
        let path = path.to_string_lossy();
        arguments.push(&path);
        let run = Folder::new().run_args(arguments);
        assert_eq!(run.code == 0, *ours, "{name} {flags}\n{}", run.shown());
    }
    let registry = folder.join("registry/{{ .ResourceKind }}-{{ .Group }}_{{ .ResourceAPIVersion }}.json");
    let location = folder.join("{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json");
    for location in [location, registry] {
        let sample = folder.join("grafana-alert-rule-group-sample.yaml");
        let run = Folder::new().run_args([
            "validate",
            "--ignore-missing-schemas",
            "--schema-location",
            &location.to_string_lossy(),
            &sample.to_string_lossy(),
        ]);
        run.ok();
    }
}

#[test]
fn definitions_in_a_chart_check_its_resources() {
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/crds/widgets.yaml", DEFINITION)
        .file("web/templates/widget.yaml", WIDGET.replace("big", "{{ .Values.size }}"))
        .file("web/values.yaml", "size: big\n");
    let run = folder.run("render web --format short").fails(1);
    assert!(
        run.stderr.contains("web/templates/widget.yaml:4:14: error[type-mismatch]: `spec.size` must be an integer"),
        "{}",
        run.stderr
    );
    folder.run("render web --set size=3").ok();
}

/// A definition with a wrong default, wherever it may be.
#[test]
fn definitions_are_checked_themselves() {
    let broken = DEFINITION.replace("size: {type: integer}", "size: {type: integer, default: big}");
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "size: 1\n")
        .file("web/crds/widgets.yaml", &broken)
        .file("web/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n")
        .file("web/charts/sub/crds/more.yaml", broken.replace("name: v1", "name: v2"))
        .file("a.yaml", GOOD);
    let expected = ":15:89: error[invalid-definition]: the schema of v1 is not valid: the default of `spec.size`: \
                    `default` must be an integer, found the string `big`";
    let check = folder.run("check web --format short").fails(1).stdout;
    assert!(check.contains(&format!("web/crds/widgets.yaml{expected}")), "{check}");
    assert!(check.contains("web/charts/sub/crds/more.yaml:15:89: error[invalid-definition]"), "{check}");
    let render = folder.run("render web --include-crds --format short").fails(1).stderr;
    assert!(render.contains(&format!("web/crds/widgets.yaml{expected}")), "{render}");
    folder.run("render web").ok();
    for line in ["validate --crds web/crds a.yaml", "validate web/crds/widgets.yaml"] {
        let run = folder.run(&format!("{line} --format short")).fails(1);
        assert!(run.stdout.contains(&format!("web/crds/widgets.yaml{expected}")), "{}", run.stdout);
    }
}

/// More text than is read at once: places count from the start, from files and from stdin.
#[test]
fn long_texts_are_checked_in_parts() {
    let mut text = String::new();
    let filler = "    a line of the configuration, to make it longer\n".repeat(200);
    for at in 0..250 {
        text += &format!("---\n{}data:\n  text: |\n{filler}", GOOD.replace("good", &format!("c{at}")));
    }
    assert!(text.len() > 2 << 20);
    let line = text.lines().count();
    text += "---\n";
    text += TYPO;
    text += "---\n";
    text += &GOOD.replace("good", "c0");
    let expected = format!(
        "a.yaml:{}:1: error[unknown-field]: unknown field `dat` in the object\n\
         a.yaml:{}:18: error[duplicate-object]: ConfigMap `c0` in namespace `default` is there twice (a.yaml:4:18 first here)\n",
        line + 5,
        line + 9
    );
    let folder = Folder::new().file("a.yaml", &text);
    assert_eq!(folder.run("validate --format short a.yaml").fails(1).stdout, expected);
    let mut child = folder
        .command(["validate", "--format", "short", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("taken");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected.replace("a.yaml:", "<stdin>:"));
}

#[test]
fn every_finding_has_its_section_in_the_docs() {
    let text = std::fs::read_to_string(root().join("docs/findings.md")).expect("readable");
    let mut sections: Vec<(&str, &str)> = text
        .split("\n### ")
        .skip(1)
        .map(|section| {
            let (code, rest) = section.split_once('\n').expect("a section");
            (code, rest.split(['.', '*', ' ']).find(|word| !word.is_empty()).expect("a level"))
        })
        .collect();
    let level = |code: &Code| match code.default_level() {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note => "note",
        Level::Allow => "off",
    };
    let mut codes: Vec<_> = Code::ALL.iter().map(|code| (code.as_str(), level(code))).collect();
    sections.sort_unstable();
    codes.sort_unstable();
    assert_eq!(sections, codes);
}

#[test]
fn comments_set_levels_and_control_characters_reach_no_terminal() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a\\x1b[31m\\u202e\"}\ndata:\n  \
                a: 1 # chart: warn type-mismatch\n  b: 2 # chart: allow type-mismatch as it is\n";
    let folder = Folder::new().file("a.yaml", text);
    let run = folder.run("validate --format short a.yaml").fails(1);
    assert_eq!(
        run.stdout,
        "a.yaml:3:18: error[invalid-name]: `metadata.name` is not valid: `a␛[31m�`\n\
         a.yaml:5:6: warning[type-mismatch]: `data.a` must be a string, found the integer `1`\n"
    );
    for format in ["human", "short", "github", "tap"] {
        let run = folder.run(&format!("validate --format {format} a.yaml"));
        assert!(!(run.stdout + &run.stderr).contains(['\x1b', '\u{202e}']), "{format}");
    }
}
