//! How commands reach repositories and registries.

use super::args::given;
use super::{Failed, Terminal};
use crate::diagnostic::FileId;
use crate::repository::auth::{Credentials, Keyring, Origin};
use crate::repository::docker::Logins;
use crate::repository::oci::{self, Address, Registry};
use crate::repository::{self, Cache, Directory, Fetched, Kind, Protocol, Repository, Server, http, redacted, resolve};
use crate::yaml::{self, Node};
use crate::{fs, package};
use clap::Args;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use url::Url;

/// How repositories and registries are reached.
#[derive(Clone, Default, Args)]
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
    #[arg(long, value_name = "FILE")]
    pub cert_file: Option<PathBuf>,
    /// Client key (PEM, PKCS #8)
    #[arg(long, value_name = "FILE")]
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
    /// Helm's list of repositories, if not where Helm keeps it
    #[arg(long, value_name = "FILE")]
    pub repository_config: Option<PathBuf>,
    /// Helm's logins to registries, if not where Helm keeps them
    #[arg(long, value_name = "FILE")]
    pub registry_config: Option<PathBuf>,
    // Helm's caches are not read: there is one of our own.
    #[arg(long, hide = true)]
    pub repository_cache: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub content_cache: Option<PathBuf>,
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

    /// Reads the certificates that are named: they are wrong even if no server is asked.
    pub fn check_files(&self) -> Result<(), Failed> {
        for path in given(&self.ca_file).into_iter().chain(self.pair().into_iter().flatten()) {
            fs::read(path)?;
        }
        Ok(())
    }

    /// The client's certificate and its key.
    fn pair(&self) -> Option<[&PathBuf; 2]> {
        Some([given(&self.cert_file)?, given(&self.key_file)?])
    }

    /// Options for a client, without credentials.
    fn options(&self) -> Result<http::Options, Failed> {
        let mut options = anonymous();
        options.retries = self.retries;
        options.insecure = self.insecure_skip_tls_verify;
        options.ca = self.ca_file.as_deref().map(fs::read).transpose()?;
        if given(&self.cert_file).is_some() != given(&self.key_file).is_some() {
            return Err(Failed::Usage(
                "a client's certificate and its key belong together".to_owned(),
                Some("give both `--cert-file` and `--key-file`".to_owned()),
            ));
        }
        if let Some([certificate, key]) = self.pair() {
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
    let mut proxies = vec!["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    proxies.retain(|name| variable(name).is_some());
    http::Options { keyring, retries: 3, proxies, ..http::Options::default() }
}

fn netrc_path() -> Option<PathBuf> {
    variable("NETRC").or_else(|| Some(variable("HOME")?.join(".netrc")))
}

/// All that it takes to open repositories: an HTTP client, logins, Helm's list of repositories, the cache.
pub struct Context {
    /// For all repositories but those that Helm's list has settings for.
    client: Arc<http::Client>,
    /// The given credentials, if they are for registries too.
    given: Option<Credentials>,
    logins: Logins,
    known: Vec<Known>,
    cache: Cache,
    plain_http: bool,
}

impl Context {
    /// Takes up the flags for a command that asks these repositories. Given credentials are for one server: where
    /// there are several, they go to none, unless `--pass-credentials` says to all.
    pub fn new(
        flags: &RepositoryFlags,
        repositories: &[&str],
        cache: Cache,
        terminal: &Terminal,
    ) -> Result<Self, Failed> {
        let known = known(flags)?;
        let mut options = flags.options()?;
        options.progress = progress(terminal);
        let urls = repositories.iter().filter_map(|url| Url::parse(&resolved(url, &known)).ok());
        let mut servers: Vec<Url> = urls.filter(|url| url.has_host() && url.scheme() != "file").collect();
        servers.sort();
        servers.dedup_by_key(|url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port()));
        let mut given = flags.credentials()?;
        if let Some(credentials) = &given {
            match servers.as_slice() {
                _ if flags.pass_credentials => options.keyring.add_for_all(credentials.clone()),
                [] => {}
                [only] => options.keyring.add(Origin::of(only), credentials.clone()),
                _ => {
                    tracing::warn!("the credentials are for one server, but several are asked: they go to none");
                    given = None;
                }
            }
        }
        for repository in &known {
            if let (Ok(url), Some(credentials)) = (Url::parse(&repository.url), &repository.credentials) {
                options.keyring.add(Origin::of(&url), credentials.clone());
            }
        }
        Ok(Context {
            given,
            logins: logins(flags.registry_config.as_deref()),
            known,
            cache,
            plain_http: flags.plain_http,
            client: Arc::new(http::Client::new(options)),
        })
    }

    /// A repository's URL in the place of the name that `helm repo add` gave it.
    pub fn resolved(&self, repository: &str) -> String {
        resolved(repository, &self.known)
    }

    /// The repository at a URL, in a directory, or under a name that `helm repo add` gave (`@name`).
    pub fn open(&self, url: &str) -> repository::Result<Arc<dyn Repository>> {
        self.open_as(url, None, None)
    }

    pub fn open_as(
        &self,
        url: &str,
        protocol: Option<Protocol>,
        context_path: Option<String>,
    ) -> repository::Result<Arc<dyn Repository>> {
        let usage = |message: String, hint: &str| Err(repository::Error::new(Kind::Usage, message).with_hint(hint));
        let known = known_for(url, &self.known);
        let url = resolved(url, &self.known);
        let Some((scheme, rest)) = url.split_once("://") else {
            if url.starts_with(['@']) || url.starts_with("alias:") {
                return usage(format!("there is no repository `{url}`"), "`helm repo add` makes one, or write its URL");
            }
            let url = redacted(&url);
            let hint = format!("write `file://{url}` for a directory, `oci://…` or `https://…` for a server");
            return usage(format!("`{url}` is not a URL"), &hint);
        };
        match scheme {
            "file" => Ok(Arc::new(Directory::new(rest))),
            "http" | "https" => {
                let server = Server::new(self.client_for(known)?, http::parse_url(&url)?, self.cache.clone());
                Ok(Arc::new(server.with_protocol(protocol, context_path)))
            }
            "oci" => {
                let address = Address::parse(&url)?;
                if address.tag.is_some() || address.digest.is_some() {
                    return usage(format!("`{}` has a tag or digest", redacted(&url)), "give the path alone");
                }
                Ok(Arc::new(self.registry(&address.host, &address.path, &address.repository())?))
            }
            _ => usage(
                format!("there is no kind of repository with the scheme `{scheme}`"),
                "repositories are at http://, https://, oci:// and file:// URLs",
            ),
        }
    }

    /// The client with the credentials and certificates that Helm's list has for a repository.
    fn client_for(&self, known: Option<&Known>) -> repository::Result<Arc<http::Client>> {
        let shared = self.client.options();
        let is_own = |known: &&Known| match (Url::parse(&known.url), &known.credentials) {
            (Ok(url), Some(own)) => known.is_special() || shared.keyring.find_given(&url).as_ref() != Some(own),
            _ => known.is_special(),
        };
        let Some(known) = known.filter(is_own) else { return Ok(Arc::clone(&self.client)) };
        let read = |path: &PathBuf| {
            let context = |error| repository::Error::from(error).context(format!("the repository `{}`", known.name));
            fs::read(path).map_err(context)
        };
        let mut options = shared.clone();
        options.insecure |= known.insecure;
        if let (Some(path), None) = (&known.ca_file, &options.ca) {
            options.ca = Some(read(path)?);
        }
        if let (Some((certificate, key)), None) = (&known.identity, &options.identity) {
            options.identity = Some([read(certificate)?, b"\n".to_vec(), read(key)?].concat());
        }
        if let (Some(credentials), None) = (&known.credentials, &self.given) {
            let origin = Url::parse(&known.url).ok().filter(|_| !known.pass_credentials);
            options.keyring.put_first(origin.map(|url| Origin::of(&url)), credentials.clone());
        }
        Ok(Arc::new(http::Client::new(options)))
    }

    /// A path in a registry, with the login that is given or kept for `repository`.
    pub fn registry(&self, host: &str, path: &str, repository: &str) -> repository::Result<Registry> {
        let credentials = match &self.given {
            Some(credentials) => Some(credentials.clone()),
            None => self.logins.find(repository)?,
        };
        let options = oci::Options { credentials, plain_http: self.plain_http };
        Ok(Registry::new(Arc::clone(&self.client), host, path, options, self.cache.clone()))
    }
}

/// A repository in Helm's `repositories.yaml`.
struct Known {
    name: String,
    url: String,
    credentials: Option<Credentials>,
    /// Whether the credentials go wherever the index points, too.
    pass_credentials: bool,
    ca_file: Option<PathBuf>,
    /// Files of the client's certificate and key.
    identity: Option<(PathBuf, PathBuf)>,
    insecure: bool,
}

impl Known {
    /// Whether it takes more than credentials for its server.
    fn is_special(&self) -> bool {
        self.insecure || self.ca_file.is_some() || self.identity.is_some() || self.pass_credentials
    }
}

/// What `helm repo add` noted.
fn known(flags: &RepositoryFlags) -> Result<Vec<Known>, Failed> {
    let given = flags.repository_config.clone();
    let path = given
        .or_else(|| variable("HELM_REPOSITORY_CONFIG"))
        .or_else(|| Some(variable("HELM_CONFIG_HOME")?.join("repositories.yaml")))
        .or_else(|| Some(variable("XDG_CONFIG_HOME")?.join("helm/repositories.yaml")))
        .or_else(|| Some(variable("HOME")?.join(".config/helm/repositories.yaml")));
    let Some(text) = path.filter(|path| fs::exists(path)).map(|path| fs::read_text(&path)).transpose()? else {
        return Ok(Vec::new());
    };
    let Ok(node) = yaml::read(&text, FileId(0)).first() else { return Ok(Vec::new()) };
    let items = node.get("repositories").and_then(Node::as_seq).unwrap_or_default();
    let field = |item: &Node, key: &str| item.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
    let known = items.iter().map(|item| {
        let (username, password) = (field(item, "username"), field(item, "password"));
        let credentials = (!username.is_empty()).then_some(Credentials::Basic { username, password });
        let file = |key: &str| Some(field(item, key)).filter(|path| !path.is_empty()).map(PathBuf::from);
        let flag = |key: &str| item.get(key).and_then(Node::as_bool).unwrap_or(false);
        Known {
            name: field(item, "name"),
            url: field(item, "url"),
            credentials,
            pass_credentials: flag("pass_credentials_all"),
            ca_file: file("caFile"),
            identity: file("certFile").zip(file("keyFile")),
            insecure: flag("insecure_skip_tls_verify"),
        }
    });
    Ok(known.collect())
}

/// The names of Helm's repositories.
pub fn known_names(flags: &RepositoryFlags) -> Vec<String> {
    known(flags).unwrap_or_default().into_iter().map(|known| known.name).collect()
}

/// A repository's URL in the place of its name.
fn resolved(url: &str, known: &[Known]) -> String {
    let found = name_of(url).and_then(|name| known.iter().find(|known| known.name == name));
    found.map_or_else(|| url.to_owned(), |known| known.url.clone())
}

/// The name of a repository that is written so.
fn name_of(url: &str) -> Option<&str> {
    url.strip_prefix('@').or_else(|| url.strip_prefix("alias:"))
}

/// The repository that goes by a name or URL, or in which a URL lies.
fn known_for<'a>(url: &str, known: &'a [Known]) -> Option<&'a Known> {
    if let Some(name) = name_of(url) {
        return known.iter().find(|known| known.name == name);
    }
    let lies_in = |known: &&Known| {
        let base = known.url.trim_end_matches('/');
        let rest = url.strip_prefix(base).filter(|_| !base.is_empty());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Of two that are as good, the first.
    known.iter().rev().filter(lies_in).max_by_key(|known| known.url.trim_end_matches('/').len())
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where logins to registries are kept: Helm's file and Podman's are read, Docker's is read and written.
pub fn logins(given: Option<&Path>) -> Logins {
    let home = || variable("HOME");
    let helm = given
        .map(Path::to_path_buf)
        .or_else(|| variable("HELM_REGISTRY_CONFIG"))
        .or_else(|| Some(variable("HELM_CONFIG_HOME")?.join("registry/config.json")))
        .or_else(|| Some(variable("XDG_CONFIG_HOME")?.join("helm/registry/config.json")))
        .or_else(|| Some(home()?.join(".config/helm/registry/config.json")));
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(home()?.join(".docker"))).map(|it| it.join("config.json"));
    Logins { files: [helm, variable("REGISTRY_AUTH_FILE"), docker].into_iter().flatten().collect() }
}

