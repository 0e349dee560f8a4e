//! Gitea, the real one: its chart repository and its registry.

use crate::pull::keyrings;
use crate::push::{chart, many, push_all};
use crate::servers::{Running, gitea};
use crate::support::{Folder, tool};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Both places, as they are pushed to.
fn places(server: &Running) -> [String; 2] {
    [server.url("/api/packages/ann/helm"), format!("oci://127.0.0.1:{}/ann", server.port)]
}

fn log_in(folder: &Folder, server: &Running) {
    folder.write(".netrc", "machine 127.0.0.1 login ann password s3cret-s3cret");
    folder.run(&format!("login 127.0.0.1:{} --username ann --password s3cret-s3cret", server.port)).ok();
}

#[test]
fn gitea_gets_and_gives_charts() {
    let Some(server) = gitea() else { return };
    let Some(folder) = keyrings() else { return };
    for place in places(&server) {
        chart(&folder, "web", "1.0.0", "x");
        let push = |more: &str| folder.run(&format!("push web {place} {more}"));
        let run = push("").fails(2);
        assert!(run.stderr.contains("401") && run.stderr.contains("--username"), "{}", run.stderr);
        log_in(&folder, &server);
        assert!(push("").ok().stderr.starts_with("pushed: web 1.0.0 at "));
        assert!(push("").ok().stderr.starts_with("already there: web 1.0.0 at "));
        chart(&folder, "web", "1.0.0", "y");
        assert!(push("").fails(1).stderr.contains("published already with other contents"));
        assert!(push("--force").ok().stderr.starts_with("replaced: web 1.0.0 at "));
        for version in ["1.10.0", "1.9.0+b.1", "2.0.0-rc.1"] {
            chart(&folder, "web", version, "x");
            push("").ok();
        }
        let run = folder.run(&format!("versions {place}/web")).ok();
        assert_eq!(run.stdout, "2.0.0-rc.1\n1.10.0\n1.9.0+b.1\n1.0.0\n");
        // Reading needs no login.
        let _ = std::fs::remove_file(folder.path().join(".netrc"));
        let _ = std::fs::remove_dir_all(folder.path().join(".docker"));
        folder.run(&format!("pull {place}/web --version ~1.9 -d got")).ok();
        folder.write(
            "app/Chart.yaml",
            format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: ^1\n  repository: {place}\n"),
        );
        folder.run("dependency update app").ok();
        std::fs::remove_dir_all(folder.path().join("app/charts")).expect("removed");
        folder.run("dependency build app").ok();
        assert!(folder.path().join("app/charts/web-1.10.0.tgz").is_file());
        if let Some(helm) = tool("helm") {
            let mut command = Command::new(helm);
            let version = ["--version", "1.9.0+b.1", "-d", "by-helm"];
            match place.starts_with("oci") {
                true => command.args(["pull", &format!("{place}/web"), "--plain-http"]),
                false => command.args(["pull", "web", "--repo", &place]),
            };
            std::fs::create_dir_all(folder.path().join("by-helm")).expect("a folder");
            command.args(version).current_dir(folder.path()).env_clear().env("HOME", folder.path());
            let output = command.output().expect("helm runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let read = |path: &str| std::fs::read(folder.path().join(path)).expect("an archive");
            assert_eq!(read("by-helm/web-1.9.0+b.1.tgz"), read("got/web-1.9.0+b.1.tgz"));
        }
        // Only its registry keeps signatures.
        log_in(&folder, &server);
        chart(&folder, "signed", "1.0.0", "x");
        folder.run("package signed --sign --key Bob --keyring secret.gpg").ok();
        let run = folder.run(&format!("push signed-1.0.0.tgz {place}")).ok();
        let is_kept = place.starts_with("oci");
        assert_eq!(run.stderr.contains("goes without its signature"), !is_kept, "{}", run.stderr);
        let run = folder.run(&format!("pull {place}/signed --verify --keyring bob.gpg -d got"));
        assert_eq!(run.code, if is_kept { 0 } else { 1 }, "{run:?}");
        let _ = std::fs::remove_file(folder.path().join(".netrc"));
        let _ = std::fs::remove_dir_all(folder.path().join(".docker"));
    }
}

#[test]
fn pushes_to_gitea_lose_nothing() {
    let Some(server) = gitea() else { return };
    for place in places(&server) {
        let (folder, names) = many(20);
        log_in(&folder, &server);
        push_all(&folder, &names, &place);
        for name in &names {
            folder.run(&format!("pull {place}/{name} --version 1.0.0 -d got")).ok();
        }
        let folders: Vec<_> = (0..6)
            .map(|number| {
                let folder = Folder::new();
                log_in(&folder, &server);
                chart(&folder, "same", "1.0.0", &number.to_string());
                folder
            })
            .collect();
        let start = |folder: &Folder, name: &str| {
            let mut command = folder.command(["push", name, &place]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
        };
        let children: Vec<_> = folders.iter().map(|folder| start(folder, "same")).collect();
        let mut codes: Vec<_> = children.into_iter().map(|mut it| it.wait().expect("ends").code()).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(1), Some(1), Some(1), Some(1), Some(1)]);
        for number in 0..8 {
            chart(&folder, "killed", &format!("1.0.{number}"), &"x".repeat(1000));
            let mut child = start(&folder, "killed");
            std::thread::sleep(Duration::from_millis(40 * number));
            let _ = child.kill();
            let succeeded = child.wait().expect("ends").success();
            let listed = folder.run(&format!("versions {place}/killed --version 1.0.{number}"));
            if succeeded || listed.code == 0 {
                folder.run(&format!("pull {place}/killed --version 1.0.{number} -d got")).ok();
            }
            folder.run(&format!("push killed {place}")).ok();
        }
    }
}
