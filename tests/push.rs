//! `chart push`.

use crate::server::{Answer, Server};
use crate::servers::{Running, chartmuseum, files, nginx};
use crate::support::{Folder, tool};
use chart::repository::index::Index;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A folder with charts `name` at a version, each in a folder of its name.
pub fn charts(names: &[&str]) -> Folder {
    let folder = Folder::new();
    for name in names {
        chart(&folder, name, "1.0.0", "x");
    }
    folder
}

pub fn chart(folder: &Folder, name: &str, version: &str, content: &str) {
    folder.write(&format!("{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\n"));
    folder.write(&format!("{name}/values.yaml"), format!("content: {content}\n"));
}

/// What an index lists, as `name version digest`, sorted.
fn listed(text: String) -> Vec<String> {
    let index = Index::parse(text).expect("an index");
    let mut lines: Vec<_> =
        index.listed().map(|it| format!("{} {} {}", it.name, it.version, it.digest.unwrap_or("-"))).collect();
    lines.sort();
    lines
}

fn digest_of(path: &Path) -> String {
    chart::package::digest(&std::fs::read(path).expect("the archive"))
}

/// Every entry of the index has its archive, with the digest that it says.
#[track_caller]
fn assert_whole(directory: &Path) -> Vec<String> {
    let lines = listed(std::fs::read_to_string(directory.join("index.yaml")).unwrap_or("apiVersion: v1".into()));
    for line in &lines {
        let [name, version, digest] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(digest_of(&directory.join(format!("{name}-{version}.tgz"))), digest, "{line}");
    }
    lines
}

