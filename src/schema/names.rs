//! The grammars of names: objects, labels, ports, environment variables, images.
//!
//! Sources: RFC 1123 and RFC 1035 as Kubernetes reads them (`k8s.io/apimachinery/pkg/util/validation`), and the
//! reference grammar of the OCI distribution specification.

use std::borrow::Cow;

/// What is wrong with a name: a phrase that fits behind "`x` is not valid: ".
pub type Fault = Cow<'static, str>;

/// A label: lower-case letters, digits and `-`, at most 63.
pub fn dns_label(text: &str) -> Option<Fault> {
    length(text, 63).or_else(|| dns_part(text))
}

/// Labels joined by dots, at most 253 characters.
pub fn dns_subdomain(text: &str) -> Option<Fault> {
    length(text, 253).or_else(|| text.split('.').find_map(dns_part))
}

/// A label that starts with a letter, as older DNS asks for.
pub fn dns_1035_label(text: &str) -> Option<Fault> {
    dns_label(text).or_else(|| {
        (!text.starts_with(|char: char| char.is_ascii_lowercase())).then(|| "it must start with a letter".into())
    })
}

/// A name that only has to fit into a URL path, as those of roles.
pub fn path_segment(text: &str) -> Option<Fault> {
    match text {
        "" => Some("it is empty".into()),
        "." | ".." => Some("it is a path".into()),
        _ => text.chars().find(|char| matches!(char, '/' | '%')).map(|char| format!("`{char}` is not allowed").into()),
    }
}

fn length(text: &str, most: usize) -> Option<Fault> {
    let length = text.len();
    if length == 0 {
        return Some("it is empty".into());
    }
    (length > most).then(|| format!("it has {length} characters, at most {most} are allowed").into())
}

fn dns_part(text: &str) -> Option<Fault> {
    if text.is_empty() {
        return Some("a part between dots is empty".into());
    }
    let allowed = |char: &char| char.is_ascii_lowercase() || char.is_ascii_digit() || *char == '-';
    if let Some(char) = text.chars().find(|char| !allowed(char)) {
        return Some(match char {
            'A'..='Z' => "only lower-case letters are allowed".into(),
            ' ' => "blanks are not allowed".into(),
            other => {
                format!("`{}` is not allowed, only lower-case letters, digits and `-`", other.escape_default()).into()
            }
        });
    }
    ends(text)
}

fn ends(text: &str) -> Option<Fault> {
    let alphanumeric = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
    if !alphanumeric(text.chars().next()) {
        return Some("it must start with a letter or digit".into());
    }
    (!alphanumeric(text.chars().next_back())).then(|| "it must end with a letter or digit".into())
}

/// A name near to `text` that `check` takes.
pub fn repaired(text: &str, check: fn(&str) -> Option<Fault>) -> Option<String> {
    let mut name: String = text
        .chars()
        .map(|char| match char.to_ascii_lowercase() {
            '_' | ' ' | '/' | ':' | '@' | '+' => '-',
            lower => lower,
        })
        .collect();
    if check(&name).is_some() {
        name = name.replace('.', "-");
    }
    let name = name.trim_matches(|char: char| !char.is_ascii_alphanumeric());
    (check(name).is_none() && name != text).then(|| name.to_owned())
}

/// The key of a label or annotation: an optional domain and `/`, then a name of at most 63 characters.
pub fn qualified(text: &str) -> Option<Fault> {
    let name = match text.split_once('/') {
        Some((prefix, name)) => {
            if let Some(fault) = dns_subdomain(prefix) {
                return Some(format!("the part before `/` is no domain: {fault}").into());
            }
            name
        }
        None => text,
    };
    if name.contains('/') {
        return Some("only one `/` is allowed".into());
    }
    length(name, 63).or_else(|| word(name))
}

/// The value of a label: at most 63 characters, or empty.
pub fn label_value(text: &str) -> Option<Fault> {
    if text.is_empty() { None } else { length(text, 63).or_else(|| word(text)) }
}

