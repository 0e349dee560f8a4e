//! Reading and writing YAML.

use crate::support::{self, Folder};
use chart::diagnostic::{Code, Diagnostic, FileId, Sources, Span};
use chart::value::json::{self, Layout};
use chart::value::{List, Map, Value};
use chart::yaml::{self, Data, Node, Numbers, Place, Step, SyntaxError, Tags};
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof};

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
    fn both_passes_over_a_text_find_the_same(
        lines in proptest::collection::vec(("[ ]{0,6}(- ){0,2}", proptest::sample::select(&[
            "a: 1", "b:", "kind: X", "metadata:", "name: n", "annotations:", "helm.sh/hook: test", "\"q\": 'r'", "c: |", "d: >-",
            "text", "e: [x, \"y\"]", "f: {}", "g: \"h", "i\"", "# c", "j: k # l", "m: 'n''o'", "-", "", "p: q: r", "s: -t", "u: .inf",
            "v: 1.5", "w: &x y", "z: *x", "more text: here", "\ttab", "it's", "é: ü", "a:", "k: a:b", "no: x", "? y", "h: 'a", "b'", "---",
            "{a: 1, 'b':2,", "c: [{d}, -e]}", "n: {x: {y: [z, 1.5,]}, \"q\" : ~, r: }", "[", "]", "}", ", # c", "'s': a b # c", "<<: {a: 1}",
            "t: a\t# b", "80: x", "o: |2", "...", "--- # c", "\u{FEFF}", "x :  y  ", "a\u{85}b: c\r", "~", "l: \"\\x41 \\",
        ][..])), 1..12),
        end in "(\n)?"
    ) {
        let lines: Vec<String> = lines.iter().map(|(indent, line)| format!("{indent}{line}")).collect();
        same_by_tokens(&(lines.join("\n") + &end));
    }

    #[test]
    fn both_passes_over_any_characters_find_the_same(
        text in proptest::collection::vec(proptest::sample::select(&[
            "a", "b", " ", " ", "\n", "\n  ", ":", ": ", "- ", "\"", "'", "{", "}", "[", "]", ",", "#", " #", "\\", "|", ">", "\t", "é", "1", "?", "-", ".", "%",
        ][..]), 0..24)
    ) {
        same_by_tokens(&text.concat());
    }
}

proptest::proptest! {
    #[test]
    fn mappings_keep_their_order_with_few_keys_and_with_many(steps in proptest::collection::vec((0..14u32, 0..4u32), 0..60)) {
        let mut mapping = yaml::Mapping::default();
        let mut expected: indexmap::IndexMap<String, u32> = indexmap::IndexMap::new();
        for (at, (key, step)) in (0..).zip(steps) {
            let (key, span) = (format!("k{key}"), Span::new(FileId(0), at as usize, at as usize));
            let earlier = |entry: &yaml::Entry| entry.key_span.start;
            let entry = yaml::Entry { key_span: span, value: Node::new(span, Data::Null) };
            if step == 0 {
                prop_assert_eq!(mapping.shift_remove(&key).as_ref().map(earlier), expected.shift_remove(&key));
            } else {
                let gone = mapping.insert(key.as_str().into(), entry);
                prop_assert_eq!(gone.as_ref().map(earlier), expected.insert(key.clone(), at));
            }
            prop_assert_eq!(mapping.get(&key).map(earlier), expected.get(&key).copied());
        }
        let found: Vec<_> = mapping.iter().map(|(key, entry)| (key.to_string(), entry.key_span.start)).collect();
        prop_assert_eq!(&found, &expected.clone().into_iter().collect::<Vec<_>>());
        let backwards: yaml::Mapping = mapping.clone().into_iter().rev().collect();
        prop_assert_eq!(&backwards, &mapping);
        for (key, at) in &expected {
            prop_assert_eq!(backwards.get(key).map(|entry| entry.key_span.start), Some(*at));
        }
    }
}

/// Checks that the quick passes, for trees and for heads, find what the tokens of a text say.
fn same_by_tokens(text: &str) {
    head_agrees(text);
    let (usual, slow) = (yaml::read_part(text, 7, FileId(3)), yaml::read_by_tokens(text, 7, FileId(3)));
    let said = |error: &Option<SyntaxError>| error.as_ref().map(|error| (error.diagnostic.clone(), error.go.clone()));
    assert_eq!(usual.documents, slow.documents, "{text}");
    assert_eq!(usual.findings, slow.findings, "{text}");
    assert_eq!(said(&usual.error), said(&slow.error), "{text}");
}

