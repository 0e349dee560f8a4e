//! `chart pull`, `chart versions`, `chart login` and `chart verify`, with OCI registries and the other kinds.

use crate::server::{Answer, Server};
use crate::servers::{Running, files, registry};
use crate::support::{Folder, tool};
use std::process::{Command, Stdio};

fn chart(folder: &Folder, name: &str, version: &str, content: &str) {
    folder.write(&format!("{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '9'\ndescription: a <chart> & more\nmaintainers:\n- name: Ann\n  email: ann@example.com\n- name: Bob\nannotations:\n  b.example/x: '1'\n"));
    folder.write(&format!("{name}/values.yaml"), format!("content: {content}\n"));
}

fn charts(versions: &[&str]) -> Folder {
    let folder = Folder::new();
    for version in versions {
        chart(&folder, "web", version, version);
        folder.run(&format!("package web -d packed --version {version}")).ok();
    }
    folder
}

fn oci(server: &Running, path: &str) -> String {
    format!("oci://127.0.0.1:{}/{path}", server.port)
}

fn helm(folder: &Folder, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(tool("helm")?);
    command.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.output().expect("helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// Pushes every archive of `packed/`.
fn push_packed(folder: &Folder, target: &str) {
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("packed"))
        .expect("archives")
        .map(|entry| format!("packed/{}", entry.expect("entry").file_name().to_string_lossy()))
        .collect();
    names.sort();
    let mut arguments = vec!["push".to_owned()];
    arguments.extend(names);
    arguments.push(target.to_owned());
    folder.run_args(arguments).ok();
}

#[test]
fn a_registry_gets_and_gives_charts() {
    let Some(server) = registry(false) else { return };
    let folder = charts(&["1.0.0", "1.2.0+b.7", "2.0.0-rc.1"]);
    let target = oci(&server, "team/charts");
    push_packed(&folder, &target);
    let run = folder.run(&format!("versions {target}/web")).ok();
    assert_eq!(run.stdout, "2.0.0-rc.1\n1.2.0+b.7\n1.0.0\n");
    let run = folder.run(&format!("pull {target}/web")).ok();
    let digest =
        chart::package::digest(&std::fs::read(folder.path().join("packed/web-1.2.0+b.7.tgz")).expect("packed"));
    assert_eq!(run.stdout, format!("web-1.2.0+b.7.tgz sha256:{digest}\n"));
    for asked in ["web --version 1.2.0", "web --version 1.2.0+b.7", "web:1.2.0_b.7", "web:1.2.0", "web --version ^1"] {
        folder.run(&format!("pull {target}/{asked} -d asked")).ok();
        std::fs::remove_file(folder.path().join("asked/web-1.2.0+b.7.tgz")).expect(asked);
    }
    folder.run(&format!("pull {target}/web:1.0.0 --untar --untardir out")).ok();
    assert_eq!(folder.read("out/web/values.yaml"), "content: 1.0.0\n");
    let run = folder.run(&format!("pull {target}/web:1.0.0 --untar --untardir out")).fails(2);
    assert!(run.stderr.contains("`./out/web` is there already"), "{}", run.stderr);
    folder.run(&format!("pull {target}/web --version ~1.0 -d tilde")).ok();
    assert!(folder.path().join("tilde/web-1.0.0.tgz").is_file());
    let run = folder.run(&format!("pull {target}/web --version ^3")).fails(2);
    let shown = run.stderr.replace(&server.port.to_string(), "PORT");
    insta::assert_snapshot!(shown, @"error: `web` in `oci://127.0.0.1:PORT/team/charts` has no version for `^3` (the newest are `2.0.0-rc.1`, `1.2.0+b.7`, `1.0.0`)");
    folder.write("there/web/kept", "");
    for into in ["--destination there", "--untardir there"] {
        let run = folder.run(&format!("pull {target}/web:1.0.0 --untar {into}")).fails(2);
        assert!(run.stderr.contains("there/web` is there already"), "{}", run.stderr);
    }
    assert_eq!(files(&folder.path().join("there/web")), ["kept"]);
    let run = folder.run(&format!("pull {target}/web --version latest")).fails(2);
    insta::assert_snapshot!(run.stderr, @r#"
    error: `web`: `latest` is not a version range: improper constraint: "latest"
    hint: ranges look like `^1.2`, `~1.2.3`, `>=1.2 <2` or `1.2.x`
    "#);
    let run = folder.run(&format!("pull {target}/none")).fails(2);
    assert!(run.stderr.contains("there is no chart `none`"), "{}", run.stderr);
    let pin = format!("sha256:{}", "a".repeat(64));
    let run = folder.run(&format!("pull {target}/web@{pin}")).fails(2);
    assert!(run.stderr.contains(&format!("there is no `web` {pin} at oci://")), "{}", run.stderr);
}

#[test]
fn manifests_have_digests_that_pin() {
    let Some(server) = registry(false) else { return };
    let folder = charts(&["1.0.0"]);
    let target = oci(&server, "charts");
    let push = |more: &str| folder.run(&format!("push packed/web-1.0.0.tgz {target} --format json {more}"));
    let first: serde_json::Value = serde_json::from_str(&push("").ok().stdout).expect("JSON");
    let again: serde_json::Value = serde_json::from_str(&push("").ok().stdout).expect("JSON");
    assert_eq!((&first["change"], &again["change"]), (&"added".into(), &"same".into()));
    assert_eq!(first["manifestDigest"], again["manifestDigest"]);
    // The same on every machine and day: only the archive decides.
    let pin = first["manifestDigest"].as_str().expect("a digest");
    let run = folder.run(&format!("pull {target}/web@{pin} --format json")).ok();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["manifestDigest"], pin);
    chart(&folder, "web", "1.0.0", "changed");
    let run = folder.run(&format!("push web {target}")).fails(1);
    assert!(run.stderr.contains("published already with other contents"), "{}", run.stderr);
    folder.run(&format!("push web {target} --force")).ok();
    // What was pinned is still what was pinned.
    folder.run(&format!("pull {target}/web@{pin} --untar")).fails(2);
    std::fs::remove_dir_all(folder.path().join("web")).expect("removed");
    folder.run(&format!("pull {target}/web@{pin} --untar")).ok();
    assert_eq!(folder.read("web/values.yaml"), "content: 1.0.0\n");
}

#[test]
fn helm_and_we_read_each_others_registries() {
    let Some(server) = registry(false) else { return };
    let folder = charts(&["1.0.0+b"]);
    let target = oci(&server, "charts");
    push_packed(&folder, &target);
    let Some(shown) =
        helm(&folder, &["show", "chart", &format!("{target}/web"), "--version", "1.0.0+b", "--plain-http"])
    else {
        return;
    };
    assert!(shown.contains("version: 1.0.0+b"), "{shown}");
    std::fs::create_dir_all(folder.path().join("by-helm")).expect("folder");
    helm(&folder, &["pull", &format!("{target}/web"), "--plain-http", "-d", "by-helm"]);
    let ours = std::fs::read(folder.path().join("packed/web-1.0.0+b.tgz")).expect("packed");
    assert_eq!(std::fs::read(folder.path().join("by-helm/web-1.0.0+b.tgz")).expect("pulled"), ours);
    // A manifest that Helm made differs in its time alone, so pushing the same archive again is nothing new.
    let other = oci(&server, "helm");
    helm(&folder, &["push", "packed/web-1.0.0+b.tgz", &other, "--plain-http"]);
    let run = folder.run(&format!("push packed/web-1.0.0+b.tgz {other}")).ok();
    assert!(run.stderr.starts_with("already there"), "{}", run.stderr);
    folder.run(&format!("pull {other}/web:1.0.0_b -d ours")).ok();
    assert_eq!(std::fs::read(folder.path().join("ours/web-1.0.0+b.tgz")).expect("pulled"), ours);
}

#[test]
fn logins_are_dockers() {
    let Some(server) = registry(true) else { return };
    let folder = charts(&["1.0.0"]);
    let target = oci(&server, "charts");
    let host = format!("127.0.0.1:{}", server.port);
    let run = folder.run(&format!("push packed/web-1.0.0.tgz {target} --retries 0")).fails(2);
    assert!(run.stderr.contains(&format!("log in with `chart login {host}`")), "{}", run.stderr);
    let login = |password: &str| {
        let mut command = folder.command(["login", &host, "--username", "ann", "--retries", "0"]);
        command.env("CHART_PASSWORD", password).output().expect("chart runs")
    };
    assert_eq!(login("wrong").status.code(), Some(2));
    assert!(!folder.path().join(".docker/config.json").exists());
    assert!(login("s3cret").status.success());
    let config: serde_json::Value = serde_json::from_str(&folder.read(".docker/config.json")).expect("JSON");
    assert_eq!(config["auths"][&host]["auth"], "YW5uOnMzY3JldA==");
    folder.run(&format!("push packed/web-1.0.0.tgz {target}")).ok();
    folder.run(&format!("pull {target}/web")).ok();
    std::fs::create_dir_all(folder.path().join("by-helm")).expect("folder");
    helm(&folder, &["pull", &format!("{target}/web"), "--plain-http", "-d", "by-helm"]);
    folder.run(&format!("logout {host}")).ok();
    folder.run(&format!("pull {target}/web --retries 0")).fails(2);
    // Through a credential helper.
    folder.write(
        "bin/docker-credential-test",
        "#!/bin/sh\ncase $1 in\nget) read server; [ \"$server\" = \"$(cat host)\" ] && cat secret;;\nstore) cat > secret;;\nerase) rm -f secret;;\nesac\n",
    );
    folder.write("host", &host);
    let script = folder.path().join("bin/docker-credential-test");
    Command::new("chmod").arg("+x").arg(&script).status().expect("chmod runs");
    folder.write(".docker/config.json", "{\n  \"credsStore\": \"test\",\n  \"other\": 1\n}");
    let with_helper = |arguments: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
        let mut command = folder.command(arguments);
        let output = command.env("PATH", path).env("CHART_PASSWORD_", "").output().expect("chart runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    with_helper(&["login", &host, "--username", "ann", "--password", "s3cret"]);
    assert!(!folder.read(".docker/config.json").contains("czNjcmV0"));
    assert!(folder.read(".docker/config.json").contains("\"other\": 1"));
    with_helper(&["pull", &format!("{target}/web"), "-d", "helped"]);
    with_helper(&["logout", &host]);
    assert!(!folder.path().join("secret").exists());
}

#[test]
fn concurrent_pushes_to_a_registry_lose_nothing() {
    let Some(server) = registry(false) else { return };
    let folder = Folder::new();
    let pushers = std::env::var("CHART_TEST_PUSHERS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let names: Vec<_> = (0..pushers).map(|number| format!("chart-{number}")).collect();
    names.iter().for_each(|name| chart(&folder, name, "1.0.0", name));
    let target = oci(&server, "charts");
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = folder.command(["push", name, &target]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }
    for name in &names {
        folder.run(&format!("pull {target}/{name}:1.0.0 -d all")).ok();
    }
    // One version with different contents: whoever is told that it was pushed finds it there.
    let folders: Vec<_> = (0..pushers / 2)
        .map(|number| {
            let folder = Folder::new();
            chart(&folder, "same", "1.0.0", &number.to_string());
            folder
        })
        .collect();
    let children: Vec<_> = folders
        .iter()
        .map(|folder| {
            let mut command = folder.command(["push", "same", &target]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
        })
        .collect();
    let codes: Vec<_> = children.into_iter().map(|mut it| it.wait().expect("ends").code().unwrap_or(-1)).collect();
    assert_eq!(codes.iter().filter(|&&code| code == 0).count(), 1, "{codes:?}");
}

#[test]
fn every_kind_of_repository_is_pulled_from() {
    let folder = charts(&["1.0.0", "1.1.0"]);
    folder.run("index packed").ok();
    let at = folder.path().display().to_string();
    folder.run(&format!("pull file://{at}/packed/web --version 1.0.x -d a")).ok();
    folder.run(&format!("pull web --repo file://{at}/packed -d a")).ok();
    let archive = std::fs::read(folder.path().join("packed/web-1.1.0.tgz")).expect("packed");
    let (index, bytes) = (folder.read("packed/index.yaml"), archive.clone());
    let server = Server::start(move |request| match request.path.as_str() {
        "/charts/index.yaml" if request.header("if-none-match") == Some("\"v1\"") => Answer::new(304, ""),
        "/charts/index.yaml" => Answer::new(200, &index).header("ETag", "\"v1\""),
        "/charts/web-1.1.0.tgz" => Answer::new(200, &bytes),
        _ => Answer::new(404, ""),
    });
    let url = server.url("/charts");
    folder.run(&format!("pull {url}/web -d b")).ok();
    folder.run(&format!("pull web --repo {url} -d c")).ok();
    folder.run(&format!("pull {url}/web-1.1.0.tgz -d d")).ok();
    folder.write(".config/helm/repositories.yaml", format!("repositories:\n- name: ours\n  url: {url}\n"));
    folder.run("pull ours/web -d e").ok();
    for place in ["a", "b", "c", "d", "e"] {
        assert_eq!(std::fs::read(folder.path().join(place).join("web-1.1.0.tgz")).expect("pulled"), archive, "{place}");
    }
    // An archive that was fetched from a server is known by its digest; only its own URL has none.
    let (index, archive) = ("GET /charts/index.yaml", "GET /charts/web-1.1.0.tgz");
    assert_eq!(server.lines(), [index, archive, index, archive, index]);
    let run = folder.run(&format!("versions {url}/web")).ok();
    assert_eq!(run.stdout, "1.1.0 (app 9)\n1.0.0 (app 9)\n");
    let run = folder.run("pull web");
    insta::assert_snapshot!(run.shown(), @r"
    exit: 2
    --- stdout
    --- stderr
    error: `web` names no chart in a repository
    hint: write `oci://host/path/chart`, `https://host/charts/chart`, or a name and `--repo URL`
    ");
}

#[test]
fn what_is_not_what_was_listed_is_refused() {
    let folder = charts(&["1.0.0"]);
    chart(&folder, "api", "1.0.0", "x");
    folder.run("package api -d other").ok();
    folder.run("index packed").ok();
    let place = |line: &str| {
        let run = folder.run(line).fails(1);
        assert!(!folder.path().join("out").exists());
        run.stderr.replace(&folder.path().display().to_string(), "[DIR]")
    };
    let url = format!("file://{}/packed/web", folder.path().display());
    let good = std::fs::read(folder.path().join("packed/web-1.0.0.tgz")).expect("packed");
    folder.write("packed/web-1.0.0.tgz", std::fs::read(folder.path().join("other/api-1.0.0.tgz")).expect("packed"));
    let shown = place(&format!("pull {url} -d out"));
    assert!(shown.contains("but the repository says"), "{shown}");
    let index = folder.read("packed/index.yaml").replace(
        &chart::package::digest(&good),
        &chart::package::digest(&std::fs::read(folder.path().join("other/api-1.0.0.tgz")).expect("packed")),
    );
    folder.write("packed/index.yaml", index);
    let shown = place(&format!("pull {url} -d out"));
    assert!(shown.contains("is `api` 1.0.0, but was listed as `web` 1.0.0"), "{shown}");
    folder.write("packed/web-1.0.0.tgz", "<html>");
    let index = folder.read("packed/index.yaml");
    let without = index.lines().filter(|line| !line.contains("digest:")).collect::<Vec<_>>().join("\n") + "\n";
    folder.write("packed/index.yaml", without);
    let shown = place(&format!("pull {url} -d out"));
    assert!(shown.contains("a web page, not a chart archive"), "{shown}");
}

/// A folder with GnuPG keys of two people, exported as keyrings.
pub fn keyrings() -> Option<Folder> {
    let gpg = tool("gpg")?;
    let folder = Folder::new();
    // Otherwise the agent measures for seconds how slow a passphrase may be.
    folder.write("gnupg/gpg-agent.conf", "s2k-count 65536\n");
    Command::new("chmod").arg("700").arg(folder.path().join("gnupg")).status().expect("chmod runs");
    let run = |arguments: &[&str]| -> Vec<u8> {
        let mut command = Command::new(&gpg);
        command.args(["--homedir", "gnupg", "--batch", "--yes", "--pinentry-mode", "loopback"]).args(arguments);
        let output = command.current_dir(folder.path()).output().expect("gpg runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    for (name, passphrase) in [("Ann <ann@example.com>", "s3cret"), ("Bob <bob@example.com>", "")] {
        run(&["--passphrase", passphrase, "--quick-generate-key", name, "ed25519", "sign", "never"]);
    }
    let public = run(&["--export", "ann@example.com"]);
    folder.write("public.gpg", public);
    folder.write("bob.gpg", run(&["--export", "--armor", "bob@example.com"]));
    folder.write("secret.gpg", run(&["--passphrase", "s3cret", "--export-secret-keys"]));
    folder.write("passphrase", "s3cret\n");
    let _ = Command::new("gpgconf").args(["--homedir", "gnupg", "--kill", "all"]).current_dir(folder.path()).status();
    Some(folder)
}

/// `--verify` of the commands that read a chart holds for an archive on the disk, too.
#[test]
fn local_archives_are_verified_before_they_are_read() {
    let Some(folder) = keyrings() else { return };
    chart(&folder, "web", "1.0.0", "x");
    folder.run("package web --sign --key ann@ --keyring secret.gpg --passphrase-file passphrase").ok();
    for command in ["render r", "show chart"] {
        let run = |keyring: &str| folder.run(&format!("{command} web-1.0.0.tgz --verify --keyring {keyring}"));
        let plain = folder.run(&format!("{command} web-1.0.0.tgz")).ok();
        assert_eq!(run("public.gpg").ok().stdout, plain.stdout);
        let other = run("bob.gpg").fails(1);
        assert!(other.stderr.contains("a key that is not in the keyring"), "{}", other.shown());
        assert_eq!(other.stdout, "");
        assert_ne!(run("absent.gpg").code, 0);
        // A directory has no signature.
        assert_ne!(folder.run(&format!("{command} web --verify --keyring public.gpg")).code, 0);
    }
    let archive = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("the archive");
    folder.write("web-1.0.0.tgz", [archive.as_slice(), b"x"].concat());
    let run = folder.run("render r web-1.0.0.tgz --verify --keyring public.gpg").fails(1);
    assert!(run.stderr.contains("was changed after it was signed"), "{}", run.shown());
}

#[test]
fn signatures_are_made_and_checked() {
    let Some(folder) = keyrings() else { return };
    chart(&folder, "web", "1.0.0", "x");
    let sign = "package web --sign --key ann@ --keyring secret.gpg --passphrase-file passphrase";
    folder.run(sign).ok();
    let verify = |keyring: &str| folder.run(&format!("verify web-1.0.0.tgz --keyring {keyring}"));
    let run = verify("public.gpg").ok();
    assert!(run.stdout.starts_with("web-1.0.0.tgz: signed by Ann <ann@example.com> with key "), "{}", run.stdout);
    helm(&folder, &["verify", "web-1.0.0.tgz", "--keyring", "public.gpg"]);
    // Signatures of Helm.
    if helm(&folder, &["package", "web", "--sign", "--key", "Bob", "--keyring", "secret.gpg", "-d", "by-helm"])
        .is_some()
    {
        let run = folder.run("verify by-helm/web-1.0.0.tgz --keyring bob.gpg").ok();
        assert!(run.stdout.contains("signed by Bob <bob@example.com>"), "{}", run.stdout);
    }
    let hex = regex::Regex::new("[0-9a-fA-F]{16,64}").expect("a pattern");
    let said = |run: crate::support::Run| hex.replace_all(&run.fails(1).stderr, "[HEX]").into_owned();
    insta::assert_snapshot!(said(verify("bob.gpg")), @"error: the signature is by a key that is not in the keyring (key [HEX])");
    let archive = std::fs::read(folder.path().join("web-1.0.0.tgz")).expect("the archive");
    folder.write("web-1.0.0.tgz", [archive.as_slice(), b"x"].concat());
    insta::assert_snapshot!(said(verify("public.gpg")), @"error: the archive was changed after it was signed: it has SHA-256 [HEX], signed was [HEX]");
    folder.write("web-1.0.0.tgz", &archive);
    let provenance = folder.read("web-1.0.0.tgz.prov");
    folder.write("web-1.0.0.tgz.prov", provenance.replace("version: 1.0.0", "version: 1.0.1"));
    insta::assert_snapshot!(said(verify("public.gpg")), @"error: the signature of Ann <ann@example.com> is not good: the provenance file was changed after it was signed");
    folder.write("web-1.0.0.tgz.prov", provenance.lines().nth(3).unwrap_or_default());
    insta::assert_snapshot!(said(verify("public.gpg")), @"error: the provenance file is not a signed text: not enough bytes in buffer: cleartext header");
    std::fs::remove_file(folder.path().join("web-1.0.0.tgz.prov")).expect("removed");
    insta::assert_snapshot!(said(verify("public.gpg")), @"error: `web-1.0.0.tgz` is not signed: there is no `web-1.0.0.tgz.prov`");
    insta::assert_snapshot!(said(folder.run("package web --sign --key eve --keyring secret.gpg")), @"error: no secret key in the keyring is for `eve`");
    insta::assert_snapshot!(said(folder.run("package web --sign --keyring secret.gpg")), @"error: the keyring has several secret keys: Ann <ann@example.com>, Bob <bob@example.com>; `--key` chooses one");
    insta::assert_snapshot!(said(folder.run("package web --sign --key ann --keyring secret.gpg")), @"error: the key cannot sign: it is locked; give its passphrase");
    insta::assert_snapshot!(said(folder.run("package web --sign --key ann --keyring public.gpg")), @"error: the keyring is not readable: it has public keys only; `gpg --export-secret-keys` exports secret ones");
    insta::assert_snapshot!(said(folder.run("package web --sign --keyring gnupg/pubring.kbx")), @"error: the keyring is not readable: it is a GnuPG keybox; export it with `gpg --export > keyring.gpg`, and secret keys with `gpg --export-secret-keys > secret.gpg`");
    insta::assert_snapshot!(folder.run("package web --sign").fails(2).stderr, @r"
    error: there is no keyring: no `secring.gpg` in the GnuPG folder
    hint: `gpg --export-secret-keys > keys.gpg` writes one; name it with `--keyring keys.gpg`
    ");
}

#[test]
fn signatures_travel_with_archives() {
    let Some(folder) = keyrings() else { return };
    chart(&folder, "web", "1.0.0", "x");
    folder.run("package web --sign --key Bob --keyring secret.gpg").ok();
    let mut targets = vec![format!("file://{}/repo", folder.path().display())];
    let registry = registry(false);
    targets.extend(registry.as_ref().map(|server| oci(server, "charts")));
    let museum = crate::servers::chartmuseum(&[]);
    targets.extend(museum.as_ref().map(|server| server.url("")));
    let dav = crate::servers::nginx("PUT DELETE MKCOL COPY MOVE", "");
    targets.extend(dav.as_ref().map(|server| server.url("/charts")));
    std::fs::create_dir(folder.path().join("unsigned")).expect("a folder");
    std::fs::copy(folder.path().join("web-1.0.0.tgz"), folder.path().join("unsigned/web-1.0.0.tgz")).expect("copied");
    for target in targets {
        // The signature may come later.
        folder.run(&format!("push unsigned/web-1.0.0.tgz {target}")).ok();
        folder.run(&format!("pull {target}/web --verify --keyring bob.gpg -d got")).fails(1);
        let push = |more: &str| folder.run(&format!("push web-1.0.0.tgz {target} {more}")).ok().stderr;
        assert!(push("").starts_with("signed: web 1.0.0 at "), "{target}");
        assert!(push("").starts_with("already there: web 1.0.0 at "), "{target}");
        let run = folder.run(&format!("pull {target}/web --verify --prov --keyring bob.gpg -d got")).ok();
        assert!(run.stderr.contains("signed by Bob"), "{}", run.stderr);
        assert!(folder.path().join("got/web-1.0.0.tgz.prov").is_file());
        std::fs::remove_dir_all(folder.path().join("got")).expect("removed");
        folder.run(&format!("pull {target}/web --verify --keyring public.gpg -d got")).fails(1);
        assert!(!folder.path().join("got").exists());
    }
}

#[test]
fn charts_are_rendered_and_shown_where_they_are() {
    let folder = charts(&["1.0.0", "1.1.0"]);
    folder.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 2.0.0\n");
    folder.write("web/templates/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Chart.Version }}\n");
    folder.run("package web -d packed").ok();
    folder.run("index packed").ok();
    let url = format!("file://{}/packed", folder.path().display());
    let run = folder.run(&format!("render {url}/web")).ok();
    assert!(run.stdout.contains("name: 2.0.0\n"), "{}", run.stdout);
    let run = folder.run(&format!("show values web --repo {url} --version 1.0.x")).ok();
    assert_eq!(run.stdout.trim_end(), "content: 1.0.0");
    folder.run(&format!("render {url}/none")).fails(2);
    folder.write("app/Chart.yaml", format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: 2.x\n  repository: {url}\n"));
    folder.run("render app").fails(1);
    let run = folder.run("render app --dependency-update").ok();
    assert!(run.stdout.contains("# Source: app/charts/web/templates/x.yaml"), "{}", run.stdout);
    folder.run("package app -u -d dist").ok();
}