/// A chart in a repository, as users name it.
pub struct Named {
    pub repository: Arc<dyn Repository>,
    pub name: String,
    /// The version that the reference itself asks for.
    pub version: Option<String>,
    /// The manifest digest that the reference pins.
    pub pin: Option<String>,
}

/// Reads `oci://host/path/chart[:version][@sha256:…]`, `https://host/path/chart`, `file:///path/chart`,
/// `NAME/chart` of a repository that `helm repo add` knows, or a chart's bare name with `--repo`.
pub fn named(
    reference: &str,
    repo: Option<&str>,
    flags: &RepositoryFlags,
    terminal: &Terminal,
) -> Result<Named, Failed> {
    let open = |url: &str| Context::new(flags, &[url], cache(), terminal)?.open(url).map_err(Failed::from);
    if let Some(repo) = repo {
        return Ok(Named { repository: open(repo)?, name: reference.to_owned(), version: None, pin: None });
    }
    if reference.starts_with("oci://") {
        let address = Address::parse(reference)?;
        let (path, name) = address.chart()?;
        let context = Context::new(flags, &[&format!("oci://{}", address.host)], cache(), terminal)?;
        let repository = Arc::new(context.registry(&address.host, path, &address.repository())?);
        let version = address.tag.as_ref().map(|tag| tag.replace('_', "+"));
        return Ok(Named { repository, name: name.to_owned(), version, pin: address.digest });
    }
    let unnamed = || {
        let hint = "write `oci://host/path/chart`, `https://host/charts/chart`, or a name and `--repo URL`".to_owned();
        Failed::Usage(format!("`{}` names no chart in a repository", redacted(reference)), Some(hint))
    };
    let split = reference.trim_end_matches('/').rsplit_once('/');
    let (base, name) = split.filter(|(base, name)| !base.ends_with('/') && !name.is_empty()).ok_or_else(unnamed)?;
    let repository = if base.contains("://") {
        open(base)?
    } else {
        let known = known(flags)?;
        known.iter().find(|known| known.name == base).ok_or_else(unnamed)?;
        open(&format!("@{base}"))?
    };
    Ok(Named { repository, name: name.to_owned(), version: None, pin: None })
}

