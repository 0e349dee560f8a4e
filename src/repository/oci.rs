//! Charts in OCI registries, as Helm stores them: a manifest with the archive as a layer and `Chart.yaml` as config.

use super::auth::Credentials;
use super::cache::Cache;
use super::error::{Error, Kind, Result};
use super::http;
use super::index::{Change, Charts, conflict};
use super::{Download, Found, Receipt, Repository, Upload};
use crate::chart::Metadata;
use crate::package;
use crate::version::Version;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};
use serde_json::{Map, Value as Json};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// What Helm 3.0 to 3.6 wrote.
const OLD_CHART: &str = "application/tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
const MAX_BLOB: u64 = 200 << 20;
/// A registry has no conditional write. Two pushers who both saw a tag free have both written it within this time, and
/// then the tag says who wins.
const SETTLE: Duration = Duration::from_millis(300);

/// A path in a registry, under which each chart has a repository of its name.
pub struct Registry {
    client: Arc<http::Client>,
    /// `host[:port]`
    host: String,
    /// Without slashes at the ends; may be empty.
    path: String,
    auth: RegistryAuth,
    options: Options,
    oci: OnceLock<oci_client::Client>,
    cache: Cache,
}

/// How a registry is reached.
#[derive(Default)]
pub struct Options {
    pub credentials: Option<Credentials>,
    pub plain_http: bool,
    pub insecure: bool,
    /// PEM certificates that are trusted besides the system's.
    pub ca: Option<Vec<u8>>,
    pub retries: u32,
}

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
            Error::new(Kind::Usage, format!("`{text}` is not an OCI reference: {why}"))
                .with_hint("references look like `oci://registry.example/path/chart:1.2.3`")
        };
        let rest = text.strip_prefix("oci://").ok_or_else(|| bad("it does not start with `oci://`"))?;
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
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == "[::1]" || name.starts_with("127.")
}

/// A version as a tag: `+` is not allowed in one.
pub fn tag_of(version: &str) -> String {
    version.replace('+', "_")
}

impl Registry {
    pub fn new(client: Arc<http::Client>, host: &str, path: &str, options: Options, cache: Cache) -> Self {
        let auth = match &options.credentials {
            Some(Credentials::Basic { username, password }) => RegistryAuth::Basic(username.clone(), password.clone()),
            Some(Credentials::Bearer(token)) => RegistryAuth::Bearer(token.clone()),
            None => RegistryAuth::Anonymous,
        };
        Registry { client, host: host.to_owned(), path: path.to_owned(), auth, options, oci: OnceLock::new(), cache }
    }

