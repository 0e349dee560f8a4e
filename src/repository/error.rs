//! What goes wrong with repositories.

use url::Url;

/// The reason in a word, for code that acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No answer: no address, no connection, a time-out.
    Unreachable,
    /// The server and we do not trust each other's certificates.
    Tls,
    /// 401 or 403.
    Denied,
    /// 404 or 410, or no such chart or version.
    Missing,
    /// Another status that is no success.
    Status(u16),
    /// What the server or a file says makes no sense.
    Malformed,
    /// The version is there with other bytes.
    Conflict,
    /// A digest, a lock or a signature does not fit.
    Integrity,
    /// The request makes no sense.
    Usage,
    Disk,
}

/// A failed repository operation: what was tried, why it failed and what to do about it. Holds no credentials.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: Kind,
    message: String,
    hint: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: printable(message.into()), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same words for another reason.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Error { kind, ..self }
    }

    /// The way out, as a sentence.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, context: impl std::fmt::Display) -> Self {
        self.message = printable(format!("{context}: {}", self.message));
        self
    }
}

/// Servers and indexes write what they like, and terminals do what they are told.
fn printable(message: String) -> String {
    if message.contains(char::is_control) { message.replace(char::is_control, "\u{fffd}") } else { message }
}

impl From<crate::fs::Error> for Error {
    fn from(error: crate::fs::Error) -> Self {
        Error::new(Kind::Disk, error.to_string())
    }
}

/// A URL as it may be printed: without user, password and query, which can hold secrets.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.set_fragment(None);
    url.to_string().replace("?%E2%80%A6", "?…")
}

/// What a user gave as an address, as it may be printed. It need not be a URL.
pub fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_at(text.find("://").map_or(0, |at| at + 3));
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if !scheme.is_empty() || user.contains(':') => host,
        _ => authority,
    };
    match path.split_once('?') {
        Some((path, _)) if !scheme.is_empty() => format!("{scheme}{host}{path}?…"),
        _ => format!("{scheme}{host}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_secrets() {
        let url = Url::parse("https://ann:s3cret@charts.example/a?token=t0ken#x").expect("a URL");
        assert_eq!(shown(&url), "https://charts.example/a?…");
        for (text, safe) in [
            ("ann:s3cret@host/x", "host/x"),
            ("https://ann:s3@cret@host:1/x?token=t#y", "https://host:1/x?…"),
            ("oci://t0ken@host", "oci://host"),
            ("oci://host/web@sha256:00", "oci://host/web@sha256:00"),
            ("@ours/web", "@ours/web"),
            ("C:/x@y", "C:/x@y"),
            ("", ""),
        ] {
            assert_eq!(redacted(text), safe);
        }
    }
}