fn helm(folder: &Folder, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(tool("helm")?);
    command.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.output().expect("helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_directory_gets_archive_and_index() {
    let folder = charts(&["web", "api"]);
    let url = format!("file://{}/repo", folder.path().display());
    let push = |line: &str| folder.run(&format!("push {line} {url}"));
    let run = push("web api").ok();
    assert!(run.stderr.starts_with("pushed: web 1.0.0 at [DIR]/repo/web-1.0.0.tgz\npushed: api"), "{}", run.stderr);
    chart(&folder, "web", "1.10.0", "new");
    chart(&folder, "api", "2.0.0-rc.1+b", "new");
    push("web api").ok();
    chart(&folder, "web", "1.9.0", "old");
    let before = folder.read("repo/index.yaml");
    push("web").ok();
    let after = folder.read("repo/index.yaml");
    let removed: Vec<_> = before.lines().filter(|line| !after.contains(*line)).collect();
    assert!(removed.iter().all(|line| line.starts_with("generated:")), "only additions: {removed:?}");
    let mut shown = after;
    for (at, line) in assert_whole(&folder.path().join("repo")).iter().enumerate() {
        shown = shown.replace(line.rsplit(' ').next().expect("a digest"), &format!("[DIGEST {at}]"));
    }
    insta::with_settings!({filters => vec![(r#""20\d\d-[^"]*Z""#, "[TIME]")]}, {
        insta::assert_snapshot!(shown, @r"
        apiVersion: v1
        entries:
          api:
          - apiVersion: v2
            created: [TIME]
            digest: [DIGEST 1]
            name: api
            urls:
            - api-2.0.0-rc.1+b.tgz
            version: 2.0.0-rc.1+b
          - apiVersion: v2
            created: [TIME]
            digest: [DIGEST 0]
            name: api
            urls:
            - api-1.0.0.tgz
            version: 1.0.0
          web:
          - apiVersion: v2
            created: [TIME]
            digest: [DIGEST 3]
            name: web
            urls:
            - web-1.10.0.tgz
            version: 1.10.0
          - apiVersion: v2
            created: [TIME]
            digest: [DIGEST 4]
            name: web
            urls:
            - web-1.9.0.tgz
            version: 1.9.0
          - apiVersion: v2
            created: [TIME]
            digest: [DIGEST 2]
            name: web
            urls:
            - web-1.0.0.tgz
            version: 1.0.0
        generated: [TIME]
        ");
    });
}

#[test]
fn pushing_again_is_told_from_pushing_something_else() {
    let folder = charts(&["web"]);
    let url = format!("file://{}/repo", folder.path().display());
    let push = |line: &str| folder.run(&format!("push {line} {url}"));
    push("web").ok();
    let before = folder.read("repo/index.yaml");
    let run = push("web").ok();
    assert_eq!(run.stderr, "already there: web 1.0.0 at [DIR]/repo/web-1.0.0.tgz\n");
    assert_eq!(folder.read("repo/index.yaml"), before);
    chart(&folder, "web", "1.0.0", "changed");
    let run = push("web").fails(1);
    assert!(
        run.stderr.contains("error: `web` 1.0.0 is published already with other contents (sha256 "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("hint: raise the version, or replace what is there with `--force`"));
    assert_eq!(folder.read("repo/index.yaml"), before);
    let run = push("web --force --format json").ok();
    assert!(run.stdout.contains(r#""change":"replaced""#), "{}", run.stdout);
    assert_eq!(assert_whole(&folder.path().join("repo")).len(), 1);
    // A repository that lost the archive gets it back.
    std::fs::remove_file(folder.path().join("repo/web-1.0.0.tgz")).expect("removed");
    push("web").ok();
    assert_whole(&folder.path().join("repo"));
}

#[test]
fn helm_reads_what_we_push_to_webdav() {
    let Some(server) = nginx("PUT DELETE MKCOL COPY MOVE", "") else { return };
    let folder = charts(&["web", "api"]);
    folder.run(&format!("push web {}", server.url("/charts"))).ok();
    folder.run(&format!("push api {}", server.url("/charts/"))).ok();
    assert_eq!(files(&server.folder.path().join("data/charts")), ["api-1.0.0.tgz", "index.yaml", "web-1.0.0.tgz"]);
    let Some(_) = helm(&folder, &["repo", "add", "ours", &server.url("/charts")]) else { return };
    assert!(helm(&folder, &["search", "repo", "ours"]).expect("found").contains("ours/web\t1.0.0"));
    helm(&folder, &["pull", "ours/web", "--version", "1.0.0"]);
    assert!(folder.path().join("web-1.0.0.tgz").is_file());
}

/// Starts one push for each chart, all at once, and gives those that succeeded.
pub fn push_all(folder: &Folder, names: &[String], target: &str) -> Vec<String> {
    let start = |name: &String| -> Child {
        let mut command = folder.command(["push", name, target]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("chart starts")
    };
    let children: Vec<_> = names.iter().map(start).collect();
    let mut done = Vec::new();
    for (child, name) in children.into_iter().zip(names) {
        let output = child.wait_with_output().expect("chart ends");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        done.push(name.clone());
    }
    done
}

pub fn many(count: usize) -> (Folder, Vec<String>) {
    let names: Vec<_> = (0..count).map(|number| format!("chart-{number:02}")).collect();
    (charts(&names.iter().map(String::as_str).collect::<Vec<_>>()), names)
}

fn assert_all_there(directory: &Path, names: &[String]) {
    let lines = assert_whole(directory);
    let found: Vec<_> = lines.iter().map(|line| line.split(' ').next().expect("a name").to_owned()).collect();
    assert_eq!(found, names);
}

/// How many push at a time: more with CHART_TEST_PUSHERS.
fn pushers(usual: usize) -> usize {
    std::env::var("CHART_TEST_PUSHERS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn concurrent_pushes_into_a_directory_lose_nothing() {
    let (folder, names) = many(pushers(10));
    let repository = folder.path().join("repo");
    push_all(&folder, &names, &format!("file://{}", repository.display()));
    assert_all_there(&repository, &names);
}

#[test]
fn concurrent_pushes_by_webdav_lose_nothing() {
    let Some(server) = nginx("PUT DELETE MKCOL COPY MOVE", "") else { return };
    let (folder, names) = many(pushers(10));
    push_all(&folder, &names, &server.url("/"));
    assert_all_there(&server.folder.path().join("data"), &names);
}

#[test]
fn concurrent_pushes_by_put_alone_lose_nothing() {
    let Some(server) = nginx("PUT", "") else { return };
    let (folder, names) = many(pushers(4));
    push_all(&folder, &names, &server.url("/"));
    assert_all_there(&server.folder.path().join("data"), &names);
}

#[test]
fn of_concurrent_pushes_of_one_version_one_wins() {
    let Some(server) = nginx("PUT DELETE MKCOL COPY MOVE", "") else { return };
    let folders: Vec<_> = (0..6)
        .map(|number| {
            let folder = Folder::new();
            chart(&folder, "web", "1.0.0", &number.to_string());
            folder
        })
        .collect();
    let children: Vec<_> = folders
        .iter()
        .map(|folder| {
            folder
                .command(["push", "web", &server.url("/")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts")
        })
        .collect();
    let codes: Vec<_> =
        children.into_iter().map(|mut child| child.wait().expect("ends").code().unwrap_or(-1)).collect();
    assert_eq!(codes.iter().filter(|&&code| code == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|&&code| code == 1).count(), 5, "{codes:?}");
    assert_eq!(assert_whole(&server.folder.path().join("data")).len(), 1);
}

#[test]
fn a_killed_push_leaves_nothing_torn() {
    let Some(server) = nginx("PUT DELETE MKCOL COPY MOVE", "") else { return };
    let folder = Folder::new();
    let targets = [
        (format!("file://{}/repo", folder.path().display()), folder.path().join("repo")),
        (server.url("/"), server.folder.path().join("data")),
    ];
    for (target, directory) in targets {
        let kills = std::env::var("CHART_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12u64);
        for number in 0..kills {
            chart(&folder, "web", &format!("1.0.{number}"), &"x".repeat(1000));
            let mut child = folder
                .command(["push", "web", &target])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            std::thread::sleep(Duration::from_micros(20_000 * number / kills));
            let _ = child.kill();
            let _ = child.wait();
            // What a killed WebDAV push leaves is its lock, which others break after a while.
            let _ = std::fs::remove_dir_all(directory.join("index.yaml.lock"));
            assert_whole(&directory);
        }
        folder.run(&format!("push web {target}")).ok();
        let lines = assert_whole(&directory);
        assert!(lines.iter().any(|line| line.starts_with(&format!("web 1.0.{} ", kills - 1))), "{lines:?}");
        let hidden: Vec<_> = files(&directory).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert_eq!(hidden, Vec::<String>::new());
    }
}

#[test]
fn a_killed_push_to_a_server_with_an_index_leaves_nothing_torn() {
    let museum = chartmuseum(&[]);
    let registry = crate::servers::registry(false);
    let targets = [
        museum.as_ref().map(|server| (server.url("/"), server.url("/web"))),
        registry.as_ref().map(|server| {
            let target = format!("oci://127.0.0.1:{}/charts", server.port);
            (target.clone(), format!("{target}/web"))
        }),
    ];
    for (target, reference) in targets.into_iter().flatten() {
        let folder = Folder::new();
        let kills = std::env::var("CHART_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8u64);
        for number in 0..kills {
            let version = format!("1.0.{number}");
            chart(&folder, "web", &version, &"x".repeat(1000));
            let mut command = folder.command(["push", "web", &target]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
            std::thread::sleep(Duration::from_millis(600 * number / kills));
            let was_killed = child.kill().is_ok();
            let succeeded = child.wait().expect("ends").success();
            assert!(was_killed || succeeded);
            let listed = folder.run(&format!("versions {reference} --version {version}"));
            // Told that it is there, or found there: then it is there whole.
            if succeeded || listed.code == 0 {
                folder.run(&format!("pull {reference} --version {version} -d got")).ok();
            }
        }
        folder.run(&format!("push web {target}")).ok();
        folder.run(&format!("pull {reference} --version 1.0.{} -d got", kills - 1)).ok();
    }
}

#[test]
fn a_dead_lock_is_broken_and_a_live_one_is_not() {
    // `true`: the lock is a collection; `false`: a file, because the server makes no collections.
    let push_through = |is_collection: bool, is_alive: bool| {
        let methods = if is_collection { "PUT DELETE MKCOL COPY MOVE" } else { "PUT" };
        let Some(server) = nginx(methods, "") else { return };
        let data = server.folder.path().join("data");
        let lock = data.join("index.yaml.lock");
        let holder = if is_collection { lock.join("holder") } else { lock.clone() };
        if is_collection {
            std::fs::create_dir(&lock).expect("a lock");
        }
        std::fs::write(&holder, "somebody 0\n").expect("a holder");
        let begun = Instant::now();
        let ended = AtomicBool::new(false);
        let (folder, names) = many(3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for beat in 1..7 {
                    std::thread::sleep(Duration::from_secs(4));
                    if is_alive && !ended.load(Ordering::SeqCst) {
                        assert!(!data.join("index.yaml").exists(), "pushed under a lock that lives");
                        std::fs::write(&holder, format!("somebody {beat}\n")).expect("a beat");
                    }
                }
                if is_alive {
                    std::fs::remove_dir_all(&lock).expect("freed");
                }
            });
            push_all(&folder, &names, &server.url("/"));
            ended.store(true, Ordering::SeqCst);
        });
        let waited = begun.elapsed().as_secs();
        assert!(waited >= 20, "{waited} s");
        assert_all_there(&data, &names);
        let left = std::fs::read_to_string(&lock).unwrap_or_default();
        assert!(left.trim().is_empty() && !lock.is_dir(), "{left:?} is left");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| push_through(true, false));
        scope.spawn(|| push_through(false, false));
        scope.spawn(|| push_through(true, true));
    });
}

fn museum_listing(server: &Running, path: &str) -> Vec<String> {
    let text = chart::repository::http::get(&server.url(path), 1 << 20, Default::default()).expect("the index");
    listed(String::from_utf8(text).expect("text"))
}

#[test]
fn chartmuseum_takes_charts() {
    let Some(server) = chartmuseum(&["--allow-overwrite"]) else { return };
    let folder = charts(&["web"]);
    chart(&folder, "api", "2.0.0+b.1", "y");
    let push = |line: &str| folder.run(&format!("push {line} {}", server.url("")));
    push("web api").ok();
    assert_eq!(museum_listing(&server, "/index.yaml").len(), 2);
    assert!(push("web api").ok().stderr.starts_with("already there: web 1.0.0"));
    chart(&folder, "web", "1.0.0", "changed");
    assert!(push("web").fails(1).stderr.contains("published already with other contents"));
    push("web --force").ok();
    let Some(_) = helm(&folder, &["repo", "add", "museum", &server.url("")]) else { return };
    helm(&folder, &["pull", "museum/api", "--version", "2.0.0+b.1"]);
}

#[test]
fn chartmuseum_is_found_under_a_path_and_behind_a_password() {
    let options = ["--context-path=/museum", "--depth=1", "--basic-auth-user=ann", "--basic-auth-pass=s3cret"];
    let Some(server) = chartmuseum(&options) else { return };
    let folder = charts(&["web"]);
    let target = server.url("/museum/team");
    let run = folder.run(&format!("push web {target}")).fails(2);
    assert!(run.stderr.contains("401 Unauthorized") && run.stderr.contains("CHART_USERNAME"), "{}", run.stderr);
    let mut command = folder.command(["push", "web", &target]);
    let output = command.env("CHART_USERNAME", "ann").env("CHART_PASSWORD", "s3cret").output().expect("chart runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(server.folder.path().join("data/team/web-1.0.0.tgz").is_file());
    folder.write(".netrc", "machine 127.0.0.1 login ann password s3cret");
    assert!(folder.run(&format!("push web {target}")).ok().stderr.starts_with("already there"));
}

#[test]
fn concurrent_pushes_to_chartmuseum_lose_nothing() {
    let Some(server) = chartmuseum(&[]) else { return };
    let (folder, names) = many(pushers(10));
    push_all(&folder, &names, &server.url("/"));
    let found: Vec<_> = museum_listing(&server, "/index.yaml");
    let found: Vec<_> = found.iter().map(|line| line.split(' ').next().expect("a name").to_owned()).collect();
    assert_eq!(found, names);
}

#[test]
fn archives_are_pushed_as_they_are() {
    let folder = charts(&["web"]).file("not.tgz", "<html>").file("web.txt", "x");
    folder.run("package web").ok();
    folder.write("web-1.0.0.tgz.prov", "signed");
    let url = format!("file://{}/repo", folder.path().display());
    folder.run(&format!("push web-1.0.0.tgz {url}")).ok();
    assert_eq!(folder.read("repo/web-1.0.0.tgz.prov"), "signed");
    assert_whole(&folder.path().join("repo"));
    let run = |line: &str| folder.run(line).shown();
    insta::assert_snapshot!(run(&format!("push not.tgz {url}")), @r"
exit: 2
--- stdout
--- stderr
error: `not.tgz`: a web page, not a chart archive (a gzip-compressed tar file)
");
    insta::assert_snapshot!(run("push web-1.0.0.tgz repo"), @r"
    exit: 2
    --- stdout
    --- stderr
    error: `repo` is not a URL
    hint: write `file://repo` for a directory, `oci://…` or `https://…` for a server
    ");
    insta::assert_snapshot!(run("push web-1.0.0.tgz ftp://x/"), @r"
    exit: 2
    --- stdout
    --- stderr
    error: there is no kind of repository with the scheme `ftp`
    hint: repositories are at http://, https://, oci:// and file:// URLs
    ");
    insta::assert_snapshot!(run(&format!("push web-1.0.0.tgz --version 2.0.0 {url}")), @r"
    exit: 2
    --- stdout
    --- stderr
    error: an archive is pushed as it is, with its own version
    hint: push the chart's directory, or pack it anew
    ");
    insta::assert_snapshot!(run("push web-1.0.0.tgz"), @r"
    exit: 2
    --- stdout
    --- stderr
    error: there is nothing to push
    hint: give charts and a URL
    ");
}

#[test]
fn folders_of_webdav_are_made() {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    // As Apache does it: nothing is made in a folder that is not there.
    let made: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::from(["/dav/".to_owned()]));
    let files: Mutex<std::collections::BTreeMap<String, Vec<u8>>> = Mutex::default();
    let folder = charts(&["web"]);
    let server = Server::start(move |request| {
        let (mut made, mut files) = (made.lock().expect("unpoisoned"), files.lock().expect("unpoisoned"));
        let path = request.path.clone();
        let parent = path.trim_end_matches('/').rsplit_once('/').map(|(parent, _)| format!("{parent}/"));
        let is_placed = parent.is_some_and(|parent| made.contains(&parent));
        match request.method.as_str() {
            "MKCOL" if made.contains(&path) => Answer::new(405, ""),
            "MKCOL" | "PUT" if !is_placed => Answer::new(409, ""),
            "MKCOL" => {
                made.insert(path);
                Answer::new(201, "")
            }
            "PUT" => {
                files.insert(path, request.body.clone());
                Answer::new(201, "")
            }
            "DELETE" => {
                made.remove(&path);
                files.retain(|name, _| !name.starts_with(&path));
                Answer::new(204, "")
            }
            _ => files.get(&path).map_or_else(|| Answer::new(404, ""), |data| Answer::new(200, data)),
        }
    });
    let url = server.url("/dav/a/b/c");
    folder.run(&format!("push web {url}")).ok();
    folder.run(&format!("pull {url}/web -d got")).ok();
    // Not everything can be made.
    let run = folder.run(&format!("push web {} --retries 0", server.url("/other/a"))).fails(2);
    assert!(run.stderr.contains("hint: does the folder exist on the server?"), "{}", run.stderr);
}

#[test]
fn a_server_without_put_is_told_from_a_missing_folder() {
    let folder = charts(&["web"]);
    let server = Server::start(|request| match request.method.as_str() {
        "GET" => Answer::new(404, ""),
        _ => Answer::new(405, "<html>"),
    });
    let run = folder.run(&format!("push web {} --retries 0", server.url("/repo"))).fails(2);
    let shown = run.stderr.replace(&server.port.to_string(), "PORT");
    insta::assert_snapshot!(shown, @r"
    error: failed to upload `http://127.0.0.1:PORT/repo/index.yaml.lock`: the server answered 405 Method Not Allowed
    hint: the server takes no PUT here: is this the repository's own URL? `--kind` names other ways to push
    ");
}

/// A server that answers as one of those that cannot be run here, from what their documentation says.
fn recorded(answer: impl Fn(&crate::server::Request, &[u8]) -> Answer + Send + Sync + 'static) -> Server {
    let stored: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::default();
    Server::start(move |request| {
        let mut stored = stored.lock().expect("not poisoned");
        let answer = answer(request, &stored);
        if matches!(request.method.as_str(), "PUT" | "POST") && answer.status < 300 {
            stored.clone_from(&request.body);
        }
        answer
    })
}

/// Pushes a chart twice and gives what was asked for.
fn push_twice(folder: &Folder, server: &Server, path: &str, more: &str) -> Vec<String> {
    let line = format!("push web-1.0.0.tgz {} {more}", server.url(path));
    folder.run(&line).ok();
    assert!(folder.run(&line).ok().stderr.starts_with("already there"));
    server.lines()
}

fn packed() -> (Folder, Vec<u8>) {
    let folder = charts(&["web"]);
    folder.run("package web").ok();
    let data = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("packed");
    (folder, data)
}

#[test]
fn nexus_and_artifactory_take_archives_and_index_themselves() {
    for (header, value, kind) in [
        ("Server", "Nexus/3.70.1 (OSS)", ""),
        ("X-JFrog-Version", "Artifactory/7.84.1", ""),
        ("Server", "nginx", "--kind nexus"),
    ] {
        let (folder, data) = packed();
        let server = recorded(move |request, stored| {
            let answer = match (request.method.as_str(), request.path.as_str()) {
                ("GET", "/repository/charts/index.yaml") => Answer::new(200, "apiVersion: v1\nentries: {}\n"),
                ("GET", "/repository/charts/web-1.0.0.tgz") if stored.is_empty() => Answer::new(404, ""),
                ("GET", "/repository/charts/web-1.0.0.tgz") => Answer::new(200, stored),
                ("PUT", "/repository/charts/web-1.0.0.tgz") => Answer::new(201, ""),
                _ => Answer::new(405, ""),
            };
            answer.header(header, value)
        });
        let lines = push_twice(&folder, &server, "/repository/charts", kind);
        let put = server.asked().into_iter().find(|request| request.method == "PUT").expect("a PUT");
        assert_eq!(put.body, data);
        assert_eq!(put.header("x-checksum-sha256"), Some(chart::package::digest(&data).as_str()));
        let lines: Vec<_> = lines.iter().filter(|line| !line.ends_with("index.yaml")).collect();
        assert_eq!(
            lines,
            [
                "GET /repository/charts/web-1.0.0.tgz",
                "PUT /repository/charts/web-1.0.0.tgz",
                "GET /repository/charts/web-1.0.0.tgz",
                "GET /repository/charts/web-1.0.0.tgz"
            ]
        );
    }
}

fn index_of(data: &[u8], info: &str) -> String {
    let digest = chart::package::digest(data);
    format!("apiVersion: v1\nentries:\n  web:\n  - digest: {digest}\n    name: web\n    version: 1.0.0\n{info}")
}

#[test]
fn gitlab_takes_forms() {
    let (folder, data) = packed();
    let base = "/api/v4/projects/42/packages/helm";
    let listed = index_of(&data, &format!("serverInfo:\n  contextPath: {base}\n"));
    let server = recorded(move |request, stored| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v4/projects/42/packages/helm/stable/index.yaml") if stored.is_empty() => {
            Answer::new(200, format!("apiVersion: v1\nentries: {{}}\nserverInfo:\n  contextPath: {base}\n"))
        }
        ("GET", "/api/v4/projects/42/packages/helm/stable/index.yaml") => Answer::new(200, &listed),
        ("POST", "/api/v4/projects/42/packages/helm/api/stable/charts") => {
            Answer::new(201, r#"{"message":"201 Created"}"#)
        }
        _ => Answer::new(404, ""),
    });
    folder.write(".netrc", "machine 127.0.0.1 login gitlab-ci-token password t0ken");
    push_twice(&folder, &server, "/api/v4/projects/42/packages/helm/stable", "");
    let post = server.asked().into_iter().find(|request| request.method == "POST").expect("a POST");
    assert!(post.header("content-type").expect("a type").starts_with("multipart/form-data; boundary="));
    assert_eq!(post.header("authorization"), Some("Basic Z2l0bGFiLWNpLXRva2VuOnQwa2Vu"));
    let body = String::from_utf8_lossy(&post.body).into_owned();
    assert!(body.contains(r#"name="chart"; filename="web-1.0.0.tgz""#), "{body}");
    assert!(post.body.windows(data.len()).any(|window| window == data));
}

#[test]
fn who_is_overwritten_on_gitlab_is_told() {
    let (folder, data) = packed();
    let other = index_of(b"another archive", "");
    let asked = std::sync::atomic::AtomicU32::new(0);
    let server = recorded(move |request, stored| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v4/projects/42/packages/helm/stable/index.yaml") if stored.is_empty() => {
            Answer::new(200, "apiVersion: v1\nentries: {}\n")
        }
        // Another push comes right after ours.
        ("GET", "/api/v4/projects/42/packages/helm/stable/index.yaml") => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::new(200, index_of(&data, "")),
            _ => Answer::new(200, &other),
        },
        ("POST", "/api/v4/projects/42/packages/helm/api/stable/charts") => Answer::new(201, "{}"),
        _ => Answer::new(404, ""),
    });
    let url = server.url("/api/v4/projects/42/packages/helm/stable");
    let run = folder.run(&format!("push web-1.0.0.tgz {url}")).fails(1);
    assert!(run.stderr.contains("published already with other contents"), "{}", run.stderr);
    assert!(server.lines().contains(&"GET /api/v4/projects/42/packages/helm/stable/charts/web-1.0.0.tgz".to_owned()));
}

#[test]
fn gitea_takes_archives() {
    let (folder, data) = packed();
    let sent = data.clone();
    // It lists no digests.
    let listed = "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.0.0\n    urls:\n    \
                  - https://gitea.example/api/packages/acme/helm/web-1.0.0.tgz\n";
    let server = recorded(move |request, stored| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/packages/acme/helm/index.yaml") if stored.is_empty() => Answer::new(200, "apiVersion: v1\n"),
        ("GET", "/api/packages/acme/helm/index.yaml") => Answer::new(200, listed),
        ("GET", "/api/packages/acme/helm/web-1.0.0.tgz") => Answer::new(200, stored),
        ("POST", "/api/packages/acme/helm/api/charts") => Answer::new(201, ""),
        _ => Answer::new(404, ""),
    });
    push_twice(&folder, &server, "/api/packages/acme/helm", "");
    let post = server.asked().into_iter().find(|request| request.method == "POST").expect("a POST");
    assert_eq!(post.body, sent);
}

#[test]
fn credentials_never_leave_for_other_servers_or_the_screen() {
    let (folder, _) = packed();
    let thief = Server::start(|_| Answer::new(200, "apiVersion: v1\nentries: {}\n"));
    let target = thief.url("/stolen");
    let server = Server::start(move |request| match request.method.as_str() {
        "GET" if request.path.ends_with("index.yaml") => Answer::new(302, "").header("Location", &target),
        _ => Answer::new(307, "").header("Location", format!("{target}?x={}", request.path)),
    });
    let mut seen = String::new();
    for url in [server.url("/repo"), server.url("/repo").replace("http://", "http://ann:s3cret@")] {
        for kind in ["chartmuseum", "put", "nexus", "gitlab", "gitea"] {
            let mut command = folder.command(["push", "web-1.0.0.tgz", &url, "--kind", kind, "-vv", "--retries", "0"]);
            if !url.contains("s3cret") {
                command.env("CHART_USERNAME", "ann").env("CHART_PASSWORD", "s3cret");
            }
            let output = command.output().expect("chart runs");
            assert!(!output.status.success(), "{kind}");
            seen += &String::from_utf8_lossy(&[output.stdout, output.stderr].concat());
        }
    }
    assert!(seen.contains("redirects"), "{seen}");
    for secret in ["s3cret", "YW5uOnMzY3JldA", "Authorization", "authorization"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
    let sent = server.asked().iter().filter(|request| request.header("authorization").is_some()).count();
    assert!(sent >= 10, "the server itself got them: {sent}");
    for request in thief.asked() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert!(request.body.is_empty(), "{request:?}");
    }
}

/// A certificate authority, a server's and a client's certificate in `ca.pem`, `server.*` and `client.*`.
pub fn certificates(folder: &Folder) -> Option<()> {
    let openssl = tool("openssl")?;
    folder.write("san", "subjectAltName=IP:127.0.0.1\n");
    let run = |line: &str| {
        let output = Command::new(&openssl).args(line.split(' ')).current_dir(folder.path()).output().expect("openssl");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca");
    for name in ["server", "client"] {
        run(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        run(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {name}.pem -extfile san"
        ));
    }
    Some(())
}

#[test]
fn servers_and_clients_are_known_by_their_certificates() {
    let (folder, _) = packed();
    if certificates(&folder).is_none() {
        return;
    }
    let at = folder.path().display();
    let Some(server) = crate::servers::nginx_tls(&format!(
        "ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;
         ssl_client_certificate {at}/ca.pem; ssl_verify_client on;"
    )) else {
        return;
    };
    let url = format!("https://127.0.0.1:{}/charts", server.port);
    let push = |more: &str| folder.run(&format!("push web-1.0.0.tgz {url} --retries 0 {more}"));
    let port = server.port.to_string();
    let said = |more: &str| push(more).fails(2).stderr.replace(&port, "PORT");
    insta::assert_snapshot!(said(""), @r"
    error: failed to fetch `https://127.0.0.1:PORT/charts/index.yaml`: invalid peer certificate: UnknownIssuer
    hint: name the server's CA with `--ca-file`, or trust it blindly with `--insecure-skip-tls-verify`
    ");
    insta::assert_snapshot!(said("--ca-file ca.pem"), @"error: failed to fetch `https://127.0.0.1:PORT/charts/index.yaml`: the server answered 400 Bad Request");
    insta::assert_snapshot!(said("--ca-file web/values.yaml"), @"error: the CA file holds no PEM certificates");
    push("--ca-file ca.pem --cert-file client.pem --key-file client.key").ok();
    push("--insecure-skip-tls-verify --cert-file client.pem --key-file client.key").ok();
    assert_eq!(assert_whole(&server.folder.path().join("data/charts")).len(), 1);
    let plain = folder.run(&format!("push web-1.0.0.tgz {} --retries 0", url.replace("https", "http")));
    assert!(plain.fails(2).stderr.contains("400"));
}
