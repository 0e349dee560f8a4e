//! Chart repositories behind HTTP: an `index.yaml` to read, and each server's own way to publish.

use super::cache::Cache;
use super::error::{Error, Kind, Result, shown};
use super::http::{Body, Client, Head, Request};
use super::index::{Change, Entry, Index, bare_digest, conflict};
use super::mutex::Mutex;
use super::parallel::TRANSFERS;
use super::settle::settle;
use super::{Download, Found, MAX_ARCHIVE, MAX_PROVENANCE, Receipt, Repository, Upload, index};
use crate::package;
use reqwest::Method;
use reqwest::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Bytes of the largest index that is read.
const MAX_INDEX: u64 = 1 << 30;
/// How often an index is put anew that others changed meanwhile.
const ROUNDS: usize = 20;

pub(super) const NO_PUT: &str =
    "the server takes no PUT here: is this the repository's own URL? `--kind` names other ways to push";

pub(super) const NO_FOLDER: &str = "does the folder exist on the server?";

/// How a server takes charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /api/charts`; the server keeps the index.
    ChartMuseum,
    /// `PUT` of archive and index: WebDAV, object stores, any server that stores files.
    Put,
    /// `PUT` of the archive; the server keeps the index.
    Nexus,
    Artifactory,
    /// `POST` of a form to the package registry.
    Gitlab,
    /// `POST` of the archive to the package registry.
    Gitea,
}

/// A repository at an `http://` or `https://` URL.
pub struct Server {
    client: Arc<Client>,
    /// Ends with a slash.
    base: Url,
    protocol: Option<Protocol>,
    /// ChartMuseum's `--context-path`, where it cannot be read from the index.
    context_path: Option<String>,
    cache: Cache,
}

/// What probing found.
struct Probed {
    protocol: Protocol,
    /// Where the server says that it is mounted.
    context_path: String,
}

/// How an archive is had.
enum Plan {
    Known(Download),
    /// From a URL, with the digest that the index names.
    Get(Url, Option<String>),
}

fn fetched(url: &Url, digest: Option<String>, data: Vec<u8>) -> Download {
    Download { data, url: shown(url), digest, manifest_digest: None, is_new: true }
}

impl Server {
    pub fn new(client: Arc<Client>, base: Url, cache: Cache) -> Self {
        let mut base = base;
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Server { client, base, protocol: None, context_path: None, cache }
    }

    #[must_use]
    pub fn with_protocol(mut self, protocol: Option<Protocol>, context_path: Option<String>) -> Self {
        self.protocol = protocol;
        self.context_path = context_path;
        self
    }

    /// A URL under the repository's own; a query of it (such as a token) carries over.
    fn url(&self, path: &str) -> Result<Url> {
        join(&self.base, path)
    }

    fn request(&self, method: Method, path: &str) -> Result<Request> {
        Ok(Request::new(method, self.url(path)?))
    }

    /// The index as the server has it now, and its ETag. `None` where there is none.
    fn fresh_index(&self) -> Result<(Head, Option<String>)> {
        let request = self.request(Method::GET, "index.yaml")?.header(CACHE_CONTROL, "no-cache");
        let get = self.client.exchange(&request, MAX_INDEX, || Ok(Vec::new()));
        let (head, data) = self.client.block_on(get)?;
        if matches!(head.status.as_u16(), 404 | 410) {
            return Ok((head, None));
        }
        if !head.status.is_success() {
            return Err(head.error("fetch"));
        }
        let text = String::from_utf8(data).map_err(|_| self.bad_index("it is not UTF-8 text"))?;
        Ok((head, Some(text)))
    }

    fn bad_index(&self, why: &str) -> Error {
        Error::new(Kind::Malformed, format!("`{}index.yaml` is not a repository index: {why}", shown(&self.base)))
    }

    fn parse_index(&self, text: Option<String>) -> Result<Index> {
        let Some(text) = text else { return Ok(Index::default()) };
        Index::parse(text).map_err(|error| error.context(format!("`{}index.yaml`", shown(&self.base))))
    }

