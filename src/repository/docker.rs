//! Registry credentials as Docker, Helm, Podman and their kin share them: `config.json` with inline logins and
//! credential helpers.

use super::auth::Credentials;
use super::error::{Error, Kind, Result};
use crate::fs;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The files that are asked, in this order; logins go to the last one.
#[derive(Debug, Clone, Default)]
pub struct Logins {
    pub files: Vec<PathBuf>,
}

impl Logins {
    /// The login for a repository such as `ghcr.io/acme/charts/web`: of all keys that lead to it the longest wins, so
    /// that a token for one path does not hide behind one for the host.
    pub fn find(&self, repository: &str) -> Result<Option<Credentials>> {
        for path in &self.files {
            let Some(config) = read(path)? else { continue };
            if let Some(credentials) = find_in(&config, repository)? {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// Keeps a login under a host, or a path on it.
    pub fn add(&self, key: &str, username: &str, password: &str) -> Result<PathBuf> {
        let (path, mut config) = self.writable()?;
        if let Some(helper) = helper_for(&config, key) {
            let request = serde_json::json!({ "ServerURL": key, "Username": username, "Secret": password });
            helper_run(&helper, "store", &request.to_string())?;
            // As Docker does: an empty entry says that the helper knows the host.
            auths(&mut config).insert(key.to_owned(), Json::Object(Map::new()));
        } else {
            let auth = STANDARD.encode(format!("{username}:{password}"));
            auths(&mut config).insert(key.to_owned(), serde_json::json!({ "auth": auth }));
        }
        write(&path, &config)?;
        Ok(path)
    }

    /// Forgets a login; says whether there was one.
    pub fn remove(&self, key: &str) -> Result<bool> {
        let mut found = false;
        for path in &self.files {
            let Some(mut config) = read(path)? else { continue };
            if let Some(helper) = helper_for(&config, key) {
                found |= helper_run(&helper, "erase", key).is_ok();
            }
            if auths(&mut config).shift_remove(key).is_some() {
                found = true;
                write(path, &config)?;
            }
        }
        Ok(found)
    }

    fn writable(&self) -> Result<(PathBuf, Map<String, Json>)> {
        let Some(path) = self.files.last() else {
            let error = Error::new(Kind::Usage, "there is no place for logins: neither HOME nor DOCKER_CONFIG is set");
            return Err(error);
        };
        Ok((path.clone(), read(path)?.unwrap_or_default()))
    }
}

fn read(path: &Path) -> Result<Option<Map<String, Json>>> {
    let text = match fs::read_text(path) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    // serde's message may quote the file, and the file holds secrets.
    let config = serde_json::from_str(&text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Error::new(Kind::Malformed, format!("`{}` is not valid JSON at {place}", path.display()))
    })?;
    Ok(Some(config))
}

fn write(path: &Path, config: &Map<String, Json>) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let text = serde_json::to_string_pretty(config).unwrap_or_default() + "\n";
    Ok(fs::write_private(path, text.as_bytes())?)
}

fn auths(config: &mut Map<String, Json>) -> &mut Map<String, Json> {
    let auths = config.entry("auths").or_insert_with(|| Json::Object(Map::new()));
    if !auths.is_object() {
        *auths = Json::Object(Map::new());
    }
    match auths {
        Json::Object(map) => map,
        _ => unreachable!("it was made an object above"),
    }
}

fn find_in(config: &Map<String, Json>, repository: &str) -> Result<Option<Credentials>> {
    let empty = Map::new();
    let auths = config.get("auths").and_then(Json::as_object).unwrap_or(&empty);
    let helpers = config.get("credHelpers").and_then(Json::as_object).unwrap_or(&empty);
    let mut keys: Vec<&String> = auths.keys().chain(helpers.keys()).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(normal(key).len()));
    keys.dedup();
    for key in keys.into_iter().filter(|key| leads_to(key, repository)) {
        if let Some(helper) = helpers.get(key).and_then(Json::as_str) {
            if let Some(credentials) = helper_get(helper, key)? {
                return Ok(Some(credentials));
            }
            continue;
        }
        if let Some(credentials) = auths.get(key).and_then(inline) {
            return Ok(Some(credentials));
        }
    }
    let Some(store) = config.get("credsStore").and_then(Json::as_str).filter(|store| !store.is_empty()) else {
        return Ok(None);
    };
    // A store is asked for what was stored: the paths of `auths` first, then the host.
    let host = repository.split('/').next().unwrap_or(repository);
    let mut keys: Vec<&str> = auths.keys().map(String::as_str).filter(|key| leads_to(key, repository)).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(normal(key).len()));
    if !keys.contains(&host) {
        keys.push(host);
    }
    for key in keys {
        if let Some(credentials) = helper_get(store, key)? {
            return Ok(Some(credentials));
        }
    }
    Ok(None)
}

