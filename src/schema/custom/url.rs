//! The parts of a URL, as Go's `net/url` tells them apart.

/// A URL or an absolute path, as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Url(String);

impl Url {
    /// The text must be one: see [`super::format::fault`].
    pub fn new(text: &str) -> Self {
        Url(text.split('#').next().unwrap_or_default().to_owned())
    }

    /// The scheme, and what stands behind its colon.
    fn split(&self) -> (&str, &str) {
        match self.0.split_once(':') {
            Some((scheme, rest)) if !self.0.starts_with('/') => (scheme, rest),
            _ => ("", &self.0),
        }
    }

    /// Host and port, then path and query.
    fn authority(&self) -> (&str, &str) {
        let Some(rest) = self.split().1.strip_prefix("//") else { return ("", self.split().1) };
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        (authority.rsplit_once('@').map_or(authority, |(_, host)| host), rest)
    }

    pub fn scheme(&self) -> String {
        self.split().0.to_ascii_lowercase()
    }

    pub fn host(&self) -> &str {
        self.authority().0
    }

    /// Where the host ends and a colon stands before the port, if there is one.
    fn colon(&self) -> Option<usize> {
        let host = self.host();
        let behind = host.rfind(']').map_or(0, |bracket| bracket + 1);
        host[behind..].find(':').map(|at| behind + at)
    }

    pub fn host_name(&self) -> &str {
        let name = &self.host()[..self.colon().unwrap_or(self.host().len())];
        name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
    }

    pub fn port(&self) -> &str {
        self.colon().map_or("", |colon| &self.host()[colon + 1..])
    }

    pub fn path(&self) -> &str {
        self.authority().1.split('?').next().unwrap_or_default()
    }

    /// Names and values of the query, in its order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.authority().1.split_once('?').map_or("", |(_, query)| query);
        let parts = query.split('&').filter(|part| !part.is_empty());
        parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(k, v)| (plain(k), plain(v))).collect()
    }
}

/// A part of a query without its escapes.
fn plain(text: &str) -> String {
    let (bytes, mut at) = (text.as_bytes(), 0);
    let mut plain = Vec::with_capacity(bytes.len());
    while let Some(&byte) = bytes.get(at) {
        let escaped =
            text.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_go() {
        let url = Url::new("HTTPS://me:pass@[::1]:8443/a%20b/c?x=1&y=a+b%21&x=2#part");
        assert_eq!(
            (url.scheme().as_str(), url.host(), url.host_name(), url.port()),
            ("https", "[::1]:8443", "::1", "8443")
        );
        assert_eq!(url.path(), "/a%20b/c");
        let query: Vec<String> = url.query().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(query, ["x=1", "y=a b!", "x=2"]);
        let path = Url::new("/a/b?c");
        assert_eq!((path.scheme().as_str(), path.host(), path.path(), path.query().len()), ("", "", "/a/b", 1));
    }
}
