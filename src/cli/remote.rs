//! How commands reach repositories and registries.

use super::{Failed, Terminal};
use crate::fs;
use crate::repository::auth::{Credentials, Keyring, Origin};
use crate::repository::{Cache, Directory, Protocol, Repository, Server, http};
use clap::Args;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use url::Url;

/// How repositories and registries are reached.
#[derive(Default, Args)]
#[command(next_help_heading = "Repository")]
pub struct RepositoryFlags {
    /// User name, sent to the given server alone
    #[arg(long, env = "CHART_USERNAME", hide_env_values = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Password or access token; other users of the machine can see flags, so prefer the variable
    #[arg(long, env = "CHART_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Read the password from stdin
    #[arg(long, conflicts_with = "password")]
    pub password_stdin: bool,
    /// Bearer token
    #[arg(long, env = "CHART_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Send the credentials to every server that is asked, not only to the given one
    #[arg(long)]
    pub pass_credentials: bool,
    /// Trust these CA certificates too (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Client certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// Client key (PEM, PKCS #8)
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// Speak HTTP, not HTTPS, to an OCI registry (loopback registries get it unasked)
    #[arg(long)]
    pub plain_http: bool,
    /// Repeat failed requests so often
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub retries: u32,
}

/// Says nothing: the flags hold credentials.
impl std::fmt::Debug for RepositoryFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RepositoryFlags")
    }
}

impl RepositoryFlags {
    /// The given credentials, if any.
    pub fn credentials(&self) -> Result<Option<Credentials>, Failed> {
        if let Some(token) = &self.token {
            return Ok(Some(Credentials::Bearer(token.clone())));
        }
        let password = if self.password_stdin {
            let mut text = String::new();
            let read = std::io::stdin().read_line(&mut text);
            read.map_err(|error| Failed::Other(format!("failed to read the password from stdin: {error}")))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        } else {
            self.password.clone()
        };
        match (&self.username, password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => Ok(Some(Credentials::Basic { username: username.clone(), password })),
            (username, _) => {
                let (given, missing) =
                    if username.is_some() { ("username", "password") } else { ("password", "username") };
                Err(Failed::Usage(
                    format!("there is a {given} but no {missing}"),
                    Some(format!("give `--{missing}` or CHART_{} too", missing.to_uppercase())),
                ))
            }
        }
    }

    /// Options for a client whose given credentials are for the servers of these URLs.
    pub fn options<'a>(&self, servers: impl IntoIterator<Item = &'a Url>) -> Result<http::Options, Failed> {
        let mut options = anonymous();
        options.retries = self.retries;
        if let Some(credentials) = self.credentials()? {
            if self.pass_credentials {
                options.keyring.add_for_all(credentials.clone());
            }
            for url in servers {
                options.keyring.add(Origin::of(url), credentials.clone());
            }
        }
        options.insecure = self.insecure_skip_tls_verify;
        options.ca = self.ca_file.as_deref().map(fs::read).transpose()?;
        if let (Some(certificate), Some(key)) = (&self.cert_file, &self.key_file) {
            options.identity = Some([fs::read(certificate)?, b"\n".to_vec(), fs::read(key)?].concat());
        }
        Ok(options)
    }
}

/// Options for fetching what needs no login: netrc's credentials and a few retries.
pub fn anonymous() -> http::Options {
    let mut keyring = Keyring::default();
    if let Some(text) = netrc_path().and_then(|path| fs::read_text(&path).ok()) {
        keyring.add_netrc(&text);
    }
    http::Options { keyring, retries: 3, ..http::Options::default() }
}

fn netrc_path() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("NETRC").map(PathBuf::from).or_else(|| Some(Path::new(&variable("HOME")?).join(".netrc")))
}

/// The repository at a URL or in a directory.
pub fn open(
    url: &str,
    protocol: Option<Protocol>,
    context_path: Option<String>,
    flags: &RepositoryFlags,
    terminal: &Terminal,
) -> Result<Box<dyn Repository>, Failed> {
    let Some((scheme, rest)) = url.split_once("://") else {
        let hint = format!("write `file://{url}` for a directory, `oci://…` or `https://…` for a server");
        return Err(Failed::Usage(format!("`{url}` is not a URL"), Some(hint)));
    };
    match scheme {
        "file" => Ok(Box::new(Directory::new(rest))),
        "http" | "https" => {
            let url = http::parse_url(url)?;
            let mut options = flags.options([&url])?;
            options.progress = progress(terminal);
            let client = Arc::new(http::Client::new(options));
            Ok(Box::new(Server::new(client, url, cache()).with_protocol(protocol, context_path)))
        }
        _ => {
            let hint = "repositories are at http://, https://, oci:// and file:// URLs".to_owned();
            Err(Failed::Usage(format!("there is no kind of repository with the scheme `{scheme}`"), Some(hint)))
        }
    }
}

/// The cache in the user's cache directory: `CHART_CACHE`, or `chart` in the usual place.
pub fn cache() -> Cache {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = variable("CHART_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("chart")))
        .or_else(|| Some(variable("HOME")?.join(".cache/chart")));
    Cache::new(root)
}

/// The time of publication: `SOURCE_DATE_EPOCH`, or now.
pub fn now() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let time = epoch.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let time = time.unwrap_or_else(jiff::Timestamp::now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Progress bars on stderr where that is a terminal.
fn progress(terminal: &Terminal) -> Option<http::Progress> {
    if terminal.quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    let bars = indicatif::MultiProgress::new();
    let known: Mutex<HashMap<String, indicatif::ProgressBar>> = Mutex::default();
    Some(Arc::new(move |name: &str, done: u64, total: Option<u64>| {
        // Small answers come and go too fast to be worth a line.
        if name.is_empty() || total.unwrap_or(done) < 64 << 10 {
            return;
        }
        let Ok(mut known) = known.lock() else { return };
        let bar = known.entry(name.to_owned()).or_insert_with(|| {
            let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}";
            let style = indicatif::ProgressStyle::with_template(style)
                .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
            bars.add(indicatif::ProgressBar::new(0)).with_style(style).with_message(name.to_owned())
        });
        bar.set_length(total.unwrap_or(done));
        bar.set_position(done);
        if total == Some(done) {
            bar.finish_and_clear();
            known.remove(name);
        }
    }))
}
