//! What is interpolated reads back as it is: cases, traps, hostile strings and a hostile tree.

use super::{Case, json as json_of, read, round_trip};
use crate::support;
use chart::diagnostic::FileId;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value as Json, json};

/// Cases of a text file: a title, values, a template and the data (or `ERR` and a part of the message).
fn check_file(text: &str) {
    let mut wrong = Vec::new();
    for case in text.split("=== ").filter(|case| !case.trim().is_empty()) {
        let (title, rest) = case.split_once('\n').expect("a title");
        let parts: Vec<&str> = rest.splitn(3, "\n---\n").collect();
        let [values, template, expected] = parts.as_slice() else { panic!("{title}: three parts") };
        let values: Json = serde_json::from_str(values).unwrap_or_else(|error| panic!("{title}: {error}"));
        let result = std::panic::catch_unwind(|| round_trip(template, &values));
        let result = result.unwrap_or_else(|panic| Err(format!("{:?}", panic.downcast_ref::<String>())));
        let right = match (&result, expected.trim().strip_prefix("ERR")) {
            (Err(message), Some(part)) => message.starts_with("error[") && message.contains(part.trim()),
            (Ok(data), None) => {
                *data == serde_json::from_str::<Json>(expected).unwrap_or_else(|error| panic!("{title}: {error}"))
            }
            _ => false,
        };
        if !right {
            let found = match result {
                Ok(data) => data.to_string(),
                Err(message) => message,
            };
            wrong.push(format!("{title}:\n{template}\n  expected {}\n  found {found}", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Where a string can stand, and the data that must come of it.
type Place = (&'static str, fn(&str) -> Json);

const PLACES: &[Place] = &[
    ("k: {{ s }}", |s| json!({ "k": s })),
    ("k: {{ s }}\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("k: {{ s }} # note\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("k: {{- s -}}\n", |s| json!({ "k": s })),
    ("k:\n  {{ s }}\nz: 1", |s| json!({ "k": s, "z": 1 })),
    ("- {{ s }}\n- x: {{ s }}\n  q: {{ s }}\n- - {{ s }}", |s| json!([s, { "x": s, "q": s }, [s]])),
    ("{{ s }}: 1", |s| json!({ s: 1 })),
    ("p{{ s }}q: 1\n\"{{ s }}\": 2", |s| json!({ format!("p{s}q"): 1, s: 2 })),
    ("k: [{{ s }}, p{{ s }}, {a: {{ s }}, {{ s }}: 1}]", |s| match s {
        "a" => json!([]),
        _ => json!({ "k": [s, format!("p{s}"), { "a": s, s: 1 }] }),
    }),
    ("k: a{{ s }}b", |s| json!({ "k": format!("a{s}b") })),
    ("k: {{ s }}{{ s }} # {{ s }}", |s| json!({ "k": format!("{s}{s}") })),
    (
        "k: {{ s }}{% if s %}:{{ s }}{% endif %}",
        |s| json!({ "k": if s.is_empty() { String::new() } else { format!("{s}:{s}") } }),
    ),
    ("k: \"a {{ s }} b\"\nz: 1", |s| json!({ "k": format!("a {s} b"), "z": 1 })),
    ("k: 'a {{ s }} b'\nz: 1", |s| json!({ "k": format!("a {s} b"), "z": 1 })),
    ("k: |\n  a {{ s }}b\nz: 1", |s| json!({ "k": format!("a {s}b\n"), "z": 1 })),
    ("k: |+\n  {{ s }}\nz: 1", |s| json!({ "k": format!("{s}\n"), "z": 1 })),
    ("k:\n- l: |+\n    x\n      {{ s }}\n", |s| json!({ "k": [{ "l": format!("x\n  {}\n", indented(s)) }] })),
    (
        "{% macro m(x) %}\n{{ x }}: {{ x }}\nq: a{{ x }}\n{% endmacro %}\nk:\n  {{ m('l' ~ s) }}\nz: {{ m('l' ~ s) }}",
        |s| {
            let key = format!("l{s}");
            let inner = json!({ key.as_str(): key, "q": format!("a{key}") });
            json!({ "k": inner, "z": inner })
        },
    ),
    ("{% macro m(x) %}{{ x }}-{{ x }}{% endmacro %}\nk: {{ m(s) }}\nl: \"{{ m(s) }}!\"\nn: {{ m(s)|length }}", |s| {
        let text = format!("{s}-{s}");
        let text = text.trim();
        json!({ "k": text, "l": format!("{text}!"), "false": text.chars().count() })
    }),
    ("{% set x %}{{ s }}{% endset %}\nk: {{ x }}\nl: {{ x == s }}", |s| json!({ "k": s, "l": true })),
    (
        "k:\n{% for i in [s, s] %}\n- nn: {{ i }}\n  {{ {i: i} }}\n{% endfor %}",
        |s| json!({ "k": [{ "nn": s, s: s }, { "nn": s, s: s }] }),
    ),
    ("k: {{ {'a': [s, {s: s}]} }}", |s| json!({ "k": { "a": [s, { s: s }] } })),
    ("k: {{ [s, [s]] }}\nl:\n  x: 1\n  {{ {s: [s]} }}", |s| match s {
        "x" => json!([]),
        _ => json!({ "k": [s, [s]], "l": { "x": 1, s: [s] } }),
    }),
    (
        "k: {{ s|tojson|fromjson }}\nl: {{ {'a': s}|toyaml }}\nm: {{ s|quote }}",
        |s| json!({ "k": s, "l": { "a": s }, "m": s }),
    ),
    ("k: {{ s ~ s }}\nl: {{ [s, s]|join(', ') }}", |s| json!({ "k": format!("{s}{s}"), "l": format!("{s}, {s}") })),
];

/// The text with its lines after the first indented, unless they are empty.
fn indented(text: &str) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + if line.is_empty() { "\n" } else { "\n  " } + line)
}

/// Texts of pieces that mean something to YAML, to Jinja, or to readers of numbers.
fn hostile() -> impl Strategy<Value = String> {
    let pieces: &[&str] = &[
        "a",
        "b",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\n  ",
        ":",
        ": ",
        "- ",
        "-",
        "#",
        " #",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "?",
        "=",
        "<<",
        "~",
        "null",
        "true",
        "yes",
        "on",
        "n",
        "1",
        "0",
        ".",
        "e",
        "+",
        "_",
        "0x",
        "0o",
        "12:30",
        "2020-01-01",
        "1_000",
        ".inf",
        "\t",
        "\r",
        "{{",
        "}}",
        "{% raw %}",
        "x: y",
        "---",
        "...",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{a0}",
        "\u{7}",
        "\u{1b}",
        "ä",
        "\u{1f600}",
        "privileged: true",
        "\0",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..7).prop_map(|pieces| pieces.concat())
}

/// What may be refused: text that its surroundings cannot hold.
fn may_refuse(template: &str, text: &str) -> bool {
    let special = text.chars().any(|char| {
        char.is_control() && !matches!(char, '\n' | '\t') || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}')
    });
    let block = template.contains("|\n") || template.contains("|+\n");
    block && special || template.contains("'a {{") && (special || text.contains('\n'))
}

#[test]
fn hostile_strings_read_back_exactly() {
    let mut wrong = Vec::new();
    for (template, expected) in PLACES {
        let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
        let result = runner.run(&hostile(), |text| {
            let wanted = expected(&text);
            if wanted == json!([]) {
                return Ok(());
            }
            let found = std::panic::catch_unwind(|| round_trip(template, &json!({ "s": text })));
            match found {
                Ok(Ok(data)) => prop_assert_eq!(data, wanted),
                Ok(Err(message)) => prop_assert!(may_refuse(template, &text), "{}", message),
                Err(_) => prop_assert!(false, "not YAML"),
            }
            Ok(())
        });
        wrong.extend(result.err().map(|error| format!("{template}\n{error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn traps_are_treated() {
    check_file(include_str!("../../testdata/jinja/traps.txt"));
}

#[test]
fn every_case_of_the_table_reads_back_exactly() {
    let cases: Vec<Json> =
        serde_json::from_str(include_str!("../../testdata/jinja/interpolation.json")).expect("cases are JSON");
    let mut wrong = Vec::new();
    for case in &cases {
        let template = case["template"].as_str().expect("a template");
        let result = round_trip(template, &case["values"]);
        let right = match (&result, case["error"].as_str()) {
            (Err(message), Some(part)) => message.contains(part),
            (Ok(data), None) => *data == case["data"],
            _ => false,
        };
        if !right {
            wrong.push(format!(
                "{}:\n{template}\nexpected {} {}\n   found {result:?}",
                case["name"], case["data"], case["error"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The names under which the templates of `testdata/jinja/tree` write the tree of values, each in a way of its own.
const WAYS: &[&str] = &["tree", "same", "value", "again", "read", "set", "merged"];

#[test]
fn a_hostile_tree_is_written_exactly_in_every_way() {
    let folder = support::root().join("testdata/jinja/tree");
    let text = std::fs::read_to_string(folder.join("values.json")).expect("values");
    let values: Json = serde_json::from_str(&text).expect("JSON");
    let tree = &values["tree"];
    let mut files: Vec<(String, String)> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "j2"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    let partials = |case: Case| {
        files
            .iter()
            .filter(|(name, _)| name.starts_with('_'))
            .fold(case, |case, (name, text)| case.template(name, text))
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with('_')) {
        let rendered = match partials(Case::new(&values)).template(name, text).render() {
            Ok(rendered) => rendered,
            Err(message) => {
                wrong.push(format!("{name}: {message}"));
                continue;
            }
        };
        let data = match std::panic::catch_unwind(|| json_of(&read(&rendered, FileId(0)))) {
            Ok(data) => data,
            Err(_) => {
                wrong.push(format!("{name} is not YAML"));
                continue;
            }
        };
        for way in WAYS.iter().filter(|way| data[**way] != Json::Null && data[**way] != Json::Bool(true)) {
            count += 1;
            wrong.extend(difference(&data[*way], tree, &format!("{name}: {way}")));
        }
    }
    assert!(count > 25, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first place where two values differ.
fn difference(found: &Json, wanted: &Json, path: &str) -> Option<String> {
    match (found, wanted) {
        (Json::Object(a), Json::Object(b)) => {
            if let Some(key) = a.keys().find(|key| !b.contains_key(*key)) {
                return Some(format!("{path} has {key:?}"));
            }
            b.iter().find_map(|(key, wanted)| match a.get(key) {
                Some(found) => difference(found, wanted, &format!("{path}.{key:?}")),
                None => Some(format!("{path} lacks {key:?}")),
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (found, wanted))| difference(found, wanted, &format!("{path}[{at}]"))),
        _ if found == wanted => None,
        _ => Some(format!("{path} is {found}, not {wanted}")),
    }
}