/// What people write for Go and JSON readers, at its edges.
#[test]
fn both_passes_over_odd_texts_find_the_same() {
    for text in [
        "a:\n- b:\n- c\n- - d\n  -\n-\ne:",
        "a:\n  text\n  goes on\n# c\nb: x # d\n",
        "a: x\n   y\n\n   z\nb: 'q\n  r'\nc: \"s \\\n  t\"\n",
        "{\"a\":1,\"b\":[true,null,{\"c\":\"d\"}]}",
        "{\n  \"a\": \"b\",\n  \"c\": [\n    1,\n    2\n  ]\n}\n",
        "a: {b, c: , 'd', e:f, g : h}\n",
        "a: [b: c]\n",
        "a: {b\n: c}\n",
        "a: [b]: c\n",
        "a: |\n  x\n\n   y\n  \n# c\nb: >-\n  z\n\n  z\nc: |+\n  w\n\n",
        "---\na: 1\n---\n# c\nb: 2\n---\n",
        "---\n---\na: .inf\n---\nb: [\n",
        "a: .inf\n---\nb: [\n",
        "a: {{ .Values.a }}\n",
        "a: 1\na: 2\nb: {c: 1, c: 2}\n",
        "x\n---\ny z\n",
        "- a\n-  - b\n   - c\n",
        "a:\tb\nc: d\te\n",
        &format!("{}: x\n", "k".repeat(1024)),
        &format!("{}: x\n", "k".repeat(1025)),
        &"- ".repeat(300),
        &"[".repeat(300),
        &format!("{}{}", "[".repeat(60), "]".repeat(60)),
    ] {
        same_by_tokens(text);
    }
}

/// Cases that `sigs.k8s.io/yaml` and go-yaml v3, the libraries inside Helm, were given.
fn frozen(kind: &str) -> Vec<List> {
    let text = std::fs::read_to_string(support::root().join("testdata/yaml/go-yaml.json")).expect("readable");
    let cases = json::from_json(&text).expect("json");
    let cases = cases.as_map().and_then(|map| map.get(kind)).expect("cases");
    cases.as_list().expect("list").items().iter().map(|case| case.as_list().expect("case").clone()).collect()
}

#[test]
fn values_are_written_as_go_yaml_writes_them() {
    for case in frozen("write") {
        let [value, to_yaml, pretty] = case.items() else { panic!("three parts") };
        let shown = json::to_json(value, Layout::Raw).expect("json");
        assert_eq!(yaml::to_yaml(value).ok().as_deref(), to_yaml.as_str(), "{shown}");
        assert_eq!(yaml::to_yaml_pretty(value).ok().as_deref(), pretty.as_str(), "{shown}");
    }
}

#[test]
fn texts_are_read_as_go_yaml_reads_them() {
    for case in frozen("read") {
        let [text, expected, error] = case.items() else { panic!("three parts") };
        let text = text.as_str().expect("text");
        match (yaml::read(text, FileId(0)).first(), expected.as_str()) {
            (Ok(node), Some(expected)) => {
                let value = yaml::value(&node, Numbers::Exact, &mut Tags::default());
                let expected = json::from_json_exact(expected).expect("json");
                let show = |value: &Value| json::to_json(value, Layout::Raw).expect("json");
                assert_eq!(show(&value), show(&expected), "{text:?}");
            }
            (Err(found), _) => assert_eq!(Some(&*found.go), error.as_str(), "{text:?}"),
            (Ok(_), None) => panic!("{text:?} is accepted"),
        }
    }
}

#[test]
fn cyclic_values_are_errors() {
    let map = Map::default();
    map.insert("x".into(), Value::Map(map.clone()));
    assert!(yaml::to_yaml(&Value::Map(map.clone())).is_err());
    assert!(yaml::to_yaml_pretty(&Value::Map(map.clone())).is_err());
    assert!(yaml::node(&Value::Map(map.clone()), Span::new(FileId(0), 0, 0)).is_none());
    map.remove("x");
}

#[test]
fn tags_lead_back_to_paths_and_places() {
    let text = "a:\n- b: 1\n  c: {d: x}\n";
    let node = yaml::read(text, FileId(0)).first().expect("yaml");
    let mut tags = Tags::default();
    let value = yaml::value(&node, Numbers::Go, &mut tags);
    let list = value.as_map().and_then(|map| map.get("a")).expect("a");
    let item = list.as_list().expect("list").items()[0].as_map().expect("map").clone();
    let inner = item.get("c").expect("c");
    let tag = inner.as_map().expect("map").tag();
    assert_eq!(tags.path(tag), [Step::Key("a".into()), Step::Index(0), Step::Key("c".into())]);
    let span = tags.span(tag, "d").expect("a place");
    assert_eq!(&text[span.start as usize..span.end as usize], "x");
    assert!(matches!(item.get("b"), Some(Value::Float(1.0))));
}

#[test]
fn nodes_know_their_places() {
    let text = "# top\na: &x\n  b: 'q' # c\n  d:\n  - |\n    text\n  - [1, 2]\ne: *x\n";
    let node = yaml::read(text, FileId(0)).first().expect("yaml");
    let part = |span: Span| &text[span.start as usize..span.end as usize];
    let at = |path: &[&str]| part(node.at(path.iter().copied()).expect("a value").span);
    assert_eq!(at(&["a"]), "b: 'q' # c\n  d:\n  - |\n    text\n  - [1, 2]");
    assert_eq!(at(&["a", "b"]), "'q'");
    assert_eq!(at(&["a", "d"]), "- |\n    text\n  - [1, 2]");
    assert_eq!(at(&["e"]), "*x");
    assert_eq!(at(&["e", "b"]), "'q'");
    let items = node.at(["a", "d"]).and_then(Node::as_seq).expect("items");
    assert_eq!((part(items[0].span), part(items[1].span)), ("|\n    text", "[1, 2]"));
    assert_eq!(part(node.as_map().expect("map")["e"].key_span), "e");
}

