//! What all kinds of repositories share: the HTTP client, credentials, the index.

use crate::server::{Answer, Server};
use chart::repository::auth::{Credentials, Keyring, Origin};
use chart::repository::http::{Options, get, parse_url};
use chart::repository::{Kind, Result};
use std::sync::atomic::{AtomicU32, Ordering};

fn fetch(url: &str, options: Options) -> Result<Vec<u8>> {
    get(url, 1 << 20, options)
}

fn with_credentials(url: &str) -> Options {
    let mut keyring = Keyring::default();
    let credentials = Credentials::Basic { username: "ann".into(), password: "s3cret".into() };
    keyring.add(Origin::of(&parse_url(url).expect("a URL")), credentials);
    Options { keyring, ..Options::default() }
}

#[test]
fn credentials_stay_with_their_server_through_redirects() {
    let other = Server::start(|_| Answer::new(200, "found"));
    let target = other.url("/there");
    let first = Server::start(move |request| match request.path.as_str() {
        "/here" => Answer::new(302, "").header("Location", "/same"),
        _ => Answer::new(307, "").header("Location", target.replace("http://", "http://eve:stolen@")),
    });
    let body = fetch(&first.url("/here"), with_credentials(&first.url("/"))).expect("redirected");
    assert_eq!(body, b"found");
    let sent: Vec<_> = first.asked().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Basic YW5uOnMzY3JldA==".to_owned()), Some("Basic YW5uOnMzY3JldA==".to_owned())]);
    let there = &other.asked()[0];
    assert_eq!((there.path.as_str(), there.header("authorization")), ("/there", None));
}

#[test]
fn requests_are_repeated_where_that_may_help() {
    let count = AtomicU32::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::new(0, ""),
        1 => Answer::new(503, "busy").header("Retry-After", "0"),
        _ => Answer::new(200, "at last"),
    });
    let options = Options { retries: 3, ..Options::default() };
    assert_eq!(fetch(&server.url("/x"), options).expect("third time"), b"at last");
    assert_eq!(server.asked().len(), 3);
    let server = Server::start(|_| Answer::new(404, ""));
    let options = Options { retries: 3, ..Options::default() };
    assert_eq!(fetch(&server.url("/x"), options).expect_err("missing").kind, Kind::Missing);
    assert_eq!(server.lines(), ["GET /x"]);
}

