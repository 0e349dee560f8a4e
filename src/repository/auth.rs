//! Credentials: where they come from and which server may see them.

use std::fmt;
use url::Url;

/// What proves to a server who asks. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Basic {
        username: String,
        password: String,
    },
    Bearer(String),
    /// An OAuth2 refresh token, for which a registry's token server gives access tokens.
    Identity(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Basic { .. } => "Basic(…)",
            Credentials::Bearer(_) => "Bearer(…)",
            Credentials::Identity(_) => "Identity(…)",
        })
    }
}

/// The part of a URL that decides which server is asked: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(url::Origin);

impl Origin {
    pub fn of(url: &Url) -> Self {
        Origin(url.origin())
    }
}

/// All credentials that a command knows, each with the servers that may see it.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    given: Vec<(Option<Origin>, Credentials)>,
    netrc: Vec<Machine>,
}

#[derive(Clone)]
struct Machine {
    /// `None` for `default`.
    host: Option<String>,
    credentials: Credentials,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.host)
    }
}

impl Keyring {
    /// Adds credentials for one server.
    pub fn add(&mut self, origin: Origin, credentials: Credentials) {
        self.given.push((Some(origin), credentials));
    }

    /// Adds credentials that every server may see: `--pass-credentials`.
    pub fn add_for_all(&mut self, credentials: Credentials) {
        self.given.push((None, credentials));
    }

    /// Adds credentials for one server, or for all, that count before those that are there.
    pub fn put_first(&mut self, origin: Option<Origin>, credentials: Credentials) {
        self.given.insert(0, (origin, credentials));
    }

    /// Adds the machines of a `.netrc` text, as curl and git read it.
    pub fn add_netrc(&mut self, text: &str) {
        self.netrc.extend(parse_netrc(text));
    }

    /// The credentials that may be sent to this URL: those given for its server, then its own `user:password@`, then
    /// netrc's.
    pub fn find(&self, url: &Url) -> Option<Credentials> {
        let origin = Origin::of(url);
        if let Some((_, given)) = self.given.iter().find(|(to, _)| to.as_ref().is_none_or(|to| *to == origin)) {
            return Some(given.clone());
        }
        if !url.username().is_empty() || url.password().is_some() {
            let decode = |text: &str| percent_decode(text);
            let (username, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
            return Some(Credentials::Basic { username, password });
        }
        let host = url.host_str()?;
        let named = self.netrc.iter().find(|machine| machine.host.as_deref() == Some(host));
        let machine = named.or_else(|| self.netrc.iter().find(|machine| machine.host.is_none()));
        machine.map(|machine| machine.credentials.clone())
    }

    /// The credentials that the user gave for this very server: all that a redirect may use, because what else a URL
    /// or netrc's `default` holds, or is for all servers, was not meant for where a server sends us.
    pub fn find_given(&self, url: &Url) -> Option<Credentials> {
        let origin = Origin::of(url);
        let given = self.given.iter().find(|(to, _)| to.as_ref() == Some(&origin));
        given.map(|(_, credentials)| credentials.clone())
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| char::from(byte).to_digit(16);
        if let (b'%', Some(high), Some(low)) =
            (first, tail.first().and_then(|&it| hex(it)), tail.get(1).and_then(|&it| hex(it)))
        {
            bytes.push((high * 16 + low) as u8);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn parse_netrc(text: &str) -> Vec<Machine> {
    let mut machines = Vec::new();
    let mut tokens = netrc_tokens(text).into_iter().peekable();
    while let Some(token) = tokens.next() {
        let host = match token.as_str() {
            "machine" => tokens.next(),
            "default" => None,
            _ => continue,
        };
        let (mut username, mut password) = (String::new(), None);
        while let Some(key) = tokens.next_if(|next| matches!(next.as_str(), "login" | "password" | "account")) {
            let value = tokens.next().unwrap_or_default();
            match key.as_str() {
                "login" => username = value,
                "password" => password = Some(value),
                _ => {}
            }
        }
        if let Some(password) = password {
            machines.push(Machine { host, credentials: Credentials::Basic { username, password } });
        }
    }
    machines
}

/// Words, also in double quotes; `#` starts a comment between them and `macdef` lasts to the next blank line.
fn netrc_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut chars = line.chars().peekable();
        while let Some(&first) = chars.peek() {
            if first.is_whitespace() {
                chars.next();
                continue;
            }
            if first == '#' {
                break;
            }
            let mut token = String::new();
            if first == '"' {
                chars.next();
                while let Some(char) = chars.next() {
                    match char {
                        '"' => break,
                        '\\' => token.extend(chars.next()),
                        _ => token.push(char),
                    }
                }
            } else {
                while let Some(char) = chars.next_if(|char| !char.is_whitespace()) {
                    token.push(char);
                }
            }
            if token == "macdef" {
                in_macro = true;
                break;
            }
            tokens.push(token);
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn basic(username: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Basic { username: username.into(), password: password.into() })
    }

    #[test]
    fn netrc_is_read_as_curl_reads_it() {
        let mut keyring = Keyring::default();
        keyring.add_netrc(
            "# mine\nmachine a.example login ann password s3cret\nmacdef init\n machine b.example login x password y\n\n\
             machine b.example\n\tlogin \"bob b\"\n\taccount x\n\tpassword \"q\\\"#w\"\ndefault login any password all\n",
        );
        assert_eq!(keyring.find(&url("https://a.example:8443/x")), basic("ann", "s3cret"));
        assert_eq!(keyring.find(&url("http://b.example")), basic("bob b", "q\"#w"));
        assert_eq!(keyring.find(&url("http://c.example")), basic("any", "all"));
    }

    #[test]
    fn a_server_sees_only_its_own_credentials() {
        let mut keyring = Keyring::default();
        keyring.add(Origin::of(&url("https://a.example/charts")), Credentials::Bearer("t".into()));
        assert!(keyring.find(&url("https://a.example:443/other")).is_some());
        for other in ["http://a.example", "https://a.example:8443", "https://b.a.example", "https://a.example.evil.net"]
        {
            assert_eq!(keyring.find(&url(other)), None, "{other}");
        }
        assert_eq!(keyring.find(&url("https://u%40x:p%2Fq@b.example")), basic("u@x", "p/q"));
    }

    #[test]
    fn credentials_do_not_print() {
        let mut keyring = Keyring::default();
        keyring.add_netrc("machine a login ann password s3cret");
        keyring.add_for_all(Credentials::Bearer("t0ken".into()));
        let shown = format!("{keyring:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
    }
}
