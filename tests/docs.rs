//! `chart docs`: READMEs from values, comments and schemas.

use crate::support::Folder;

const CHART: &str = "apiVersion: v2
name: web
version: 1.2.0-rc.1
appVersion: \"3.4\"
type: application
kubeVersion: \">=1.25\"
description: |
  A web server
  for everyone
home: https://example.com
sources: [https://example.com/web.git]
maintainers:
  - name: Ann
    email: ann@example.com
  - name: Bob
    url: https://example.com/bob
dependencies:
  - {name: redis, version: 1.x, repository: \"https://example.com/charts\", alias: cache}
  - {name: common, version: 2.0.0, repository: \"https://example.com/charts\"}
";

const VALUES: &str = r#"# -- How many pods
# run at once
replicas: 2
image:
  # -- (tpl/string) Where the image is
  # @default -- from the chart
  repository: "{{ .Values.global.registry }}/web"
  tag: ""
# -- Ports, as
# @raw
# - one
# - two
# @section -- Network
ports:
  - name: http
    port: 80.0
# paths."a.b" -- In the old notation
paths:
  a.b: x|y
  plain: [1, {b: 1, a: true}]
# @ignored
internal:
  key: 1
hosts:
  # -- The first one
  - host: a
    path: /
  - host: b
empty:
# a remark that is none of the user's business
odd: 1e3
"#;

fn folder() -> Folder {
    Folder::new().file("web/Chart.yaml", CHART).file("web/values.yaml", VALUES)
}

#[test]
fn a_page_is_written_without_a_template() {
    let folder = folder();
    assert_eq!(folder.run("docs web").ok().stderr, "wrote web/README.md\n");
    insta::assert_snapshot!(folder.read("web/README.md"));
    // It may be written again.
    folder.run("docs web --sort file").ok();
    let rows = folder.read("web/README.md");
    let at = |key: &str| rows.find(&format!("| {key} |")).expect("a row");
    assert!(at("replicas") < at("image.repository"), "{rows}");
    let images = folder.run("docs web -o - --badge-style flat").ok().stdout;
    let badge = "![Version: 1.2.0-rc.1](https://img.shields.io/badge/Version-1.2.0--rc.1-informational?style=flat)";
    assert!(images.contains(badge), "{images}");
}

#[test]
fn a_schema_tells_what_comments_do_not() {
    let schema = r##"{"properties": {"empty": {"$ref": "#/definitions/many"}}, "definitions":
        {"many": {"type": ["array", "null"], "description": "Nothing yet"}}}"##;
    let page = folder().file("web/values.schema.json", schema).run("docs web -o -").ok().stdout;
    assert!(page.contains("| empty | list | `nil` | Nothing yet |"), "{page}");
}

#[test]
fn comments_count_as_descriptions_where_none_is_marked() {
    let folder = Folder::new().file("web/Chart.yaml", CHART).file(
        "web/values.yaml",
        "# Nodes | pods\nreplicas: 1\n## @section Images\n## @param image.tag Which one\nimage:\n  # Not this\n  tag: 1\n",
    );
    let page = folder.run("docs web -o -").ok().stdout;
    assert!(page.contains("### Images\n\n| Key"), "{page}");
    assert!(page.contains("| image.tag | int | `1` | Which one |"), "{page}");
    assert!(page.contains("| replicas | int | `1` |  |"), "{page}");
    folder.write("web/values.yaml", "# Nodes | pods\nreplicas: 1\n");
    let page = folder.run("docs web -o -").ok().stdout;
    assert!(page.contains("| replicas | int | `1` | Nodes \\| pods |"), "{page}");
}

#[test]
fn templates_of_helm_docs_work() {
    let template = r#"{{ define "chart.valuesHeader" }}## Settings{{ end -}}
{{ template "chart.header" . }}
{{ template "chart.versionBadge" . }}{{ template "chart.appVersionBadge" . }}
{{ .Description | trim | upper }}
{{ template "chart.requirementsTable" . }}
{{ range .Values }}{{ if hasPrefix "image" .Key }}- {{ .Key }}@{{ .LineNumber }} = {{ default .AutoDefault .Default }}
{{ end }}{{ end -}}
{{ .Files.Get "extra.txt" }}
{{ template "chart.valuesSection" . }}
{{ template "chart.valuesTableHtml" . }}
"#;
    let folder = folder().file("web/README.md.gotmpl", template).file("web/extra.txt", "extra");
    folder.run("docs web").ok();
    insta::assert_snapshot!(folder.read("web/README.md"));
    folder.write("web/README.md.gotmpl", "{{ template \"chart.hedder\" . }}\n");
    insta::assert_snapshot!(folder.run("docs web").fails(1).stderr);
}

#[test]
fn jinja_templates_work() {
    let template = "{{ docs.header }}\n\n{{ chart.name }} starts {{ values.replicas }} pods.\n\
                    {% for section in docs.sections %}\n## {{ section.name | default('Rest', true) }}\n\
                    {% for row in section.rows %}\n- `{{ row.key }}` ({{ row.type }}, {{ row.default }}) {{ row.description }}\n\
                    {%- endfor %}\n{% endfor %}\n{{ docs.requirements }}\n";
    let folder = folder().file("web/README.md.j2", template);
    folder.run("docs web").ok();
    insta::assert_snapshot!(folder.read("web/README.md"));
    folder.write("web/README.md.j2", "{{ docs.headr }}\n");
    insta::assert_snapshot!(folder.run("docs web").fails(1).stderr);
}

#[test]
fn marked_parts_are_written_anew() {
    let before = "# Web\n\nBy hand.\n\n<!-- chart docs: begin chart.requirementsTable -->\n<!-- chart docs: end -->\n\n\
                  <!-- chart docs: begin -->\nstale\n<!-- chart docs: end -->\n\nMore.\n";
    let folder = folder().file("web/README.md", before);
    folder.run("docs web").ok();
    let after = folder.read("web/README.md");
    assert!(
        after.starts_with("# Web\n\nBy hand.\n\n<!-- chart docs: begin chart.requirementsTable -->\n| Repository"),
        "{after}"
    );
    assert!(after.contains("<!-- chart docs: begin -->\n## Values\n\n### Network"), "{after}");
    assert!(after.ends_with(" |\n<!-- chart docs: end -->\n\nMore.\n") && !after.contains("stale"), "{after}");
    folder.run("docs web --check").ok();
    folder.write("web/README.md", "<!-- chart docs: begin chart.none -->\n<!-- chart docs: end -->\n");
    insta::assert_snapshot!("absent_part", folder.run("docs web").fails(1).stderr);
    folder.write("web/README.md", "<!-- chart docs: begin -->\n");
    insta::assert_snapshot!("open_part", folder.run("docs web").fails(1).stderr);
}

#[test]
fn what_is_written_by_hand_stays() {
    let folder = folder().file("web/README.md", "# By hand\n");
    insta::assert_snapshot!(folder.run("docs web").fails(2).stderr);
    assert_eq!(folder.read("web/README.md"), "# By hand\n");
    folder.run("docs web --overwrite").ok();
    assert!(folder.read("web/README.md").starts_with("# web\n"));
}

#[test]
fn a_check_of_many_charts_shows_what_is_stale() {
    let folder = folder().file("more/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.0\n");
    folder.run("docs --check").fails(1);
    folder.run("docs").ok();
    folder.run("docs --check").ok();
    folder.write("more/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.1\n");
    insta::assert_snapshot!(folder.run("docs --check").fails(1).shown());
    folder.run("docs more").ok();
    folder.run("docs --check").ok();
}
