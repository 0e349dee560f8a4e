//! Repositories of strangers: what their indexes say, and how they are packed.

use super::{Tar, run};
use crate::server::{Answer, Server};
use crate::support::{Folder, Run};
use std::time::{Duration, Instant};

/// A server with one index, and with an archive of `web` 1.0.0 wherever it is asked for one.
fn serve(index: impl Into<Vec<u8>>, packed: bool) -> Server {
    let (index, archive) = (index.into(), Tar::web().file("web/values.yaml", "a: 1\n").end());
    Server::start(move |request| match request.path.rsplit('/').next() {
        Some("index.yaml") if packed => Answer::new(200, &index).header("Content-Encoding", "gzip"),
        Some("index.yaml") => Answer::new(200, &index),
        Some("web-1.0.0.tgz") => Answer::new(200, &archive),
        _ => Answer::new(404, ""),
    })
}

fn digest() -> String {
    chart::package::digest(&Tar::web().file("web/values.yaml", "a: 1\n").end())
}

/// An index with one version, which has these lines, too.
fn index(lines: &str) -> String {
    format!("apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.0.0\n{lines}")
}

/// What commands say that ask such a repository; none of them may write anything.
fn ask(server: &Server, lines: &[&str]) -> Vec<Run> {
    let folder = Folder::new();
    let url = server.url("/charts");
    folder.write(
        "app/Chart.yaml",
        format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: '*'\n  repository: {url}\n"),
    );
    let runs = lines.iter().map(|line| run(&folder, &line.replace("URL", &url))).collect();
    let mut paths = Vec::new();
    super::tree(folder.path(), &mut paths);
    paths.retain(|path| !path.contains("/.cache"));
    assert_eq!(paths.len(), 2, "{paths:?}");
    runs
}

const FETCHES: &[&str] =
    &["pull URL/web --retries 0 -d out", "dependency update app --retries 0", "render x URL/web --retries 0"];

#[test]
fn addresses_in_indexes_lead_to_servers_only() {
    for (urls, why) in [
        ("[file:///etc/passwd]", "points to a `file` URL"),
        ("['file:///dev/zero']", "points to a `file` URL"),
        ("[ftp://127.0.0.1/web.tgz]", "points to a `ftp` URL"),
        ("['javascript:alert(1)']", "points to a `javascript` URL"),
        ("['data:application/gzip;base64,AAAA']", "points to a `data` URL"),
        ("[oci://127.0.0.1:1/web]", "points to a `oci` URL"),
        ("['http://[']", "is not a URL"),
        ("['//127.0.0.1:1/web.tgz']", "connection refused"),
        ("['http://ann:s3cret@127.0.0.1:1/web.tgz']", "fetch `http://127.0.0.1:1/web.tgz`: connection refused"),
        ("[../../../../etc/passwd]", "/etc/passwd`: the server answered 404"),
        ("['%2e%2e/%2e%2e/x']", "the server answered 404"),
        ("[\"a\\e[31mb\\nc\"]", "the server answered 404"),
        ("[]", "has no URL for `web` 1.0.0"),
        ("['']", "has no URL for `web` 1.0.0"),
        ("null", "has no URL for `web` 1.0.0"),
        ("web-1.0.0.tgz", "has no URL for `web` 1.0.0"),
        ("[{a: b}]", "has no URL for `web` 1.0.0"),
    ] {
        let server = serve(index(&format!("    urls: {urls}\n")), false);
        for run in ask(&server, FETCHES) {
            assert!(run.code == 2 && run.stderr.contains(why), "{urls}: {run:?}");
            assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains("s3cret"), "{urls}: {run:?}");
        }
    }
}

#[test]
fn digests_are_what_the_archive_has_however_they_are_written() {
    let listed = |digest: &str| index(&format!("    urls: [web-1.0.0.tgz]\n    digest: {digest}\n"));
    for digest in [digest(), digest().to_uppercase(), format!("sha256:{}", digest()), "''".to_owned()] {
        let (server, folder) = (serve(listed(&digest), false), Folder::new());
        run(&folder, &format!("pull {} -d out", server.url("/charts/web"))).ok();
        assert!(folder.path().join("out/web-1.0.0.tgz").is_file(), "{digest}");
    }
    for digest in ["'0'", "abc", "../../../x", "md5:d41d8cd98f00b204e9800998ecf8427e", &"0a".repeat(32), "\"\\e[2J\""] {
        for run in ask(&serve(listed(digest), false), FETCHES) {
            assert!(run.code == 1 && run.stderr.contains("but the repository says"), "{digest}: {run:?}");
            assert!(!run.stderr.contains('\u{1b}'), "{digest}: {run:?}");
        }
    }
}

