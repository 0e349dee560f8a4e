//! `chart set`: values files edited in place.

use crate::support::{Folder, root};
use chart::diagnostic::Sources;
use chart::values::{Assignments, Edited, Flag, edit};
use chart::yaml::{self, Node};
use proptest::prelude::{any, prop_assert, prop_assert_eq};
use serde_json::{Map, Value, json};
use std::fmt::Write;

struct Case {
    file: String,
    arguments: Vec<String>,
    before: String,
    after: Result<String, String>,
}

/// The cases of `testdata/values/set`.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(root().join("testdata/values/set")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for case in text.split("### ").skip(1) {
            let (arguments, rest) = case.split_once('\n').expect("arguments");
            let (before, after) = match rest.split_once("!!! ") {
                Some((before, message)) => (before, Err(message.trim().to_owned())),
                None => rest.split_once(">>>\n").map(|(before, after)| (before, Ok(bytes(after)))).expect("a result"),
            };
            cases.push(Case {
                file: path.file_name().expect("a name").to_string_lossy().into_owned(),
                arguments: arguments.split(' ').map(|it| it.replace('·', " ")).collect(),
                before: bytes(before),
                after,
            });
        }
    }
    cases
}

fn bytes(text: &str) -> String {
    text.replace("⏎\n", "\r\n").replace('⌂', "\u{feff}").replace("∎\n", "")
}

