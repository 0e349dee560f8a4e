//! Charts with templates of both dialects.

use crate::support::Folder;

#[test]
fn jinja_calls_named_go_templates() {
    let folder = Folder::new()
        .file("mix/Chart.yaml", "apiVersion: v2\nname: mix\nversion: 1.0.0\n")
        .file("mix/templates/_h.tpl", "{{ define \"mix.labels\" }}app: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}{{ end }}{{ define \"mix.name\" }}{{ .name }}-x{{ end }}")
        .file("mix/templates/a.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include('mix.name', {'name': 'web'}) }}\n  labels:\n    {{ include('mix.labels') }}\n")
        .file("mix/templates/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n");
    let run = folder.run("render r mix").ok();
    assert!(
        run.stdout.contains("metadata:\n  name: web-x\n  labels:\n    app: mix\n    release: r\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("name: b\n"), "{}", run.stdout);
}