#[test]
fn what_an_index_says_is_not_believed() {
    let all = ["versions URL/web --retries 0", FETCHES[0], FETCHES[1]];
    let names: String = (0..200_000).map(|n| format!("  n{n}: []\n")).collect();
    let aliases = super::aliases().replace('\n', "\n    ");
    for (what, text, why) in [
        ("aliases", index(&format!("    {aliases}\n")), "aliases expand to too many nodes"),
        ("depth", index(&format!("    x: {}\n", "[".repeat(100_000))), "nested deeper than 1000 levels"),
        ("JSON of some depth", format!("{{\"apiVersion\":\"v1\",\"entries\":{{\"web\":{}", "[".repeat(100_000)), "EOF"),
        ("a NUL", index("    x: \"\0\"\n"), "control character U+0000"),
        (
            "millions of nodes",
            format!("entries: {{web: [{}]}}\napiVersion: v1\n", "a,".repeat(10_000_001)),
            "too large",
        ),
        ("other charts", format!("apiVersion: v1\nentries:\n{names}"), "there is no chart `web`"),
        ("a list", "- a\n".to_owned(), "expected an index object"),
        ("texts", "apiVersion: v1\nentries:\n  web: [a, 1]\n".to_owned(), "not a repository index"),
        ("a page", "<html>\u{1b}[2J</html>".to_owned(), "it is a web page"),
    ] {
        for run in ask(&serve(text.clone(), false), &all) {
            assert!(run.code == 2 && run.stderr.contains(why), "{what}: {run:?}");
            assert!(!run.stderr.contains('\u{1b}') && run.stderr.len() < 1000, "{what}: {run:?}");
        }
    }
    // Other archives than were listed, and versions that are none.
    let good = format!("    urls: [web-1.0.0.tgz]\n    digest: {}\n", digest());
    for (version, code) in [("1.0.1", 1), ("1.0.0/../../x", 2), ("\"1.0.0\\e[2J\"", 2), ("'1.0.0 '", 2), ("''", 2)] {
        let text = index(&good).replace("version: 1.0.0", &format!("version: {version}"));
        for run in ask(&serve(text, false), &all[1..]) {
            assert!(run.code == code && !run.stderr.contains('\u{1b}'), "{version}: {run:?}");
        }
    }
    let text = index(&format!("{good}    appVersion: \"\\e]0;x\\a\\n2\"\n    deprecated: true\n"));
    let run = &ask(&serve(text, false), &all[..1])[0];
    assert_eq!(run.stdout, "1.0.0 (app \u{fffd}]0;x\u{fffd}\u{fffd}2) deprecated\n");
}

#[test]
fn packed_indexes_are_no_bombs() {
    let zeros = super::gzip(&vec![b' '; 40 << 20]);
    let good = super::gzip(index("").as_bytes());
    let line = &["versions URL/web --retries 0"];
    for (what, data, why) in [
        ("a bomb", zeros.clone(), "unpacks to more than"),
        ("a bomb in two parts", [zeros.as_slice(), &zeros].concat(), "unpacks to more than"),
        ("cut", good[..good.len() - 9].to_vec(), "does not unpack"),
        ("not packed", index("").into_bytes(), "does not unpack"),
    ] {
        let begun = Instant::now();
        for run in ask(&serve(data, true), line) {
            assert!(run.code == 2 && run.stderr.contains(why), "{what}: {run:?}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
    }
    assert_eq!(ask(&serve(good, true), line)[0].stdout, "1.0.0\n");
}

#[test]
fn a_folder_of_a_stranger_has_files_only() {
    for (url, why) in [
        ("/dev/zero", "is not a file"),
        ("file:///dev/zero", "is not a file"),
        ("/dev/stdin", "is not a file"),
        (".", "is not a file"),
        ("/etc/passwd", "not a chart archive"),
        ("http://127.0.0.1:1/web.tgz", "not in this directory"),
    ] {
        let folder = Folder::new();
        folder.write("repo/index.yaml", index(&format!("    urls: ['{url}']\n")));
        let run = run(&folder, &format!("pull file://{}/repo/web -d out", folder.path().display()));
        assert!(matches!(run.code, 1 | 2) && run.stderr.contains(why), "{url}: {run:?}");
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn names_of_dependencies_are_no_paths() {
    for name in ["../../escaped", "/tmp/escaped", "a/../../../escaped", "..", "a\\..\\escaped"] {
        let server = serve(
            format!(
                "apiVersion: v1\nentries:\n  '{name}':\n  - name: '{name}'\n    version: 1.0.0\n    urls: [web-1.0.0.tgz]\n"
            ),
            false,
        );
        let outer = Folder::new();
        let folder = Folder::at(outer.path().join("a/b"));
        folder.write(
            "app/Chart.yaml",
            format!(
                "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: '{name}'\n  version: 1.0.0\n  repository: {}\n",
                server.url("/charts")
            ),
        );
        for line in ["dependency update app", "dependency build app"] {
            let run = run(&folder, line);
            assert!(matches!(run.code, 1 | 2) && run.stderr.contains("error"), "{name}: {line}: {run:?}");
        }
        let lock = format!(
            "dependencies:\n- name: '{name}'\n  repository: {}\n  version: 1.0.0\ndigest: sha256:x\n",
            server.url("/charts")
        );
        folder.write("app/Chart.lock", lock);
        let run = run(&folder, "dependency build app");
        assert!(matches!(run.code, 1 | 2), "{name}: {run:?}");
        let mut paths = Vec::new();
        super::tree(outer.path(), &mut paths);
        paths.retain(|path| !path.contains("/.cache"));
        assert_eq!(paths.len(), 5, "{paths:?}");
    }
    assert!(!std::path::Path::new("/tmp/escaped-1.0.0.tgz").exists());
}