    fn oci(&self) -> Result<&oci_client::Client> {
        self.cache.allow(&self.location())?;
        if let Some(oci) = self.oci.get() {
            return Ok(oci);
        }
        let options = &self.options;
        let tls = options.ca.is_some() || options.insecure;
        let plain = options.plain_http || (is_loopback(&self.host) && !tls);
        let certificates =
            options.ca.iter().map(|data| Certificate { encoding: CertificateEncoding::Pem, data: data.clone() });
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            accept_invalid_certificates: options.insecure,
            extra_root_certificates: certificates.collect(),
            use_monolithic_push: true,
            connect_timeout: Some(Duration::from_secs(10)),
            read_timeout: Some(Duration::from_secs(60)),
            user_agent: concat!("chart/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let oci = oci_client::Client::try_from(config).map_err(|error| self.error("reach", "", error))?;
        Ok(self.oci.get_or_init(|| oci))
    }

    fn repository(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn shown(&self, name: &str, tag: &str) -> String {
        format!("{}/{}:{tag}", self.host, self.repository(name))
    }

    fn reference(&self, name: &str, tag: &str) -> Result<Reference> {
        let text = self.shown(name, tag);
        Reference::try_from(text.as_str()).map_err(|error| {
            Error::new(Kind::Usage, format!("`{text}` cannot be in a registry: {error}"))
                .with_hint("paths are lower case, tags have up to 128 letters, digits, `.`, `_` and `-`")
        })
    }

    /// Repeats what failed for no fault of its own.
    fn run<T>(
        &self,
        action: &str,
        what: &str,
        mut work: impl AsyncFnMut(&oci_client::Client) -> Result<T, OciDistributionError>,
    ) -> Result<T> {
        let oci = self.oci()?;
        let mut attempt = 0;
        loop {
            match self.client.block_on(async { Ok(work(oci).await) })? {
                Ok(value) => return Ok(value),
                Err(error) if attempt < self.options.retries && is_passing(&error) => {
                    std::thread::sleep(Duration::from_millis(200 << attempt.min(5)));
                    attempt += 1;
                }
                Err(error) => return Err(self.error(action, what, error)),
            }
        }
    }

    fn error(&self, action: &str, what: &str, error: OciDistributionError) -> Error {
        let what = if what.is_empty() { &self.host } else { what };
        let message = |why: &str| format!("failed to {action} `{what}`: {why}");
        let login = || format!("log in with `chart login {}`, or give `--username` and `--password`", self.host);
        match error {
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                Error::new(Kind::Denied, message("the registry wants other credentials")).with_hint(login())
            }
            OciDistributionError::RegistryError { envelope, .. } => {
                let known = |code: OciErrorCode| envelope.errors.iter().any(|error| error.code == code);
                let words: Vec<_> = envelope
                    .errors
                    .iter()
                    .map(|error| {
                        let code = serde_json::to_value(&error.code).unwrap_or_default();
                        let code = code.as_str().unwrap_or_default().to_lowercase().replace('_', " ");
                        if error.message.is_empty() { code } else { error.message.clone() }
                    })
                    .collect();
                let message = message(&format!("the registry says: {}", words.join("; ")));
                if known(OciErrorCode::ManifestUnknown)
                    || known(OciErrorCode::NameUnknown)
                    || known(OciErrorCode::NotFound)
                {
                    return Error::new(Kind::Missing, message);
                }
                if known(OciErrorCode::Denied) || known(OciErrorCode::Unauthorized) {
                    return Error::new(Kind::Denied, message).with_hint(login());
                }
                Error::new(Kind::Status(400), message)
            }
            OciDistributionError::ServerError { code, .. } => {
                let kind = match code {
                    401 | 403 => Kind::Denied,
                    404 => Kind::Missing,
                    code => Kind::Status(code),
                };
                let error = Error::new(kind, message(&format!("the registry answered {code}")));
                if kind == Kind::Denied { error.with_hint(login()) } else { error }
            }
            OciDistributionError::ImageManifestNotFoundError(_) => Error::new(Kind::Missing, message("no such tag")),
            OciDistributionError::RequestError(error) if error.status().is_some() => {
                let code = error.status().map_or(0, |status| status.as_u16());
                let kind = if matches!(code, 401 | 403) { Kind::Denied } else { Kind::Status(code) };
                let error = Error::new(kind, message(&format!("the registry answered {code}")));
                if kind == Kind::Denied { error.with_hint(login()) } else { error }
            }
            OciDistributionError::RequestError(error) => http::unanswered(message, &error),
            OciDistributionError::DigestError(_) => {
                Error::new(Kind::Integrity, message("its content does not have its digest"))
            }
            other => Error::new(Kind::Malformed, message(&other.to_string())),
        }
    }

    /// A manifest by tag or digest, and its digest; `None` where there is none.
    fn manifest(&self, reference: &Reference) -> Result<Option<(Json, String)>> {
        let what = reference.whole();
        let pulled =
            self.run("fetch", &what, async |oci| oci.pull_manifest_raw(reference, &self.auth, &[MANIFEST]).await);
        match pulled {
            Ok((bytes, digest)) => {
                let json = serde_json::from_slice(&bytes)
                    .map_err(|_| Error::new(Kind::Malformed, format!("the manifest of `{what}` is not JSON")))?;
                Ok(Some((json, digest)))
            }
            Err(error) if error.kind == Kind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn push_blob(&self, reference: &Reference, data: &Arc<[u8]>, digest: &str) -> Result<()> {
        let what = reference.whole();
        let there = self.run("ask for", &what, async |oci| oci.blob_exists(reference, digest).await);
        if there.unwrap_or(false) {
            return Ok(());
        }
        self.run("push", &what, async |oci| oci.push_blob(reference, data.to_vec(), digest).await).map(drop)
    }

    fn blob(&self, reference: &Reference, layer: &Layer) -> Result<Vec<u8>> {
        let what = reference.whole();
        if layer.size > MAX_BLOB {
            return Err(Error::new(Kind::Malformed, format!("`{what}` has a layer of {} bytes", layer.size)));
        }
        let descriptor = OciDescriptor {
            digest: layer.digest.clone(),
            size: layer.size as i64,
            media_type: layer.media_type.clone(),
            ..OciDescriptor::default()
        };
        self.run("fetch", &what, async |oci| {
            let mut data = Vec::new();
            oci.pull_blob(reference, &descriptor, &mut data).await?;
            Ok(data)
        })
    }

    /// The reference of a found version.
    fn reference_of(&self, found: &Found) -> Result<(Reference, String)> {
        let Some((name, tag)) = found.tag() else {
            return Err(Error::new(Kind::Usage, "the version is not from a registry"));
        };
        let reference = match tag.starts_with("sha256:") {
            true => self.reference(name, "latest")?.clone_with_digest(tag.to_owned()),
            false => self.reference(name, tag)?,
        };
        Ok((reference, name.to_owned()))
    }

    fn pull_manifest(&self, found: &Found) -> Result<(Reference, Json, String)> {
        let (reference, name) = self.reference_of(found)?;
        match self.manifest(&reference)? {
            Some((json, digest)) => Ok((reference, json, digest)),
            None => {
                let message = format!("there is no `{}` {} at oci://{}/{}", name, found.version, self.host, self.path);
                let hint =
                    format!("`chart versions oci://{}/{}` lists what there is", self.host, self.repository(&name));
                Err(Error::new(Kind::Missing, message).with_hint(hint))
            }
        }
    }

    /// The versions that the tags of a chart's repository name.
    fn tags(&self, name: &str) -> Result<Option<Vec<Found>>> {
        const PAGE: usize = 1000;
        let reference = self.reference(name, "latest")?;
        let what = format!("{}/{}", self.host, self.repository(name));
        let mut seen = HashSet::new();
        let mut last: Option<String> = None;
        loop {
            let page = self.run("list", &what, async |oci| {
                oci.list_tags(&reference, &self.auth, Some(PAGE), last.as_deref()).await
            });
            let page = match page {
                Err(error) if error.kind == Kind::Missing && seen.is_empty() => {
                    return Ok(None);
                }
                page => page?,
            };
            let before = seen.len();
            last = page.tags.last().cloned();
            seen.extend(page.tags);
            // Registries may give shorter pages than asked for, and some give everything each time.
            if seen.len() == before || last.is_none() || seen.len() > 1_000_000 {
                break;
            }
        }
        let mut found: Vec<(Version, Found)> = seen
            .into_iter()
            .filter_map(|tag| {
                let version = tag.replace('_', "+");
                Some((Version::parse(&version).ok()?, Found::tagged(name, &version, &tag)))
            })
            .collect();
        found.sort_by(|(a, first), (b, second)| {
            b.parts().cmp_precedence(a.parts()).then_with(|| second.version.cmp(&first.version))
        });
        Ok(Some(found.into_iter().map(|(_, found)| found).collect()))
    }

    /// Checks credentials against the registry, as a login does.
    pub fn check_login(&self) -> Result<()> {
        let reference = Reference::with_tag(self.host.clone(), "login".to_owned(), "check".to_owned());
        let auth = self.auth.clone();
        self.run("log in to", &self.host, async |oci| oci.auth(&reference, &auth, RegistryOperation::Pull).await)?;
        // A registry with Basic authentication checks only when something is asked for.
        match self.manifest(&reference) {
            Err(error) if error.kind == Kind::Denied => Err(error),
            _ => Ok(()),
        }
    }
}

fn is_passing(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ServerError { code, .. } => matches!(code, 408 | 429 | 500 | 502 | 503 | 504),
        OciDistributionError::RequestError(error) => error.status().is_none_or(|status| status.is_server_error()),
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| error.code == OciErrorCode::Toomanyrequests)
        }
        _ => false,
    }
}

