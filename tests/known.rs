//! What is known of repositories beside the command line: Helm's list of them, proxies of the environment.

use crate::push::certificates;
use crate::server::{Answer, Server};
use crate::servers::{Running, nginx_tls};
use crate::support::{Folder, tool};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// An nginx that only lets clients with a certificate in, with `web` 1.0.0 in a repository at `charts/`.
fn guarded() -> Option<(Folder, Running)> {
    let folder = Folder::new();
    certificates(&folder)?;
    let at = folder.path().display();
    let server = nginx_tls(&format!(
        "ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;
         ssl_client_certificate {at}/ca.pem; ssl_verify_client on;"
    ))?;
    folder.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    let charts = server.folder.path().join("data/charts");
    folder.run(&format!("package web -d {}", charts.display())).ok();
    folder.run(&format!("index {}", charts.display())).ok();
    Some((folder, server))
}

fn note(folder: &Folder, entries: &str) {
    folder.write(
        ".config/helm/repositories.yaml",
        format!("apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories:\n{entries}"),
    );
}

#[test]
fn certificates_of_noted_repositories_are_used() {
    let Some((folder, server)) = guarded() else { return };
    let Some(helm) = tool("helm") else { return };
    let url = format!("https://127.0.0.1:{}/charts", server.port);
    let at = folder.path();
    let added = Command::new(helm)
        .args(["repo", "add", "corp", &url, "--ca-file", "ca.pem", "--cert-file", "client.pem"])
        .args(["--key-file", "client.key"])
        .current_dir(at)
        .env_clear()
        .env("HOME", at)
        .output()
        .expect("helm runs");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));

    assert!(folder.run("versions corp/web").ok().stdout.contains("1.0.0"));
    folder.run("pull corp/web").ok();
    folder.run(&format!("pull {url}/web --version ^1 -d by-url")).ok();
    folder.run(&format!("pull {url}/web-1.0.0.tgz -d by-archive")).ok();
    folder.run(&format!("pull web --repo {url}/ -d by-repo")).ok();
    for (name, repository) in [("by-name", "'@corp'"), ("by-address", url.as_str())] {
        folder.write(
            &format!("{name}/Chart.yaml"),
            format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: 1.x\n  repository: {repository}\n"),
        );
        folder.run(&format!("dependency update {name}")).ok();
        std::fs::remove_dir_all(at.join(name).join("charts")).expect("removed");
        std::fs::remove_dir_all(at.join(".cache")).expect("removed");
        folder.run(&format!("dependency build {name}")).ok();
        assert!(at.join(name).join("charts/web-1.0.0.tgz").exists());
    }
    folder.run(&format!("push web {url}")).ok();

    // Not for another path of that server, and not without what the entry says.
    let other = format!("https://127.0.0.1:{}/other", server.port);
    let run = folder.run(&format!("pull {other}/web --retries 0")).fails(2);
    assert!(run.stderr.contains("UnknownIssuer"), "{}", run.stderr);
    note(&folder, &format!("- name: corp\n  url: {url}\n  insecure_skip_tls_verify: true\n"));
    let run = folder.run("pull corp/web --retries 0 -d none").fails(2);
    assert!(run.stderr.contains("400 Bad Request"), "{}", run.stderr);
    folder.run("pull corp/web --cert-file client.pem --key-file client.key -d by-flags").ok();
    note(&folder, &format!("- name: corp\n  url: {url}\n  caFile: {}/gone.pem\n", at.display()));
    let run = folder.run("pull corp/web -d none").fails(2);
    let said = run.stderr.as_str();
    insta::assert_snapshot!(said, @"error: the repository `corp`: failed to read `[DIR]/gone.pem`: no such file or directory");
    folder.run("pull corp/web --ca-file ca.pem --cert-file client.pem --key-file client.key -d by-flags").ok();
}

/// A repository whose archives are on another server.
fn apart() -> (Folder, Server, Server) {
    let folder = Folder::new();
    folder.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.run("package web -d packed").ok();
    let archive = std::fs::read(folder.path().join("packed/web-1.0.0.tgz")).expect("packed");
    let archives = Server::start(move |_| Answer::new(200, archive.clone()));
    folder.run(&format!("index packed --url {}", archives.url(""))).ok();
    let index = folder.read("packed/index.yaml");
    let charts = Server::start(move |_| Answer::new(200, index.clone()));
    (folder, charts, archives)
}

#[test]
fn credentials_of_noted_repositories_go_where_their_entry_says() {
    let (folder, charts, archives) = apart();
    let sent = |server: &Server| -> Vec<String> {
        let asked = server.asked();
        asked.iter().map(|it| it.header("authorization").unwrap_or_default().to_owned()).collect()
    };
    let (ann, bob) = ("Basic YW5uOnMzY3JldA==", "Basic Ym9iOnMzY3JldA==");
    // Two repositories on one server, each with its own user.
    let entry = |name: &str, user: &str, more: &str| {
        let url = charts.url(&format!("/{name}"));
        format!("- name: {name}\n  url: {url}\n  username: {user}\n  password: s3cret\n{more}")
    };
    note(&folder, &format!("{}{}", entry("a", "ann", ""), entry("b", "bob", "  pass_credentials_all: true\n")));
    folder.run("pull a/web").ok();
    assert_eq!((sent(&charts), sent(&archives)), (vec![ann.to_owned()], vec![String::new()]));
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    folder.run("pull b/web -d again").ok();
    assert_eq!(sent(&charts).last().map(String::as_str), Some(bob));
    assert_eq!(sent(&archives).last().map(String::as_str), Some(bob));
}

