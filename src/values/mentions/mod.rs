//! Which values the text of templates mentions: a look at what no render has reached.
//!
//! This is no parser. It finds chains of names (`.Values.image.tag`, `values.image.tag`), follows them through `with`,
//! variables and literal keys, and collects the names that go on from what it cannot follow. It errs towards finding too
//! much.

mod go;
mod jinja;
mod token;

use crate::chart::Chart;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A path from a chart's values.
type Path = Vec<Arc<str>>;

/// What a template does with the value at a path. Where that is no mapping, all are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Looks at it or prints it.
    Read,
    /// Hands it on to where its keys may be read by their names.
    Taken,
    /// Goes over its keys, whatever they are.
    Iterated,
    /// Writes it with all that is in it.
    Whole,
}

/// What templates mention.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub(super) paths: HashMap<Path, Use>,
    /// Names that follow a dot where nobody knows of what, and strings that could be keys.
    pub(super) names: HashSet<Arc<str>>,
    /// The chains of those names: paths from all values, where a template hands all of them on.
    pub(super) chains: HashSet<Path>,
    /// Each mention with the offset of its action.
    places: Vec<(Path, Use, usize)>,
    at: usize,
    /// How many strings deep the text is that is looked at.
    inside: u32,
}

/// The offsets of the actions of a template that mention a value, something in it, or a mapping around it as a whole.
pub fn actions_with(name: &str, text: &str, path: &[Arc<str>]) -> Vec<usize> {
    let mut mentions = Mentions::default();
    mentions.scan(name, text);
    let fits = |mention: &[Arc<str>], kind: Use| {
        mention.starts_with(path) || kind != Use::Read && !mention.is_empty() && path.starts_with(mention)
    };
    let mut places: Vec<usize> =
        mentions.places.iter().filter(|(mention, kind, _)| fits(mention, *kind)).map(|(_, _, at)| *at).collect();
    places.dedup();
    places
}

/// The paths from a chart's own values that its templates name, those of its libraries, too, by path; whether what
/// stands there may be taken with all that it holds.
pub fn mentioned(chart: &Chart) -> Vec<(Path, bool)> {
    let libraries = chart.subcharts.iter().filter(|it| it.metadata.kind.eq_ignore_ascii_case("library"));
    let mut mentions = Mentions::default();
    for chart in [chart].into_iter().chain(libraries) {
        for file in chart.files.iter().filter(|file| file.path.starts_with("templates/")) {
            mentions.scan(&file.path, &String::from_utf8_lossy(file.data()));
        }
    }
    let mut paths: Vec<(Path, bool)> =
        mentions.paths.into_iter().map(|(path, kind)| (path, kind != Use::Read)).collect();
    paths.sort();
    paths
}

impl Mentions {
    /// Adds what a file of a chart mentions, by the dialect that its name says.
    pub(super) fn scan(&mut self, name: &str, text: &str) {
        if name.ends_with(".j2") {
            jinja::scan(text, self);
        } else {
            go::scan(text, self);
        }
    }

    /// Adds what a value mentions that may be a template in either dialect.
    pub(super) fn scan_value(&mut self, text: &str) {
        go::scan(text, self);
        jinja::scan(text, self);
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Mentions) {
        for (path, kind) in &other.paths {
            self.path(path.clone(), *kind);
        }
        self.names.extend(other.names.iter().cloned());
        self.chains.extend(other.chains.iter().cloned());
    }

    /// An action starts at this offset of the text that is looked at.
    fn start(&mut self, at: usize) {
        if self.inside == 0 {
            self.at = at;
        }
    }

    fn path(&mut self, path: Path, kind: Use) {
        self.places.push((path.clone(), kind, self.at));
        let known = self.paths.entry(path).or_insert(kind);
        *known = (*known).max(kind);
    }

    fn add_names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.names.extend(names.into_iter().filter(|name| !name.is_empty()).map(Arc::from));
    }

    /// A string that may be a key, or a path of keys: `(list "auth.password")`.
    fn key(&mut self, text: &str) {
        if text.len() > 64 || text.contains(['{', '\n', ' ', '/']) {
            return;
        }
        self.add_names(text.split('.').chain([text]));
        if text.contains('.') {
            self.path(text.split('.').map(Arc::from).collect(), Use::Read);
        }
    }
}

fn joined(path: &[Arc<str>], names: &[&str]) -> Path {
    path.iter().cloned().chain(names.iter().copied().filter(|name| !name.is_empty()).map(Arc::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(name: &str, text: &str) -> (Vec<String>, Vec<String>) {
        let mut mentions = Mentions::default();
        mentions.scan(name, text);
        let mut paths: Vec<String> =
            mentions.paths.iter().map(|(path, kind)| format!("{} {kind:?}", path.join("/"))).collect();
        let mut names: Vec<String> = mentions.names.iter().map(|name| name.to_string()).collect();
        paths.sort();
        names.sort();
        (paths, names)
    }

    #[test]
    fn go_templates_mention_paths_and_names() {
        let (paths, names) = mentions(
            "a.yaml",
            "a: .Values.not.this ${#array[@]} {{/* it's .Values.comment */}}\n\
             {{- with .Values.image -}}{{ .tag | default $.Values.appVersion }}{{ end }}{{ .Release.Name }}\n\
             {{ index .Values \"a-b\" \"c\" }} {{ include \"x.y\" (dict \"context\" $ \"v\" .context.Values.deep.er) }}\n\
             {{ (.Values.p).q }} {{ if hasKey .Values.h \"key\" }}{{ end }}{{ range $k, $v := .Values.all }}{{ $v.port }}{{ end }}\n\
             {{ $c := .Values.conf }}{{ $c.size }}{{ toYaml .Values.resources | nindent 2 }}\n\
             {{- tpl \"{{ .Values.inner }}\" . -}}{{ define \"d\" }}{{ .field }}{{ end }}{{ if eq .Values.kind \"Job\" }}{{ end }}",
        );
        let expected = [
            "a-b/c Read",
            "all Iterated",
            "appVersion Read",
            "conf Read",
            "conf/size Read",
            "deep/er Taken",
            "h Read",
            "h/key Read",
            "image Read",
            "image/tag Read",
            "inner Read",
            "kind Read",
            "p Taken",
            "resources Whole",
        ];
        assert_eq!(paths, expected);
        assert_eq!(names, ["context", "field", "port", "q", "v"]);
    }

    #[test]
    fn jinja_templates_mention_paths_and_names() {
        let (paths, names) = mentions(
            "a.yaml.j2",
            "{# values.comment #}{%- set image = values.image -%}{{ image.tag }}{{ values.resources }}\n\
             {% if values.on and values['k'] %}{{ port(values.service) }}{% endif %}\n\
             {% for name, item in values.all|items %}{{ item.size }}{% endfor %}{{ values.deep.get(\"er\") }}",
        );
        let expected = [
            "all Iterated",
            "deep Taken",
            "deep/er Whole",
            "image Read",
            "image/tag Whole",
            "k Read",
            "on Read",
            "resources Whole",
            "service Taken",
        ];
        assert_eq!(paths, expected);
        assert_eq!(names, ["er", "get", "size"]);
    }
}