/// A key without the scheme, and Docker Hub under its one name.
fn normal(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    match key {
        "index.docker.io/v1" | "index.docker.io" | "registry-1.docker.io" => "docker.io",
        key => key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key),
    }
}

fn leads_to(key: &str, repository: &str) -> bool {
    let repository = repository
        .strip_prefix("index.docker.io")
        .map_or_else(|| repository.to_owned(), |rest| format!("docker.io{rest}"));
    let key = normal(key);
    repository.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn inline(entry: &Json) -> Option<Credentials> {
    let text = |key: &str| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    // An entry with one has the user's name too, with an empty password.
    if let Some(token) = text("identitytoken") {
        return Some(Credentials::Identity(token.to_owned()));
    }
    if let Some(auth) = text("auth") {
        let decoded = String::from_utf8(STANDARD.decode(auth.trim_end_matches('\0')).ok()?).ok()?;
        let (username, password) = decoded.split_once(':')?;
        let password = password.trim_end_matches('\0').to_owned();
        return Some(Credentials::Basic { username: username.to_owned(), password });
    }
    if let Some(token) = text("registrytoken") {
        return Some(Credentials::Bearer(token.to_owned()));
    }
    let (username, password) = (text("username")?.to_owned(), text("password")?.to_owned());
    Some(Credentials::Basic { username, password })
}

fn helper_for(config: &Map<String, Json>, key: &str) -> Option<String> {
    let helpers = config.get("credHelpers").and_then(Json::as_object);
    let own = helpers.and_then(|helpers| {
        let (_, helper) = helpers.iter().find(|(known, _)| leads_to(known, key))?;
        helper.as_str()
    });
    own.or_else(|| config.get("credsStore").and_then(Json::as_str)).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn helper_get(helper: &str, key: &str) -> Result<Option<Credentials>> {
    let Ok(output) = helper_run(helper, "get", key) else { return Ok(None) };
    let json: Json = serde_json::from_slice(&output).map_err(|_| {
        Error::new(Kind::Malformed, format!("`docker-credential-{helper} get` did not answer with JSON"))
    })?;
    let text = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (username, password) = (text("Username"), text("Secret"));
    // Docker's way to say what the secret is.
    if username == "<token>" && !password.is_empty() {
        return Ok(Some(Credentials::Identity(password)));
    }
    Ok((!password.is_empty()).then_some(Credentials::Basic { username, password }))
}

/// Runs `docker-credential-<helper>`; the request goes to its stdin, so nothing shows in the process list.
fn helper_run(helper: &str, action: &str, request: &str) -> Result<Vec<u8>> {
    let program = format!("docker-credential-{helper}");
    let failed = |why: String| Error::new(Kind::Denied, format!("`{program} {action}` failed: {why}"));
    if helper.contains(['/', '\\']) {
        return Err(failed("a helper's name has no slashes".to_owned()));
    }
    let mut child = Command::new(&program)
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(request.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() { Ok(output.stdout) } else { Err(failed(format!("it ended with {}", output.status))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_wins() {
        let auth = |name: &str| serde_json::json!({ "auth": STANDARD.encode(format!("{name}:p:w")) });
        let config = serde_json::json!({ "auths": {
            "ghcr.io": auth("host"),
            "ghcr.io/acme/charts": auth("path"),
            "https://ghcr.io/acme": auth("owner"),
            "https://index.docker.io/v1/": auth("hub"),
        }});
        let config = config.as_object().expect("an object");
        let user = |repository: &str| match find_in(config, repository).expect("readable") {
            Some(Credentials::Basic { username, password }) => format!("{username} {password}"),
            other => format!("{other:?}"),
        };
        assert_eq!(user("ghcr.io/acme/charts/web"), "path p:w");
        assert_eq!(user("ghcr.io/acme/chartsx"), "owner p:w");
        assert_eq!(user("ghcr.io/acmex"), "host p:w");
        assert_eq!(user("ghcr.io.evil.net/acme"), "None");
        assert_eq!(user("docker.io/library/web"), "hub p:w");
        assert_eq!(user("index.docker.io/library/web"), "hub p:w");
        let entry = serde_json::json!({ "auth": STANDARD.encode("ann:"), "identitytoken": "t0ken" });
        assert_eq!(inline(&entry), Some(Credentials::Identity("t0ken".to_owned())));
    }
}