#[test]
fn comments_are_found_beside_the_tree() {
    let text = "# file\n\n# -- first\n# second\na: 1 # beside\nb: '# no' #yes\nc: |  # head\n  # text\n# end\nd: x#y\n";
    let comments = yaml::comments(text, FileId(0));
    let all: Vec<_> = comments.iter().map(|comment| (comment.text, comment.alone)).collect();
    let expected = [
        (" file", true),
        (" -- first", true),
        (" second", true),
        (" beside", false),
        ("yes", false),
        (" head", false),
        (" end", true),
    ];
    assert_eq!(all, expected);
    let offset = |part: &str| text.find(part).expect("part") as u32;
    let above: Vec<_> = comments.above(offset("a: 1")).iter().map(|comment| comment.text).collect();
    assert_eq!(above, [" -- first", " second"]);
    assert!(comments.above(offset("b:")).is_empty());
    assert_eq!(comments.beside(offset("a: 1")).map(|comment| comment.text), Some(" beside"));
    assert_eq!(comments.beside(offset("d:")), None);
}

/// Values as a values file can hold them.
fn any_value() -> impl Strategy<Value = Value> {
    let text = "[ -~\n'\":#é中😀\u{A0}]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| Value::Float(f64::from(number))),
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        text.prop_map(Value::from),
        proptest::sample::select(
            &["yes", "~", "0755", "1_0", "1:30", "2020-01-01", "- a", "a: b", "<<", "=", ".5", "---"][..]
        )
        .prop_map(Value::from),
    ];
    // go-yaml writes the key `<<` bare, which then merges.
    let key = move || text.prop_filter("reads as a merge", |key| key != "<<");
    leaf.prop_recursive(4, 30, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            proptest::collection::vec((key(), inner), 0..4).prop_map(Value::map),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_value()) {
        // `toYaml` drops the final newline, which may belong to a text.
        let text = yaml::to_yaml(&value).expect("no odd characters") + "\n";
        let node = yaml::read(&text, FileId(0)).first().unwrap_or_else(|error| panic!("{}\n{text}", error.go));
        let read = yaml::value(&node, Numbers::Go, &mut Tags::default());
        let show = |value: &Value| json::to_json(value, Layout::Raw).expect("json");
        prop_assert_eq!(show(&read), show(&value), "{}", text);
    }

    #[test]
    fn scalars_read_back_in_any_yaml(text in "[ -~\n\té\u{85}\u{2028}\u{FEFF}😀]{0,8}|[-+.0-9eExob_:yntf~]{1,5}") {
        let mut scalar = String::new();
        for (place, before, after) in
            [(Place::Block, "k: ", ""), (Place::Block, "- ", ""), (Place::Flow, "[", ", x]"), (Place::Flow, "{k: ", "}"), (Place::Key, "", ": v")]
        {
            scalar.clear();
            yaml::push_scalar(&mut scalar, &text, place);
            let document = format!("{before}{scalar}{after}\n");
            let leaf = |node: &Node| match &node.data {
                Data::Map(map) if place == Place::Key => map.keys().next().map(|key| key.to_string()),
                Data::Map(map) => map["k"].value.as_str().map(str::to_owned),
                Data::Seq(items) => items[0].as_str().map(str::to_owned),
                _ => None,
            };
            let node = yaml::read(&document, FileId(0)).first().unwrap_or_else(|error| panic!("{}: {document}", error.go));
            prop_assert_eq!(leaf(&node), Some(text.clone()), "{}", document);
            // The other reader knows YAML 1.2's types.
            let other: serde_yaml::Value = serde_yaml::from_str(&document).expect("yaml");
            let other = match (&other, place) {
                (serde_yaml::Value::Mapping(map), Place::Key) => map.keys().next().and_then(|key| key.as_str()),
                (serde_yaml::Value::Mapping(map), _) => map["k"].as_str(),
                (serde_yaml::Value::Sequence(items), _) => items[0].as_str(),
                _ => None,
            };
            prop_assert_eq!(other, Some(&*text), "{}", document);
        }
    }

    #[test]
    fn literal_blocks_read_back(text in "([ab:#'-]|\n| |é){1,12}") {
        if yaml::is_literal(&text) {
            let header = if text.ends_with('\n') { "|" } else { "|-" };
            let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
            let node = yaml::read(&format!("k: {header}\n{lines}z: 1\n"), FileId(0)).first().expect("yaml");
            prop_assert_eq!(node.get("k").and_then(Node::as_str), Some(&*text));
        }
    }
}

/// Found by fuzzing: the width of what stands behind the NUL counted for the line before it.
#[test]
fn wide_characters_behind_a_nul_do_not_count() {
    let parsed = yaml::read("|\n a\0\u{7de}\u{7c9}\u{7de}\u{7c9}\n  b\n c\n", FileId(0));
    assert!(parsed.error.is_some() || parsed.documents.len() <= 1);
}
