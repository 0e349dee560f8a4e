//! Requests to one registry: where they go, and what lets them in.

use crate::repository::auth::{Credentials, Origin};
use crate::repository::error::{Error, Kind, Result, shown};
use crate::repository::http::{Access, Body, Client, Head, Request};
use http_auth::parser::ChallengeParser;
use oci_client::errors::{OciEnvelope, OciErrorCode};
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// Who we are to token servers that ask.
const CLIENT_ID: &str = "chart";

/// What a request is for, as token servers want to know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// Only to be let in.
    Login,
    Pull(String),
    Push(String),
}

impl Scope {
    fn text(&self) -> Option<String> {
        match self {
            Scope::Login => None,
            Scope::Pull(repository) => Some(format!("repository:{repository}:pull")),
            Scope::Push(repository) => Some(format!("repository:{repository}:pull,push")),
        }
    }
}

pub(super) struct Session {
    client: Arc<Client>,
    /// `https://host/v2/`
    base: Url,
    /// As users write it.
    host: String,
    credentials: Option<Credentials>,
    /// What let us in before.
    passes: Mutex<HashMap<Scope, Credentials>>,
}

/// How a registry wants us to prove who we are.
enum Challenge {
    Basic,
    Bearer { realm: Url, service: Option<String> },
}

impl Session {
    pub(super) fn new(client: Arc<Client>, host: &str, plain: bool, credentials: Option<Credentials>) -> Result<Self> {
        let reference = oci_client::Reference::with_tag(host.to_owned(), "x".to_owned(), "x".to_owned());
        let scheme = if plain { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{}/v2/", reference.resolve_registry()));
        let base = base.map_err(|error| Error::new(Kind::Usage, format!("`{host}` is not a host: {error}")))?;
        Ok(Session { client, base, host: host.to_owned(), credentials, passes: Mutex::default() })
    }

    /// A URL under `/v2/`.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        let url = self.base.join(path);
        url.map_err(|error| Error::new(Kind::Usage, format!("`{path}` cannot be in a registry: {error}")))
    }

    /// The place that an answer names for an upload, which may be on another server.
    pub(super) fn location(&self, head: &Head) -> Result<Url> {
        let bad = |why: &str| {
            let message = format!("`{}` names no place for the upload: {why}", self.host);
            Error::new(Kind::Malformed, message)
        };
        let location = head.header(reqwest::header::LOCATION).ok_or_else(|| bad("there is no `Location`"))?;
        let url = head.url.join(location).map_err(|error| bad(&error.to_string()))?;
        match (url.scheme(), self.base.scheme()) {
            ("https", _) | ("http", "http") => Ok(url),
            ("http", _) => Err(bad("its address is not encrypted")
                .with_hint("a proxy in front of the registry must pass on that it speaks HTTPS (`X-Forwarded-Proto`)")),
            (scheme, _) => Err(bad(&format!("it is a `{scheme}` address"))),
        }
    }