/// A layer of a manifest.
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

fn layers(manifest: &Json) -> Vec<Layer> {
    let items = manifest.get("layers").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| Layer {
            media_type: text(item, "mediaType"),
            digest: text(item, "digest"),
            size: item.get("size").and_then(Json::as_u64).unwrap_or(0),
        })
        .collect()
}

fn chart_layer(manifest: &Json) -> Option<Layer> {
    layers(manifest).into_iter().find(|layer| layer.media_type == CHART || layer.media_type == OLD_CHART)
}

impl Repository for Registry {
    fn publish(&self, upload: &Upload) -> Result<Receipt> {
        let tag = tag_of(upload.version());
        let reference = self.reference(upload.name(), &tag)?;
        let what = reference.whole();
        let config: Arc<[u8]> = go_json(&Json::Object(package::metadata_json(&upload.metadata))).into_bytes().into();
        let manifest = manifest(upload, &config);
        let digest = format!("sha256:{}", package::digest(manifest.as_bytes()));
        let receipt = |change, digest: String| Receipt {
            manifest_digest: Some(digest),
            ..Receipt::new(change, what.clone(), upload)
        };
        let auth = self.auth.clone();
        self.run("push", &what, async |oci| oci.auth(&reference, &auth, RegistryOperation::Push).await)?;

        let chart_digest = format!("sha256:{}", upload.digest);
        // Another client may have pushed the same archive with another time in the manifest.
        let judge = |there: Option<(Json, String)>| -> Result<(bool, Option<String>)> {
            let Some((json, there)) = there else { return Ok((false, None)) };
            let layer = chart_layer(&json).map(|layer| layer.digest);
            if there == digest || layer.as_deref() == Some(&chart_digest) {
                return Ok((true, Some(there)));
            }
            if upload.force {
                return Ok((true, None));
            }
            Err(conflict(upload.name(), upload.version(), layer.as_deref(), Some(&upload.digest)))
        };
        let (existed, same) = judge(self.manifest(&reference)?)?;
        if let Some(there) = same {
            return Ok(receipt(Change::Same, there));
        }
        self.push_blob(&reference, &upload.data, &chart_digest)?;
        if let Some(provenance) = &upload.provenance {
            self.push_blob(&reference, provenance, &format!("sha256:{}", package::digest(provenance)))?;
        }
        self.push_blob(&reference, &config, &format!("sha256:{}", package::digest(&config)))?;
        let put = || {
            let content_type = reqwest::header::HeaderValue::from_static(MANIFEST);
            self.run("push", &what, async |oci| {
                oci.push_manifest_raw(&reference, manifest.clone().into_bytes(), content_type.clone()).await
            })
        };
        if existed {
            put()?;
            return Ok(receipt(Change::Replaced, digest));
        }
        for _ in 0..5 {
            let begun = Instant::now();
            let (_, same) = judge(self.manifest(&reference)?)?;
            if same.is_none() {
                put()?;
                if begun.elapsed() > SETTLE {
                    continue;
                }
            }
            std::thread::sleep(SETTLE + SETTLE / 4);
            let (_, same) = judge(self.manifest(&reference)?)?;
            if let Some(there) = same {
                return Ok(receipt(Change::Added, there));
            }
        }
        let message = format!("`{what}` was pushed but the registry does not list it");
        Err(Error::new(Kind::Malformed, message))
    }

