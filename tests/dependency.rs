//! `chart dependency`.

use crate::server::{Answer, Server};
use crate::servers::{files, registry};
use crate::support::{Folder, tool};
use std::process::Command;

/// Charts packed in `packed/`, with an index, and an umbrella chart that depends on them.
fn umbrella(dependencies: &str) -> Folder {
    let folder = Folder::new();
    for (name, version) in [("redis", "1.0.0"), ("redis", "1.2.0"), ("redis", "2.0.0"), ("postgres", "12.1.0")] {
        folder.write(&format!("src/{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\n"));
        folder.run(&format!("package src/{name} -d packed")).ok();
    }
    folder.run("index packed").ok();
    folder.write("app/Chart.yaml", format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{dependencies}"));
    folder
}

fn serve(folder: &Folder) -> Server {
    let root = folder.path().join("packed");
    Server::start(move |request| {
        let path = request.path.split('?').next().unwrap_or_default().trim_start_matches('/').to_owned();
        match std::fs::read(root.join(path)) {
            Ok(data) => Answer::new(200, data),
            Err(_) => Answer::new(404, ""),
        }
    })
}

fn helm(folder: &Folder, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(tool("helm")?);
    command.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.output().expect("helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const TWO: &str = "- name: redis\n  version: ~1\n  repository: URL\n- name: redis\n  alias: cache\n  version: '>=1.0.0 <1.1 || 2.x'\n  repository: URL\n  condition: cache.enabled\n  import-values: [{child: a, parent: b}, x]\n- name: postgres\n  version: 12.1.0\n  repository: URL\n  tags: [db]\n";

#[test]
fn update_resolves_and_build_repeats() {
    let folder = umbrella("");
    let server = serve(&folder);
    folder.write(
        "app/Chart.yaml",
        format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{}", TWO.replace("URL", &server.url(""))),
    );
    let run = folder.run("dependency update app").ok();
    assert_eq!(
        run.stderr,
        "fetched redis-1.2.0.tgz\nfetched redis-2.0.0.tgz\nfetched postgres-12.1.0.tgz\nwrote the lock file\n"
    );
    let lock = folder.read("app/Chart.lock");
    let hex = regex::Regex::new("[0-9a-f]{64}").expect("a pattern");
    let shown = hex.replace_all(&lock, "[HEX]").replace(&server.port.to_string(), "PORT");
    insta::with_settings!({filters => vec![(r#""20\d\d-[^"]*Z""#, "[TIME]")]}, {
        insta::assert_snapshot!(shown, @r"
        dependencies:
        - digest: sha256:[HEX]
          name: redis
          repository: http://127.0.0.1:PORT
          version: 1.2.0
        - digest: sha256:[HEX]
          name: redis
          repository: http://127.0.0.1:PORT
          version: 2.0.0
        - digest: sha256:[HEX]
          name: postgres
          repository: http://127.0.0.1:PORT
          version: 12.1.0
        digest: sha256:[HEX]
        generated: [TIME]
        ");
    });
    assert_eq!(folder.run("dependency update app").ok().stderr, "nothing to do\n");
    assert_eq!(folder.read("app/Chart.lock"), lock);
    let before = server.asked().len();
    assert_eq!(folder.run("dep build app").ok().stderr, "nothing to do\n");
    assert_eq!(server.asked().len(), before, "a lock that matches asks nobody");
    // From the cache, with nobody to ask.
    std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
    drop(server);
    folder.run("dependency build app --offline").ok();
    assert_eq!(files(&folder.path().join("app/charts")), ["postgres-12.1.0.tgz", "redis-1.2.0.tgz", "redis-2.0.0.tgz"]);
    let run = folder.run("dependency list app").ok();
    assert!(
        run.stdout.lines().skip(1).all(|line| line.ends_with("ok") || line.ends_with("too many matches")),
        "{}",
        run.stdout
    );
    // Without a cache it fails, and touches nothing.
    std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    folder.run("dependency build app --offline").fails(2);
    assert!(!folder.path().join("app/charts").exists());
}

#[test]
fn helm_and_we_read_each_others_locks() {
    let folder = umbrella("");
    let server = serve(&folder);
    let yaml =
        format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{}", TWO.replace("URL", &server.url("")));
    folder.write("app/Chart.yaml", &yaml);
    folder.run("dependency update app").ok();
    let charts = folder.path().join("app/charts");
    let ours = folder.read("app/Chart.lock");
    std::fs::remove_dir_all(&charts).expect("removed");
    if helm(&folder, &["repo", "add", "x", &server.url("")]).is_none() {
        return;
    }
    helm(&folder, &["dependency", "build", "app"]);
    assert_eq!(files(&charts).len(), 3);
    std::fs::remove_file(folder.path().join("app/Chart.lock")).expect("removed");
    helm(&folder, &["dependency", "update", "app"]);
    let digest = |lock: &str| lock.lines().find(|line| line.starts_with("digest:")).map(str::to_owned);
    assert_eq!(digest(&folder.read("app/Chart.lock")), digest(&ours));
    std::fs::remove_dir_all(&charts).expect("removed");
    folder.run("dependency build app").ok();
    assert_eq!(files(&charts).len(), 3);
    // A repository that goes by a name: the lock has its address.
    for name in ["\"@x\"", "alias:x"] {
        folder.write("app/Chart.yaml", yaml.replace(&server.url(""), name));
        helm(&folder, &["dependency", "update", "app"]);
        let theirs = folder.read("app/Chart.lock");
        assert!(theirs.contains(&server.url("")), "{theirs}");
        std::fs::remove_dir_all(&charts).expect("removed");
        folder.run("dependency build app").ok();
        folder.run("dependency update app").ok();
        assert_eq!(digest(&folder.read("app/Chart.lock")), digest(&theirs));
        helm(&folder, &["dependency", "build", "app"]);
    }
    // A chart of Helm 2's form.
    folder.write("app/Chart.yaml", "apiVersion: v1\nname: app\nversion: 0.1.0\n");
    folder.write("app/requirements.yaml", format!("dependencies:\n{}", TWO.replace("URL", &server.url(""))));
    std::fs::remove_file(folder.path().join("app/Chart.lock")).expect("removed");
    folder.run("dependency update app").ok();
    assert!(folder.path().join("app/requirements.lock").is_file());
    helm(&folder, &["dependency", "build", "app"]);
}

#[test]
fn what_disagrees_fails() {
    let folder = umbrella("");
    let server = serve(&folder);
    let yaml = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: redis\n  version: ^1.0.0\n  repository: {}\n",
        server.url("")
    );
    folder.write("app/Chart.yaml", &yaml);
    folder.run("dependency update app").ok();
    let lock = folder.read("app/Chart.lock");
    let hex = regex::Regex::new("[0-9a-f]{64}").expect("a pattern");
    let said = |run: crate::support::Run| {
        hex.replace_all(&run.fails(1).stderr, "[HEX]").replace(&server.port.to_string(), "PORT")
    };
    folder.write("app/Chart.yaml", yaml.replace("^1.0.0", "^1.1.0"));
    insta::assert_snapshot!(said(folder.run("dependency build app")), @r"
    error: `Chart.lock` is out of sync with the dependencies in `Chart.yaml`
    hint: resolve them anew with `chart dependency update app`
    ");
    folder.write("app/Chart.yaml", &yaml);
    // The version is there with other bytes: in the index too, so only the lock knows.
    folder.write("src/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.2.0\ndescription: changed\n");
    folder.run("package src/redis -d packed").ok();
    folder.run("index packed").ok();
    std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    insta::assert_snapshot!(said(folder.run("dependency build app")), @r"
    error: `redis` 1.2.0 at `http://127.0.0.1:PORT/redis-1.2.0.tgz` has SHA-256 [HEX], but the lock says [HEX]
    hint: somebody replaced the version; if that is meant, `chart dependency update` takes it
    ");
    assert!(!folder.path().join("app/charts").exists());
    // Tampered with in `charts/`: the right archive is fetched anew.
    folder.run("dependency update app").ok();
    assert_ne!(folder.read("app/Chart.lock"), lock);
    folder.write("app/charts/redis-1.2.0.tgz", "junk");
    assert_eq!(folder.run("dependency build app").ok().stderr, "fetched redis-1.2.0.tgz\n");
    folder.write("app/charts/redis-1.0.0.tgz", "old");
    assert_eq!(folder.run("dependency build app").ok().stderr, "removed redis-1.0.0.tgz\n");
}

#[test]
fn charts_on_this_disk_are_packed() {
    let folder =
        umbrella("- name: redis\n  version: ^2\n  repository: file://../src/redis\n- name: own\n  version: 0.x\n");
    folder.write("src/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 2.0.0\n");
    insta::assert_snapshot!(folder.run("dependency update app").fails(2).stderr, @"error: the dependency `own` has no `repository:`, and there is no `charts/own`");
    folder.write("app/charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.3.0\n");
    folder.run("dependency update app").ok();
    let run = folder.run("dependency list app").ok();
    insta::assert_snapshot!(run.stdout, @r"
    NAME   VERSION  REPOSITORY           STATUS
    redis  ^2       file://../src/redis  ok
    own    0.x                           unpacked
    ");
    folder.write("src/redis/values.yaml", "a: 1\n");
    assert_eq!(folder.run("dependency build app").ok().stderr, "fetched redis-2.0.0.tgz\n");
    folder.write("src/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 2.1.0\n");
    insta::assert_snapshot!(folder.run("dependency build app").fails(1).stderr, @r"
    error: the lock has `redis` 2.0.0, but the chart is at 2.1.0
    hint: resolve it anew with `chart dependency update`
    ");
    folder.write("src/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 3.0.0\n");
    insta::assert_snapshot!(folder.run("dependency update app").fails(2).stderr, @"error: the dependency `redis` wants version `^2`, but `app/../src/redis` has 3.0.0");
}

#[test]
fn registries_have_dependencies_too() {
    let Some(server) = registry(false) else { return };
    let folder = umbrella("");
    let target = format!("oci://127.0.0.1:{}/charts", server.port);
    folder.run(&format!("push packed/redis-1.0.0.tgz packed/redis-1.2.0.tgz packed/postgres-12.1.0.tgz {target}")).ok();
    let dependencies = TWO.replace("URL", &target).replace(" || 2.x", "");
    folder.write("app/Chart.yaml", format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{dependencies}"));
    folder.run("dependency update app").ok();
    std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
    folder.run("dependency build app --offline").ok();
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
    folder.run("dependency build app").ok();
    assert_eq!(files(&folder.path().join("app/charts")).len(), 3);
    folder.write("deps/Chart.yaml", "apiVersion: v2\nname: deps\nversion: 0.1.0\n");
    assert_eq!(folder.run("dependency build deps").ok().stderr, "nothing to do\n");
}

#[test]
fn credentials_go_to_one_server_only() {
    let folder = umbrella("");
    let (first, second) = (serve(&folder), serve(&folder));
    let yaml = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: redis\n  version: 1.0.0\n  repository: {}\n- name: postgres\n  version: 12.1.0\n  repository: {}\n",
        first.url(""),
        second.url("")
    );
    folder.write("app/Chart.yaml", &yaml);
    let update = |more: &[&str]| {
        let mut command = folder.command(["dependency", "update", "app"]);
        command.args(more).env("CHART_USERNAME", "ann").env("CHART_PASSWORD", "s3cret");
        let output = command.output().expect("chart runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let seen = |server: &Server| server.asked().iter().filter(|it| it.header("authorization").is_some()).count();
    update(&[]);
    assert_eq!((seen(&first), seen(&second)), (0, 0));
    std::fs::remove_dir_all(folder.path().join(".cache")).expect("removed");
    update(&["--pass-credentials"]);
    assert!(seen(&first) > 0 && seen(&second) > 0);
}

#[test]
fn signatures_of_dependencies_are_checked() {
    let Some(folder) = crate::pull::keyrings() else { return };
    folder.write("src/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.0.0\n");
    folder.run("package src/redis -d packed --sign --key Bob --keyring secret.gpg").ok();
    folder.run("index packed").ok();
    let server = serve(&folder);
    let url = server.url("");
    folder.write("app/Chart.yaml", format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: redis\n  version: 1.x\n  repository: {url}\n"));
    let run = folder.run("dependency update app --verify --keyring public.gpg").fails(1);
    assert!(run.stderr.contains("not in the keyring"), "{}", run.stderr);
    assert!(!folder.path().join("app/charts").exists() && !folder.path().join("app/Chart.lock").exists());
    folder.run("dependency update app --verify --keyring bob.gpg").ok();
    std::fs::remove_file(folder.path().join("packed/redis-1.0.0.tgz.prov")).expect("removed");
    let run = folder.run("dependency build app --verify --keyring bob.gpg").fails(1);
    assert!(run.stderr.contains("`redis-1.0.0.tgz` is not signed"), "{}", run.stderr);
}