    /// Finds out how this server takes charts.
    fn probe(&self) -> Result<Probed> {
        let path = self.base.path();
        // These two are mounted at a path of their own form.
        let fixed = match path.find("/packages/helm").map(|at| &path[..at + "/packages/helm".len()]) {
            Some(context) if path.contains("/api/v4/") => Some(context),
            _ => {
                path.split_once("/api/packages/").map(|_| path.trim_end_matches('/')).filter(|it| it.ends_with("/helm"))
            }
        };
        let given = self.context_path.clone().or_else(|| fixed.map(str::to_owned));
        if let (Some(protocol), true) = (self.protocol, given.is_some() || !self.needs_context()) {
            return Ok(Probed { protocol, context_path: given.unwrap_or_default() });
        }
        if let (Some(context), None) = (fixed, self.protocol) {
            let protocol = if path.contains("/api/v4/") { Protocol::Gitlab } else { Protocol::Gitea };
            return Ok(Probed { protocol, context_path: context.to_owned() });
        }
        let (head, text) = self.fresh_index()?;
        let context = text.as_deref().and_then(server_info);
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let server = header("server").to_ascii_lowercase();
        let protocol = match self.protocol {
            Some(protocol) => protocol,
            None if server.starts_with("nexus") => Protocol::Nexus,
            None if server.starts_with("artifactory")
                || !header("x-jfrog-version").is_empty()
                || !header("x-artifactory-id").is_empty() =>
            {
                Protocol::Artifactory
            }
            None if context.is_some() || self.has_api()? => Protocol::ChartMuseum,
            None => Protocol::Put,
        };
        tracing::info!("{} takes charts as {protocol:?}", shown(&self.base));
        Ok(Probed { protocol, context_path: given.or(context).unwrap_or_default() })
    }

    fn needs_context(&self) -> bool {
        matches!(self.protocol, Some(Protocol::ChartMuseum | Protocol::Gitlab))
    }

    /// Whether the path answers as ChartMuseum's API does.
    fn has_api(&self) -> Result<bool> {
        let (head, body) = self.client.send(&self.request(Method::GET, "api/charts?limit=1")?)?;
        let body = body.trim_ascii();
        Ok(head.status.is_success() && body.starts_with(b"{") && body.ends_with(b"}"))
    }

    /// `<origin><context>/api<rest of the path>/charts`
    fn api(&self, context_path: &str) -> Result<Url> {
        let context = context_path.trim_matches('/');
        let path = self.base.path().trim_start_matches('/');
        let rest = path.strip_prefix(context).filter(|_| !context.is_empty()).unwrap_or(path);
        let rest = rest.trim_matches('/');
        let mut api = String::from("/");
        for part in [context, "api", rest, "charts"] {
            if !part.is_empty() {
                let _ = write!(api, "{part}/");
            }
        }
        let mut url = self.base.clone();
        url.set_path(api.trim_end_matches('/'));
        Ok(url)
    }

    fn archive_body(upload: &Upload) -> Body {
        Body::Bytes { name: upload.file_name.clone(), data: Arc::clone(&upload.data), content_type: "application/gzip" }
    }

    fn provenance_body(provenance: &Arc<[u8]>) -> Body {
        let content_type = "application/pgp-signature";
        Body::Bytes { name: String::new(), data: Arc::clone(provenance), content_type }
    }

    /// Gives an archive that is there its signature if it has none. A signature of another time stays.
    fn add_signature(&self, upload: &Upload, folder: &Url) -> Result<Change> {
        let Some(provenance) = &upload.provenance else { return Ok(Change::Same) };
        let place = join(folder, &format!("{}.prov", upload.file_name))?;
        match self.client.get(&place, MAX_PROVENANCE) {
            Ok(_) => return Ok(Change::Same),
            Err(error) if error.kind == Kind::Missing => {}
            Err(error) => return Err(error),
        }
        let body = Self::provenance_body(provenance);
        if *folder == self.url("")? {
            self.put(Request::new(Method::PUT, place).body(body))?;
            return Ok(Change::Signed);
        }
        let api = self.api(&self.probe()?.context_path)?;
        let (head, _) = self.client.send(&Request::new(Method::POST, join(&api, "prov")?).body(body))?;
        if head.status.is_success() { Ok(Change::Signed) } else { Err(head.error("upload to")) }
    }

