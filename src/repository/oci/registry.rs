//! A registry as a chart repository.

use super::address::is_loopback;
use super::manifest::{self, MANIFEST, chart_layer, go_json, provenance_layer};
use super::session::{Scope, Session};
use super::tag_of;
use crate::package;
use crate::repository::auth::Credentials;
use crate::repository::cache::Cache;
use crate::repository::error::{Error, Kind, Result};
use crate::repository::http::{self, Body, Head, Request};
use crate::repository::index::{Change, Charts, conflict};
use crate::repository::resolve::{no_version, pick};
use crate::repository::settle::settle;
use crate::repository::{Download, Found, MAX_ARCHIVE, Receipt, Repository, Upload, Wanted};
use crate::version::Version;
use oci_client::Reference;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What the specification lets registries refuse.
const MAX_MANIFEST: u64 = 4 << 20;
const MAX_ANSWER: u64 = 8 << 20;
/// A path in a registry, under which each chart has a repository of its name.
pub struct Registry {
    client: Arc<http::Client>,
    /// `host[:port]`
    host: String,
    /// Without slashes at the ends; may be empty.
    path: String,
    options: Options,
    session: OnceLock<Session>,
    cache: Cache,
}

/// How a registry is reached, besides what the client knows.
#[derive(Default)]
pub struct Options {
    pub credentials: Option<Credentials>,
    pub plain_http: bool,
}

/// A manifest, its bytes' digest, and where it is.
struct Pulled {
    reference: Reference,
    manifest: OciImageManifest,
    digest: String,
}

impl Registry {
    pub fn new(client: Arc<http::Client>, host: &str, path: &str, options: Options, cache: Cache) -> Self {
        Registry { client, host: host.to_owned(), path: path.to_owned(), options, session: OnceLock::new(), cache }
    }

    fn session(&self) -> Result<&Session> {
        self.cache.allow(&self.location())?;
        if let Some(session) = self.session.get() {
            return Ok(session);
        }
        let tls = self.client.options();
        let tls = tls.ca.is_some() || tls.insecure || tls.identity.is_some();
        let plain = self.options.plain_http || (is_loopback(&self.host) && !tls);
        let credentials = self.options.credentials.clone();
        let session = Session::new(Arc::clone(&self.client), &self.host, plain, credentials)?;
        Ok(self.session.get_or_init(|| session))
    }

