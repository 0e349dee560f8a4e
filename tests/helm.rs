//! The Helm dialect against the outputs of Helm's own engine.

use crate::support::{Folder, root};
use crate::values::context;
use chart::chart::load;
use chart::diagnostic::{Failure, Sources, Span};
use chart::render::{Options, assemble};
use chart::template::helm::Engine;
use chart::template::{Argument, Capabilities, Context, Dialect, Output, Reads};
use chart::values::{Layer, Layered};
use serde_json::Value;
use std::collections::BTreeMap;

/// What Helm 4.2.3 reports, with which the vectors were made.
fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::for_version("v1.36.0").expect("a version");
    capabilities.helm_version = "v4.2".to_owned();
    let newer = ["lifecycle.k8s.io/v1alpha1", "storagemigration.k8s.io/v1"];
    capabilities.api_versions.retain(|version| !newer.contains(&&**version));
    capabilities
}

/// The files of a vector's chart.
fn chart(case: &Value) -> Folder {
    let folder = Folder::new();
    let default = "apiVersion: v2\nname: t\nversion: 1.2.3\nappVersion: \"4.5.6\"\n";
    folder.write("t/Chart.yaml", case["chart"].as_str().unwrap_or(default));
    folder.write("t/templates/t.yaml", case["template"].as_str().expect("template"));
    if let Some(values) = case["values"].as_str() {
        folder.write("t/values.yaml", values);
    }
    for (path, text) in case["files"].as_object().into_iter().flatten() {
        folder.write(&format!("t/{path}"), text.as_str().expect("text"));
    }
    folder
}

/// JSON with all but ASCII escaped, as a YAML reader takes it.
fn escaped(json: &str) -> String {
    let escape = |char: char| match char {
        ' '..='~' => char.to_string(),
        _ => format!("\\U{:08x}", u32::from(char)),
    };
    json.chars().map(escape).collect()
}

/// Every rendered file by its path in the chart, or Helm's text of the error.
fn render(case: &Value) -> Result<BTreeMap<String, String>, String> {
    let folder = chart(case);
    let mut sources = Sources::default();
    let mut layers = Vec::new();
    if case["user_values"].is_object() {
        let text = escaped(&case["user_values"].to_string());
        layers.push(Layer::File { name: "user.yaml".into(), text: text.into() });
    }
    let words = |failure: Failure| failure[0].message.clone();
    let chart = load(&folder.path().join("t"), &mut sources).map_err(words)?;
    let layered = Layered::read(layers, &mut sources, &mut |_| Err("no file".into())).map_err(words)?;
    let context = Context { capabilities: capabilities(), now: 1_700_000_000_000_000_000, ..context() };
    let options = Options { incomplete: true, skip_schema_validation: false };
    let assembly = assemble(&chart, &layered, context, options, &mut sources).map_err(words)?;
    let project = &assembly.project;
    let mut engine = Engine::new(project.clone()).map_err(|failure| {
        let span = failure[0].labels[0].span;
        let template = project.templates.iter().find(|template| template.file == span.file).expect("a template");
        let line = sources.position(span.file, span.start).line;
        let message = failure[0].message.rsplit(": ").next().unwrap_or_default();
        format!("parse error at ({}:{line}): {message}", template.name)
    })?;
    let mut rendered = BTreeMap::new();
    for (index, template) in project.templates.iter().enumerate() {
        if template.is_partial() || project.scopes[template.scope].is_library {
            continue;
        }
        let output = engine.render(index).map_err(|failure| {
            assert!(!failure.is_empty() && !failure[0].message.is_empty());
            engine.helm_text().expect("an error").to_owned()
        })?;
        rendered.insert(template.name.to_string(), output.text);
    }
    Ok(rendered)
}

/// What the Helm of the vectors says of its own build, and what we say.
const BUILD: (&str, &str) = (
    r#"{"version":"v4.2","go_version":"go1.26.6","kube_client_version":"v1.36"}"#,
    r#"{"version":"v4.2","git_commit":"c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff","git_tree_state":"clean","go_version":"go1.27.2","kube_client_version":"v1.37"}"#,
);