#[test]
fn proxies_of_the_environment_are_used_and_named() {
    let (folder, charts, _) = apart();
    let run = |proxy: &str| {
        let mut command = folder.command(["versions", "http://charts.example/a/web", "--retries", "0"]);
        let output = command.env("http_proxy", proxy).output().expect("chart runs");
        String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr }).into_owned()
    };
    assert_eq!(run(&charts.url("").replace("://", "://ann:s3cret@")), "1.0.0\n");
    let asked = charts.asked();
    assert_eq!(asked[0].path, "http://charts.example/a/index.yaml");
    assert_eq!(asked[0].header("proxy-authorization"), Some("Basic YW5uOnMzY3JldA=="));
    insta::assert_snapshot!(run("http://ann:s3cret@127.0.0.1:1"), @r"
    error: failed to fetch `http://charts.example/a/index.yaml`: connection refused
    hint: the proxy that `http_proxy` names may be what fails
    ");
}

/// A SOCKS 5 proxy that asks for a password, leads everything to one port of this machine, and keeps what was wanted.
fn socks(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("bound").port();
    let wanted: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&wanted);
    let serve = move |mut client: TcpStream, seen: &Mutex<Vec<String>>| -> std::io::Result<()> {
        let read = |client: &mut TcpStream, count: usize| {
            let mut bytes = vec![0; count];
            client.read_exact(&mut bytes).map(|()| bytes)
        };
        let methods = read(&mut client, 2)?[1];
        let methods = read(&mut client, methods.into())?;
        let mut said = String::new();
        if methods.contains(&2) {
            client.write_all(&[5, 2])?;
            for part in 0..2 {
                let count = if part == 0 { read(&mut client, 2)?[1] } else { read(&mut client, 1)?[0] };
                said += &format!("{} ", String::from_utf8_lossy(&read(&mut client, count.into())?));
            }
            client.write_all(&[1, 0])?;
        } else {
            client.write_all(&[5, 0])?;
        }
        said += &match read(&mut client, 4)?[3] {
            3 => {
                let count = read(&mut client, 1)?[0];
                String::from_utf8_lossy(&read(&mut client, count.into())?).into_owned()
            }
            _ => format!("{:?}", read(&mut client, 4)?),
        };
        read(&mut client, 2)?;
        seen.lock().expect("not poisoned").push(said);
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        let server = TcpStream::connect(("127.0.0.1", port))?;
        let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        std::io::copy(&mut client, &mut &server).map(drop)
    };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (serve, seen) = (serve, Arc::clone(&seen));
            std::thread::spawn(move || serve(client, &seen));
        }
    });
    (at, wanted)
}

#[test]
fn socks_proxies_are_used_and_this_machine_needs_none() {
    let (folder, charts, _) = apart();
    let (port, wanted) = socks(charts.port);
    let run = |url: &str, variable: &str, proxy: String| {
        let mut command = folder.command(["versions", url, "--retries", "0"]);
        let output = command.env(variable, proxy).output().expect("chart runs");
        String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr }).into_owned()
    };
    let url = "http://charts.example/a/web";
    assert_eq!(run(url, "ALL_PROXY", format!("socks5h://127.0.0.1:{port}")), "1.0.0\n");
    assert_eq!(run(url, "http_proxy", format!("socks5h://ann:s3cret@127.0.0.1:{port}")), "1.0.0\n");
    assert_eq!(run("http://192.0.2.1/a/web", "HTTP_PROXY", format!("socks5://127.0.0.1:{port}")), "1.0.0\n");
    assert_eq!(
        *wanted.lock().expect("not poisoned"),
        ["charts.example", "ann s3cret charts.example", "[192, 0, 2, 1]"]
    );
    insta::assert_snapshot!(run(url, "all_proxy", "socks5h://ann:s3cret@127.0.0.1:1".to_owned()), @r"
    error: failed to fetch `http://charts.example/a/index.yaml`: SOCKS error: failed to create underlying connection
    hint: the proxy that `all_proxy` names may be what fails
    ");
    // A proxy that is not there is not asked for what is here.
    for here in ["127.0.0.1", "localhost"] {
        let url = charts.url("/a/web").replace("127.0.0.1", here);
        assert_eq!(run(&url, "http_proxy", "http://127.0.0.1:1".to_owned()), "1.0.0\n");
        assert_eq!(run(&url, "ALL_PROXY", "socks5://127.0.0.1:1".to_owned()), "1.0.0\n");
    }
}

#[test]
fn the_list_of_repositories_may_be_elsewhere() {
    let folder = Folder::new();
    folder.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.write("web/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: here\n");
    folder.run("package web -d repo").ok();
    folder.run("index repo").ok();
    let at = folder.path().display();
    folder.write("elsewhere.yaml", format!("repositories:\n- name: corp\n  url: file://{at}/repo\n"));
    folder.run("pull corp/web").fails(2);
    let flags = "--repository-config elsewhere.yaml --repository-cache c --content-cache c --registry-config r.json";
    let manifests = folder.run(&format!("render x corp/web {flags}")).ok().stdout;
    assert!(manifests.contains("name: here"), "{manifests}");
    folder.run(&format!("pull corp/web {flags}")).ok();
}
