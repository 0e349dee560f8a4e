//! What users see who make mistakes.

use super::{Case, VALUES};

/// What a user sees who makes a mistake in a template.
#[track_caller]
fn mistake(template: &str) -> String {
    let helpers = "{% macro labels(name) %}\napp: {{ name }}\nteam: {{ values.labels.taem }}\n{% endmacro %}\n\
        {% macro full(a, b) %}{{ a }}-{{ b }}{% endmacro %}\n";
    let case = Case::yaml(VALUES)
        .template("_helpers.j2", helpers)
        .template("_broken.j2", "{% if x %}\n")
        .template("_deep.j2", "x: {{ values.nope }}\n")
        .template("t.yaml.j2", template);
    match case.render() {
        Err(message) => message,
        Ok(text) => panic!("rendered to\n{text}"),
    }
}

#[test]
fn mistakes_are_explained() {
    let mistakes = [
        ("a misspelt value", "kind: X\nimage: {{ values.imag.tag }}\n"),
        ("a misspelt key deeper", "tag: {{ values.image.tga }}\n"),
        ("a value one level up", "n: {{ values.image.replicas }}\n"),
        ("a value one level down", "n: {{ values.tag }}\n"),
        ("a key of a string", "n: {{ values.image.tag.minor }}\n"),
        ("an unknown name", "n: {{ valeus.replicas }}\n"),
        ("a value without `values`", "n: {{ replicas }}\n"),
        ("a misspelt release", "n: {{ release.nmae }}\n"),
        ("a misspelt key of a loop variable", "{% for e in values.env %}\n- {{ e.vlaue }}\n{% endfor %}\n"),
        ("an unknown filter", "n: {{ values.image.tag|uper }}\n"),
        ("Helm's filter name", "n: {{ values.labels|toYaml|nindent(2) }}\n"),
        ("an unknown function", "n: {{ requird('x', values.image) }}\n"),
        ("an unknown test", "{% if values.image is defind %}\na: 1\n{% endif %}\n"),
        ("Helm's syntax", "n: {{ .Values.image.tag }}\n"),
        ("Helm's if", "{{ if values.image }}\na: 1\n{{ end }}\n"),
        ("an unclosed block", "a: 1\n{% if values.image %}\nb: 2\n"),
        ("a wrong end", "{% for e in values.env %}\n- {{ e.name }}\n{% endif %}\n"),
        ("an unclosed expression", "a: {{ values.image.tag }\nb: 1\n"),
        ("a missing quote", "image: \"{{ values.image.repository }}:{{ values.image.tag }}\npolicy: \"Always\"\n"),
        ("a missing quote at the end", "image: \"{{ values.image.repository }}\nb: 1\n"),
        ("a map in a string", "a: \"{{ values.image }}\"\n"),
        ("a map in a value with text", "a: x-{{ values.image }}\n"),
        ("a map as a key", "{{ values.image }}: 1\n"),
        ("several lines in single quotes", "a: '{{ values.script }}'\n"),
        ("a missing template", "{% include \"_helper.j2\" %}\n"),
        ("a missing import", "{% from \"_helpers.j2\" import lables %}\na: {{ lables('x') }}\n"),
        ("a template that includes itself", "a: 1\n{% include \"t.yaml.j2\" %}\n"),
        ("a macro without end", "{% macro m(x) %}{{ m(x) }}{% endmacro %}\na: {{ m(1) }}\n"),
        ("too many arguments", "{% from \"_helpers.j2\" import full %}\na: {{ full(1, 2, 3) }}\n"),
        ("a wrong argument name", "{% from \"_helpers.j2\" import full %}\na: {{ full(1, c=2) }}\n"),
        ("a mistake in a macro of another file", "{% from \"_helpers.j2\" import labels %}\na:\n  {{ labels('x') }}\n"),
        ("a mistake in an included file", "a: 1\n{% include \"_deep.j2\" %}\n"),
        ("an included file that does not parse", "a: 1\n{% include \"_broken.j2\" %}\n"),
        ("an import of a file that does not parse", "{% import \"_broken.j2\" as b %}\na: 1\n"),
        ("an argument of the wrong type", "a: {{ values.image|trunc(5) }}\n"),
        ("a wrong number of arguments", "a: {{ values.image.tag|trunc }}\n"),
        ("a required value", "a: {{ values.host|required('set `host` to the public name') }}\n"),
        ("a failure on purpose", "{% if values.replicas > 1 %}\n{{ fail('only one replica') }}\n{% endif %}\n"),
        ("two lines joined", "a: {{ values.replicas -}}\nb: {{ values.replicas }}\n"),
        ("a tab", "a:\n\tb: {{ values.replicas }}\n"),
        ("a colon in a plain value", "a: see: {{ values.replicas }}\n"),
        ("an expression behind a quoted value", "a: \"x\" {{ values.replicas }}\n"),
        ("a loop over a number", "{% for i in values.replicas %}\n- {{ i }}\n{% endfor %}\n"),
        ("adding text to a number", "a: {{ values.image.tag + values.replicas }}\n"),
        ("a macro that is not called", "{% from \"_helpers.j2\" import full %}\na: {{ full }}\n"),
        (
            "a loop without end",
            "{% for a in range(9999) %}\n{% for b in range(9999) %}\n{% set c = a + b %}\n{% endfor %}\n{% endfor %}\n",
        ),
    ];
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(title, template)| format!("# {title}\n{}\n{}\n", template.trim_end(), mistake(template)))
        .collect();
    insta::assert_snapshot!("mistakes", shown.join("\n"));
}