    /// Puts the archive, and its provenance before it.
    fn put_archive(&self, upload: &Upload, only_new: bool) -> Result<Head> {
        if let Some(provenance) = &upload.provenance {
            let path = format!("{}.prov", upload.file_name);
            self.put(self.request(Method::PUT, &path)?.body(Self::provenance_body(provenance)))?;
        }
        let mut request = self.request(Method::PUT, &upload.file_name)?.body(Self::archive_body(upload));
        // Artifactory refuses what arrives with another digest.
        request = request.header(HeaderName::from_static("x-checksum-sha256"), upload.digest.clone());
        if only_new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        self.put(request)
    }

    fn put(&self, request: Request) -> Result<Head> {
        let (head, _) = self.client.send(&request)?;
        match head.status.as_u16() {
            200..=299 => Ok(head),
            412 => Ok(head),
            405 | 501 => Err(head.error("upload").with_hint(NO_PUT)),
            409 => Err(head.error("upload").with_hint(NO_FOLDER)),
            _ => Err(head.error("upload")),
        }
    }

    /// Archive, then index, one pusher at a time.
    fn publish_files(&self, upload: &Upload) -> Result<Receipt> {
        let mutex = Mutex::acquire(&self.client, &self.base)?;
        let receipt = |change| Receipt::new(change, self.shown_archive(upload), upload);
        let (mut uploaded, mut replaces) = (false, false);
        let mut ignored_etag = None;
        for round in 0..ROUNDS {
            let (head, text) = self.fresh_index()?;
            let existed = text.is_some();
            let etag = head.header(ETAG).filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
            let mut index = self.parse_index(text)?;
            let there = index.digest(upload.name(), upload.version()).map(|digest| digest.map(str::to_owned));
            match there {
                Some(digest) if digest.as_deref() == Some(&upload.digest) => {
                    // Ours: from this run, or from one that may have died before the archive was whole.
                    if !uploaded && self.stored_digest(&upload.file_name)?.as_deref() != Some(&upload.digest) {
                        mutex.check()?;
                        self.put_archive(upload, false)?;
                    }
                    return Ok(receipt(match (uploaded, replaces) {
                        (false, false) => self.add_signature(upload, &self.url("")?)?,
                        (_, false) => Change::Added,
                        (_, true) => Change::Replaced,
                    }));
                }
                Some(digest) => {
                    if !upload.force {
                        return Err(conflict(upload.name(), upload.version(), digest.as_deref(), Some(&upload.digest)));
                    }
                    // The old entry goes before its archive does, so that no index names bytes that are not there.
                    index.retain(|listed| listed.name != upload.name() || listed.version != upload.version());
                    // Neither does its signature stay. Where it cannot be removed, it fits no archive.
                    self.client.send(&self.request(Method::DELETE, &format!("{}.prov", upload.file_name))?)?;
                    replaces = true;
                }
                None => {
                    if !uploaded {
                        mutex.check()?;
                        self.put_archive(upload, false)?;
                        uploaded = true;
                    }
                    index.publish(upload.entry(&upload.file_name), false)?;
                }
            }
            if round > 0 {
                tracing::warn!("the index changed meanwhile; putting it again");
            }
            mutex.check()?;
            let data: Arc<[u8]> = index.render(Some(&upload.now))?.into_bytes().into();
            let body = Body::Bytes { name: "index.yaml".to_owned(), data, content_type: "application/x-yaml" };
            let mut request = self.request(Method::PUT, "index.yaml")?.body(body);
            match &etag {
                // A server that answers 412 to the very ETag it gave does not mean it.
                Some(etag) if ignored_etag.as_ref() != Some(etag) => {
                    request = request.header(IF_MATCH, etag.clone());
                }
                None if !existed => request = request.header(IF_NONE_MATCH, "*"),
                _ => {}
            }
            let answer = self.put(request)?;
            if answer.status.as_u16() == 412 {
                ignored_etag = etag;
                std::thread::sleep(Duration::from_millis(20 + u64::from(rand::random::<u8>())));
            }
        }
        let message = format!("others keep changing `{}index.yaml`", shown(&self.base));
        Err(Error::new(Kind::Unreachable, message).with_hint("the archive is there; push again to list it"))
    }