    /// Sends a request, with what lets it in if the registry asks for that. Only the registry itself gets to see it.
    pub(super) fn send(&self, scope: &Scope, request: Request, most: u64) -> Result<(Head, Vec<u8>)> {
        if Origin::of(&request.url) != Origin::of(&self.base) {
            return self.exchange(request, None, most);
        }
        let known = self.passes.lock().unwrap_or_else(PoisonError::into_inner).get(scope).cloned();
        let given = || self.credentials.clone().filter(|given| matches!(given, Credentials::Bearer(_)));
        let (head, data) = self.exchange(request.clone(), known.or_else(given), most)?;
        if head.status != StatusCode::UNAUTHORIZED || Origin::of(&head.url) != Origin::of(&self.base) {
            return Ok((head, data));
        }
        let Some(pass) = self.pass(scope, &head)? else { return Ok((head, data)) };
        self.passes.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), pass.clone());
        self.exchange(request, Some(pass), most)
    }

    fn exchange(&self, request: Request, pass: Option<Credentials>, most: u64) -> Result<(Head, Vec<u8>)> {
        let request = Request { access: Access::Only(pass), ..request };
        self.client.block_on(self.client.exchange(&request, most, || Ok(Vec::new())))
    }

    /// What answers the challenge of a refused request; `None` where we have nothing.
    fn pass(&self, scope: &Scope, head: &Head) -> Result<Option<Credentials>> {
        match (self.challenge(head)?, &self.credentials) {
            (None, _) | (Some(_), Some(Credentials::Bearer(_))) => Ok(None),
            (Some(Challenge::Basic), Some(credentials @ Credentials::Basic { .. })) => Ok(Some(credentials.clone())),
            (Some(Challenge::Basic), _) => Ok(None),
            (Some(Challenge::Bearer { realm, service }), _) => {
                self.token(scope, realm, service).map(|token| Some(Credentials::Bearer(token)))
            }
        }
    }

    fn challenge(&self, head: &Head) -> Result<Option<Challenge>> {
        let mut basic = None;
        for value in head.headers.get_all(WWW_AUTHENTICATE) {
            for challenge in ChallengeParser::new(value.to_str().unwrap_or_default()).map_while(Result::ok) {
                let param = |name: &str| {
                    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Challenge::Basic);
                } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    let bad = |why: String| {
                        Error::new(Kind::Malformed, format!("`{}` names no server for tokens: {why}", self.host))
                    };
                    let realm = param("realm").ok_or_else(|| bad("there is no `realm`".to_owned()))?;
                    let realm = head.url.join(&realm).map_err(|error| bad(error.to_string()))?;
                    match (realm.scheme(), self.base.scheme()) {
                        ("https", _) | ("http", "http") => {}
                        ("http", _) => return Err(bad("its address is not encrypted".to_owned())),
                        (scheme, _) => return Err(bad(format!("it is a `{scheme}` address"))),
                    }
                    return Ok(Some(Challenge::Bearer { realm, service: param("service") }));
                }
            }
        }
        Ok(basic)
    }

    /// An access token for a scope: for a user's name and password, for nobody, or for an identity token.
    fn token(&self, scope: &Scope, realm: Url, service: Option<String>) -> Result<String> {
        let mut fields = Vec::new();
        fields.extend(service.map(|service| ("service", service)));
        fields.extend(scope.text().map(|scope| ("scope", scope)));
        let (request, pass) = match &self.credentials {
            Some(Credentials::Identity(token)) => {
                fields.push(("grant_type", "refresh_token".to_owned()));
                fields.push(("client_id", CLIENT_ID.to_owned()));
                fields.push(("refresh_token", token.clone()));
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let body = Body::Bytes {
                    name: String::new(),
                    data: form.into_bytes().into(),
                    content_type: "application/x-www-form-urlencoded",
                };
                (Request::new(Method::POST, realm).body(body), None)
            }
            credentials => {
                let mut url = realm;
                url.query_pairs_mut().extend_pairs(fields);
                (Request::new(Method::GET, url), credentials.clone())
            }
        };
        let (head, data) = self.exchange(request, pass, 1 << 20)?;
        if !head.status.is_success() {
            return Err(self.failed("log in to", &self.host, &head));
        }
        let json: Option<Json> = serde_json::from_slice(&data).ok();
        let token = json.as_ref().and_then(|json| {
            let text = |key: &str| json.get(key)?.as_str().filter(|text| !text.is_empty());
            text("token").or_else(|| text("access_token"))
        });
        let message = || format!("`{}` gave no token for `{}`", shown(&head.url), self.host);
        token.map(str::to_owned).ok_or_else(|| Error::new(Kind::Malformed, message()))
    }

    /// An answer that is no success as an error, in the registry's words where it has some.
    pub(super) fn failed(&self, action: &str, what: &str, head: &Head) -> Error {
        let status = head.status.as_u16();
        let envelope: Option<OciEnvelope> = serde_json::from_slice(head.detail()).ok();
        let errors = envelope.as_ref().map(|envelope| envelope.errors.as_slice()).unwrap_or_default();
        let known = |codes: &[OciErrorCode]| errors.iter().any(|error| codes.contains(&error.code));
        let words: Vec<String> = errors
            .iter()
            .map(|error| {
                let code = serde_json::to_value(&error.code).unwrap_or_default();
                let code = code.as_str().unwrap_or_default().to_lowercase().replace('_', " ");
                let words = if error.message.is_empty() { code } else { error.message.clone() };
                words.chars().filter(|char| !char.is_control()).take(200).collect()
            })
            .collect();
        let why = match head.words() {
            _ if !words.is_empty() => format!("the registry says: {}", words.join("; ")),
            Some(words) => format!("the registry answered {status} ({words})"),
            None => format!("the registry answered {status}"),
        };
        let message = format!("failed to {action} `{what}`: {why}");
        if matches!(status, 401 | 403) || known(&[OciErrorCode::Denied, OciErrorCode::Unauthorized]) {
            let hint = format!("log in with `chart login {}`, or give `--username` and `--password`", self.host);
            return Error::new(Kind::Denied, message).with_hint(hint);
        }
        let missing = [OciErrorCode::ManifestUnknown, OciErrorCode::NameUnknown, OciErrorCode::NotFound];
        let kind = if status == 404 || known(&missing) { Kind::Missing } else { Kind::Status(status) };
        Error::new(kind, message)
    }
}
