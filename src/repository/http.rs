//! The HTTP client: credentials, TLS, redirects, retries, limits and progress.
//!
//! Nothing is started before the first request: making a [`Client`] costs nothing.

use super::auth::{Credentials, Keyring, Origin};
use super::error::{Error, Kind, Result, shown};
use super::oci::is_loopback;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use std::io::Write;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// Called as bytes move: what is transferred, how much so far, and of how much where that is known.
pub type Progress = Arc<dyn Fn(&str, u64, Option<u64>) + Send + Sync>;

/// All addresses of a host that the system's resolver knows.
pub fn addresses(host: &str) -> Vec<IpAddr> {
    (host, 0).to_socket_addrs().into_iter().flatten().map(|address| address.ip()).collect()
}

/// How servers are reached.
#[derive(Clone, Default)]
pub struct Options {
    pub keyring: Keyring,
    /// PEM certificates that are trusted besides the system's.
    pub ca: Option<Vec<u8>>,
    /// PEM certificate chain and PKCS #8 key of the client.
    pub identity: Option<Vec<u8>>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// How often a request is repeated that failed for no fault of its own.
    pub retries: u32,
    pub progress: Option<Progress>,
    /// Longest time in which nothing comes or goes, and the time after which what comes too slowly is given up; a
    /// minute where it is not said.
    pub silence: Option<Duration>,
    /// Variables of the environment that name proxies, such as `https_proxy`.
    pub proxies: Vec<&'static str>,
}

/// What is sent.
#[derive(Clone)]
pub enum Body {
    Empty,
    /// Bytes under a name for the progress bar.
    Bytes {
        name: String,
        data: Arc<[u8]>,
        content_type: &'static str,
    },
    /// A form with files: field, file name, bytes.
    Form(Vec<(&'static str, String, Arc<[u8]>)>),
}

/// Which credentials go with a request.
#[derive(Clone, Default)]
pub enum Access {
    /// Those that the client knows for the server that is asked.
    #[default]
    Known,
    /// These, or none, and to the request's own server alone.
    Only(Option<Credentials>),
}

#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Body,
    pub access: Access,
    /// Whether it may be sent a second time.
    pub is_repeatable: bool,
}

impl Request {
    pub fn new(method: Method, url: Url) -> Self {
        Request { method, url, headers: Vec::new(), body: Body::Empty, access: Access::Known, is_repeatable: true }
    }

    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

/// An answer without its content.
#[derive(Debug)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Where it came from in the end.
    pub url: Url,
    /// The start of the content of an answer that is no success.
    detail: Vec<u8>,
}

impl Head {
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The start of the content of an answer that is no success.
    pub fn detail(&self) -> &[u8] {
        &self.detail
    }

    /// This answer as an error.
    pub fn error(&self, action: &str) -> Error {
        let status = self.status.as_u16();
        let kind = match status {
            401 | 403 => Kind::Denied,
            404 | 410 => Kind::Missing,
            _ => Kind::Status(status),
        };
        let mut message = format!("failed to {action} `{}`: the server answered {status}", shown(&self.url));
        if let Some(reason) = self.status.canonical_reason() {
            message += &format!(" {reason}");
        }
        if let Some(words) = self.words() {
            message += &format!(" ({words})");
        }
        let error = Error::new(kind, message);
        match kind {
            Kind::Denied => error.with_hint(CREDENTIALS_HINT),
            _ => error,
        }
    }

    /// What the server says in its own words: a JSON error or a line of text, no web page.
    pub fn words(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.detail).ok()?.trim();
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let found = json.as_ref().and_then(|json| {
            let at = |path: &str| json.pointer(path).and_then(serde_json::Value::as_str);
            ["/error", "/message", "/errors/0/message", "/error/message"].into_iter().find_map(at)
        });
        let words = match found {
            Some(words) => words,
            None if json.is_some() || text.starts_with('<') => return None,
            None => text.lines().next()?,
        };
        let words: String = words.chars().filter(|char| !char.is_control()).take(200).collect();
        (!words.is_empty()).then_some(words)
    }
}