    fn shown_archive(&self, upload: &Upload) -> String {
        self.url(&upload.file_name).map(|url| shown(&url)).unwrap_or_default()
    }

    /// The digest of the archive that the server has under a name.
    fn stored_digest(&self, file_name: &str) -> Result<Option<String>> {
        let request = self.request(Method::GET, file_name)?.header(CACHE_CONTROL, "no-cache");
        let (head, data) = self.client.block_on(self.client.exchange(&request, MAX_ARCHIVE, || Ok(Vec::new())))?;
        match head.status.as_u16() {
            404 | 410 => Ok(None),
            200..=299 => Ok(Some(package::digest(&data))),
            _ => Err(head.error("fetch")),
        }
    }

    /// For servers that keep the index themselves and store archives under their names.
    fn publish_archive(&self, upload: &Upload) -> Result<Receipt> {
        let receipt = |change| Receipt::new(change, self.shown_archive(upload), upload);
        let there = self.stored_digest(&upload.file_name)?;
        match &there {
            Some(digest) if *digest == upload.digest => {
                return self.add_signature(upload, &self.url("")?).map(receipt);
            }
            Some(digest) if !upload.force => {
                return Err(conflict(upload.name(), upload.version(), Some(digest), Some(&upload.digest)));
            }
            _ => {}
        }
        let change = if there.is_some() { Change::Replaced } else { Change::Added };
        let begun = Instant::now();
        self.put_archive(upload, !upload.force)?;
        if there.is_none() {
            settle(begun.elapsed());
        }
        match self.stored_digest(&upload.file_name)? {
            Some(digest) if digest == upload.digest => Ok(receipt(change)),
            digest => Err(conflict(upload.name(), upload.version(), digest.as_deref(), Some(&upload.digest))),
        }
    }

