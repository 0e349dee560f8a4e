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
            // The vectors were recorded with line breaks made alike.
            Some(stdout) => run.code == 0 && run.stdout.replace("\r\n", "\n") == stdout,
            None => run.code != 0 && run.stdout.is_empty(),
        };
        if !agrees {
            wrong.push(format!("{} {arguments:?}\n{}\nHelm: {:#}", vector["name"], run.shown(), vector["error"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n\n"));
    assert_eq!(vectors.len(), 82);
}

/// What we say where Helm refuses: the same reason, at its place.
#[test]
fn every_refused_command_vector_is_refused_with_a_reason() {
    let text = std::fs::read_to_string(root().join("testdata/helm/commands.json")).expect("the vectors");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut shown = String::new();
    for vector in vectors.iter().filter(|vector| vector["error"].is_string()) {
        let folder = Folder::new();
        for (path, text) in vector["files"].as_object().expect("files") {
            folder.write(path, text.as_str().expect("text"));
        }
        let arguments = vector["args"].as_array().expect("arguments").iter().filter_map(Value::as_str);
        let run = folder.run_args(["render", "--no-validate"].into_iter().chain(arguments));
        let helm = vector["error"].as_str().unwrap_or_default();
        shown += &format!(
            "## {}\nHelm: {helm}\nexit {}\n{}\n",
            vector["name"].as_str().unwrap_or_default(),
            run.code,
            run.stderr
        );
    }
    insta::assert_snapshot!(shown);
}

/// A chart with hooks, CRDs, a subchart and a template of two documents.
fn chart() -> Folder {
    Folder::new()
        .file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n")
        .file("t/values.yaml", "name: x\n")
        .file(
            "t/templates/a.yaml",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\nspec:\n  ports:\n    - port: 80\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  n: \"1\"\n",
        )
        .file(
            "t/templates/hook.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: pre-install\n",
        )
        .file(
            "t/templates/tests/t.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: t\n  annotations:\n    helm.sh/hook: test\n",
        )
        .file("t/templates/NOTES.txt", "Hello {{ .Release.Name }}\n")
        .file("t/crds/x.yaml", CRD)
        .file("t/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
        .file("t/charts/s/templates/s.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s\n")
}

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
";

#[test]
fn output_directories_hold_a_file_for_each_template() {
    let folder = chart();
    let run = folder.run("render r t --include-crds --output-dir out --release-name").ok();
    assert_eq!(
        run.stdout,
        "wrote out/t/crds/x.yaml\nwrote out/r/t/charts/s/templates/s.yaml\nwrote out/r/t/templates/a.yaml\n\
         wrote out/r/t/templates/a.yaml\nwrote out/r/t/templates/hook.yaml\nwrote out/r/t/templates/tests/t.yaml\n\n"
    );
    assert_eq!(
        folder.read("out/r/t/templates/a.yaml"),
        "---\n# Source: t/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  n: \"1\"\n\n\
         ---\n# Source: t/templates/a.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: x\nspec:\n  ports:\n    - port: 80\n\n"
    );
    assert_eq!(folder.read("out/t/crds/x.yaml"), format!("---\n# Source: t/crds/x.yaml\n{CRD}\n"));
    // Rendering again replaces files whole; what --show-only names is all that is written.
    let before = folder.read("out/r/t/templates/hook.yaml");
    let run = folder.run("render r t -s templates/hook.yaml --output-dir out --release-name").ok();
    assert_eq!(run.stdout, "wrote out/r/t/templates/hook.yaml\n\n");
    assert_eq!(folder.read("out/r/t/templates/hook.yaml"), before);
}

/// The directory is printed as it was given, and may lie above; Go joins the release's name to it with `filepath.Join`.
#[test]
fn output_directories_are_anywhere_and_named_as_by_helm() {
    let folder = Folder::new()
        .file("w/t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n")
        .file("w/t/templates/a.yaml", "kind: A\n");
    let wrote = |flags: &str| {
        let mut command = folder.command(format!("render r t --no-validate --output-dir {flags}").split(' '));
        let output = command.current_dir(folder.path().join("w")).output().expect("chart runs");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(wrote("./a/"), "wrote ./a//t/templates/a.yaml");
    assert_eq!(wrote("../b"), "wrote ../b/t/templates/a.yaml");
    assert_eq!(wrote("./c/../../d//e/ --release-name"), "wrote ../d/e/r/t/templates/a.yaml");
    assert!(folder.read("b/t/templates/a.yaml") == folder.read("d/e/r/t/templates/a.yaml"));
    assert_eq!(wrote("../g --raw"), "wrote ../g/t/templates/a.yaml");
    let run = folder.run("render r w/t --no-validate --output-dir f -s templates/b.yaml").fails(2);
    assert!(run.stderr.contains("could not find template templates/b.yaml in chart"), "{}", run.stderr);
    assert!(!folder.path().join("f").exists());
}

#[test]
fn any_bytes_are_values_for_set_file() {
    let folder = chart();
    folder.write("t/templates/k.yaml", "kind: K\nk: {{ .Values.k | b64enc }} {{ len .Values.k }}\n");
    folder.write("key.jks", b"\xfe\xed\xfe\xed\x00");
    let render = |flag: &str| {
        let arguments = ["render", "r", "t", "--no-validate", "-s", "templates/k.yaml", "--set-file", flag];
        let mut command = folder.command(arguments);
        let input = std::fs::File::open(folder.path().join("key.jks")).expect("the file");
        let output = command.stdin(input).output().expect("chart runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(render("k=key.jks").contains("\nk: /u3+7QA= 5\n"));
    assert_eq!(render("k= - "), render("k=key.jks"));
}

/// Helm gives it Sprig's functions alone and no data.
#[test]
fn what_name_templates_see_differs_as_documented() {
    let folder = chart();
    let name = |template: &str| folder.run_args(["render", "t", "--no-validate", "--name-template", template]).code;
    assert_eq!(name("{{ .Release.Name }}-{{ tpl \"x\" . }}"), 0, "Helm: function \"tpl\" not defined");
    assert_eq!(name("x{{ env \"HOME\" | len }}"), 2, "Helm reads the environment");
}

/// Rows of docs/compatibility.md.
#[test]
fn differences_of_files_are_as_documented() {
    let folder = chart();
    let text = "apiVersion: v2\nname: t\nversion: 1.0.0\n";
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    folder.write("t/values.schema.json", "{\"$ref\": \"#\"}");
    // Helm: both /$ref and  resolve to "file:///values.schema.json#" causing reference cycle
    folder.run("render r t --no-validate").ok();
    folder.write("t/Chart.yaml", wide);
    // Helm reads it.
    let run = folder.run("render r t --no-validate");
    assert!(run.code != 0 && run.stderr.contains("`t/Chart.yaml` is not UTF-8 text"), "{}", run.shown());
}

#[test]
fn an_empty_mapping_of_annotations_is_not_none() {
    for (annotations, expected) in [("annotations: {}", "{}"), ("annotations:", "null"), ("", "null")] {
        let folder = Folder::new()
            .file("t/Chart.yaml", format!("apiVersion: v2\nname: t\nversion: 1.0.0\n{annotations}\n"))
            .file("t/templates/a.yaml", "a: {{ .Chart.Annotations | toJson }}\n");
        let run = folder.run("render r t --no-validate").ok();
        assert!(run.stdout.contains(&format!("a: {expected}\n")), "{annotations}: {}", run.shown());
    }
}

/// In every draft Helm takes them for comments.
#[test]
fn schemas_do_not_decode_content() {
    for draft in ["draft-06", "draft-07", "draft/2020-12"] {
        let folder = Folder::new()
            .file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n")
            .file("t/templates/a.yaml", "a: {{ .Values.a | quote }}\n")
            .file("t/values.yaml", "a: '{x'\n")
            .file(
                "t/values.schema.json",
                format!(
                    "{{\"$schema\": \"http://json-schema.org/{draft}/schema#\", \"properties\": {{\"a\": \
                     {{\"contentEncoding\": \"base64\", \"contentMediaType\": \"application/json\"}}}}}}"
                ),
            );
        folder.run("render r t --no-validate").ok();
    }
}

/// Windows and old systems write extensions in capitals.
#[test]
fn crds_are_known_by_their_extension_in_any_case() {
    let folder = chart();
    for name in ["A.YAML", "B.Yml", "C.JSON", "D.txt", "E.j2", ".yaml"] {
        folder.write(&format!("t/crds/{name}"), "kind: X\n");
    }
    let run = folder.run("render r t --no-validate --include-crds").ok();
    let found = run.stdout.lines().filter_map(|line| line.strip_prefix("# Source: t/crds/")).collect::<Vec<_>>();
    assert_eq!(found, [".yaml", "A.YAML", "B.Yml", "C.JSON", "x.yaml"]);
}

#[test]
fn raw_output_is_what_the_templates_wrote() {
    let folder = chart();
    let run = folder.run("render r t --raw -o json --set name=y").ok();
    let object: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let names: Vec<&String> = object.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "t/charts/s/templates/s.yaml",
            "t/templates/NOTES.txt",
            "t/templates/a.yaml",
            "t/templates/hook.yaml",
            "t/templates/tests/t.yaml"
        ]
    );
    assert_eq!(object["t/templates/NOTES.txt"], "Hello r\n");
    let raw = folder.run("render r t --raw --output-dir out").ok();
    assert_eq!(raw.stdout.lines().count(), 5);
    assert_eq!(folder.read("out/t/templates/NOTES.txt"), "Hello r\n");
    // Nothing is parsed, so nothing can be wrong.
    folder.write("t/templates/bad.yaml", "a: b: c\n");
    folder.run("render r t").fails(1);
    assert!(folder.run("render r t --raw").ok().stdout.contains("# Source: t/templates/bad.yaml\na: b: c\n"));
}

#[test]
fn objects_come_as_one_json_list() {
    let folder = chart();
    let run = folder.run("render r t -o json --skip-tests").ok();
    let list: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(list["kind"], "List");
    let kinds: Vec<&Value> =
        list["items"].as_array().expect("items").iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!(kinds, ["s", "c", "x", "h"]);
    let one = folder.run("render r t -o json -s templates/hook.yaml").ok();
    let list: Value = serde_json::from_str(&one.stdout).expect("JSON");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_post_renderer_sees_all_manifests_and_has_the_last_word() {
    let folder = chart();
    let plain = folder.run("render r t").ok().stdout;
    let same = folder.run("render r t --post-renderer cat").ok().stdout;
    assert_eq!(same, plain);
    let changed = folder.run("render r t --post-renderer sed --post-renderer-args s/x$/z/").ok().stdout;
    assert!(changed.contains("\n  name: z\n"), "{changed}");
    // What it writes is validated, too.
    let run = folder.run("render r t --post-renderer sed --post-renderer-args s/port:/prt:/").fails(1);
    assert!(run.stderr.contains("unknown field `prt`"), "{}", run.stderr);
    let run = folder.run("render r t --post-renderer false").fails(2);
    insta::assert_snapshot!(run.shown());
}

#[test]
fn releases_are_named_as_by_helm() {
    let folder = chart();
    let name = |arguments: &str| {
        let run = folder.run(&format!("render {arguments} --raw -o json")).ok();
        serde_json::from_str::<Value>(&run.stdout).expect("JSON")["t/templates/NOTES.txt"].clone()
    };
    assert_eq!(name("t"), "Hello release-name\n");
    assert_eq!(name("-g t"), "Hello release-name\n");
    let templated = folder.run_args(["render", "t", "--raw", "--name-template", "{{ \"A\" | lower }}-b"]).ok();
    assert!(templated.stdout.contains("Hello a-b\n"));
    insta::assert_snapshot!(folder.run("render -g x t").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: cannot set --generate-name and also specify a name
    hint: give the name or the flag
    "#);
    insta::assert_snapshot!(folder.run("render x t y").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: expected at most two arguments, unexpected arguments: y
    hint: the arguments are `[NAME] CHART`
    "#);
    insta::assert_snapshot!(folder.run("render Bad_Name t").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the release name `Bad_Name` is invalid
    hint: a name has up to 53 of `a`-`z`, `0`-`9`, `-` and `.`, and starts and ends with a letter or digit, such as `bad-name`
    "#);
    insta::assert_snapshot!(folder.run_args(["render", "t", "--name-template", "{{ nope }}"]).fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `--name-template` fails: function "nope" not defined
    "#);
}

#[test]
fn what_asks_for_a_cluster_is_refused_and_the_rest_of_helms_flags_accepted() {
    let folder = chart();
    let plain = folder.run("render r t").ok().stdout;
    let flags = "--wait --wait-for-jobs --timeout 5m --atomic --create-namespace --replace --description x --labels a=b \
                 --kube-context c --kubeconfig k --dry-run=client --hide-notes --skip-crds --force-replace=false \
                 --server-side=true --include-crds=false --no-hooks=f --no-validate=0";
    assert_eq!(folder.run(&format!("render r t {flags}")).ok().stdout, plain);
    insta::assert_snapshot!(folder.run("render r t --dry-run=server").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `--dry-run=server` needs a cluster, and `chart` talks to none
    hint: give what the cluster knows with `--kube-version`, `--api-versions` and `--lookup-dir`
    "#);
}

/// Flags that have no effect here are read as strictly as by Helm.
#[test]
fn flags_for_clusters_are_read_as_by_helm() {
    let folder = Folder::new()
        .file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n")
        .file("t/templates/a.yaml", "a: {{ .Values.a }} {{ .Capabilities.APIVersions | len }}\n")
        .file("one,two.yaml", "a: 1");
    let run = |flag: &str| folder.run_args(["render", "r", "t", "--no-validate", flag]);
    for flag in [
        "--timeout=1h3m0.5s",
        "--timeout=-5s",
        "--timeout=0",
        "--qps=0x1p3",
        "--qps=-1e3",
        "--burst-limit=0b11",
        "--wait",
        "--wait=legacy",
        "--labels=a=",
        "--labels=\"a=b\",\"c=d,e\"",
        "--dry-run=T",
        "--cert-file=absent",
        "--api-versions=a/v1,\"b,c\"",
        "--values=\"one,two.yaml\"",
    ] {
        assert_eq!(run(flag).code, 0, "{flag}: {}", run(flag).shown());
    }
    for flag in [
        "--timeout=5",
        "--values=\"one,two.yaml\",",
        "--timeout=",
        "--timeout=1d",
        "--qps=x",
        "--qps=1e99",
        "--burst-limit=08",
        "--burst-limit=1.5",
        "--wait=Legacy",
        "--wait=",
        "--labels=a",
        "--labels=",
        "--labels=a=b,c=d,e",
        "--labels=status=x",
        "--api-versions=\"a",
        "--values=a\"b",
        "--ca-file=absent",
        "--verify",
    ] {
        assert_eq!(run(flag).code, 2, "{flag}: {}", run(flag).shown());
    }
    let run = folder.run("render r t --no-validate --timeout -5s --set a=-1 --set-string -a=x -a x/v1,y/v1").ok();
    assert!(run.stdout.contains("a: -1 59"), "{}", run.shown());
}

/// Scripts pass variables that may be unset: `-n "$NAMESPACE"`.
#[test]
fn flags_with_empty_values_are_as_good_as_absent() {
    let folder = Folder::new()
        .file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n")
        .file("t/templates/a.yaml", "a: {{ .Release.Namespace }} {{ .Capabilities.APIVersions | len }}\n");
    let plain = folder.run("render r t --no-validate");
    assert!(plain.stdout.contains("a: default 57"), "{}", plain.shown());
    for flag in ["-n", "--kube-version", "-a", "-f", "--output-dir", "--post-renderer", "--repo", "--name-template"] {
        let run = folder.run_args(["render", "r", "t", "--no-validate", flag, ""]);
        assert_eq!((run.code, &run.stdout), (0, &plain.stdout), "{flag}: {}", run.shown());
    }
    assert_eq!(folder.run("render r t --dry-run=none").code, 2);
    let coloured = folder.run("render r t --no-validate --color always -v");
    assert_eq!((coloured.code, &coloured.stdout), (0, &plain.stdout), "{}", coloured.shown());
    folder.write("t/templates/b.yaml", b"b: \xe9\n");
    let run = folder.run("render r t --no-validate");
    assert!(run.code == 1 && run.stderr.contains("found the byte 0xE9, which is not UTF-8"), "{}", run.shown());
}

#[test]
fn a_seed_makes_a_render_repeatable() {
    let folder = chart();
    folder
        .write("t/templates/r.yaml", "kind: R\nr: {{ randAlphaNum 20 }}\nu: {{ uuidv4 }}\nt: {{ now | unixEpoch }}\n");
    let render = |seed: &str| folder.run(&format!("render r t --no-validate -s templates/r.yaml {seed}")).ok().stdout;
    assert_eq!(render("--seed web"), render("--seed web"));
    assert_ne!(render("--seed web"), render("--seed shop"));
    assert_ne!(render(""), render(""));
}

#[test]
fn lookup_finds_what_is_given() {
    let folder = chart();
    folder.write(
        "t/templates/l.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: l\ndata:\n  found: {{ (lookup \"v1\" \"Secret\" \"ns\" \"db\").data | toJson | quote }}\n",
    );
    folder.write(
        "cluster/a/db.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: ns}\ndata: {p: eA==}\n",
    );
    let run = folder.run("render r t -s templates/l.yaml --lookup-dir cluster").ok();
    assert!(run.stdout.contains(r#"found: "{\"p\":\"eA==\"}""#), "{}", run.stdout);
    let run = folder.run("render r t -s templates/l.yaml").ok();
    assert!(run.stdout.contains("found: \"null\""), "{}", run.stdout);
}

#[test]
fn nothing_is_printed_where_there_are_errors_unless_asked() {
    let folder = chart();
    folder.write("t/templates/bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndat: {}\n");
    let run = folder.run("render r t --format short").fails(1);
    assert_eq!(run.stdout, "");
    assert_eq!(
        run.stderr.lines().next(),
        Some(
            "t/templates/bad.yaml:5:1: error[unknown-field]: unknown field `dat` in the object \
             (rendered t/templates/bad.yaml:5:1 not a field of ConfigMap)"
        )
    );
    assert!(folder.run("render r t --debug").fails(1).stdout.contains("dat: {}"));
    assert!(folder.run("render r t --warn unknown-field").ok().stdout.contains("dat: {}"));
    folder.run("render r t --warn unknown-field --strict").fails(1);
    assert_eq!(folder.run("render r t --allow unknown-field").ok().stderr, "");
}

#[test]
fn a_template_that_is_not_there_is_named_with_the_nearest_one() {
    let folder = chart();
    insta::assert_snapshot!(folder.run("render r t -s templates/hok.yaml").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: could not find template templates/hok.yaml in chart
    hint: did you mean `templates/hook.yaml`?
    "#);
    insta::assert_snapshot!(folder.run("render r t -s templates/NOTES.txt").fails(2).shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: could not find template templates/NOTES.txt in chart
    hint: the template gives no manifest with these values
    "#);
    insta::assert_snapshot!(folder.run("render r nowhere").shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error[io]: no chart at `nowhere`: no such file or directory
     │
     ╰ help: name the directory or archive of a chart, or an address such as `oci://…`; `chart create` starts one

    1 error
    "#);
    insta::assert_snapshot!(folder.run("render r t --kube-version one").shown(), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: invalid kube version 'one': could not parse "one" as version
    hint: write it like `1.33` or `v1.33.4`
    "#);
}

#[test]
fn jinja_templates_see_what_a_cluster_of_the_version_serves() {
    let folder = Folder::new().file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n").file(
        "c/templates/a.yaml.j2",
        concat!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n",
            "{% for api in ['apps/v1/Deployment', 'resource.k8s.io/v1', 'flowcontrol.apiserver.k8s.io/v1beta2', 'x.io/v1'] %}",
            "\n  {{ loop.index }}{{ 'n' }}: \"{{ capabilities.api_versions.has(api) }}\"\n",
            "{% endfor %}",
        ),
    );
    let seen = |flags: &str| {
        let run = folder.run(&format!("render r c {flags}")).ok();
        run.stdout.lines().filter(|line| line.contains("n: \"")).map(|line| line.contains("true")).collect::<Vec<_>>()
    };
    assert_eq!(seen("--kube-version 1.25"), [true, false, true, false]);
    assert_eq!(seen("--kube-version 1.37"), [true, true, false, false]);
    assert_eq!(seen("-a x.io/v1"), [true, true, false, true]);
}

#[test]
fn findings_lead_to_the_lines_of_included_templates() {
    let helpers = "{{- define \"web.labels\" -}}\nname: web\ntier: {{ .Values.tier }}\n{{ include \"web.more\" . }}\n{{- end }}
{{- define \"web.more\" -}}\nbad label: x\n{{- end }}
{{- define \"web.resources\" }}\nresources:\n  {{- toYaml .Values.resources | nindent 2 }}\n  requsts: {}\n{{- end }}\n";
    let pod =
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels:\n    {{- include \"web.labels\" . | nindent 4 }}
spec:\n  containers:\n    - name: a\n      image: b:1\n      {{- include \"web.resources\" . | indent 6 }}\n";
    let folder = Folder::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "tier: 5\nresources:\n  limits:\n    cpu: abc\n")
        .file("web/templates/_helpers.tpl", helpers)
        .file("web/templates/pod.yaml", pod);
    let run = folder.run("render demo web");
    assert_eq!(run.code, 1, "{}", run.shown());
    insta::assert_snapshot!(run.stderr);
}