#[test]
fn errors_say_what_failed_and_hide_secrets() {
    let server = Server::start(|request| match request.path.as_str() {
        "/denied?token=t0ken" => Answer::new(401, r#"{"error":"unauthorized"}"#),
        "/loop" => Answer::new(302, "").header("Location", "/loop"),
        "/file" => Answer::new(302, "").header("Location", "file:///etc/passwd"),
        "/page" => Answer::new(500, "<html>secret page</html>"),
        _ => Answer::new(200, vec![b'x'; 2 << 20]),
    });
    let port = server.port.to_string();
    let say = |path: &str| {
        let url = server.url(path).replace("http://", "http://ann:s3cret@");
        let error = fetch(&url, Options::default()).expect_err("must fail");
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{error}{hint}").replace(&port, "PORT")
    };
    insta::assert_snapshot!(say("/denied?token=t0ken"), @r"
    failed to fetch `http://127.0.0.1:PORT/denied?…`: the server answered 401 Unauthorized (unauthorized)
    hint: give `--username` and `--password` (or CHART_USERNAME and CHART_PASSWORD), `--token`, or a line in ~/.netrc
    ");
    insta::assert_snapshot!(say("/loop"), @"`http://127.0.0.1:PORT/loop` redirects more than ten times");
    insta::assert_snapshot!(say("/file"), @"`http://127.0.0.1:PORT/file` redirects to a `file` URL");
    insta::assert_snapshot!(say("/page"), @"failed to fetch `http://127.0.0.1:PORT/page`: the server answered 500 Internal Server Error");
    insta::assert_snapshot!(say("/big"), @"`http://127.0.0.1:PORT/big` has more than 1048576 bytes");
    insta::assert_snapshot!(fetch("ftp://ann:s3cret@x/", Options::default()).expect_err("no HTTP"), @"the URL has scheme `ftp`, expected `http` or `https`");
    insta::assert_snapshot!(fetch("http://ann:s3cret@:x/", Options::default()).expect_err("no URL"), @"the URL is not valid: empty host");
    insta::assert_snapshot!(fetch("http://127.0.0.1:1/", Options::default()).expect_err("nobody there"), @"failed to fetch `http://127.0.0.1:1/`: connection refused");
}

/// An archive of entries: name, type flag, link target, content.
fn archive(entries: &[(&str, u8, &str, &[u8])]) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut builder = tar::Builder::new(encoder);
    for (name, kind, target, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_mode(0o777);
        header.set_size(content.len() as u64);
        if !target.is_empty() {
            header.set_link_name_literal(target).expect("a short target");
        }
        header.set_cksum();
        builder.append(&header, *content).expect("in memory");
    }
    builder.into_inner().and_then(|encoder| encoder.finish()).expect("in memory")
}

#[test]
fn hostile_archives_reach_neither_disk_nor_repository() {
    const META: &[u8] = b"apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let with = |name: &str, kind: u8, target: &str, content: &[u8]| {
        archive(&[("web/Chart.yaml", b'0', "", META), (name, kind, target, content)])
    };
    let meta = |text: &str| archive(&[("web/Chart.yaml", b'0', "", text.as_bytes())]);
    let zeros = vec![0; 5 << 20];
    let names: Vec<String> = (0..20).map(|number| format!("web/{number}")).collect();
    let mut bomb = vec![("web/Chart.yaml", b'0', "", META)];
    bomb.extend(names.iter().map(|name| (name.as_str(), b'0', "", zeros.as_slice())));
    let aliases = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))
    });
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("traversal", with("web/../../escaped", b'0', "", b"x")),
        ("backslashes", with("web\\..\\..\\escaped", b'0', "", b"x")),
        ("absolute", with("/tmp/escaped", b'0', "", b"x")),
        ("drive", with("web/C:\\escaped", b'0', "", b"x")),
        ("symlink", with("web/link", b'2', "/etc/passwd", b"")),
        ("hard link", with("web/link", b'1', "web/Chart.yaml", b"")),
        ("device", with("web/zero", b'3', "", b"")),
        ("pipe", with("web/pipe", b'6', "", b"")),
        ("twice", with("other/Chart.yaml", b'0', "", b"apiVersion: v2\nname: evil\nversion: 6.6.6\n")),
        ("file as folder", with("web/Chart.yaml/x", b'0', "", b"x")),
        ("control", with("web/a\u{7}b", b'0', "", b"x")),
        ("bomb", archive(&bomb)),
        ("name", meta("apiVersion: v2\nname: ../../escaped\nversion: 1.0.0\n")),
        ("no name", meta("apiVersion: v2\nversion: 1.0.0\n")),
        ("version", meta("apiVersion: v2\nname: web\nversion: 1.0.0/../../escaped\n")),
        ("long version", meta(&format!("apiVersion: v2\nname: web\nversion: 1.0.0-{}\n", "a".repeat(5000)))),
        ("huge number", meta("apiVersion: v2\nname: web\nversion: 99999999999999999999999.0.0\n")),
        ("aliases", meta(&format!("apiVersion: v2\nname: web\nversion: 1.0.0\n{aliases}"))),
        ("no metadata", archive(&[("web/values.yaml", b'0', "", b"a: 1")])),
        ("at the root", archive(&[("Chart.yaml", b'0', "", META)])),
        ("cut", with("web/a", b'0', "", &[7; 5000])[..60].to_vec()),
        ("page", b"<html>Not Found</html>".to_vec()),
    ];
    let folder = crate::support::Folder::new();
    let repository = format!("file://{}/repo", folder.path().display());
    for (what, data) in hostile {
        folder.write("bad.tgz", &data);
        let digest = chart::package::digest(&data);
        folder.write("listed/web-1.0.0.tgz", &data);
        folder.write(
            "listed/index.yaml",
            format!("apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.0.0\n    digest: {digest}\n    urls: [web-1.0.0.tgz]\n"),
        );
        for line in [
            format!("push bad.tgz {repository}"),
            format!("pull file://{}/listed/web --untar -d out", folder.path().display()),
            "package bad.tgz --no-validate -d out".to_owned(),
        ] {
            let run = folder.run(&line);
            // A second `Chart.yaml` that lies below a file needs no disk to be refused.
            assert!(matches!(run.code, 1 | 2), "{what}: {line}: {run:?}");
            assert!(!run.stderr.contains("panicked"), "{what}: {line}: {run:?}");
        }
        let run = folder.run("index listed --format json");
        assert!(run.code != 0 || run.stdout.contains(r#""listed":0"#), "{what}: {run:?}");
        for made in ["repo", "out", "escaped"] {
            assert!(!folder.path().join(made).exists(), "{what} made `{made}`");
        }
        assert!(!folder.path().join("../escaped").exists() && !std::path::Path::new("/tmp/escaped").exists(), "{what}");
    }
}