    /// For servers with an upload API that keep the index themselves.
    fn publish_to_api(&self, upload: &Upload, probed: &Probed) -> Result<Receipt> {
        let api = self.api(&probed.context_path)?;
        let receipt = |change| Receipt::new(change, self.shown_archive(upload), upload);
        let there = self.listed_digest(upload, &api, probed.protocol)?;
        match &there {
            Some(digest) if *digest == upload.digest => {
                return match probed.protocol {
                    Protocol::ChartMuseum => self.add_signature(upload, &self.url("charts/")?).map(receipt),
                    _ => Ok(receipt(Change::Same)),
                };
            }
            Some(digest) if !upload.force => {
                return Err(conflict(upload.name(), upload.version(), Some(digest), Some(&upload.digest)));
            }
            _ => {}
        }
        let mut target = api.clone();
        if upload.force && probed.protocol == Protocol::ChartMuseum {
            target.query_pairs_mut().append_key_only("force");
        }
        if upload.provenance.is_some() && probed.protocol != Protocol::ChartMuseum {
            let place = shown(&self.base);
            tracing::warn!("`{place}` keeps no provenance files: `{}` goes without its signature", upload.file_name);
        }
        let with_form = probed.protocol == Protocol::Gitlab
            || (probed.protocol == Protocol::ChartMuseum && upload.provenance.is_some());
        let body = if with_form {
            let mut fields = vec![("chart", upload.file_name.clone(), Arc::clone(&upload.data))];
            if let (Protocol::ChartMuseum, Some(provenance)) = (probed.protocol, &upload.provenance) {
                fields.push(("prov", format!("{}.prov", upload.file_name), Arc::clone(provenance)));
            }
            Body::Form(fields)
        } else {
            Self::archive_body(upload)
        };
        let begun = Instant::now();
        let (head, _) = self.client.send(&Request::new(Method::POST, target).body(body))?;
        match head.status.as_u16() {
            200..=299 => {}
            // Another pusher was faster, or our first try got through and its answer did not.
            409 => {}
            404 => {
                return Err(head.error("upload to").with_hint(
                    "is this the repository's URL? `--context-path` says where the server is mounted, `--kind` what it is",
                ));
            }
            _ => return Err(head.error("upload to")),
        }
        // The server lists it a moment later; what it lists in the end decides who was first.
        let mut listed = None;
        for wait in [0, 20, 50, 100, 200, 400, 800, 1600, 3200] {
            std::thread::sleep(Duration::from_millis(wait));
            listed = self.listed_digest(upload, &api, probed.protocol)?;
            if listed.as_deref() == Some(&*upload.digest) {
                if there.is_some() {
                    return Ok(receipt(Change::Replaced));
                }
                settle(begun.elapsed());
                listed = self.listed_digest(upload, &api, probed.protocol)?;
                if listed.as_deref() == Some(&*upload.digest) {
                    return Ok(receipt(Change::Added));
                }
            }
            let is_final = head.status.as_u16() == 409 || probed.protocol == Protocol::Gitea;
            if listed.is_some() && is_final {
                break;
            }
        }
        match listed {
            Some(digest) => Err(conflict(upload.name(), upload.version(), Some(&digest), Some(&upload.digest))),
            None if head.status.is_success() => {
                let message = format!("`{}` took `{}` but does not list it", shown(&self.base), upload.file_name);
                Err(Error::new(Kind::Malformed, message).with_hint("look into the server's log"))
            }
            None => Err(head.error("upload to")),
        }
    }

    /// The digest under which the server lists the version.
    fn listed_digest(&self, upload: &Upload, api: &Url, protocol: Protocol) -> Result<Option<String>> {
        if protocol == Protocol::ChartMuseum {
            let mut url = api.clone();
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.extend([upload.name(), upload.version()]);
            }
            // `+` means a blank to some routers.
            let path = url.path().replace('+', "%2B");
            url.set_path(&path);
            let (head, body) = self.client.send(&Request::new(Method::GET, url))?;
            return match head.status.as_u16() {
                404 => Ok(None),
                200..=299 => {
                    let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
                    let digest = json.as_ref().and_then(|json| json.get("digest")?.as_str());
                    Ok(digest.map(|digest| bare_digest(digest).to_owned()))
                }
                _ => Err(head.error("ask")),
            };
        }
        let (_, text) = self.fresh_index()?;
        let index = self.parse_index(text)?;
        if let Some(digest) = index.digest(upload.name(), upload.version()).flatten() {
            return Ok(Some(digest.to_owned()));
        }
        match index.entry(upload.name(), upload.version()).transpose()? {
            // Gitea lists no digests.
            Some(entry) => {
                let url = entry.urls.first().ok_or_else(|| super::no_url(&entry))?;
                self.stored_digest(url.rsplit('/').next().unwrap_or(url))
            }
            // GitLab lists a few hundred versions, the newest, and has the others all the same.
            None if protocol == Protocol::Gitlab => self.stored_digest(&format!("charts/{}", upload.file_name)),
            None => Ok(None),
        }
    }

    /// What it takes to have a version's archive.
    fn plan(&self, found: &Found) -> Result<Plan> {
        let entry = found.entry().map_err(|error| error.context(format!("`{}index.yaml`", shown(&self.base))))?;
        let url = self.archive_url(&entry)?;
        let digest = Some(entry.digest).filter(|digest| !digest.is_empty());
        if let Some(data) = digest.as_deref().and_then(|digest| self.cache.archive(digest)) {
            let url = shown(&url);
            return Ok(Plan::Known(Download { data, url, digest, manifest_digest: None, is_new: false }));
        }
        self.cache.allow(&shown(&url))?;
        Ok(Plan::Get(url, digest))
    }

    /// Where an entry's archive is.
    fn archive_url(&self, entry: &Entry) -> Result<Url> {
        let Some(url) = entry.urls.first() else { return Err(super::no_url(entry)) };
        join(&self.base, url)
    }
}

