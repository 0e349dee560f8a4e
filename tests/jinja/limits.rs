//! Hostile templates end in errors; what is within the limits works.

use super::Case;

/// Templates that would take all time or memory, each of which must end in a clear error, soon.
#[test]
fn hostile_templates_end_in_errors() {
    let grow = |step: &str, use_it: &str| {
        format!(
            "{{% set ns = namespace(l=[1]) %}}\n{{% for i in range(100) %}}\n{{% set ns.l = {step} %}}\n{{% endfor %}}\na: {use_it}\n"
        )
    };
    let shared = "[ns.l, ns.l]";
    let deep = "{% macro d(x, n) %}{{ d([x, x], n - 1) if n else x }}{% endmacro %}\na: {{ d([1], 100) }}\n".to_owned();
    let literal: String = (0..60).map(|i| format!("{{% set x{} = [x{i}, x{i}] %}}\n", i + 1)).collect();
    let nested_for: String = {
        let open: String = (0..60).map(|i| format!("{{% for y{} in [y{i}, y{i}] %}}", i + 1)).collect();
        format!("{{% set y0 = [1] %}}{open}{}", "{% endfor %}".repeat(60))
    };
    let templates: Vec<(&str, String)> = vec![
        ("shared, printed", grow(shared, "{{ ns.l }}")),
        ("shared, compared", grow(shared, "{{ ns.l == ns.l }}")),
        ("shared, as JSON", grow(shared, "{{ ns.l|tojson }}")),
        ("shared, joined", grow(shared, "{{ ns.l|join }}")),
        ("shared, as text", grow(shared, "{{ ns.l ~ 'x' }}")),
        ("shared, sorted", grow(shared, "{{ ns.l|sort }}")),
        ("shared map", grow("{'a': ns.l, 'b': ns.l}", "{{ ns.l }}")),
        ("deep", grow("[ns.l]", "{{ ns.l }}").replace("range(100)", "range(100000)")),
        ("deep, batched", grow("ns.l|batch(1)", "{{ ns.l }}").replace("range(100)", "range(100000)")),
        ("shared by a macro", deep),
        ("shared by variables", format!("{{% set x0 = [1] %}}\n{literal}a: {{{{ x60 }}}}\n")),
        ("shared by loops", nested_for),
        ("shared in a dict", grow("dict(a=ns.l, b=ns.l)", "{{ ns.l }}")),
        ("long text", "a: {{ 'x' * 10000000000 }}\n".to_owned()),
        ("doubled text", "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}\na: 1\n".to_owned()),
        ("long format", "a: {{ '%1000000000d'|format(1) }}\n".to_owned()),
        ("wide indent", "a: {{ 'x'|indent(2000000000, true) }}\n".to_owned()),
        ("wide nindent", "a: {{ 'x'|nindent(2000000000) }}\n".to_owned()),
        ("long list", "a: {{ [1] * 1000000000 }}\n".to_owned()),
        ("repeat", "a: {{ 'x'|repeat(1000000000) }}\n".to_owned()),
        ("until", "a: {{ until(1000000000) }}\n".to_owned()),
        ("range", "{% for i in range(1000000000) %}\na: 1\n{% endfor %}\n".to_owned()),
        ("loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}\n".to_owned()),
        ("output", format!("{{% for i in range(99999) %}}\n# {}\n{{% endfor %}}\n", "x".repeat(99999))),
        ("captured output", format!("{{% set x %}}{{% for i in range(99999) %}}{}{{% endfor %}}{{% endset %}}\n", "x".repeat(99999))),
        ("macros", "{% macro m(n) %}{{ m(n) }}{% endmacro %}\na: {{ m(1) }}\n".to_owned()),
        ("includes", "{% include 't.yaml.j2' %}\n".to_owned()),
        ("inheritance", "{% extends 't.yaml.j2' %}\n".to_owned()),
        ("imports", "{% import 't.yaml.j2' as t %}\n".to_owned()),
        ("tpl", "a: {{ tpl('{{ values.s|tpl }}') }}\n".to_owned()),
        ("recursive loop", "{% for i in [[1]] recursive %}{{ loop([[i, i]]) }}{% endfor %}\n".to_owned()),
        ("nested ifs", format!("{}{}", "{% if 1 %}".repeat(5000), "{% endif %}".repeat(5000))),
        ("many elifs", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(20000))),
        ("nested parentheses", format!("a: {{{{ {}1{} }}}}\n", "(".repeat(50000), ")".repeat(50000))),
        ("nested lists", format!("a: {{{{ {}1{} }}}}\n", "[".repeat(50000), "]".repeat(50000))),
        ("nots", format!("a: {{{{ {}1 }}}}\n", "not ".repeat(50000))),
        ("minuses", format!("a: {{{{ {}1 }}}}\n", "- ".repeat(50000))),
        ("sums", format!("a: {{{{ x{} }}}}\n", " + x".repeat(50000))),
        ("filters", format!("a: {{{{ [1]{} }}}}\n", "|batch(1)".repeat(50000))),
        ("attributes", format!("a: {{{{ x{} }}}}\n", ".a".repeat(50000))),
        ("conditions", format!("a: {{{{ 1{} }}}}\n", " if 1 else 2".repeat(50000))),
        ("calls", format!("a: {{{{ x{} }}}}\n", "()".repeat(50000))),
        ("regular expression", "a: {{ ('a' * 50000)|regex_match('(a*)*b{1,1000}{1,1000}') }}\n".to_owned()),
    ];
    let mut wrong = Vec::new();
    for (title, template) in templates {
        let start = std::time::Instant::now();
        let case = Case::yaml("s: '{{ values.s|tpl }}'\n").template("t.yaml.j2", &template);
        let result = case.render();
        let elapsed = start.elapsed();
        let message = match &result {
            Err(message) => message.lines().next().unwrap_or_default().to_owned(),
            Ok(text) => format!("rendered {} bytes", text.len()),
        };
        let clear = message.starts_with("error[limit-exceeded]") || message.starts_with("error[template-");
        if !clear || elapsed.as_secs() >= 10 {
            wrong.push(format!("{title}: {message} after {elapsed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_just_within_the_limits_works() {
    let templates = [
        ("sums", format!("a: {{{{ 1{} }}}}\n", " + 1".repeat(900)), "a: 901\n"),
        ("nots", format!("a: {{{{ {}1 }}}}\n", "not ".repeat(900)), "a: true\n"),
        ("minuses", format!("a: {{{{ {}1 }}}}\n", "- ".repeat(900)), "a: 1\n"),
        ("concatenations", format!("a: {{{{ values.s{} }}}}\n", " ~ values.s".repeat(230)), ""),
        ("comparisons", format!("a: {{{{ values.s{} }}}}\n", " == values.s".repeat(190)), "a: true\n"),
        ("filters", format!("a: {{{{ 'x'{} }}}}\n", "|upper".repeat(450)), "a: X\n"),
        ("choices", format!("a: {{{{ 1{} }}}}\n", " if 1 else 2".repeat(400)), "a: 1\n"),
        ("elifs", format!("a: {{% if 0 %}}{}{{% endif %}}\nb: 1\n", "{% elif 0 %}x".repeat(199)), "a: \nb: 1\n"),
        ("nested", format!("{}a: 1\n{}", "{% if 1 %}\n".repeat(70), "{% endif %}\n".repeat(70)), "a: 1\n"),
        ("parentheses", format!("a: {{{{ {}1{} }}}}\n", "(".repeat(70), ")".repeat(70)), "a: 1\n"),
        (
            "macros",
            "{% macro m(n) %}{{ m(n - 1) if n else 'end' }}{% endmacro %}\na: {{ m(70) }}\n".to_owned(),
            "a: end\n",
        ),
        ("depth", format!("a: {{{{ {}1{} }}}}\n", "[".repeat(60), "]".repeat(60)), ""),
    ];
    for (title, template, expected) in templates {
        let text = Case::yaml("s: x\n").template("t.yaml.j2", &template).render();
        let text = text.unwrap_or_else(|message| panic!("{title}: {}", message.lines().next().unwrap_or_default()));
        assert!(expected.is_empty() || text == expected, "{title}: {text}");
    }
}