#[test]
fn only_what_is_meant_changes() {
    let mut wrong = String::new();
    let cases = cases();
    assert!(cases.len() >= 100, "{}", cases.len());
    for case in cases {
        let folder = Folder::new().file("values.yaml", &case.before);
        let arguments = ["set", "values.yaml"].into_iter().chain(case.arguments.iter().map(String::as_str));
        let run = folder.run_args(arguments);
        let now = folder.read("values.yaml");
        let fine = match &case.after {
            Ok(after) => run.code == 0 && now == *after,
            Err(message) => run.code == 1 && now == case.before && run.stderr.contains(message),
        };
        if !fine {
            let shown =
                format!("{}: {}\n{:?}\n{now:?}\n{}", case.file, case.arguments.join(" "), case.after, run.stderr);
            writeln!(wrong, "{shown}").expect("writes");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn edited(text: &str, flag: Flag, argument: String) -> Result<Edited, String> {
    let mut sources = Sources::default();
    let file = sources.add("values.yaml", text);
    let assignments = Assignments { arguments: vec![(flag, argument)], unset: Vec::new() };
    edit(file, &assignments, false, &mut sources, &mut |_| Err("no files".to_owned()))
        .map_err(|failure| failure.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("; "))
}

fn read(text: &str) -> Value {
    let document = yaml::read(text, chart::diagnostic::FileId(0)).complete().expect("YAML");
    document.iter().find(|document| !document.is_null()).map_or_else(|| json!({}), Node::to_json)
}

/// Numbers from a seed: the shape of a file, and what is done to it.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

/// Texts that YAML reads as something else, or not at all, where they are written carelessly.
const TEXTS: &[&str] = &[
    "v1",
    "42",
    "true",
    "no",
    "null",
    "~",
    "",
    " lead",
    "trail ",
    "a: b",
    "a #b",
    "#c",
    "- d",
    "it's",
    "say \"x\"",
    "[x]",
    "{x",
    "x}",
    "*a",
    "&a",
    "!t",
    "|",
    ">",
    "%d",
    "@e",
    "`f",
    "0755",
    "1e3",
    "1_000",
    "12:30",
    "2026-11-24",
    "ümlaut",
    "\u{1F600}",
    "a\nb",
    "a\nb\n",
    "\n",
    "a\n\nb",
    "tab\there",
    "\\n",
    "---",
    "...",
    "---\na: 1",
    "?",
    "? x",
    ":",
    ": x",
    "<<",
    "=",
    "x\u{85}y",
    "x\r\ny",
    " \n x",
    "x: \n  y",
    "'",
    "\"",
    ".5",
    "+1",
    "0x1F",
    ".inf",
    "y",
    "a,b",
    "a, b",
    "\u{feff}x",
    "a\u{2028}b",
    "x\n ",
];
const KEYS: &[&str] =
    &["a", "b", "image", "tag", "x.y/z", "with blank", "y", "42", "it's", "k#", "-k", "c-d", "null", "ü"];

/// Writes a file in some style, and gives what it holds.
struct FileMaker {
    dice: Dice,
    text: String,
    step: usize,
    list: usize,
    newline: &'static str,
}

impl FileMaker {
    fn scalar(&mut self, flow: bool) -> (String, Value) {
        match self.dice.roll(9) {
            0 => ("7".to_owned(), json!(7)),
            1 => ("true".to_owned(), json!(true)),
            2 => ("1.5".to_owned(), json!(1.5)),
            3 if !flow => (String::new(), Value::Null),
            4 => ("'it''s'".to_owned(), json!("it's")),
            5 => ("\"a\\tb\"".to_owned(), json!("a\tb")),
            6 => ("plain".to_owned(), json!("plain")),
            7 if !flow => ("two words".to_owned(), json!("two words")),
            _ => ("\"q\"".to_owned(), json!("q")),
        }
    }

    fn key(&mut self, used: &Map<String, Value>) -> Option<(String, &'static str)> {
        let key = self.dice.pick(KEYS);
        if used.contains_key(key) {
            return None;
        }
        let bare = key.bytes().all(|byte| byte.is_ascii_alphabetic()) && key != "y" && key != "null";
        Some((if bare { key.to_owned() } else { format!("{key:?}") }, key))
    }

    fn noise(&mut self, indent: usize) {
        match self.dice.roll(8) {
            0 => self.text += self.newline,
            1 => {
                let number = self.dice.roll(1000);
                self.text += &format!("{:indent$}# comment {number}{}", "", self.newline);
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        if self.dice.roll(5) == 0 {
            self.text += "  # beside";
        }
        self.text += self.newline;
    }

    fn flow(&mut self, depth: usize) -> (String, Value) {
        let count = self.dice.roll(3);
        if self.dice.roll(2) == 0 {
            let mut map = Map::new();
            let mut parts = Vec::new();
            for _ in 0..count {
                let Some((shown, key)) = self.key(&map) else { continue };
                let (text, value) = if depth > 0 { self.flow(depth - 1) } else { self.scalar(true) };
                parts.push(format!("{shown}: {text}"));
                map.insert(key.to_owned(), value);
            }
            return (format!("{{{}}}", parts.join(", ")), Value::Object(map));
        }
        let (texts, values): (Vec<_>, Vec<_>) = (0..count).map(|_| self.scalar(true)).unzip();
        (format!("[{}]", texts.join(", ")), Value::Array(values))
    }

    /// The value behind a key or dash.
    fn value(&mut self, indent: usize, depth: usize) -> Value {
        match self.dice.roll(if depth == 0 { 5 } else { 10 }) {
            0 => {
                let (text, value) = self.flow(1);
                self.text += &format!(" {text}");
                self.end();
                value
            }
            1 => {
                let keep = self.dice.roll(2) == 0;
                let pad = indent + self.step;
                let newline = self.newline;
                let header = if keep { "|" } else { "|-" };
                self.text += &format!(" {header}{newline}{:pad$}one{newline}{newline}{:pad$}two{newline}", "", "");
                json!(if keep { "one\n\ntwo\n" } else { "one\n\ntwo" })
            }
            2..=4 => {
                let (text, value) = self.scalar(false);
                if !text.is_empty() {
                    self.text += &format!(" {text}");
                }
                self.end();
                value
            }
            5..=7 => {
                self.end();
                self.map(indent + self.step, depth - 1, false)
            }
            _ => {
                self.end();
                let indent = indent + self.list;
                let count = 1 + self.dice.roll(3);
                let mut items = Vec::new();
                for _ in 0..count {
                    self.noise(indent);
                    self.text += &format!("{:indent$}-", "");
                    items.push(if self.dice.roll(2) == 0 && depth > 1 {
                        self.text.push(' ');
                        self.map(indent + 2, depth - 2, true)
                    } else {
                        let (text, value) = self.scalar(false);
                        self.text += &format!(" {text}");
                        self.end();
                        value
                    });
                }
                Value::Array(items)
            }
        }
    }

    /// The entries of a mapping, the first at once where a dash stands before it.
    fn map(&mut self, indent: usize, depth: usize, at_dash: bool) -> Value {
        let mut map = Map::new();
        let count = 1 + self.dice.roll(4);
        for _ in 0..count {
            let Some((shown, key)) = self.key(&map) else { continue };
            if !map.is_empty() || !at_dash {
                self.noise(indent);
                self.text += &" ".repeat(indent);
            }
            self.text += &format!("{shown}:");
            let value = self.value(indent, depth);
            map.insert(key.to_owned(), value);
        }
        Value::Object(map)
    }
}

fn make(seed: u64) -> (String, Value, Dice) {
    let mut dice = Dice(seed | 1);
    let step = 2 + dice.roll(3) as usize;
    let list = [0, 2, step][dice.roll(3) as usize];
    let newline = if dice.roll(4) == 0 { "\r\n" } else { "\n" };
    let mut maker = FileMaker { dice, text: String::new(), step, list, newline };
    let value = maker.map(0, 3, false);
    if maker.dice.roll(4) == 0 && !maker.text.trim_end().ends_with("two") {
        maker.text.truncate(maker.text.trim_end_matches(['\r', '\n']).len());
    }
    (maker.text, value, maker.dice)
}

fn paths(value: &Value, path: &[Value], found: &mut Vec<Vec<Value>>) {
    let inner: Vec<(Value, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (json!(key), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (json!(index), value)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in inner {
        let path: Vec<Value> = path.iter().cloned().chain([step]).collect();
        paths(value, &path, found);
        found.push(path);
    }
}

fn at<'v>(value: &'v mut Value, path: &[Value]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Value::String(key) => &mut value[key.as_str()],
        index => &mut value[index.as_u64().expect("an index") as usize],
    })
}

/// A path in the grammar of `--set`.
fn argument(path: &[Value]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Value::String(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                for char in key.chars() {
                    if matches!(char, '.' | ',' | '=' | '[' | '\\') {
                        text.push('\\');
                    }
                    text.push(char);
                }
            }
            index => text += &format!("[{index}]"),
        }
    }
    text
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() })]

    #[test]
    fn files_of_every_style_are_edited_in_place(seed in any::<u64>()) {
        let (text, value, mut dice) = make(seed);
        prop_assert_eq!(&read(&text), &value, "{}", text);
        let mut all = Vec::new();
        paths(&value, &[], &mut all);
        let path = all[dice.roll(all.len() as u64) as usize].clone();
        let mut wanted = value.clone();
        let old = at(&mut wanted, &path).clone();
        let is_scalar = !old.is_object() && !old.is_array();
        let (flag, given, one_line) = match dice.roll(4) {
            // A text in the place of anything.
            0 | 1 => {
                let new = dice.pick(TEXTS);
                *at(&mut wanted, &path) = json!(new);
                let one_line = is_scalar && !new.contains('\n') && !old.as_str().is_some_and(|old| old.contains('\n'));
                (Flag::SetJson, format!("{}={}", argument(&path), json!(new)), one_line)
            }
            // A tree in the place of anything.
            2 => {
                let new = json!({"n": [1, {"m": dice.pick(TEXTS), "o": {}}, []], "p": {"q": dice.pick(TEXTS)}});
                *at(&mut wanted, &path) = new.clone();
                (Flag::SetJson, format!("{}={new}", argument(&path)), false)
            }
            // Nothing in the place of anything.
            _ => {
                let (last, parent) = path.split_last().expect("a step");
                match at(&mut wanted, parent) {
                    Value::Object(map) => drop(map.shift_remove(last.as_str().expect("a key"))),
                    Value::Array(items) => drop(items.remove(last.as_u64().expect("an index") as usize)),
                    _ => {}
                }
                (Flag::Set, format!("{}=null", argument(&path)), false)
            }
        };
        let edited = match edited(&text, flag, given.clone()) {
            Ok(edited) => edited.text,
            Err(message) => {
                prop_assert!(message.contains("what follows cannot take its place"), "{message}\n{given}\n{text}");
                return Ok(());
            }
        };
        prop_assert_eq!(read(&edited), wanted, "{}\n{}\n=>\n{}", given, text, edited);
        // A value that is replaced as a whole takes the comments in it along.
        let (before, after) = (comments(&text), comments(&edited));
        let mut left = before.iter();
        prop_assert!(after.iter().all(|comment| left.any(|it| it == comment)), "{given}\n{text}\n=>\n{edited}");
        prop_assert!(!is_scalar || before == after, "{given}\n{text}\n=>\n{edited}");
        let ends = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
        let (carriage, all) = ends(&edited);
        prop_assert!(carriage == if text.contains("\r\n") { all } else { 0 }, "{text:?} => {edited:?}");
        prop_assert!(edited.is_empty() || text.contains('|') || edited.ends_with('\n') == text.ends_with('\n'), "{text:?} => {edited:?}");
        if one_line {
            let changed = text.lines().zip(edited.lines()).filter(|(before, after)| before != after).count();
            prop_assert_eq!(text.lines().count(), edited.lines().count(), "{}\n{}\n=>\n{}", given, text, edited);
            prop_assert!(changed <= 1, "{given}\n{text}\n=>\n{edited}");
        }
    }
}

