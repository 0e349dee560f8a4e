//! Output leads back to templates and values.

use super::{Case, VALUES};
use chart::template::Dialect;
use chart::template::jinja::Engine;
use std::sync::Arc;

/// Where each line of the output comes from: the template's text behind it, and the values that were read for it.
fn origins(case: &Case) -> String {
    let mut engine = Engine::new(&Arc::new(case.project.clone()));
    let output = engine.render(case.project.templates.len() - 1).unwrap_or_else(|failure| panic!("{failure:?}"));
    let mut shown = String::new();
    let mut start = 0;
    for line in output.text.split_inclusive('\n') {
        let text = line.trim_end();
        // The value of a key, or the item.
        let value = text.find(": ").map_or(text.len() - text.trim_start_matches([' ', '-']).len(), |at| at + 2);
        let at = |offset: usize| {
            let span = output.map.template((start + offset) as u32).expect("all output is mapped");
            let source = case.sources.text(span.file);
            let end = if span.end > span.start { span.end as usize } else { source.len() };
            let excerpt: String =
                source[span.start as usize..end].chars().take_while(|char| *char != '\n').take(24).collect();
            format!("{} `{excerpt}`", case.sources.locate(span).replace("web/templates/", ""))
        };
        let key = at(text.len() - text.trim_start().len());
        let end = (start + text.len()) as u32;
        let values: Vec<String> = output
            .map
            .values_in((start + value) as u32, end.max((start + value) as u32 + 1))
            .into_iter()
            .map(|span| case.sources.locate(span))
            .collect();
        let value = if value < text.len() { at(value) } else { String::new() };
        shown += &format!("{text:30} | {key} | {value} | {}\n", values.join(" "));
        start += line.len();
    }
    shown
}

#[test]
fn output_leads_back_to_templates_and_values() {
    let helpers = "{% macro labels(name, extra) %}\napp: {{ name }}\nversion: \"{{ values.image.tag }}\"\n{{ extra }}\n{% endmacro %}\n\
        {% macro pod() %}\nmetadata:\n  labels:\n    {{ labels(chart.name, {}) }}\nspec:\n  containers:\n  {% for e in values.env %}\n  - name: {{ e.name }}\n    value: {{ e.value }}\n  {% endfor %}\n{% endmacro %}\n";
    let template = "\
{% from \"_helpers.j2\" import labels, pod %}
kind: Deployment
metadata:
  name: web
  labels:
    {{ labels('web', values.labels) }}
spec:
  {% if values.replicas > 1 %}
  replicas: {{ values.replicas }}
  {% endif %}
  image: {{ values.image.repository }}:{{ values.image.tag }}
  env: {{ values.env }}
  {% set team = values.labels.team %}
  team: {{ team }}
  template:
    {{ pod() }}
  {% include \"_part.yaml.j2\" %}
script: |
  {{ values.script }}
";
    let case = Case::yaml(VALUES)
        .template("_helpers.j2", helpers)
        .template("_part.yaml.j2", "part:\n  tag: {{ values.image.tag }}\n  {{ values.labels }}\n")
        .template("t.yaml.j2", template);
    insta::assert_snapshot!("origins", origins(&case));
}
