//! What all kinds of repositories share: the HTTP client, credentials, the index.

use crate::server::{Answer, Server};
use chart::repository::auth::{Credentials, Keyring, Origin};
use chart::repository::http::{Body, Client, Options, Request, get, parse_url};
use chart::repository::{Kind, Result};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

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

#[test]
fn addresses_are_printed_without_their_secrets() {
    let folder = crate::support::Folder::new();
    folder.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    let nobody = "ann:s3cret@127.0.0.1:1";
    let mut addresses =
        vec![format!("{nobody}/charts"), format!("https://{nobody}"), "http://ann:s3cret@:x/y".to_owned()];
    for scheme in ["http", "https", "oci", "ftp", "file"] {
        addresses.push(format!("{scheme}://{nobody}/charts/web?token=s3cret"));
    }
    for address in addresses {
        folder.write(
            "app/Chart.yaml",
            format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: 1.0.0\n  repository: {address}\n"),
        );
        for line in [
            ["push", "web", &address].as_slice(),
            &["pull", &address],
            &["pull", "web", "--repo", &address],
            &["versions", &address],
            &["dependency", "update", "app"],
            &["dependency", "build", "app"],
            &["index", ".", "--url", &address],
        ] {
            let options = if line[0] == "index" { ["-v", "-v"].as_slice() } else { &["-v", "-v", "--retries", "0"] };
            let output = folder.command(line).args(options).output().expect("chart runs");
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            // A file's path is no address.
            if !address.starts_with("file:") {
                assert!(!output.status.success(), "{line:?}");
                assert!(!said.contains("s3cret"), "{line:?}: {said}");
            }
        }
        let said = folder.run("dependency list app").ok().stdout;
        assert!(address.starts_with("file:") || !said.contains("s3cret"), "{said}");
        let _ = std::fs::remove_file(folder.path().join("index.yaml"));
    }
}

/// A server that does this with every connection once it has read the request's head.
fn raw(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://127.0.0.1:{}/x", listener.local_addr().expect("bound").port());
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = std::sync::Arc::clone(&answer);
            std::thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte)?;
                    head.extend(byte);
                }
                answer(&mut stream)
            });
        }
    });
    url
}

#[test]
fn servers_that_never_end_are_given_up() {
    let rest = || -> std::io::Result<()> {
        std::thread::sleep(Duration::from_secs(60));
        Ok(())
    };
    let drip = |stream: &mut TcpStream, bytes: &[u8], pause: u64| loop {
        stream.write_all(bytes)?;
        std::thread::sleep(Duration::from_millis(pause));
    };
    let servers: [(&str, String, &str); 9] = [
        ("silence", raw(move |_| rest()), "no answer in time"),
        (
            "half a head",
            raw(move |stream| stream.write_all(b"HTTP/1.1 200 OK\r\nX-A: ").and(rest())),
            "no answer in time",
        ),
        ("a head that drips", raw(move |stream| drip(stream, b"HTTP/1.1 200 OK\r\nX", 5000)), "no answer in time"),
        (
            "an endless head",
            raw(move |stream| stream.write_all(b"HTTP/1.1 200 OK\r\n").and(drip(stream, b"X-A: b\r\n", 0))),
            "message head is too large",
        ),
        (
            "a body that stops",
            raw(move |stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx").and(rest())),
            "no answer in time",
        ),
        (
            "a body that drips",
            raw(move |stream| {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")?;
                drip(stream, b"x", 50)
            }),
            "are too few",
        ),
        (
            "an endless body",
            raw(move |stream| {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                drip(stream, b"4\r\nabcd\r\n", 0)
            }),
            "has more than 1048576 bytes",
        ),
        (
            "an endless error",
            raw(move |stream| {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                drip(stream, b"4\r\nabcd\r\n", 0)
            }),
            "the server answered 404 Not Found (abcd",
        ),
        (
            "an error that drips",
            raw(move |stream| {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                drip(stream, b"4\r\nabcd\r\n", 50)
            }),
            "the server answered 404 Not Found (abcd",
        ),
    ];
    for (what, url, why) in servers {
        let options = || Options { silence: Some(Duration::from_millis(500)), ..Options::default() };
        let begun = Instant::now();
        let error = fetch(&url, options()).expect_err(what).to_string();
        assert!(error.contains(why), "{what}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {:?}", begun.elapsed());
    }
}

#[test]
fn answers_that_make_no_sense_are_told() {
    for (answer, why) in [
        ("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx", "(206)"),
        ("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", "the server answered 416"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx", "end of file before message length reached"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "invalid"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", "invalid"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx", "invalid"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", "hunk"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx", "hunk"),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://[\r\n\r\n", "redirects to what is not a URL"),
        (
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: javascript:alert(1)\r\n\r\n",
            "redirects to a `javascript` URL",
        ),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "the server answered 302"),
        ("HTTP/1.1 999 \x1b[2J\r\nContent-Length: 0\r\n\r\n", "invalid"),
        ("HTTP/1.1 999 Odd\r\nContent-Length: 4\r\n\r\n\x1b[2J", "the server answered 999 ([2J)"),
        ("SSH-2.0-OpenSSH_10.0\r\n", "invalid"),
        ("", "connection closed before message completed"),
    ] {
        let url = raw(move |stream| stream.write_all(answer.as_bytes()));
        let error = fetch(&url, Options::default()).expect_err(answer).to_string();
        assert!(error.contains(why) && !error.contains('\x1b'), "{answer:?}: {error}");
    }
}

#[test]
fn an_upload_takes_as_long_as_it_moves() {
    let url = raw(|stream| {
        let mut piece = vec![0; 8 << 20];
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(1000));
            stream.read_exact(&mut piece)?;
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    });
    let client = Client::new(Options { silence: Some(Duration::from_secs(2)), retries: 2, ..Options::default() });
    let body = Body::Bytes { name: "x".into(), data: vec![7; 32 << 20].into(), content_type: "application/gzip" };
    let request = Request::new("PUT".parse().expect("a method"), parse_url(&url).expect("a URL")).body(body);
    let begun = Instant::now();
    let (head, _) = client.send(&request).expect("an answer");
    assert!(head.status == 201 && begun.elapsed() > Duration::from_secs(3), "{:?}", begun.elapsed());
}