    fn location(&self) -> String {
        format!("oci://{}/{}", self.host, self.path)
    }

    fn exact(&self, name: &str, version: &str) -> Option<Found> {
        let parts = Version::parse_strict(version.strip_prefix('v').unwrap_or(version));
        parts.is_ok().then(|| Found::tagged(name, version, &tag_of(version)))
    }

    fn charts(&self, names: &[&str]) -> Result<Charts> {
        let mut charts = Charts::new();
        for name in names {
            if let Some(found) = self.tags(name)? {
                charts.insert((*name).to_owned(), found);
            }
        }
        Ok(charts)
    }

    fn fetch(&self, found: &Found) -> Result<Download> {
        let (reference, manifest, manifest_digest) = self.pull_manifest(found)?;
        let Some(layer) = chart_layer(&manifest) else {
            let message = format!("`{}` is no chart: its manifest has no chart layer", reference.whole());
            return Err(Error::new(Kind::Malformed, message));
        };
        let hex = layer.digest.strip_prefix("sha256:").unwrap_or_default().to_owned();
        let (data, is_new) = match self.cache.archive(&hex) {
            Some(data) => (data, false),
            None => (self.blob(&reference, &layer)?, true),
        };
        Ok(Download {
            data,
            url: format!("oci://{}", reference.whole()),
            digest: Some(hex),
            manifest_digest: Some(manifest_digest),
            is_new,
        })
    }

