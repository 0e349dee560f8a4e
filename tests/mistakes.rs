//! Mistakes that people make, on the chart that ships: each is told at the template's line and at the values' line.

use crate::support::Folder;

/// What goes wrong, and the places that the message must name.
struct Mistake {
    about: &'static str,
    /// The text of `v.yaml`.
    values: &'static str,
    /// A change of the chart: a file, what stands there, and what comes instead.
    change: Option<(&'static str, &'static str, &'static str)>,
    places: &'static [&'static str],
}

const fn values(about: &'static str, values: &'static str, places: &'static [&'static str]) -> Mistake {
    Mistake { about, values, change: None, places }
}

const fn template(
    about: &'static str,
    change: (&'static str, &'static str, &'static str),
    places: &'static [&'static str],
) -> Mistake {
    Mistake { about, values: "replicas: 3\n", change: Some(change), places }
}

const DEPLOYMENT: &str = "templates/deployment.yaml.j2";
const SERVICE: &str = "templates/service.yaml.j2";

const MISTAKES: &[Mistake] = &[
    values("a word for a number", "replicas: three\n", &["v.yaml:1:11", "deployment.yaml.j2:8:16"]),
    values("a misspelt value", "replicsa: 3\n", &["v.yaml:1:1", "did you mean `replicas`?"]),
    values(
        "a field in the wrong plural",
        "resources:\n  limit:\n    memory: 1Gi\n",
        &["v.yaml:2:3", "deployment.yaml.j2:"],
    ),
    values("a word in the wrong case", "image:\n  pullPolicy: always\n", &["v.yaml:2:15", "deployment.yaml.j2:"]),
    values("a port that is none", "ports:\n  http:\n    containerPort: 80800\n", &["v.yaml:3:20", ".yaml.j2:"]),
    values("a number for a text", "podAnnotations:\n  revision: 7\n", &["v.yaml:2:13", "deployment.yaml.j2:"]),
    values(
        "a misspelt field in a probe",
        "probes:\n  liveness:\n    httpGet:\n      path: /\n      prt: http\n",
        &["v.yaml:5:7", "deployment.yaml.j2:", "rendered service/templates/deployment.yaml:"],
    ),
    values(
        "a text for a boolean",
        "podSecurityContext:\n  runAsNonRoot: \"yes\"\n",
        &["v.yaml:2:17", "deployment.yaml.j2:", "rendered service/templates/deployment.yaml:"],
    ),
    values(
        "an amount in no unit",
        "resources:\n  requests:\n    cpu: 100mm\n",
        &["v.yaml:3:10", "deployment.yaml.j2:", "rendered service/templates/deployment.yaml:"],
    ),
    values(
        "a misspelt field deep in a value",
        "affinity:\n  podAntiAffinty:\n    requiredDuringSchedulingIgnoredDuringExecution: []\n",
        &["v.yaml:2:3", "deployment.yaml.j2:", "did you mean `podAntiAffinity`?"],
    ),
    values(
        "a misspelt word of an enumeration",
        "tolerations:\n  - key: spot\n    operator: Exists\n    effect: NoShedule\n",
        &["v.yaml:4:13", "deployment.yaml.j2:"],
    ),
    values("a bad indent in values", "image:\n  repository: shop\n tag: \"1\"\n", &["v.yaml:3:2"]),
    values("a missing quote in values", "image:\n  tag: \"1.2\nreplicas: 3\n", &["v.yaml:"]),
    values("a key twice", "replicas: 2\nimage: {}\nreplicas: 3\n", &["v.yaml:3:1", "this one is lost"]),
    template(
        "a misspelt field in a template",
        (DEPLOYMENT, "  replicas: {{", "  replica: {{"),
        &["deployment.yaml.j2:8:3", "v.yaml:1:11", "did you mean `replicas`?"],
    ),
    template(
        "a bad indent in a template",
        (DEPLOYMENT, "      terminationGracePeriodSeconds:", "     terminationGracePeriodSeconds:"),
        &["deployment.yaml.j2:4"],
    ),
    template(
        "a missing quote in a template",
        (DEPLOYMENT, "prometheus.io/scrape: \"true\"", "prometheus.io/scrape: \"true"),
        &["deployment.yaml.j2:"],
    ),
    template(
        "a name that is not in the values",
        (DEPLOYMENT, "values.replicas", "values.replicass"),
        &["deployment.yaml.j2:8:", "did you mean"],
    ),
    template(
        "a filter that is not there",
        (DEPLOYMENT, "{{ values.podAnnotations }}", "{{ values.podAnnotations | to_jsn }}"),
        &["deployment.yaml.j2:"],
    ),
    template(
        "a block that does not end",
        (SERVICE, "{% endif %}\n    {% endfor %}", "{% endfor %}"),
        &["service.yaml.j2:"],
    ),
    template(
        "an API version that is gone",
        (DEPLOYMENT, "apiVersion: apps/v1\n", "apiVersion: apps/v1beta1\n"),
        &["deployment.yaml.j2:2:", "apps/v1"],
    ),
    template(
        "a value in the wrong place",
        (SERVICE, "port: {{ port.port }}", "port: {{ port }}"),
        &["service.yaml.j2:14:", "values.yaml:"],
    ),
];