const CREDENTIALS_HINT: &str =
    "give `--username` and `--password` (or CHART_USERNAME and CHART_PASSWORD), `--token`, or a line in ~/.netrc";

/// Answers of the kind that a repeated request may not get.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// The usual [`Options::silence`].
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes a millisecond, under which a transfer is given up.
const SLOWEST: u64 = 4;

/// When the content of a request moved last.
type Moved = Arc<Mutex<Instant>>;

/// An HTTP client for all servers of a command.
pub struct Client {
    options: Options,
    started: OnceLock<Result<Started, String>>,
}

struct Started {
    runtime: tokio::runtime::Runtime,
    /// Without and with TLS, through proxies and past them: made when they are needed.
    clients: [OnceLock<Result<reqwest::Client, String>>; 4],
}

/// Fetches what a URL holds, up to `most` bytes.
pub fn get(url: &str, most: u64, options: Options) -> Result<Vec<u8>> {
    Client::new(options).get(&parse_url(url)?, most)
}

/// Reads an `http://` or `https://` URL.
pub fn parse_url(text: &str) -> Result<Url> {
    let usage = |why: String| Error::new(Kind::Usage, why);
    // The text is not repeated: a URL that does not parse may still hold a password.
    let url = Url::parse(text).map_err(|error| usage(format!("the URL is not valid: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(usage(format!("the URL has scheme `{other}`, expected `http` or `https`"))),
    }
}

impl Client {
    pub fn new(options: Options) -> Self {
        Client { options, started: OnceLock::new() }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Fetches what a URL holds, up to `most` bytes.
    pub fn get(&self, url: &Url, most: u64) -> Result<Vec<u8>> {
        self.block_on(self.fetch(url.clone(), most))
    }

    /// Fetches what URLs hold, so many at a time, each up to `most` bytes.
    pub fn get_all(&self, urls: Vec<Url>, most: u64, at_once: usize) -> Result<Vec<Vec<u8>>> {
        let fetches = urls.into_iter().map(|url| self.fetch(url, most));
        self.block_on(futures_util::stream::iter(fetches).buffered(at_once).try_collect())
    }

    async fn fetch(&self, url: Url, most: u64) -> Result<Vec<u8>> {
        let request = Request::new(Method::GET, url);
        let (head, data) = self.exchange(&request, most, || Ok(Vec::new())).await?;
        if head.status.is_success() { Ok(data) } else { Err(head.error("fetch")) }
    }

    /// Sends a request whose answer is short.
    pub fn send(&self, request: &Request) -> Result<(Head, Vec<u8>)> {
        self.block_on(self.exchange(request, 8 << 20, || Ok(Vec::new())))
    }

    fn started(&self) -> Result<&Started> {
        let start = || -> Result<Started, String> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| format!("failed to start the network: {error}"))?;
            Ok(Started { runtime, clients: Default::default() })
        };
        let started = self.started.get_or_init(start).as_ref();
        started.map_err(|message| Error::new(Kind::Unreachable, message.clone()))
    }

    pub fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.started()?.runtime.block_on(work)
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client> {
        // As in Go: no proxy leads to what is on this machine.
        let is_past_proxies = !self.options.proxies.is_empty() && url.host_str().is_some_and(is_loopback);
        let builder = || if is_past_proxies { builder().no_proxy() } else { builder() };
        let is_tls = url.scheme() != "http";
        let client =
            self.started()?.clients[usize::from(is_tls) * 2 + usize::from(is_past_proxies)].get_or_init(|| {
                if is_tls {
                    return self.tls_client(builder());
                }
                // Loading the system's certificates takes longer than a local transfer, so `http://` goes without.
                builder().tls_certs_only([]).build().map_err(|error| root_cause(&error))
            });
        client
            .as_ref()
            .map_err(|message| Error::new(if is_tls { Kind::Tls } else { Kind::Unreachable }, message.clone()))
    }

    fn tls_client(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
        let mut builder = builder.tls_danger_accept_invalid_certs(self.options.insecure);
        if let Some(pem) = &self.options.ca {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| format!("the CA file holds no PEM certificates: {}", root_cause(&error)))?;
            if certificates.is_empty() {
                return Err("the CA file holds no PEM certificates".to_owned());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(pem) = &self.options.identity {
            let identity = reqwest::Identity::from_pem(pem).map_err(|error| {
                format!("the client certificate and key are not a PEM certificate and key: {}", root_cause(&error))
            })?;
            builder = builder.identity(identity);
        }
        builder.build().map_err(|error| format!("failed to set up TLS: {}", root_cause(&error)))
    }

    /// Sends a request, again where that may help, and writes a successful answer's content to what `start` makes:
    /// anew for each try.
    pub async fn exchange<W: Write>(
        &self,
        request: &Request,
        most: u64,
        mut start: impl FnMut() -> std::io::Result<W>,
    ) -> Result<(Head, W)> {
        let mut attempt = 0;
        loop {
            let outcome = self.follow(request, most, &mut start).await;
            let wait = match &outcome {
                Ok((head, _)) if is_passing(head.status) => {
                    head.header(RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_secs)
                }
                Err(error) if error.kind == Kind::Unreachable => None,
                _ => return outcome,
            };
            if attempt >= self.options.retries || !request.is_repeatable {
                return outcome;
            }
            let backoff = Duration::from_millis(200 << attempt.min(5));
            let wait = wait.unwrap_or(backoff).min(Duration::from_secs(30)) + jitter(backoff);
            tracing::info!("{} {}: trying again in {wait:.1?}", request.method, shown(&request.url));
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// One try, through redirects. Credentials stay with the server they are for.
    async fn follow<W: Write>(
        &self,
        request: &Request,
        most: u64,
        start: &mut impl FnMut() -> std::io::Result<W>,
    ) -> Result<(Head, W)> {
        let mut url = request.url.clone();
        let mut credentials = match &request.access {
            Access::Known => self.options.keyring.find(&url),
            Access::Only(own) => own.clone(),
        };
        for _ in 0..10 {
            let response = self.once(request, &url, credentials.as_ref()).await?;
            let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let location = response.headers().get(LOCATION).filter(|_| moved);
            let Some(location) = location.and_then(|value| value.to_str().ok()) else {
                return self.receive(request, url, response, most, start).await;
            };
            let mut next = url.join(location).map_err(|_| {
                Error::new(Kind::Malformed, format!("`{}` redirects to what is not a URL", shown(&url)))
            })?;
            if !matches!(next.scheme(), "http" | "https") {
                let message = format!("`{}` redirects to a `{}` URL", shown(&url), next.scheme());
                return Err(Error::new(Kind::Malformed, message));
            }
            let same_origin = Origin::of(&next) == Origin::of(&url);
            let keeps_method = matches!(response.status().as_u16(), 307 | 308);
            let is_upload = !matches!(request.method, Method::GET | Method::HEAD);
            if is_upload && (!keeps_method || !same_origin) {
                let message = format!("`{}` redirects uploads to `{}`", shown(&url), shown(&next));
                return Err(Error::new(Kind::Usage, message).with_hint("push to that URL if you trust it"));
            }
            // A user in the address is the redirecting server's choice, not ours.
            let _ = next.set_username("");
            let _ = next.set_password(None);
            if !same_origin {
                credentials = match &request.access {
                    Access::Known => self.options.keyring.find_given(&next),
                    Access::Only(_) => None,
                };
            }
            tracing::info!("{} redirects to {}", shown(&url), shown(&next));
            url = next;
        }
        Err(Error::new(Kind::Malformed, format!("`{}` redirects more than ten times", shown(&request.url))))
    }

    async fn once(&self, request: &Request, url: &Url, credentials: Option<&Credentials>) -> Result<reqwest::Response> {
        let mut bare = url.clone();
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let mut builder = self.client_for(url)?.request(request.method.clone(), bare);
        let same_origin = Origin::of(url) == Origin::of(&request.url);
        for (name, value) in &request.headers {
            // Any header may hold a token, so only those for caching go to another server.
            if same_origin || matches!(name.as_str(), "accept" | "accept-encoding" | "if-none-match") {
                builder = builder.header(name, value);
            }
        }
        builder = match credentials {
            Some(Credentials::Basic { username, password }) => builder.basic_auth(username, Some(password)),
            Some(Credentials::Bearer(token)) => builder.header(AUTHORIZATION, bearer(token)?),
            // Only a token server takes it, in a form.
            Some(Credentials::Identity(_)) | None => builder,
        };
        let moved = Moved::new(Mutex::new(Instant::now()));
        builder = match &request.body {
            Body::Empty => builder,
            Body::Bytes { name, data, content_type } => builder
                .header(CONTENT_TYPE, *content_type)
                .header(CONTENT_LENGTH, data.len())
                .body(self.upload(name, data, &moved)),
            Body::Form(fields) => {
                let mut form = reqwest::multipart::Form::new();
                for (field, name, data) in fields {
                    let part = reqwest::multipart::Part::stream_with_length(
                        self.upload(name, data, &moved),
                        data.len() as u64,
                    );
                    form = form.part(*field, part.file_name(name.clone()));
                }
                builder.multipart(form)
            }
        };
        tracing::debug!("{} {}", request.method, shown(url));
        let sent = while_it_moves(&moved, self.silence(), builder.send())
            .await
            .ok_or_else(|| self.no_answer(&request.method, url))?;
        sent.map_err(|error| self.failure(&request.method, url, &error))
    }

    /// The bytes as a stream that reports progress, and notes when the last of them went.
    fn upload(&self, name: &str, data: &Arc<[u8]>, moved: &Moved) -> reqwest::Body {
        const CHUNK: usize = 64 << 10;
        if data.len() <= CHUNK {
            return data.to_vec().into();
        }
        let (progress, moved) = (self.options.progress.clone(), Arc::clone(moved));
        let (name, data) = (name.to_owned(), Arc::clone(data));
        let chunks = (0..data.len()).step_by(CHUNK).map(move |at| {
            let end = data.len().min(at + CHUNK);
            *moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            if let Some(progress) = &progress {
                progress(&name, end as u64, Some(data.len() as u64));
            }
            Ok::<_, std::io::Error>(data[at..end].to_vec())
        });
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
    }

    async fn receive<W: Write>(
        &self,
        request: &Request,
        url: Url,
        mut response: reqwest::Response,
        most: u64,
        start: &mut impl FnMut() -> std::io::Result<W>,
    ) -> Result<(Head, W)> {
        let status = response.status();
        let headers = response.headers().clone();
        let disk = |error: std::io::Error| Error::new(Kind::Disk, format!("failed to save `{}`: {error}", shown(&url)));
        let mut sink = start().map_err(disk)?;
        let mut detail = Vec::new();
        let total = response.content_length();
        let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned();
        // Nobody asked for a part.
        if status == StatusCode::PARTIAL_CONTENT {
            let message = format!("`{}` is answered with a part of it (206)", shown(&url));
            return Err(Error::new(Kind::Malformed, message));
        }
        let begun = Instant::now();
        let mut done = 0u64;
        loop {
            let chunk = tokio::time::timeout(self.silence(), response.chunk()).await;
            let chunk = chunk.map_err(|_| self.no_answer(&request.method, &url))?;
            let Some(chunk) = chunk.map_err(|error| self.failure(&request.method, &url, &error))? else { break };
            done += chunk.len() as u64;
            let is_too_slow = begun.elapsed() > self.silence() + Duration::from_millis(done / SLOWEST);
            if !status.is_success() {
                if detail.len() < 4096 {
                    detail.extend_from_slice(&chunk[..chunk.len().min(4096)]);
                }
                if is_too_slow || done > 1 << 20 {
                    break;
                }
                continue;
            }
            if is_too_slow {
                let why = format!("{done} bytes in {} seconds are too few", begun.elapsed().as_secs());
                return Err(unanswered(&request.method, &url, &why));
            }
            if done > most {
                let message = format!("`{}` has more than {most} bytes", shown(&url));
                return Err(Error::new(Kind::Malformed, message));
            }
            sink.write_all(&chunk).map_err(disk)?;
            if let Some(progress) = &self.options.progress {
                progress(&name, done, total);
            }
        }
        Ok((Head { status, headers, url, detail }, sink))
    }

    fn silence(&self) -> Duration {
        self.options.silence.unwrap_or(SILENCE)
    }

    fn no_answer(&self, method: &Method, url: &Url) -> Error {
        self.with_proxy_hint(url, unanswered(method, url, "no answer in time"))
    }

    /// A request that got no answer, as an error.
    fn failure(&self, method: &Method, url: &Url, error: &reqwest::Error) -> Error {
        self.with_proxy_hint(url, failure(method, url, error))
    }

    fn with_proxy_hint(&self, url: &Url, failed: Error) -> Error {
        let is_for = |name: &&&str| {
            let scheme = name.split('_').next().unwrap_or_default().to_ascii_lowercase();
            scheme == "all" || scheme == url.scheme()
        };
        match self.options.proxies.iter().find(is_for).filter(|_| failed.kind == Kind::Unreachable) {
            Some(name) => failed.with_hint(format!("the proxy that `{name}` names may be what fails")),
            None => failed,
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("chart/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
}

fn bearer(token: &str) -> Result<reqwest::header::HeaderValue> {
    let value = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.map_err(|_| Error::new(Kind::Usage, "the token has characters that a header cannot hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Up to half of the wait, so that clients that failed together do not come back together.
fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(rand::random::<f64>() / 2.0)
}

/// Waits for an answer as long as the request's content moves.
async fn while_it_moves<T>(moved: &Moved, silence: Duration, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let last = *moved.lock().unwrap_or_else(PoisonError::into_inner);
        match tokio::time::timeout(silence.saturating_sub(last.elapsed()), &mut answer).await {
            Ok(answer) => return Some(answer),
            Err(_) if *moved.lock().unwrap_or_else(PoisonError::into_inner) == last => return None,
            Err(_) => {}
        }
    }
}

/// That a request got no answer, as an error.
fn unanswered(method: &Method, url: &Url, why: &str) -> Error {
    let action = if matches!(*method, Method::GET | Method::HEAD) { "fetch" } else { "send to" };
    Error::new(Kind::Unreachable, format!("failed to {action} `{}`: {why}", shown(url)))
}

fn failure(method: &Method, url: &Url, error: &reqwest::Error) -> Error {
    let cause = root_cause(error);
    let tls = |why: &str, hint: &str| unanswered(method, url, why).of_kind(Kind::Tls).with_hint(hint);
    if cause.contains("certificate") || cause.contains("CaUsedAsEndEntity") {
        let hint = if cause.contains("UnknownIssuer") {
            "name the server's CA with `--ca-file`, or trust it blindly with `--insecure-skip-tls-verify`"
        } else {
            "`--insecure-skip-tls-verify` connects all the same, to whoever answers"
        };
        return tls(&cause, hint);
    }
    if cause.contains("InvalidContentType") || cause.contains("corrupt message") {
        let hint = "is it an `http://` address? for an OCI registry there is `--plain-http`";
        return tls("the server does not speak TLS", hint);
    }
    unanswered(method, url, if error.is_timeout() { "no answer in time" } else { &cause })
}

/// The innermost error's words; the outer ones only say that something failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    // `Connection refused`, but not `DNS error` or a name in camel case.
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() && text.contains(' ') => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