impl Repository for Server {
    fn publish(&self, upload: &Upload) -> Result<Receipt> {
        let probed = self.probe()?;
        match probed.protocol {
            Protocol::Put => self.publish_files(upload),
            Protocol::Nexus | Protocol::Artifactory => self.publish_archive(upload),
            Protocol::ChartMuseum | Protocol::Gitlab | Protocol::Gitea => self.publish_to_api(upload, &probed),
        }
    }

    fn charts(&self, names: &[&str]) -> Result<index::Charts> {
        let mut reader = self.cache.index(&self.client, &self.url("index.yaml")?)?;
        let charts = index::read_charts(&mut reader, names);
        charts.map_err(|error| error.context(format!("`{}index.yaml`", shown(&self.base))))
    }

    fn location(&self) -> String {
        shown(&self.base)
    }

    fn fetch(&self, found: &Found) -> Result<Download> {
        match self.plan(found)? {
            Plan::Known(download) => Ok(download),
            Plan::Get(url, digest) => self.client.get(&url, MAX_ARCHIVE).map(|data| fetched(&url, digest, data)),
        }
    }

    fn fetch_all(&self, found: &[&Found]) -> Result<Vec<Download>> {
        let plans = found.iter().map(|found| self.plan(found)).collect::<Result<Vec<_>>>()?;
        let urls = plans.iter().filter_map(|plan| match plan {
            Plan::Get(url, _) => Some(url.clone()),
            Plan::Known(_) => None,
        });
        let mut answers = self.client.get_all(urls.collect(), MAX_ARCHIVE, TRANSFERS)?.into_iter();
        let downloads = plans.into_iter().map(|plan| match plan {
            Plan::Known(download) => download,
            Plan::Get(url, digest) => fetched(&url, digest, answers.next().unwrap_or_default()),
        });
        Ok(downloads.collect())
    }

    fn provenance(&self, found: &Found) -> Result<Option<Vec<u8>>> {
        let mut url = self.archive_url(&found.entry()?)?;
        url.set_path(&format!("{}.prov", url.path()));
        match self.client.get(&url, MAX_PROVENANCE) {
            Ok(data) => Ok(Some(data)),
            Err(error) if error.kind == Kind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Resolves a path, or a whole URL, against a repository's URL, as Helm does: the repository's query carries over.
pub(super) fn join(base: &Url, path: &str) -> Result<Url> {
    let bad = || Error::new(Kind::Malformed, format!("`{path}` is not a URL"));
    let mut url = base.join(path).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::new(Kind::Malformed, format!("the index points to a `{}` URL", url.scheme())));
    }
    if url.query().is_none() && base.query().is_some() && url.origin() == base.origin() {
        url.set_query(base.query());
    }
    Ok(url)
}

/// The context path in an index's `serverInfo`, which ChartMuseum and its kin write.
fn server_info(text: &str) -> Option<String> {
    if text.trim_ascii_start().starts_with('{') {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let info = json.get("serverInfo")?;
        return Some(info.get("contextPath").and_then(|path| path.as_str()).unwrap_or_default().to_owned());
    }
    let mut lines = text.lines().skip_while(|line| !line.starts_with("serverInfo:"));
    lines.next()?;
    let inside = lines.take_while(|line| line.starts_with(' '));
    let path = inside.filter_map(|line| line.trim().strip_prefix("contextPath:")).next();
    Some(path.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned())
}

/// The header that asks for the form of an index that reads faster.
pub(super) fn accept(request: Request) -> Request {
    request.header(ACCEPT, "application/json, application/x-yaml;q=0.9, */*;q=0.8")
}