/// Fetches the archive at a URL, whatever is around it.
pub fn archive_at(
    url: &str,
    with_provenance: bool,
    flags: &RepositoryFlags,
    terminal: &Terminal,
) -> Result<Fetched, Failed> {
    let context = Context::new(flags, &[url], Cache::default(), terminal)?;
    let client = context.client_for(known_for(url, &context.known))?;
    let url = http::parse_url(url)?;
    let data = client.get(&url, 200 << 20)?;
    let context =
        |why: String| repository::Error::new(Kind::Malformed, format!("`{}`: {why}", repository::shown(&url)));
    let metadata = resolve::metadata(&data).map_err(context)?;
    let digest = package::digest(&data);
    let provenance = if with_provenance {
        let mut beside = url.clone();
        beside.set_path(&format!("{}.prov", url.path()));
        match client.get(&beside, 1 << 20) {
            Ok(data) => Some(data),
            Err(error) if error.kind == Kind::Missing => None,
            Err(error) => return Err(error.into()),
        }
    } else {
        None
    };
    Ok(Fetched { metadata, data, digest, url: repository::shown(&url), manifest_digest: None, provenance })
}

/// The cache in the user's cache directory.
pub fn cache() -> Cache {
    Cache::new(cache_folder())
}

/// Where caches are: `CHART_CACHE`, or `chart` in the usual place.
pub fn cache_folder() -> Option<PathBuf> {
    variable("CHART_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("chart")))
        .or_else(|| Some(variable("HOME")?.join(".cache/chart")))
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