/// The one template whose text changed between the Helm of the vectors (4.2.3) and ours (4.3.1): `encoding/json` of
/// Go 1.27 writes the replacement character for a byte that is not UTF-8, where Go 1.26 wrote its escape.
const CHANGED: (&str, &str, &str) = ("fn-tojson-control", r"\ufffd", "\u{fffd}");

fn is_of_templates(error: &str) -> bool {
    ["parse error at", "execution error at", "template: ", "t/"].iter().any(|start| error.starts_with(start))
}

#[test]
fn vectors_render_as_by_helm() {
    let text = std::fs::read_to_string(root().join("testdata/helm/vectors.json")).expect("vectors");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(cases.len() > 900);
    let mut failures = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().expect("name");
        let rendered = render(case);
        let mut expected = case["expected"].as_str().map(|text| text.replace(BUILD.0, BUILD.1));
        if name == CHANGED.0 {
            expected = expected.map(|text| text.replace(CHANGED.1, CHANGED.2));
        }
        let difference = match (&rendered, case["error"].as_str()) {
            (Err(found), Some(expected)) if found == expected => continue,
            // What is wrong before templates run is said in our own words.
            (Err(_), Some(expected)) if !is_of_templates(expected) => continue,
            // Values are held against schemas after this stage.
            (Ok(_), Some(expected)) if expected.starts_with("values don't meet the specifications") => continue,
            (Err(found), Some(expected)) => format!("expected error {expected:?}\n  found error    {found:?}"),
            (Err(found), None) => format!("unexpected error {found:?}"),
            (Ok(found), Some(expected)) => format!("expected error {expected:?}\n  found          {found:?}"),
            (Ok(found), None) => match case["expected_files"].as_object() {
                Some(files) => {
                    let files = files.iter().map(|(name, text)| (name.clone(), text.as_str().unwrap_or("").to_owned()));
                    let expected: BTreeMap<String, String> = files.collect();
                    if *found == expected {
                        continue;
                    }
                    format!("expected {expected:?}\n  found    {found:?}")
                }
                None => {
                    let found = found.get("t/templates/t.yaml");
                    if found == expected.as_ref() {
                        continue;
                    }
                    format!("expected {expected:?}\n  found    {found:?}")
                }
            },
        };
        failures.push(format!("{name}: {}\n  {difference}", case["template"]));
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Renders one template with these values.
fn one(template: &str, values: &str, adapt: impl Fn(&mut Context)) -> (Result<Output, Failure>, Reads, Sources) {
    let case = serde_json::json!({ "template": template, "values": values });
    let folder = chart(&case);
    let mut sources = Sources::default();
    let chart = load(&folder.path().join("t"), &mut sources).expect("a chart");
    let mut context = context();
    adapt(&mut context);
    let options = Options { incomplete: true, skip_schema_validation: false };
    let assembly = assemble(&chart, &Layered::none(), context, options, &mut sources).expect("an assembly");
    let (result, reads) = match Engine::new(assembly.project) {
        Ok(mut engine) => (engine.render(0), engine.reads()),
        Err(failure) => (Err(failure), Reads::default()),
    };
    (result, reads, sources)
}

/// All that a failure tells, with the text at each place.
fn shown(failure: &Failure, sources: &Sources) -> String {
    let text = |span: Span| sources.text(span.file)[span.start as usize..span.end as usize].to_owned();
    let mut out = String::new();
    for diagnostic in failure {
        out += &format!("{}: {}\n", diagnostic.code.as_str(), diagnostic.message);
        for label in &diagnostic.labels {
            let place = sources.position(label.span.file, label.span.start);
            out += &format!("  {}:{} `{}` {}\n", place.line, place.column, text(label.span), label.text);
        }
        for frame in &diagnostic.trace {
            out += &format!("  {} `{}`\n", frame.text, frame.span.map_or(String::new(), text));
        }
        for hint in &diagnostic.hints {
            out += &format!("  help: {hint}\n");
        }
    }
    out
}

#[track_caller]
fn failure(template: &str, values: &str) -> String {
    let (result, _, sources) = one(template, values, |_| {});
    shown(&result.expect_err("a failure"), &sources)
}

#[test]
fn errors_name_the_place_the_way_and_the_fix() {
    let cases = [
        (
            "{{ define \"h\" }}{{ .Values.imge.tag }}{{ end }}\nimage: {{ include \"h\" . | quote }}\n",
            "image: {tag: x}",
        ),
        ("{{ .Values.a.b.c }}", "a: {}"),
        ("{{ .Values.a | uper }}", "a: x"),
        ("{{ env \"HOME\" }}", ""),
        ("{{ if .Values.a }}x", "a: x"),
        ("{{ .Values.my-key }}", ""),
        ("{{ $x }}", ""),
        ("{{ include \"t.nme\" . }}{{ define \"t.name\" }}{{ end }}", ""),
        ("{{ template \"t.nme\" . }}{{ define \"t.name\" }}{{ end }}", ""),
        ("{{ required \"set `a`\" .Values.a }}", ""),
        ("{{ if eq .Values.a 1 }}{{ end }}", "a: 1"),
        ("{{ .Values.a | upper }}", "a: 1"),
        ("a: {{ tpl .Values.t . }}", "t: \"{{ .Values.x.y }}\""),
        ("a: {{ tpl .Values.t . }}", "t: \"{{ nope }}\""),
        ("{{ range .Values.count }}{{ end }}", "count: 3"),
        ("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}", ""),
    ];
    let shown: Vec<String> =
        cases.iter().map(|(template, values)| format!("{template}\n{}", failure(template, values))).collect();
    insta::assert_snapshot!("helm_errors", shown.join("\n"));
}

#[test]
fn output_maps_to_the_template_and_to_the_values_it_read() {
    let template =
        "{{ define \"h\" }}h: {{ .Values.b.c }}{{ end }}a: {{ .Values.a | quote }}<no value>\n{{ include \"h\" . }}\nz";
    let (result, reads, sources) = one(template, "a: x\nb:\n  c: w\nd: z\n", |context| context.record_reads = true);
    let output = result.expect("an output");
    assert_eq!(output.text, "a: \"x\"\nh: w\nz");
    let text = |span: Span| &sources.text(span.file)[span.start as usize..span.end as usize];
    let place = |part: &str| {
        let offset = output.text.find(part).expect("part") as u32;
        let span = output.map.template(offset).expect("a place");
        let values: Vec<&str> = output.map.values(offset).iter().map(|&span| text(span)).collect();
        (span.start as usize, text(span), values)
    };
    assert_eq!(place("a: "), (template.find("a: ").unwrap(), "", vec![]));
    assert_eq!(place("\"x\"").1, "{{ .Values.a | quote }}");
    assert_eq!(place("\"x\"").2, ["x"]);
    assert_eq!(place("h: ").0, template.find("h: ").unwrap());
    assert_eq!(place("w").1, "{{ .Values.b.c }}");
    assert_eq!(place("w").2, ["w"]);
    assert_eq!(place("z").0, template.len() - 1);
    let paths: Vec<String> = reads.paths.keys().map(|path| path.join(".")).collect();
    assert_eq!(paths, ["a", "b", "b.c"]);
}

#[test]
fn reads_tell_whole_values_from_the_way_to_them() {
    let template = "{{ toYaml .Values.w }}{{ if .Values.m.a }}{{ end }}{{ range .Values.l }}{{ .x }}{{ end }}\
                    {{ get .Values.m \"g\" }}{{ dig \"p\" \"q\" 0 (.Values.d | merge (dict)) }}{{ with .Values.s }}{{ . }}{{ end }}\
                    {{ (index .Values \"i\" \"j\").k }}";
    let values = "w: {a: {b: 1}}\nm: {a: 1, g: 2, no: 3}\nl: [{x: 1, y: 2}]\nd: {p: {q: 1}}\ns: t\ni: {j: {k: 1, l: 2}}\nunused: 1\n";
    let (result, reads, _) = one(template, values, |context| context.record_reads = true);
    result.expect("an output");
    let paths: Vec<String> =
        reads.paths.iter().map(|(path, whole)| path.join(".") + if *whole { "*" } else { "" }).collect();
    assert_eq!(paths.join(" "), "d* d.p* d.p.q* i i.j i.j.k* l l.0 l.0.x* m m.a* m.g* s* w* w.a*");
}

#[test]
fn seeds_repeat_and_templates_do_not_share_numbers() {
    let render = |seed| {
        let template = "{{ randAlphaNum 20 }} {{ uuidv4 }}";
        one(template, "", |context| context.seed = seed).0.expect("an output").text
    };
    assert_eq!(render(Some(1)), render(Some(1)));
    assert_ne!(render(Some(1)), render(Some(2)));
    assert_ne!(render(None), render(None));
}

/// Each is in docs/compatibility.md; what Helm gives stands beside what we give.
#[test]
fn known_differences_are_as_documented() {
    for (template, ours, helm) in [
        ("{{ $l := splitList \",\" \"b,a\" }}{{ sortAlpha $l }}{{ $l }}", "[a b][b a]", "[a b][a b]"),
        ("{{ contains (trunc 1 \"é\") \"é\" }}", "false", "true"),
        ("{{ len \"\\U0010ffff\" }}", "1", "4"),
        ("{{ slice (slice (list 1 2 3) 0 1) 0 3 }}", "an error", "[1 2 3]"),
        ("{{ slice (until 5) 0 6 }}", "an error", "[0 1 2 3 4 0]"),
        (
            "{{ fromToml \"[a]\\nx = {\\\"\\\" = {}}\\n[a.x.z]\" }}",
            "map[Error:toml: line 3: cannot extend value of type inline table with a dotted key]",
            "map[a:map[x:map[:map[] z:map[]]]]",
        ),
    ] {
        let (output, ..) = one(template, "{}", |context| context.time_zone = Some("UTC".into()));
        assert_eq!(output.map_or("an error".into(), |output| output.text), ours, "{template}");
        assert_ne!(ours, helm, "{template} is no difference any more");
    }
}

/// Go tells of an `else` in a `block` at the line of the block, in a `define` at its own.
#[test]
fn parse_errors_are_told_at_the_line_that_go_names() {
    for (template, line, message) in [
        ("x\n{{ block \"b\" . }}a\n\n{{ else }}\n\n{{ end }}", 2, "unexpected {{else}} in block clause"),
        ("x\n{{ define \"b\" }}\n\n{{ else }}{{ end }}", 4, "unexpected {{else}} in define clause"),
        (
            "{{ block \"b\" . }}\n{{ if true }}\n{{ else }}\n{{ else }}{{ end }}{{ end }}",
            4,
            "expected end; found {{else}}",
        ),
    ] {
        let shown = failure(template, "{}");
        let mut lines = shown.lines();
        assert_eq!(lines.next(), Some(&*format!("template-syntax: {message}")), "{shown}");
        assert!(lines.next().is_some_and(|place| place.starts_with(&format!("  {line}:"))), "{shown}");
    }
}

#[test]
fn structs_print_and_answer_as_in_go() {
    let cases = [
        (
            r#"{{ printf "%d|%+v|%5s" .Capabilities.KubeVersion .Capabilities.KubeVersion .Capabilities.KubeVersion }}"#,
            r"{%!d(string=v1.37.0) %!d(string=v1.37.0) %!d(string=1) %!d(string=37)}|{Version:v1.37.0 normalizedVersion:v1.37.0 Major:1 Minor:37}|{v1.37.0 v1.37.0     1    37}",
        ),
        (
            r#"{{ printf "%#v" .Capabilities.HelmVersion }}"#,
            r#"version.BuildInfo{Version:"v4.3.1", GitCommit:"c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff", GitTreeState:"clean", GoVersion:"go1.27.2", KubeClientVersion:"v1.37"}"#,
        ),
        (
            r#"{{ $s := semver "1.2.3-a+b" }}{{ printf "%v %d %+v" $s $s $s }} {{ printf "%#v" $s }} {{ printf "%t" (list $s | len) }}"#,
            r#"1.2.3-a+b &{1 2 3 %!d(string=a) %!d(string=b) %!d(string=1.2.3-a+b)} 1.2.3-a+b &semver.Version{major:0x1, minor:0x2, patch:0x3, pre:"a", metadata:"b", original:"1.2.3-a+b"} %!t(int=1)"#,
        ),
        (
            r#"{{ $t := toDate "2006-01-02" "2023-05-06" }}{{ printf "%v|%#v|%q" $t $t.UTC $t }} {{ $t.GoString }} {{ printf "%d %f" $t.UTC $t.UTC }}"#,
            r#"2023-05-06 00:00:00 +0000 UTC|time.Date(2023, time.May, 6, 0, 0, 0, 0, time.UTC)|"2023-05-06 00:00:00 +0000 UTC" time.Date(2023, time.May, 6, 0, 0, 0, 0, time.Local) {0 63818928000 0} {%!f(uint64=0) %!f(int64=63818928000) %!f(*time.Location=<nil>)}"#,
        ),
        (
            r#"{{ $d := mustToDuration "90s" }}{{ printf "%v %d %#v %e %x" $d $d $d $d $d }} {{ html $d $d "a" }}"#,
            r"1m30s 90000000000 90000000000 %!e(time.Duration=90000000000) 316d333073 1m30s 1m30sa",
        ),
        (r#"{{ printf "%w %w" (semver "1.0.0") 1 }}"#, r"%!w(*semver.Version=&{1 0 0   1.0.0}) %!w(int=1)"),
        (
            r#"{{ index "é" 1 | kindOf }} {{ index (.Files.GetBytes "x" | default "ab") 0 | typeOf }} {{ printf "%T %#v" (index "a" 0) (index "a" 0) }} {{ range $i, $b := list (index "c" 0) }}{{ add $b 1 }} {{ eq $b 99 }}{{ end }}"#,
            r"uint8 uint8 uint8 0x61 100 true",
        ),
        (
            r#"{{ (toDate "2006" "2023").Add 1500 }} {{ (toDate "2006" "2023").Add 1e9 }}"#,
            r"2023-01-01 00:00:00.0000015 +0000 UTC 2023-01-01 00:00:01 +0000 UTC",
        ),
        (
            r#"{{ deepCopy (semver "1.2.3") }} [{{ (deepCopy (semver "1.2.3")).Original }}] {{ print (deepCopy .Capabilities).KubeVersion }}"#,
            r"0.0.0 [] {v1.37.0  1 37}",
        ),
        (
            r#"{{ toToml .Capabilities.KubeVersion }}{{ toPrettyJson (dict "k" .Capabilities.KubeVersion) }}"#,
            "Version = \"v1.37.0\"\nMajor = \"1\"\nMinor = \"37\"\n{\n  \"k\": {\n    \"Version\": \"v1.37.0\",\n    \"Major\": \"1\",\n    \"Minor\": \"37\"\n  }\n}",
        ),
        (
            r#"{{ toYamlPretty (dict "v" .Capabilities.HelmVersion "t" (toDate "2006" "2020") "d" (mustToDuration "90s")) }}"#,
            "d: 1m30s\nt: 2020-01-01T00:00:00Z\nv:\n  version: v4.3.1\n  gitcommit: c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff\n  gittreestate: clean\n  goversion: go1.27.2\n  kubeclientversion: v1.37",
        ),
        (r#"{{ range mustToDuration "3ns" }}{{ . }} {{ end }}"#, r"0s 1ns 2ns "),
        (
            r#"{{ add 1 (toDate "2006" "2023").Month }} {{ float64 (toDate "2006" "2023").Month }} {{ int64 (mustToDuration "5ns") }}"#,
            r"2 1 0",
        ),
        (
            r#"{{ printf "%[1]*d|%*d" 9223372036854775807 (int64 -9223372036854775808) 1 }}"#,
            r"%!(BADWIDTH)-9223372036854775808|%!d(MISSING)",
        ),
        (
            r#"{{ range $text := list "\xff" "a: \xc3" "a: \xc3\nb: c" "a: \xed\xa0\x80" "a: \xc0\x80" }}{{ (fromYaml $text).Error | trimPrefix "error converting YAML to JSON: yaml: " }};{{ end }}"#,
            "invalid leading UTF-8 octet;incomplete UTF-8 octet sequence;invalid trailing UTF-8 octet;invalid Unicode character;invalid length of a UTF-8 sequence;",
        ),
        (r#"{{ printf "%\xe9" 1 }}"#, r"%!�(int=1)"),
    ];
    for (template, expected) in cases {
        let (output, ..) = one(template, "{}", |context| context.time_zone = Some("UTC".into()));
        assert_eq!(output.expect(template).text, expected, "{template}");
    }
    let refused = [
        (r#"{{ (toDate "2006" "2023").Clock }}"#, r"function Clock has 3 return values; should be 1 or 2"),
        (
            r#"{{ (toDate "2006" "2023").ISOWeek }}"#,
            r"invalid function signature for ISOWeek: second return value should be error; is int",
        ),
        (r#"{{ (toDate "2006" "2023").Format "2006" 1 }}"#, r"wrong number of args for Format: want 1 got 2"),
        (r#"{{ (toDate "2006" "2023").Before 3 }}"#, r"can't handle 3 for arg of type time.Time"),
        (r#"{{ (toDate "2006" "2023").Add "5m" }}"#, r#"expected integer; found "5m""#),
        (r#"{{ (toDate "2006" "2023").Nope (upper) }}"#, r"can't evaluate field Nope in type time.Time"),
        (r#"{{ (semver "1.0.0").Compare (semver "1.0.0") 3 }}"#, r"wrong number of args for Compare: want 1 got 2"),
        (r#"{{ len (semver "1.0.0") }}"#, r"error calling len: len of type semver.Version"),
        (r#"{{ len (index "a" 0) }}"#, r"error calling len: len of type uint8"),
        (
            r"{{ eq .Capabilities.KubeVersion 3 }}",
            r"error calling eq: incompatible types for comparison: common.KubeVersion and int",
        ),
    ];
    for (template, expected) in refused {
        let case = serde_json::json!({ "template": template, "values": "{}" });
        let found = render(&case).expect_err(template);
        assert!(found.ends_with(expected), "{template}: {found}");
    }
}

#[test]
fn nil_maps_are_null() {
    let template = r#"{{ toJson .Chart.Annotations }} {{ toYaml .Chart.Annotations }} {{ .Chart.Annotations }} {{ printf "%#v" .Chart.Annotations }}
{{ fromJson "null" | toJson }} {{ fromYaml "" | toJson }} {{ dict "x" (fromJson "null") | deepCopy | toJson }}"#;
    let (output, ..) = one(template, "{}", |_| {});
    let expected = "null null map[] map[string]string(nil)\nnull {} {\"x\":null}";
    assert_eq!(output.expect("text").text, expected);
    let (failure, ..) = one("{{ coalesce.b }}", "{}", |_| {});
    assert_eq!(failure.expect_err("a failure")[0].message, "nil pointer evaluating interface {}.b");
    let (failure, ..) = one("{{ set (fromJson \"null\") \"a\" 1 }}", "{}", |_| {});
    assert!(failure.expect_err("a failure")[0].message.contains("assignment to entry in nil map"));
}

#[test]
fn named_templates_can_be_called_from_outside() {
    let case = serde_json::json!({ "template": "{{ define \"n\" }}{{ .Chart.Name }}-{{ .Chart.Type }}{{ end }}", "values": "a: 1" });
    let folder = chart(&case);
    let mut sources = Sources::default();
    let chart = load(&folder.path().join("t"), &mut sources).expect("a chart");
    let assembly =
        assemble(&chart, &Layered::none(), context(), Options::default(), &mut sources).expect("an assembly");
    let mut engine = Engine::new(assembly.project).expect("an engine");
    assert_eq!(engine.include("n", 0, Argument::Root).expect("text"), "t-");
    let data = chart::value::Value::map([("Chart", chart::value::Value::map([("Name", "x".into())]))]);
    assert_eq!(engine.include("n", 0, Argument::Value(data)).expect("text"), "x-");
    let failure = engine.include("m", 0, Argument::Root).expect_err("a failure");
    assert_eq!(failure[0].message, "no template `m`");
}

#[test]
fn hostile_templates_end_in_errors() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| open.repeat(count) + inner + &close.repeat(count);
    let many_names: String = (0..300)
        .map(|number| {
            format!("{{{{ define \"r{number}\" }}}}{{{{ include \"r{}\" . }}}}{{{{ end }}}}", (number + 1) % 300)
        })
        .collect();
    let cases: Vec<(String, &str)> = vec![
        ("{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}".into(), "nested reference name: r"),
        ("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}".into(), "maximum template depth"),
        ("{{ tpl .Values.t . }}".into(), "nest too deep"),
        (many_names + "{{ include \"r0\" . }}", "nest too deep"),
        (format!("{{{{ {} }}}}", nested("(", "1", ")", 10_001)), "max expression depth exceeded"),
        ("{{ range 9000000000000000000 }}{{ end }}".into(), "too many steps"),
        ("{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}".into(), "too many steps"),
        ("{{ $s := \"xxxxxxxx\" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}".into(), "text is too large"),
        ("{{ $s := \"x\" }}{{ range until 200 }}{{ $s = b64enc $s }}{{ end }}".into(), "text is too large"),
        ("{{ $l := list 1 2 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}".into(), "too many steps"),
        (format!("{{{{ range until 100000 }}}}{}{{{{ end }}}}", "x".repeat(1000)), "output is too large"),
        ("{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ $d }}".into(), "too large"),
        ("{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ $e := deepCopy $d }}".into(), "too"),
        ("{{ until 9000000000000 }}".into(), "too"),
        ("{{ repeat 1000000000000 \"ab\" }}".into(), "too"),
    ];
    let exponential = "{{ if gt (len .n) 0 }}{{ tpl .t (dict \"t\" .t \"n\" (rest .n)) }}{{ tpl .t . }}{{ end }}";
    let values = serde_json::json!({ "t": "{{ tpl .Values.t . }}", "e": exponential }).to_string();
    for (template, expected) in cases
        .iter()
        .map(|(template, expected)| (template.as_str(), *expected))
        .chain([("{{ tpl .Values.e (dict \"t\" .Values.e \"n\" (until 60)) }}", "")])
    {
        let limit = |context: &mut Context| {
            context.limits.fuel = 3_000_000;
            context.limits.output = 4 << 20;
        };
        let (result, _, _) = one(template, &values, limit);
        let start: String = template.chars().take(80).collect();
        let failure = result.expect_err(&start);
        assert!(failure[0].message.contains(expected), "{start}: {}", failure[0].message);
    }
}

#[test]
fn deep_nesting_renders() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| open.repeat(count) + inner + &close.repeat(count);
    let text = |template: &str| one(template, "a: 1", |_| {}).0.expect("an output").text;
    assert_eq!(text(&nested("{{ if true }}", "x", "{{ end }}", 20_000)), "x");
    assert_eq!(text(&format!("{{{{ {} }}}}", nested("(", ".Values.a", ")", 9_000))), "1");
    let recursive =
        "{{ define \"r\" }}{{ if . }}{{ template \"r\" (rest .) }}.{{ end }}{{ end }}{{ template \"r\" (until 3000) }}";
    assert_eq!(text(recursive), ".".repeat(3000));
    let deep = "{{ $l := list }}{{ range until 100000 }}{{ $l = list $l }}{{ end }}{{ len $l }}";
    assert_eq!(text(deep), "1");
}