    fn repository(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn reference(&self, name: &str, tag: &str) -> Result<Reference> {
        let repository = self.repository(name);
        // The grammar of references has no IPv6 hosts.
        let is_ip = self.host.starts_with('[');
        let host = if is_ip { "localhost" } else { &self.host };
        let reference = Reference::try_from(format!("{host}/{repository}:{tag}").as_str()).map_err(|error| {
            Error::new(Kind::Usage, format!("`{}/{repository}:{tag}` cannot be in a registry: {error}", self.host))
                .with_hint("paths are lower case, tags have up to 128 letters, digits, `.`, `_` and `-`")
        })?;
        Ok(if is_ip { Reference::with_tag(self.host.clone(), repository, tag.to_owned()) } else { reference })
    }

    fn request(&self, method: Method, reference: &Reference, path: &str) -> Result<Request> {
        Ok(Request::new(method, self.session()?.url(&format!("{}/{path}", reference.repository()))?))
    }

    fn manifest_request(&self, method: Method, reference: &Reference) -> Result<Request> {
        let tag = reference.digest().or(reference.tag()).unwrap_or_default();
        self.request(method, reference, &format!("manifests/{tag}"))
    }

    /// A manifest by tag or digest; `None` where there is none.
    fn manifest(&self, scope: &Scope, reference: &Reference) -> Result<Option<(OciImageManifest, String)>> {
        let what = reference.whole();
        let request = self.manifest_request(Method::GET, reference)?.header(ACCEPT, MANIFEST);
        let (head, bytes) = self.session()?.send(scope, request, MAX_MANIFEST)?;
        if !head.status.is_success() {
            let error = self.session()?.failed("fetch", &what, &head);
            return if error.kind == Kind::Missing { Ok(None) } else { Err(error) };
        }
        let digest = format!("sha256:{}", package::digest(&bytes));
        let said = head.headers.get("docker-content-digest").and_then(|value| value.to_str().ok());
        let said = said.filter(|said| said.starts_with("sha256:"));
        if let Some(expected) = reference.digest().or(said).filter(|expected| *expected != digest) {
            let message = format!("the manifest of `{what}` has the digest {digest}, expected {expected}");
            return Err(Error::new(Kind::Integrity, message));
        }
        let manifest = serde_json::from_slice(&bytes).map_err(|_| {
            let message = format!("`{what}` is no chart: it has no image manifest");
            Error::new(Kind::Malformed, message)
        })?;
        Ok(Some((manifest, digest)))
    }

    fn has_blob(&self, scope: &Scope, reference: &Reference, digest: &str) -> Result<bool> {
        let request = self.request(Method::HEAD, reference, &format!("blobs/{digest}"))?;
        Ok(self.session()?.send(scope, request, MAX_ANSWER)?.0.status.is_success())
    }

    fn push_blob(&self, reference: &Reference, name: &str, data: &Arc<[u8]>, digest: &str) -> Result<()> {
        let scope = Scope::Push(reference.repository().to_owned());
        for attempt in 0.. {
            if self.has_blob(&scope, reference, digest)? {
                return Ok(());
            }
            let outcome = self.upload(&scope, reference, name, data, digest);
            let (passing, error) = match outcome {
                Ok(head) if head.status.is_success() => return Ok(()),
                // The registry forgot the upload, or has a part of it from a broken connection.
                Ok(head) => (
                    http::is_passing(head.status) || matches!(head.status.as_u16(), 404 | 416),
                    self.session()?.failed("push", &reference.whole(), &head),
                ),
                Err(error) => (error.kind == Kind::Unreachable, error),
            };
            if !passing || attempt >= self.client.options().retries {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(200 << attempt.min(5)));
        }
        unreachable!("the loop ends by itself")
    }

    /// Asks for a place and puts the blob there.
    fn upload(&self, scope: &Scope, reference: &Reference, name: &str, data: &Arc<[u8]>, digest: &str) -> Result<Head> {
        let session = self.session()?;
        let (head, _) = session.send(scope, self.request(Method::POST, reference, "blobs/uploads/")?, MAX_ANSWER)?;
        if head.status != StatusCode::ACCEPTED {
            return Ok(head);
        }
        let mut place = session.location(&head)?;
        place.query_pairs_mut().append_pair("digest", digest);
        let body =
            Body::Bytes { name: name.to_owned(), data: Arc::clone(data), content_type: "application/octet-stream" };
        let request = Request { is_repeatable: false, ..Request::new(Method::PUT, place).body(body) };
        Ok(session.send(scope, request, MAX_ANSWER)?.0)
    }

    fn put_manifest(&self, reference: &Reference, text: &str) -> Result<()> {
        let scope = Scope::Push(reference.repository().to_owned());
        let body = Body::Bytes { name: String::new(), data: text.as_bytes().into(), content_type: MANIFEST };
        let request = self.manifest_request(Method::PUT, reference)?.body(body);
        let (head, _) = self.session()?.send(&scope, request, MAX_ANSWER)?;
        if head.status.is_success() {
            return Ok(());
        }
        Err(self.session()?.failed("push", &reference.whole(), &head))
    }

    fn blob(&self, reference: &Reference, layer: &OciDescriptor) -> Result<Vec<u8>> {
        let what = reference.whole();
        let refuse = |kind, why: String| Err(Error::new(kind, format!("`{what}` {why}")));
        let size = u64::try_from(layer.size).unwrap_or(u64::MAX);
        if size > MAX_ARCHIVE {
            return refuse(Kind::Malformed, format!("has a layer of {} bytes", layer.size));
        }
        let is_digest = layer.digest.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
        });
        if !is_digest {
            return refuse(Kind::Malformed, format!("has a layer with the digest {:?}, no SHA-256", layer.digest));
        }
        let request = self.request(Method::GET, reference, &format!("blobs/{}", layer.digest))?;
        let scope = Scope::Pull(reference.repository().to_owned());
        let (head, data) = self.session()?.send(&scope, request, size)?;
        if !head.status.is_success() {
            let error = self.session()?.failed("fetch a layer of", &what, &head);
            // The version is there, so nobody need look for it elsewhere.
            return Err(if error.kind == Kind::Missing { error.of_kind(Kind::Malformed) } else { error });
        }
        let digest = format!("sha256:{}", package::digest(&data));
        if digest != layer.digest {
            return refuse(Kind::Integrity, format!("has a layer with the digest {digest}, expected {}", layer.digest));
        }
        Ok(data)
    }

    fn pull_manifest(&self, found: &Found) -> Result<Pulled> {
        let Some((name, tag)) = found.tag() else {
            return Err(Error::new(Kind::Usage, "the version is not from a registry"));
        };
        let reference = match tag.starts_with("sha256:") {
            true => self.reference(name, "latest")?.clone_with_digest(tag.to_owned()),
            false => self.reference(name, tag)?,
        };
        let scope = Scope::Pull(reference.repository().to_owned());
        match self.manifest(&scope, &reference)? {
            Some((manifest, digest)) => Ok(Pulled { reference, manifest, digest }),
            // A tag that is spelt with a leading `v` is found by its version.
            None if !tag.starts_with("sha256:")
                && let Some(other) = self.spelt_otherwise(found, name, tag)? =>
            {
                self.pull_manifest(&other)
            }
            None => {
                let what = if tag.starts_with("sha256:") { tag } else { &found.version };
                let message = format!("there is no `{name}` {what} at oci://{}/{}", self.host, self.path);
                let hint =
                    format!("`chart versions oci://{}/{}` lists what there is", self.host, self.repository(name));
                Err(Error::new(Kind::Missing, message).with_hint(hint))
            }
        }
    }

    /// The version that is meant by one whose tag is not there.
    fn spelt_otherwise(&self, found: &Found, name: &str, tag: &str) -> Result<Option<Found>> {
        let Some(versions) = self.tags(name)? else { return Ok(None) };
        let wanted = Wanted { range: found.version.clone(), devel: false };
        let other = pick(&versions, &wanted).map_err(|why| no_version(name, &self.location(), &why))?;
        Ok(Some(other.clone()).filter(|other| other.tag() != Some((name, tag))))
    }

    /// The versions that the tags of a chart's repository name.
    fn tags(&self, name: &str) -> Result<Option<Vec<Found>>> {
        const PAGE: &str = "1000";
        let reference = self.reference(name, "latest")?;
        let scope = Scope::Pull(reference.repository().to_owned());
        let mut seen: HashSet<String> = HashSet::new();
        let mut last: Option<String> = None;
        loop {
            let mut request = self.request(Method::GET, &reference, "tags/list")?;
            request.url.query_pairs_mut().append_pair("n", PAGE);
            if let Some(last) = &last {
                request.url.query_pairs_mut().append_pair("last", last);
            }
            let (head, data) = self.session()?.send(&scope, request, MAX_ANSWER)?;
            if !head.status.is_success() {
                let error = self.session()?.failed("list", &format!("{}/{}", self.host, self.repository(name)), &head);
                return if error.kind == Kind::Missing && seen.is_empty() { Ok(None) } else { Err(error) };
            }
            let json: Option<Json> = serde_json::from_slice(&data).ok();
            let tags = json.as_ref().and_then(|json| json.get("tags"));
            let tags: Vec<String> = match tags {
                Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                Some(Json::Null) => Vec::new(),
                _ => return Err(Error::new(Kind::Malformed, format!("`{}` does not list tags", self.location()))),
            };
            let before = seen.len();
            last = tags.last().cloned();
            seen.extend(tags);
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
        let session = self.session()?;
        let (head, _) = session.send(&Scope::Login, Request::new(Method::GET, session.url("")?), MAX_ANSWER)?;
        if head.status.is_success() { Ok(()) } else { Err(session.failed("log in to", &self.host, &head)) }
    }
}

