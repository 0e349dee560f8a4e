//! Reading and writing YAML.

use crate::support::{self, Folder};
use chart::diagnostic::{Code, Diagnostic, FileId, Sources};
use chart::value::json;
use chart::yaml::{self, Data, Node};

/// A document as compact JSON-like text, in the author's order.
fn shape(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Uint(number) => format!("{number}u"),
        Data::Float(number) => format!("{number:?}"),
        Data::Str(text) => format!("{text:?}"),
        Data::Seq(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(",")),
        Data::Map(map) => {
            let entries = map.iter().map(|(key, entry)| format!("{key}:{}", shape(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

#[track_caller]
fn first(text: &str) -> String {
    let parsed = yaml::read(text, FileId(0));
    match parsed.first() {
        Ok(node) => shape(&node),
        Err(error) => error.go,
    }
}

#[test]
fn plain_scalars_have_the_types_that_helm_gives_them() {
    for (text, value) in [
        ("y", "true"),
        ("No", "false"),
        ("oN", "\"oN\""),
        ("~", "null"),
        ("", "null"),
        ("0755", "493"),
        ("0o17", "15"),
        ("0b11", "3"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("08", "8.0"),
        ("+12", "12"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1e3", "1000.0"),
        ("1e400", "\"1e400\""),
        ("18446744073709551615", "18446744073709551615u"),
        ("18446744073709551616", "1.8446744073709552e19"),
        ("1:30", "\"1:30\""),
        ("2020-01-01", "\"2020-01-01\""),
        ("1.2.3", "\"1.2.3\""),
        ("'1'", "\"1\""),
        ("!!str 1", "\"1\""),
        ("!!float 1", "1.0"),
        ("!!int '1'", "1"),
        ("! 1", "\"1\""),
        ("!foo 1", "\"1\""),
        ("!!binary aGk=", "\"hi\""),
        ("!!int x", "yaml: cannot decode !!str `x` as a !!int"),
        (".inf", "json: unsupported value: +Inf"),
    ] {
        assert_eq!(first(text), value, "{text}");
    }
}

#[test]
fn keys_become_text_as_in_json() {
    assert_eq!(
        first("y: 1\nno: 2\n0x10: 3\n1e3: 4\n1.5: 5\n'1': 6\n!!str 7: 8"),
        "{true:1,false:2,16:3,1000:4,1.5:5,1:6,7:8}"
    );
    assert!(first("~: 1").starts_with("unsupported map key of type"));
    assert_eq!(first("a: {{ x }}"), "yaml: invalid map key: map[interface {}]interface {}{\"x\":interface {}(nil)}");
}

#[test]
fn merge_keys_override_what_stands_before_them() {
    assert_eq!(first("a: &a {x: 1, q: 2}\nc:\n  x: 5\n  <<: *a\n  q: 3"), "{a:{x:1,q:2},c:{x:1,q:3}}");
    assert_eq!(first("<<: [{x: 1}, {x: 2, z: 3}]\ny: 4"), "{x:1,z:3,true:4}");
    assert_eq!(first("<<: 1"), "yaml: map merge requires map or sequence of maps as the value");
}

#[test]
fn duplicate_keys_keep_the_last_and_are_reported() {
    let parsed = yaml::read("a: 1\nb: 2\na: 3\n", FileId(0));
    assert_eq!(shape(&parsed.documents[0]), "{a:3,b:2}");
    let finding = &parsed.findings[0];
    assert_eq!((finding.code, finding.labels[0].span.start, finding.labels[1].span.start), (Code::DuplicateKey, 10, 0));
}

#[test]
fn aliases_and_depth_are_bounded() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let previous = vec![format!("*a{}", level - 1); 9].join(",");
        bomb += &format!("a{level}: &a{level} [{previous}]\n");
    }
    assert_eq!(first(&bomb), "yaml: document contains excessive aliasing");
    assert!(first(&"[".repeat(5000)).starts_with("yaml:"));
    assert!(first(&format!("{}{}", "[".repeat(1500), "]".repeat(1500))).starts_with("yaml:"));
    assert!(first(&format!("{}{}", "[".repeat(900), "]".repeat(900))).starts_with("[[["));
    let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(600), "]".repeat(600));
    assert!(first(&format!("- &a {}\n- {}\n", nested("x"), nested("*a"))).starts_with("yaml:"));
    assert_eq!(first("&a [*a]"), "yaml: anchor 'a' value contains itself");
}

#[test]
fn documents_before_an_error_are_kept() {
    let parsed = yaml::read("a: 1\n---\nb: 2\n---\nc: [\n", FileId(0));
    assert_eq!(parsed.documents.len(), 2);
    assert!(parsed.error.is_some());
    assert_eq!(first("a: 1\n---\nc: [\n"), "{a:1}");
}

/// Mistakes that people make, one per file.
fn mistakes() -> Vec<(String, String)> {
    let folder = support::root().join("testdata/yaml/mistakes");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    let name = |path: &std::path::Path| path.file_stem().expect("name").to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("readable"))).collect()
}

#[test]
fn mistakes_are_explained() {
    let mut shown = String::new();
    for (name, text) in mistakes() {
        let mut sources = Sources::default();
        let file = sources.add(format!("{name}.yaml"), text.as_str());
        let error = yaml::read(&text, file).error.unwrap_or_else(|| panic!("{name} is accepted"));
        let Diagnostic { message, labels, hints, .. } = &error.diagnostic;
        shown += &format!("{name}\n  {}\n  {message}\n", error.go);
        for label in labels {
            let part = &text[label.span.start as usize..label.span.end as usize];
            shown += &format!("  at {} {part:?}: {}\n", sources.locate(label.span), label.text);
        }
        shown.extend(hints.iter().map(|hint| format!("  help: {hint}\n")));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn mistakes_are_refused_in_helms_words() {
    let Some(helm) = support::tool("helm") else { return };
    let mut folder = Folder::new().file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n").file(
        "c/templates/NOTES.txt",
        "{{ range $path, $text := .Files.Glob \"files/*\" }}{{ base $path }} {{ fromYaml ($.Files.Get $path) | toJson }}\n{{ end }}",
    );
    for (name, text) in mistakes() {
        folder = folder.file(&format!("c/files/{name}"), text);
    }
    let output = std::process::Command::new(helm)
        .args(["install", "--dry-run=client", "x", "c"])
        .current_dir(folder.path())
        .output()
        .expect("helm runs");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    for (name, text) in mistakes() {
        let ours = yaml::read(&text, FileId(0)).first().err();
        let ours = ours.map(|error| format!("error converting YAML to JSON: {}", error.go));
        let line = output.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
        let answer = json::from_json(line.split_once(' ').unwrap_or_default().1).expect("json");
        let error = answer.as_map().and_then(|map| map.get("Error")).unwrap_or_default();
        assert_eq!(error.as_str(), ours.as_deref(), "{name}: {line}");
    }
}

/// The head as the full reader finds it; `None` where it reports anything.
fn full_head(text: &str) -> Option<[String; 4]> {
    let parsed = yaml::read(text, FileId(0));
    if parsed.error.is_some() || !parsed.findings.is_empty() || parsed.documents.len() != 1 {
        return None;
    }
    let document = &parsed.documents[0];
    let field = |path: &[&str]| document.at(path.iter().copied()).and_then(Node::as_str).unwrap_or_default().to_owned();
    document.as_map()?;
    Some([field(&["apiVersion"]), field(&["kind"]), field(&["metadata", "name"]), field(&["metadata", "namespace"])])
}

#[track_caller]
fn head_agrees(text: &str) -> bool {
    let Some(head) = yaml::head(text) else { return false };
    let fast = [head.api_version, head.kind, head.name, head.namespace].map(str::to_owned);
    assert_eq!(Some(fast), full_head(text), "{text}");
    let document = &yaml::read(text, FileId(0)).documents[0];
    let annotations = document.at(["metadata", "annotations"]).and_then(Node::as_map);
    let helm: Vec<_> = annotations
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("helm.sh/"))
        .map(|(key, entry)| (&**key, entry.value.as_str().expect("text")))
        .collect();
    assert_eq!(head.annotations, helm, "{text}");
    true
}

#[test]
fn heads_of_usual_documents_need_no_tree() {
    let text = r#"# Source: x
apiVersion: apps/v1
kind: "Deployment"
metadata:
  name: 'web'   # the name
  namespace: prod
  labels: {}
  annotations:
    helm.sh/hook: pre-install,post-install
    "helm.sh/hook-weight": "-5"
    note: |
      several
        lines

    other: text that
      goes on
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: web
        args: ["--a", b, 'c']
        command:
          - sh
          - -c
          - >-
            echo "x"
        env:
        - {}
        -
          name: A
        - - nested
          - list
      empty:
"#;
    assert!(head_agrees(text));
    let head = yaml::head(text).unwrap();
    assert_eq!((head.kind, head.name, head.namespace), ("Deployment", "web", "prod"));
    assert_eq!(head.annotations, [("helm.sh/hook", "pre-install,post-install"), ("helm.sh/hook-weight", "-5")]);
}

#[test]
fn heads_leave_what_is_unusual_to_the_reader() {
    for text in [
        "",
        "# only a comment\n",
        "- a\n",
        "a: 1\na: 2\n",
        "a: *b\n",
        "a: b: c\n",
        "a: 1\n  b: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: .inf\n",
        "a: \"b\" c\n",
        "a: 'b\n",
        "a:\n\tb: 1\n",
        "~: 1\n",
        "y: 1\n",
        "a: |0\n  x\n",
        "a: |+-\n  x\n",
        "a: |\n    \n  x\n",
        "a: [b\n",
        "a: b\n---\nc: d\n",
        "Kind: x\n",
        "metadata:\n  name: 1\n",
        "metadata: []\n",
        "metadata:\n  annotations:\n    a: []\n",
    ] {
        assert_eq!(yaml::head(text), None, "{text}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

    #[test]
    fn heads_never_accept_what_the_reader_refuses(
        lines in proptest::collection::vec(("[ ]{0,6}(- ){0,2}", proptest::sample::select(&[
            "a: 1", "b:", "kind: X", "metadata:", "name: n", "annotations:", "helm.sh/hook: test", "\"q\": 'r'", "c: |", "d: >-",
            "text", "e: [x, \"y\"]", "f: {}", "g: \"h", "i\"", "# c", "j: k # l", "m: 'n''o'", "-", "", "p: q: r", "s: -t", "u: .inf",
            "v: 1.5", "w: &x y", "z: *x", "more text: here", "\ttab", "it's", "é: ü", "a:", "k: a:b", "no: x", "? y", "h: 'a", "b'", "---",
        ][..])), 1..12)
    ) {
        let text: String = lines.iter().map(|(indent, line)| format!("{indent}{line}\n")).collect();
        head_agrees(&text);
    }
}