#[test]
fn every_mistake_is_told_where_it_was_made() {
    let mut shown = String::new();
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        let folder = Folder::new().copy("charts/service", "service").file("v.yaml", mistake.values);
        if let Some((file, from, to)) = mistake.change {
            let text = folder.read(&format!("service/{file}"));
            assert!(text.contains(from), "{}: `{from}` is not in {file}", mistake.about);
            folder.write(&format!("service/{file}"), text.replacen(from, to, 1));
        }
        let run = folder.run("render demo service -f v.yaml --set metrics.prometheus.enabled=true");
        shown += &format!("## {}\n{}\n", mistake.about, run.stderr);
        for place in mistake.places {
            if run.code != 1 || !run.stdout.is_empty() || !run.stderr.contains(place) {
                wrong.push(format!("{}: {place} in\n{}", mistake.about, run.shown()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(MISTAKES.len() >= 20);
    insta::assert_snapshot!(shown);
}

/// A deployment in each dialect whose variables come of a loop over a mapping, and whose image has an empty tag.
const LOOPS: &[(&str, &str)] = &[
    (
        "templates/a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      \
         image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n      env:\n        \
         {{- range $key, $value := .Values.env }}\n        - name: {{ $key }}\n          value: {{ $value }}\n        \
         {{- end }}\n      args:\n        {{- range .Values.args }}\n        - {{ . }}\n        {{- end }}\n      \
         livenessProbe:\n        {{- toYaml .Values.probe | nindent 8 }}\n",
    ),
    (
        "templates/a.yaml.j2",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      \
         image: {{ values.image.repository }}:{{ values.image.tag }}\n      env:\n        \
         {% for key, value in values.env | items %}\n        - name: {{ key }}\n          value: {{ value }}\n        \
         {% endfor %}\n      livenessProbe: {{ values.probe }}\n",
    ),
];

#[test]
fn mistakes_in_loops_and_in_empty_texts_are_told_at_the_value() {
    for (path, text) in LOOPS {
        let folder = Folder::new()
            .file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n")
            .file(
                "c/values.yaml",
                "image:\n  repository: nginx\n  tag: \"\"\nenv:\n  LEVEL: info\n  DEBUG: true\nargs:\n  - a\n  - 1\n\
                 probe:\n  periodSeconds: 5\n",
            )
            .file(&format!("c/{path}"), *text);
        let stderr = folder.run("render a c").fails(1).stderr;
        for place in ["3 │   tag: \"\"", "values.yaml:6:", "values.yaml:11:3", &format!("{path}:")] {
            assert!(stderr.contains(place), "{path}: {place} is not in\n{stderr}");
        }
        if path.ends_with(".yaml") {
            assert!(stderr.contains("values.yaml:9:5"), "{stderr}");
        }
    }
}