fn word(text: &str) -> Option<Fault> {
    let allowed = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if let Some(char) = text.chars().find(|char| !allowed(char)) {
        let shown = char.escape_default();
        return Some(format!("`{shown}` is not allowed, only letters, digits, `-`, `_` and `.`").into());
    }
    ends(text)
}

/// The name of a port: at most 15 lower-case letters, digits and `-`, with a letter among them.
pub fn port_name(text: &str) -> Option<Fault> {
    length(text, 15).or_else(|| dns_part(text)).or_else(|| {
        if text.contains("--") {
            Some("`--` is not allowed".into())
        } else if !text.contains(|char: char| char.is_ascii_lowercase()) {
            Some("it must have a letter".into())
        } else {
            None
        }
    })
}

/// The name of an environment variable. Since 1.32 any printable ASCII character but `=` is allowed.
pub fn env_name(text: &str, relaxed: bool) -> Option<Fault> {
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if relaxed {
        let wrong = text.chars().find(|char| !matches!(char, ' '..='~') || *char == '=')?;
        return Some(format!("`{}` is not allowed", wrong.escape_default()).into());
    }
    if text.starts_with(|char: char| char.is_ascii_digit()) {
        return Some("it must not start with a digit".into());
    }
    let wrong = text.chars().find(|char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')))?;
    Some(format!("`{}` is not allowed, only letters, digits, `_`, `-` and `.`", wrong.escape_default()).into())
}

/// A key of a config map or secret: the name of a file.
pub fn config_key(text: &str) -> Option<Fault> {
    if let Some(fault) = length(text, 253) {
        return Some(fault);
    }
    if text == "." || text.starts_with("..") {
        return Some("it must not be `.` or start with `..`".into());
    }
    let wrong = text.chars().find(|char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')))?;
    Some(format!("`{}` is not allowed, only letters, digits, `-`, `_` and `.`", wrong.escape_default()).into())
}

/// An image reference: `[host[:port]/]path[:tag][@digest]`.
pub fn image(text: &str) -> Option<Fault> {
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if text.contains(char::is_whitespace) {
        return Some("blanks are not allowed".into());
    }
    if text.contains("://") {
        return Some("it has no scheme: leave out the part up to `://`".into());
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if let Some(fault) = digest.and_then(image_digest) {
        return Some(fault);
    }
    // A colon behind the last slash separates the tag, one before it a port.
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    match tag {
        Some("") => return Some("the tag behind `:` is empty".into()),
        Some(tag) => {
            let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-');
            if let Some(wrong) = tag.chars().find(|char| !allowed(*char)) {
                return Some(format!("the tag `{tag}` must not have `{}`", wrong.escape_default()).into());
            }
            if tag.starts_with(['.', '-']) || tag.len() > 128 {
                return Some(format!("`{tag}` is no tag").into());
            }
        }
        None => {}
    }
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" || host.starts_with('[') => {
            (Some(host), path)
        }
        _ => (None, name),
    };
    if let Some(host) = host {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '[' | ']' | ':');
        if name.is_empty() || !name.chars().all(allowed) {
            return Some(format!("`{host}` is no host name").into());
        }
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Some(
                if path.is_empty() { "the name is missing" } else { "a part between slashes is empty" }.into(),
            );
        }
        if part.contains(|char: char| char.is_ascii_uppercase()) {
            return Some("the name must be in lower case".into());
        }
        let allowed =
            |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '.' | '_' | '-');
        if let Some(wrong) = part.chars().find(|char| !allowed(*char)) {
            return Some(format!("`{}` is not allowed in the name", wrong.escape_default()).into());
        }
        if ends(part).is_some() {
            return Some(format!("`{part}` must start and end with a letter or digit").into());
        }
    }
    None
}