impl Repository for Registry {
    fn publish(&self, upload: &Upload) -> Result<Receipt> {
        let tag = tag_of(upload.version());
        let reference = self.reference(upload.name(), &tag)?;
        let what = reference.whole();
        let scope = Scope::Push(reference.repository().to_owned());
        let config: Arc<[u8]> = go_json(&Json::Object(package::metadata_json(&upload.metadata))).into_bytes().into();
        let manifest = manifest::text(upload, &config);
        let digest = format!("sha256:{}", package::digest(manifest.as_bytes()));
        let receipt = |change, digest: String| Receipt {
            manifest_digest: Some(digest),
            ..Receipt::new(change, what.clone(), upload)
        };
        let chart_digest = format!("sha256:{}", upload.digest);
        // What a push does to what is there, and the digest of a manifest that may stay. Another client may have pushed
        // the same archive with another time in the manifest, or with a signature of another time.
        let judge = |there: Option<(OciImageManifest, String)>| -> Result<(Change, Option<String>)> {
            let Some((manifest, there)) = there else { return Ok((Change::Added, None)) };
            let layer = chart_layer(&manifest).map(|layer| layer.digest.as_str());
            if there == digest || layer == Some(&chart_digest) {
                let is_unsigned = upload.provenance.is_some() && provenance_layer(&manifest).is_none();
                return Ok(if is_unsigned { (Change::Signed, None) } else { (Change::Same, Some(there)) });
            }
            if upload.force {
                return Ok((Change::Replaced, None));
            }
            Err(conflict(upload.name(), upload.version(), layer, Some(&upload.digest)))
        };
        let (change, same) = judge(self.manifest(&scope, &reference)?)?;
        if let Some(there) = same {
            return Ok(receipt(change, there));
        }
        self.push_blob(&reference, &upload.file_name, &upload.data, &chart_digest)?;
        if let Some(provenance) = &upload.provenance {
            self.push_blob(&reference, "", provenance, &format!("sha256:{}", package::digest(provenance)))?;
        }
        self.push_blob(&reference, "", &config, &format!("sha256:{}", package::digest(&config)))?;
        if change != Change::Added {
            self.put_manifest(&reference, &manifest)?;
            return Ok(receipt(change, digest));
        }
        for _ in 0..5 {
            let begun = Instant::now();
            let (_, same) = judge(self.manifest(&scope, &reference)?)?;
            if same.is_none() {
                self.put_manifest(&reference, &manifest)?;
            }
            settle(begun.elapsed());
            let (_, same) = judge(self.manifest(&scope, &reference)?)?;
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
        let Pulled { reference, manifest, digest } = self.pull_manifest(found)?;
        let Some(layer) = chart_layer(&manifest) else {
            let message = format!("`{}` is no chart: its manifest has no chart layer", reference.whole());
            return Err(Error::new(Kind::Malformed, message));
        };
        let hex = layer.digest.strip_prefix("sha256:").unwrap_or_default().to_owned();
        let (data, is_new) = match self.cache.archive(&hex) {
            Some(data) => (data, false),
            None => (self.blob(&reference, layer)?, true),
        };
        let url = format!("oci://{}", reference.whole());
        Ok(Download { data, url, digest: Some(hex), manifest_digest: Some(digest), is_new })
    }

    fn provenance(&self, found: &Found) -> Result<Option<Vec<u8>>> {
        let Pulled { reference, manifest, .. } = self.pull_manifest(found)?;
        provenance_layer(&manifest).map(|layer| self.blob(&reference, layer)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_be_addresses() {
        let client = Arc::new(http::Client::new(http::Options::default()));
        let options = Options { credentials: None, plain_http: false };
        let registry = Registry::new(client, "[::1]:5000", "team", options, Cache::default());
        assert_eq!(registry.reference("web", "1.0.0").expect("a reference").whole(), "[::1]:5000/team/web:1.0.0");
        let session = registry.session().expect("a session");
        assert_eq!(session.url("x").expect("a URL").as_str(), "http://[::1]:5000/v2/x");
        assert!(registry.reference("Web", "1.0.0").is_err() && registry.reference("web", "a b").is_err());
    }
}