#[test]
fn a_file_a_chart_or_a_layer_is_edited() {
    let folder = Folder::new()
        .file("repo/.git/HEAD", "")
        .file(
            "repo/chart.toml",
            "[values]\nlayers = [\"env/{env}.yaml\", \"env/{env}-{region}?\", \"services/{chart}.yaml?\"]\n\
             [values.choices]\nenv = [\"staging\", \"production\"]\n",
        )
        .file("repo/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("repo/web/values.yaml", "# The defaults.\nimage:\n  tag: v1  # bumped\nreplicas: 1\n")
        .file("repo/env/production.yaml", "image:\n  tag: v0\n")
        .file("alone/Chart.yaml", "apiVersion: v2\nname: alone\nversion: 1.0.0\n");
    let mut shown = String::new();
    for line in [
        "set repo/web image.tag=v2 --dry-run",
        "set repo/web image.tag=v2 image.digest=abc --unset replicas --diff",
        "set repo/web image.tag=v2",
        "set repo/web image.tag=v3 --env production",
        "set repo/web replicas=3 --env production --region sg",
        "set repo/web image.tag=v3 --env prodution",
        "set repo/web image.tag=v3 --region sg",
        "set repo/env/production.yaml image.tag=v4 --env production",
        "set alone a.b=1",
        "set alone a.b=1 --env production",
        "set repo/missing.yaml a=1",
        "set repo/web",
        "set repo/web image.tag.x=1",
        "set repo/web imag=null --unset image.tga",
    ] {
        writeln!(shown, "$ chart {line}\n{}", folder.run(line).shown()).expect("writes");
    }
    for file in ["repo/web/values.yaml", "repo/env/production.yaml", "repo/env/production-sg.yaml", "alone/values.yaml"]
    {
        writeln!(shown, "== {file}\n{}", folder.read(file)).expect("writes");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn stdin_goes_to_stdout() {
    let folder = Folder::new();
    let output = assert_cmd::Command::from_std(folder.command(["set", "-", "a.b=2"]))
        .write_stdin("a:\n  b: 1  # one\n")
        .output()
        .expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a:\n  b: 2  # one\n");
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new().file("real.yaml", "a: 1\n");
    let real = folder.path().join("real.yaml");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).expect("set");
    symlink("real.yaml", folder.path().join("link.yaml")).expect("linked");
    folder.run("set link.yaml a=2").ok();
    assert_eq!(folder.read("real.yaml"), "a: 2\n");
    assert_eq!(std::fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(std::fs::symlink_metadata(folder.path().join("link.yaml")).expect("there").is_symlink());
}