    fn provenance(&self, found: &Found) -> Result<Option<Vec<u8>>> {
        let (reference, manifest, _) = self.pull_manifest(found)?;
        match layers(&manifest).into_iter().find(|layer| layer.media_type == PROVENANCE) {
            Some(layer) => Ok(Some(self.blob(&reference, &layer)?)),
            None => Ok(None),
        }
    }
}

/// The manifest's text: the fields and their order are Helm's.
fn manifest(upload: &Upload, config: &[u8]) -> String {
    let descriptor = |media_type: &str, data: &[u8]| {
        serde_json::json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", package::digest(data)),
            "size": data.len(),
        })
    };
    let mut layers = vec![descriptor(CHART, &upload.data)];
    layers.extend(upload.provenance.as_ref().map(|provenance| descriptor(PROVENANCE, provenance)));
    layers.sort_by(|a, b| a["digest"].as_str().cmp(&b["digest"].as_str()));
    go_json(&serde_json::json!({
        "schemaVersion": 2,
        "config": descriptor(CONFIG, config),
        "layers": layers,
        "annotations": annotations(&upload.metadata, upload.modified),
    }))
}

fn annotations(metadata: &Metadata, modified: u64) -> Map<String, Json> {
    let mut found = std::collections::BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        if !value.trim().is_empty() {
            found.insert(format!("org.opencontainers.image.{key}"), value.to_owned());
        }
    };
    add("description", &metadata.description);
    add("title", &metadata.name);
    add("version", &metadata.version);
    add("url", &metadata.home);
    let created = i64::try_from(modified).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    add("created", &created.unwrap_or(jiff::Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    add("source", metadata.sources.first().map_or("", String::as_str));
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    add("authors", &authors.join(", "));
    for (key, value) in &metadata.annotations {
        if !matches!(key.as_str(), "org.opencontainers.image.title" | "org.opencontainers.image.version") {
            found.insert(key.clone(), value.clone());
        }
    }
    found.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// JSON as Go's `encoding/json` writes it, so that config blobs and lock digests are Helm's.
pub(super) fn go_json(json: &Json) -> String {
    // Outside of strings none of these characters can stand.
    let text = json.to_string();
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
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
            ("localhost.evil.net", false),
            ("r.example:5000", false),
        ] {
            assert_eq!(is_loopback(host), plain, "{host}");
        }
    }
}