fn image_digest(digest: &str) -> Option<Fault> {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return Some(format!("the digest `{digest}` must read `sha256:…`").into());
    };
    let wanted = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => return (hex.is_empty()).then(|| "the digest is empty".into()),
    };
    let fits = hex.len() == wanted && hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    (!fits).then(|| format!("a {algorithm} digest has {wanted} hexadecimal digits, this has {}", hex.len()).into())
}

/// A percentage such as `25%`: its number.
pub fn percent(text: &str) -> Option<u32> {
    let digits = text.strip_suffix('%')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects() {
        for name in ["a", "web", "web-1", "0", &"a".repeat(63)] {
            assert_eq!(dns_label(name), None, "{name}");
        }
        for name in ["", "Web", "web_1", "-a", "a-", "a.b", "a b", &"a".repeat(64), "é"] {
            assert!(dns_label(name).is_some(), "{name}");
        }
        assert_eq!(dns_subdomain("a.b-c.d"), None);
        for name in ["a..b", ".a", "a.", "a.-b", &"a".repeat(254)] {
            assert!(dns_subdomain(name).is_some(), "{name}");
        }
        assert!(dns_1035_label("1web").is_some() && dns_1035_label("web1").is_none());
        assert!(path_segment("system:controller:a").is_none() && path_segment("a/b").is_some());
        assert_eq!(repaired("My_App", dns_label).as_deref(), Some("my-app"));
        assert_eq!(repaired("my.app", dns_label).as_deref(), Some("my-app"));
        assert_eq!(repaired("é", dns_label), None);
    }

    #[test]
    fn labels_and_ports() {
        for key in ["app", "app.kubernetes.io/name", "a_b.C-d", "example.com/a"] {
            assert_eq!(qualified(key), None, "{key}");
        }
        for key in ["", "/a", "a/", "a/b/c", "Example.com/a", "-a", "a b", "app:name", &"a".repeat(64)] {
            assert!(qualified(key).is_some(), "{key}");
        }
        for value in ["", "a", "v1.2_3-x", "A"] {
            assert_eq!(label_value(value), None, "{value}");
        }
        for value in ["a b", "-a", "a+b", "v1.2.3+build", &"a".repeat(64), "a/b"] {
            assert!(label_value(value).is_some(), "{value}");
        }
        for name in ["http", "http-1", "1a", "a"] {
            assert_eq!(port_name(name), None, "{name}");
        }
        for name in ["", "HTTP", "8080", "a--b", "-a", "a-very-long-port", "http_metrics"] {
            assert!(port_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn variables_and_keys() {
        assert!(
            env_name("A_B.c-1", false).is_none() && env_name("1A", false).is_some() && env_name("A B", false).is_some()
        );
        assert!(env_name("1A b!", true).is_none() && env_name("A=B", true).is_some() && env_name("é", true).is_some());
        assert!(config_key("a.b_c-D").is_none() && config_key("a/b").is_some() && config_key("..a").is_some());
        assert!(config_key(".dockerconfigjson").is_none());
    }

    #[test]
    fn images() {
        let digest = format!("nginx@sha256:{}", "a".repeat(64));
        for image_name in [
            "nginx",
            "nginx:1.27",
            "a/b/c:v1",
            "localhost/a",
            "localhost:5000/a:b",
            "r.io:443/a-b/c_d:1.0-x",
            &digest,
            "a.b/c:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ] {
            assert_eq!(image(image_name), None, "{image_name}");
        }
        for image_name in [
            "",
            "nginx:",
            ":1.27",
            "/nginx",
            "nginx/",
            "Nginx",
            "a//b",
            "nginx:a b",
            "https://r.io/a",
            "nginx@sha256:abc",
            "nginx@abc",
            "nginx:1.2+3",
            "r.io/",
            "a/-b",
            "nginx:-x",
        ] {
            assert!(image(image_name).is_some(), "{image_name}");
        }
    }

    #[test]
    fn percentages() {
        assert_eq!(percent("25%"), Some(25));
        for text in ["25", "%", "-1%", "2.5%", "25 %", ""] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
