//! OCI registries that want to know who asks: client certificates, tokens, storage on other servers.

use crate::push::certificates;
use crate::server::{Answer, Request, Server};
use crate::servers::{files, nginx_tls_proxy, registry};
use crate::support::{Folder, tool};
use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

fn packed() -> Folder {
    let folder = Folder::new().file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.run("package web").ok();
    folder
}

fn helm(folder: &Folder, arguments: &[&str]) -> Option<()> {
    let mut command = Command::new(tool("helm")?);
    command.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.output().expect("helm runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

fn umbrella(folder: &Folder, repository: &str) {
    folder.write(
        "app/Chart.yaml",
        format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: ^1\n  repository: {repository}\n"),
    );
}

#[test]
fn registries_and_clients_are_known_by_their_certificates() {
    let folder = packed();
    if certificates(&folder).is_none() {
        return;
    }
    let Some(backend) = registry(true) else { return };
    let at = folder.path().display();
    let Some(server) = nginx_tls_proxy(
        backend.port,
        &format!(
            "ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;
             ssl_client_certificate {at}/ca.pem; ssl_verify_client on;"
        ),
    ) else {
        return;
    };
    let host = format!("127.0.0.1:{}", server.port);
    let target = format!("oci://{host}/charts");
    umbrella(&folder, &target);
    let run = |arguments: &[&str], flags: &[&str]| {
        let mut command = folder.command(arguments);
        command.args(flags).args(["--retries", "0"]).env("CHART_PASSWORD_", "");
        let output = command.output().expect("chart runs");
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stderr).replace(&server.port.to_string(), "PORT"),
        )
    };
    let ours = ["--ca-file", "ca.pem", "--cert-file", "client.pem", "--key-file", "client.key"];
    let login = ["login", &host, "--username", "ann", "--password", "s3cret"];
    let (_, said) = run(&login, &["--insecure-skip-tls-verify"]);
    insta::assert_snapshot!(said, @"error: failed to log in to `127.0.0.1:PORT`: the registry answered 400");
    let (_, said) = run(&login, &ours[2..]);
    insta::assert_snapshot!(said, @r"
    error: failed to fetch `https://127.0.0.1:PORT/v2/`: invalid peer certificate: UnknownIssuer
    hint: name the server's CA with `--ca-file`, or trust it blindly with `--insecure-skip-tls-verify`
    ");
    let wrong = ["login", &host, "--username", "ann", "--password", "wrong"];
    let (code, said) = run(&wrong, &ours);
    assert!(code == 2 && said.contains("log in with `chart login 127.0.0.1:PORT`"), "{said}");
    assert!(!folder.path().join(".docker").exists());
    for line in [
        login.as_slice(),
        &["push", "web-1.0.0.tgz", &target],
        &["versions", &format!("{target}/web")],
        &["pull", &format!("{target}/web"), "-d", "pulled"],
        &["dependency", "update", "app"],
    ] {
        assert_eq!(run(line, &ours).0, 0, "{line:?}");
    }
    assert_eq!(files(&folder.path().join("app/charts")), ["web-1.0.0.tgz"]);
    let skipping = [&ours[2..], &["--insecure-skip-tls-verify"]].concat();
    assert_eq!(run(&["pull", &format!("{target}/web"), "-d", "trusted"], &skipping).0, 0);
    std::fs::create_dir(folder.path().join("by-helm")).expect("a folder");
    let mut arguments = vec!["pull", "", "-d", "by-helm"];
    arguments.extend(ours);
    let reference = format!("{target}/web");
    arguments[1] = &reference;
    if helm(&folder, &arguments).is_some() {
        let packed = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("packed");
        assert_eq!(std::fs::read(folder.path().join("by-helm/web-1.0.0.tgz")).expect("pulled"), packed);
    }
}

/// A registry in memory whose blobs are on another server, and a server that gives tokens.
struct Scripted {
    registry: Server,
    storage: Server,
    tokens: Server,
}

type Store = Arc<Mutex<HashMap<String, Vec<u8>>>>;

impl Scripted {
    fn start() -> Self {
        let store = Store::default();
        let kept = Arc::clone(&store);
        let storage = Server::start(move |request| {
            let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
            let mut kept = kept.lock().expect("not poisoned");
            match request.method.as_str() {
                "PUT" => {
                    let digest = query.rsplit_once("digest=").expect("a digest").1.replace("%3A", ":");
                    kept.insert(format!("blob {digest}"), request.body.clone());
                    Answer::new(201, "")
                }
                _ => kept
                    .get(&format!("blob {}", &path[1..]))
                    .map_or(Answer::new(404, ""), |data| Answer::new(200, data)),
            }
        });
        let tokens = Server::start(give_token);
        let (realm, elsewhere) = (tokens.url("/token"), storage.url("/"));
        let registry = Server::start(move |request| {
            let refuse = || {
                let challenge = format!("Bearer realm=\"{realm}\",service=\"charts, and more\"");
                Answer::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
                    .header("WWW-Authenticate", challenge)
            };
            match request.header("authorization").and_then(|text| text.strip_prefix("Bearer ")) {
                Some(token) if admits(token, request) => serve(request, &store, &elsewhere),
                _ => refuse(),
            }
        });
        Scripted { registry, storage, tokens }
    }

    fn url(&self) -> String {
        format!("oci://127.0.0.1:{}/team", self.registry.port)
    }

    /// The storage never saw anything that lets in.
    #[track_caller]
    fn assert_kept_secret(&self) {
        let asked = self.storage.asked();
        assert!(!asked.is_empty());
        for request in asked {
            let told = ["authorization", "cookie", "proxy-authorization"].map(|name| request.header(name));
            assert_eq!(told, [None, None, None], "{}", request.line());
        }
    }
}

/// A token is the scope that it is for, in hex.
fn give_token(request: &Request) -> Answer {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let fields: HashMap<String, String> =
        url::form_urlencoded::parse(if query.is_empty() { body.as_bytes() } else { query.as_bytes() })
            .into_owned()
            .collect();
    assert_eq!(fields.get("service").map(String::as_str), Some("charts, and more"));
    let is_known = match request.method.as_str() {
        "POST" => {
            fields["grant_type"] == "refresh_token"
                && fields["refresh_token"] == "r3fresh/+="
                && !fields["client_id"].is_empty()
                && request.header("authorization").is_none()
        }
        _ => request.header("authorization") == Some("Basic YW5uOnMzY3JldA=="),
    };
    if !is_known {
        return Answer::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#);
    }
    let scope = fields.get("scope").map_or("", String::as_str);
    let token: String = format!("t0ken {scope}").bytes().map(|byte| format!("{byte:02x}")).collect();
    Answer::new(200, format!(r#"{{"access_token":"{token}","expires_in":300}}"#))
}

fn admits(token: &str, request: &Request) -> bool {
    let bytes = (0..token.len() / 2).filter_map(|at| u8::from_str_radix(&token[2 * at..2 * at + 2], 16).ok()).collect();
    let scope = String::from_utf8(bytes).unwrap_or_default();
    let Some(scope) = scope.strip_prefix("t0ken ") else { return token == "g1ven" };
    let needed = if matches!(request.method.as_str(), "POST" | "PUT") { "push" } else { "pull" };
    request.path == "/v2/" || scope.starts_with("repository:team/web:") && scope.contains(needed)
}

fn serve(request: &Request, store: &Store, storage: &str) -> Answer {
    let mut store = store.lock().expect("not poisoned");
    let path = request.path.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix("/v2/team/web/").unwrap_or_default();
    match (request.method.as_str(), rest) {
        ("GET", "") => Answer::new(200, "{}"),
        ("POST", "blobs/uploads/") => Answer::new(202, "").header("Location", format!("{storage}upload?id=1")),
        ("GET", "tags/list") => Answer::new(200, r#"{"name":"team/web","tags":["1.0.0","latest"]}"#),
        ("HEAD", blob) if blob.starts_with("blobs/") => {
            Answer::new(if store.contains_key(&blob.replacen("blobs/", "blob ", 1)) { 200 } else { 404 }, "")
        }
        ("GET", blob) if blob.starts_with("blobs/") => {
            Answer::new(307, "").header("Location", format!("{storage}{}", &blob["blobs/".len()..]))
        }
        ("PUT", manifest) => {
            let digest = format!("sha256:{}", chart::package::digest(&request.body));
            store.insert(format!("manifests/{digest}"), request.body.clone());
            store.insert(manifest.to_owned(), request.body.clone());
            Answer::new(201, "").header("Docker-Content-Digest", digest)
        }
        ("GET" | "HEAD", manifest) => match store.get(manifest) {
            Some(data) => Answer::new(200, data)
                .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                .header("Docker-Content-Digest", format!("sha256:{}", chart::package::digest(data))),
            None => Answer::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
        },
        _ => Answer::new(405, ""),
    }
}

/// Publishes and fetches in every way, and gives all that was printed.
fn go_round(folder: &Folder, scripted: &Scripted, flags: &[&str]) -> String {
    let target = scripted.url();
    umbrella(folder, &target);
    let mut said = String::new();
    for line in [
        ["push", "web-1.0.0.tgz", &target].as_slice(),
        &["versions", &format!("{target}/web")],
        &["pull", &format!("{target}/web"), "-d", "pulled"],
        &["dependency", "update", "app"],
    ] {
        let output = folder.command(line).args(["-vv"]).args(flags).output().expect("chart runs");
        said += &String::from_utf8_lossy(&[output.stdout, output.stderr].concat());
        assert!(output.status.success(), "{line:?}: {said}");
    }
    let archive = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("packed");
    assert_eq!(std::fs::read(folder.path().join("pulled/web-1.0.0.tgz")).expect("pulled"), archive);
    assert_eq!(std::fs::read(folder.path().join("app/charts/web-1.0.0.tgz")).expect("fetched"), archive);
    scripted.assert_kept_secret();
    said
}

const SECRETS: &[&str] = &["r3fresh", "s3cret", "YW5uOnMzY3JldA", "743074", "74306b656e", "g1ven", "uthorization"];

#[test]
fn identity_tokens_of_docker_let_in() {
    let scripted = Scripted::start();
    let folder = packed();
    let host = format!("127.0.0.1:{}", scripted.registry.port);
    let config = serde_json::json!({ "auths": { &host: { "auth": "YW5uOg==", "identitytoken": "r3fresh/+=" } } });
    folder.write(".docker/config.json", config.to_string());
    let said = go_round(&folder, &scripted, &[]);
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(scripted.tokens.lines().iter().all(|line| line == "POST /token"));
    std::fs::create_dir(folder.path().join("by-helm")).expect("a folder");
    helm(&folder, &["pull", &format!("{}/web", scripted.url()), "--version", "1.0.0", "--plain-http", "-d", "by-helm"]);
    // The same from a credential helper, which gives such a token under a name of its own.
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    folder.write(
        "bin/docker-credential-test",
        "#!/bin/sh\nread server\necho '{\"Username\": \"<token>\", \"Secret\": \"r3fresh/+=\"}'\n",
    );
    Command::new("chmod").arg("+x").arg(folder.path().join("bin/docker-credential-test")).status().expect("chmod runs");
    folder.write(".docker/config.json", "{\"credsStore\": \"test\"}");
    let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
    let mut command = folder.command(["pull", &format!("{}/web", scripted.url()), "-d", "helped"]);
    let output = command.env("PATH", path).output().expect("chart runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // One that is not good any more.
    let config = serde_json::json!({ "auths": { &host: { "identitytoken": "expired" } } });
    folder.write(".docker/config.json", config.to_string());
    let run = folder.run(&format!("versions {}/web", scripted.url())).fails(2);
    insta::assert_snapshot!(run.stderr.replace(&host, "HOST"), @r"
    error: failed to log in to `HOST`: the registry says: who are you
    hint: log in with `chart login HOST`, or give `--username` and `--password`
    ");
}

#[test]
fn passwords_and_tokens_are_for_the_registry_alone() {
    for flags in [["--username", "ann", "--password", "s3cret"].as_slice(), &["--token", "g1ven"]] {
        let scripted = Scripted::start();
        let folder = packed();
        let said = go_round(&folder, &scripted, flags);
        for secret in SECRETS {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert_eq!(scripted.tokens.asked().is_empty(), flags[0] == "--token");
    }
    let scripted = Scripted::start();
    let folder = packed();
    let host = format!("127.0.0.1:{}", scripted.registry.port);
    let login = |password: &str| {
        let mut command = folder.command(["login", &host, "--username", "ann", "--retries", "0"]);
        command.env("CHART_PASSWORD", password).output().expect("chart runs").status.code()
    };
    assert_eq!((login("wrong"), login("s3cret")), (Some(2), Some(0)));
    folder.run(&format!("push web-1.0.0.tgz {}", scripted.url())).ok();
    scripted.assert_kept_secret();
}

#[test]
fn nothing_secret_goes_where_it_can_be_overheard() {
    let folder = packed();
    if certificates(&folder).is_none() {
        return;
    }
    let at = folder.path().display();
    let tls = format!("ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;");
    let thief = Server::start(|_| Answer::new(200, r#"{"token":"x"}"#));
    let realm = thief.url("/token");
    let backend = Server::start(move |_| {
        Answer::new(401, "").header("WWW-Authenticate", format!("Bearer realm=\"{realm}\",service=\"x\""))
    });
    let place = thief.url("/upload");
    let uploads = Server::start(move |request| match request.method.as_str() {
        "POST" => Answer::new(202, "").header("Location", &place),
        _ => Answer::new(404, ""),
    });
    let mut said = String::new();
    for port in [backend.port, uploads.port] {
        let Some(server) = nginx_tls_proxy(port, &tls) else { return };
        let target = format!("oci://127.0.0.1:{}/team", server.port);
        let run = folder
            .run(&format!("push web-1.0.0.tgz {target} --ca-file ca.pem --username ann --password s3cret --retries 0"));
        said += &run.fails(2).stderr.replace(&server.port.to_string(), "PORT");
    }
    insta::assert_snapshot!(said, @r"
    error: `127.0.0.1:PORT` names no server for tokens: its address is not encrypted
    error: `127.0.0.1:PORT` names no place for the upload: its address is not encrypted
    hint: a proxy in front of the registry must pass on that it speaks HTTPS (`X-Forwarded-Proto`)
    ");
    assert!(thief.asked().is_empty());
}

#[test]
fn a_registry_that_lies_is_found_out() {
    let folder = packed();
    let scripted = Scripted::start();
    let target = scripted.url();
    folder.run(&format!("push web-1.0.0.tgz {target} --token g1ven")).ok();
    let archive = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("packed");
    let digest = chart::package::digest(&archive);
    let manifest = |digest: &str, size: usize| {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"sha256:{digest}","size":1}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{digest}","size":{size}}}]}}"#
        )
    };
    let good = format!("sha256:{digest}");
    for (text, wrong_digest, why) in [
        (manifest("sha256:../../../etc/passwd", 10), false, "no SHA-256"),
        (manifest("md5:00", 10), false, "no SHA-256"),
        (manifest(&good, 10), false, "more than 10 bytes"),
        (manifest(&good, 1 << 40), false, "a layer of 1099511627776 bytes"),
        (manifest(&good, archive.len()), true, "has the digest sha256:"),
        (manifest(&format!("sha256:{:064x}", 1), archive.len()), false, "answered 404"),
        (r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(), false, "no image manifest"),
        ("<html>".to_owned(), false, "no image manifest"),
        (
            r#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"x","size":1},"layers":[]}"#.to_owned(),
            false,
            "no chart layer",
        ),
    ] {
        let bytes = archive.clone();
        let server = Server::start(move |request| {
            let answer = match request.path.contains("/manifests/") {
                true => Answer::new(200, &text),
                false if request.path.ends_with(&"0".repeat(60)) || !request.path.contains("blobs/sha256:") => {
                    Answer::new(404, "")
                }
                false if request.path.contains("0000000000") => Answer::new(404, ""),
                false => Answer::new(200, &bytes),
            };
            let digest = if wrong_digest { format!("sha256:{:064x}", 7) } else { String::new() };
            if digest.is_empty() { answer } else { answer.header("Docker-Content-Digest", digest) }
        });
        let run = folder.run(&format!("pull oci://127.0.0.1:{}/team/web:1.0.0 -d out --retries 0", server.port));
        assert!(matches!(run.code, 1 | 2) && run.stderr.contains(why), "{why}: {run:?}");
        assert!(!folder.path().join("out").exists(), "{why}");
    }
}
