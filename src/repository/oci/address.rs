//! What names a chart in a registry.

use crate::repository::error::{Error, Kind, Result, redacted};
use std::net::{Ipv4Addr, Ipv6Addr};

/// `oci://host/path…` in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub path: String,
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl Address {
    /// Reads `oci://host/path/name[:tag][@sha256:…]`.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(Kind::Usage, format!("`{}` is not an OCI reference: {why}", redacted(text)))
                .with_hint("references look like `oci://registry.example/path/chart:1.2.3`")
        };
        let rest = text.strip_prefix("oci://").ok_or_else(|| bad("it does not start with `oci://`"))?;
        if rest.find('@').is_some_and(|at| at < rest.find('/').unwrap_or(rest.len())) {
            let error = bad("it has a user before the host");
            return Err(error.with_hint("log in with `chart login`, or give `--username` and `--password`"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(bad("the digest is not `sha256:` and 64 hex digits"));
            }
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(bad("it has no host"));
        }
        let path = path.trim_matches('/');
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (path, None),
        };
        if path.chars().any(|char| char.is_ascii_uppercase()) {
            return Err(bad("registries take lower-case paths only"));
        }
        Ok(Address {
            host: host.to_owned(),
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Splits the chart's name off the path.
    pub fn chart(&self) -> Result<(&str, &str)> {
        let (path, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        if name.is_empty() {
            return Err(Error::new(Kind::Usage, format!("`oci://{}` names no chart", self.host)));
        }
        Ok((path, name))
    }

    /// `host/path`, by which logins are found.
    pub fn repository(&self) -> String {
        if self.path.is_empty() { self.host.clone() } else { format!("{}/{}", self.host, self.path) }
    }
}

/// Whether a host is this machine, whose registry speaks plain HTTP unless it is told otherwise.
pub(in crate::repository) fn is_loopback(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// A version as a tag: `+` is not allowed in one.
pub fn tag_of(version: &str) -> String {
    version.replace('+', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_in_parts() {
        let address = Address::parse("oci://localhost:5000/team/charts/web:1.0.0_b").expect("a reference");
        assert_eq!(address.chart().expect("a chart"), ("team/charts", "web"));
        assert_eq!((address.host.as_str(), address.tag.as_deref()), ("localhost:5000", Some("1.0.0_b")));
        let digest = format!("sha256:{}", "a".repeat(64));
        let address = Address::parse(&format!("oci://r.example/web@{digest}")).expect("a reference");
        assert_eq!((address.chart().expect("a chart"), address.digest.as_ref()), (("", "web"), Some(&digest)));
        for text in ["https://x/y", "oci://", "oci:///x", "oci://r/Web", "oci://r/x@sha256:12", "oci://r/x@md5:x"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_this_machine_gets_plain_http() {
        for (host, plain) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("[::1]", true),
            ("[::2]:80", false),
            ("127.0.0.1.evil.net", false),
            ("127.evil.net:80", false),
            ("localhost.evil.net", false),
            ("r.example:5000", false),
        ] {
            assert_eq!(is_loopback(host), plain, "{host}");
        }
    }
}
