//! Archives from strangers: each is given to every command that reads archives.

mod headers;
mod listings;

use crate::support::{Folder, Run, binary, tool};
use chart::chart::Dependency;
use chart::repository::lock::{Lock, Locked, sum};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const META: &[u8] = b"apiVersion: v2\nname: web\nversion: 1.0.0\n";
const BLOCK: usize = 512;

/// A tar file, entry by entry, with whatever its headers say.
#[derive(Default, Clone)]
struct Tar(Vec<u8>);

impl Tar {
    /// One with a good `Chart.yaml`.
    fn web() -> Self {
        Tar::default().file("web/Chart.yaml", META)
    }

    fn meta(text: impl AsRef<[u8]>) -> Self {
        Tar::default().file("web/Chart.yaml", text)
    }

    fn file(self, name: &str, data: impl AsRef<[u8]>) -> Self {
        self.entry(name, b'0', data.as_ref(), |_| {})
    }

    fn kind(self, name: &str, kind: u8, target: &str) -> Self {
        self.entry(name, kind, b"", |header| header[157..157 + target.len()].copy_from_slice(target.as_bytes()))
    }

    /// An entry whose header is changed before its checksum is made.
    fn entry(mut self, name: &str, kind: u8, data: &[u8], change: impl FnOnce(&mut [u8; BLOCK])) -> Self {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000777\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000052\0");
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        change(&mut header);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// A size field of one's own, whatever the content has.
    fn sized(self, field: &[u8; 12], data: &[u8]) -> Self {
        self.entry("web/a", b'0', data, |header| header[124..136].copy_from_slice(field))
    }

    fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut data = String::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            let mut length = rest.len() + 1;
            while length != rest.len() + length.to_string().len() {
                length = rest.len() + length.to_string().len();
            }
            data += &format!("{length}{rest}");
        }
        self.entry("PaxHeaders/x", kind, data.as_bytes(), |_| {})
    }

    fn long_name(self, name: &str) -> Self {
        self.entry("././@LongLink", b'L', format!("{name}\0").as_bytes(), |_| {})
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn end(self) -> Vec<u8> {
        let end = vec![0; 2 * BLOCK];
        gzip(&self.raw(&end).0)
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

fn aliases() -> String {
    let lines = (1..40).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")));
    format!("a0: &a0 [x, x]\n{}", lines.collect::<String>())
}

/// An archive in `charts/` of an archive in `charts/` and so on.
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = Tar::default().file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n").end();
    for _ in 1..depth {
        inner = Tar::default()
            .file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
            .file("c/charts/c-1.0.0.tgz", inner)
            .end();
    }
    Tar::web().file("web/charts/c-1.0.0.tgz", inner).end()
}

/// Eight archives in each of eight archives and so on.
fn branching(depth: usize) -> Vec<u8> {
    let meta = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
    (0..depth).fold(Tar::default().file("c/Chart.yaml", meta).end(), |inner, _| {
        let tar = Tar::default().file("c/Chart.yaml", meta);
        (0..8).fold(tar, |tar, n| tar.file(&format!("c/charts/c{n}.tgz"), &inner)).end()
    })
}

/// What must be refused, and a part of the reason.
fn hostile() -> Vec<(String, Vec<u8>, &'static str)> {
    let mut all: Vec<(String, Vec<u8>, &'static str)> = Vec::new();
    for (name, why) in [
        ("/tmp/escaped", "absolute"),
        ("//escaped", "absolute"),
        ("\\\\host\\share\\escaped", "absolute"),
        ("\\escaped", "absolute"),
        ("web//escaped", "absolute"),
        ("web/\\escaped", "absolute"),
        ("C:\\escaped", "absolute"),
        ("C:/escaped", "absolute"),
        ("web/C:\\escaped", "absolute"),
        ("web/./C:escaped", "absolute"),
        ("web/../escaped", "`..`"),
        ("web/../../escaped", "`..`"),
        ("web\\..\\..\\escaped", "`..`"),
        ("web/..\\..\\escaped", "`..`"),
        ("web/templates/../../../escaped", "`..`"),
        ("../escaped", "`..`"),
        ("web/..", "`..`"),
        ("./../escaped", "`..`"),
        ("escaped", "not in the chart's folder"),
        ("web/a\nb", "control character"),
        ("web/a\u{1b}]0;x\u{7}", "control character"),
    ] {
        all.push((format!("path {name:?}"), Tar::web().file(name, "x").end(), why));
        let long = Tar::web().long_name(name).file("web/a", "x");
        all.push((format!("long name {name:?}"), long.end(), why));
        let pax = Tar::web().pax(b'x', &[("path", name)]).file("web/a", "x");
        all.push((format!("extended header {name:?}"), pax.end(), why));
    }
    for (kind, why) in [
        (b'1', "hard link"),
        (b'2', "symbolic link"),
        (b'3', "device"),
        (b'4', "device"),
        (b'6', "named pipe"),
        (b'S', "sparse"),
        (b'K', "unknown type"),
        (b'D', "unknown type"),
        (b'V', "unknown type"),
        (b'Z', "unknown type"),
    ] {
        let tar = Tar::web().kind("web/link", kind, "/etc/passwd").file("web/link/escaped", "x");
        all.push((format!("kind {}", char::from(kind)), tar.end(), why));
    }
    let octal = |text: &str| -> [u8; 12] { text.as_bytes().try_into().expect("12 bytes") };
    let zeros = vec![0; 5 << 20];
    let many = |count: usize, data: &[u8]| (0..count).fold(Tar::web(), |tar, n| tar.file(&format!("web/{n}"), data));
    let empty_headers = (0..200_000).fold(Tar::web(), |tar, _| tar.raw(&Tar::default().pax(b'g', &[]).0));
    let deep = "d/".repeat(600);
    let more: Vec<(&str, Vec<u8>, &str)> = vec![
        ("twice", Tar::web().file("web/a", "1").file("web/a", "2").end(), "twice"),
        ("twice, spelt otherwise", Tar::web().file("web/a", "1").file("web/./a", "2").end(), "twice"),
        ("twice, in another folder", Tar::web().file("other/Chart.yaml", "name: evil").end(), "twice"),
        ("a file as a folder", Tar::web().file("web/Chart.yaml/x", "x").end(), "lies in something that is a file"),
        (
            "two long names",
            Tar::web().pax(b'x', &[("path", "web/b")]).long_name("web/c").file("web/a", "x").end(),
            "second long name",
        ),
        (
            "two more long names",
            Tar::web().long_name("web/b").long_name("web/c").file("web/a", "x").end(),
            "second long name",
        ),
        ("another size", Tar::web().pax(b'x', &[("size", "99999")]).file("web/a", "x").end(), "`size`"),
        ("sparse by header", Tar::web().pax(b'x', &[("GNU.sparse.major", "1")]).file("web/a", "x").end(), "GNU.sparse"),
        (
            "a broken header",
            Tar::web().entry("x", b'x', b"99999999999999999999 a=b\n", |_| {}).file("web/a", "x").end(),
            "malformed",
        ),
        ("a huge name", Tar::web().long_name(&"n".repeat(1 << 20)).file("web/a", "x").end(), "a name of"),
        (
            "a huge header",
            Tar::web().pax(b'x', &[("comment", &"c".repeat(1 << 20))]).file("web/a", "x").end(),
            "an extended header of",
        ),
        ("a deep path", Tar::web().long_name(&format!("web/{deep}a")).file("web/a", "x").end(), "more than 1024"),
        ("a negative size", Tar::web().sized(&[0xff; 12], b"").end(), "size"),
        (
            "a size of 8 EiB",
            Tar::web().sized(&[0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255], b"").end(),
            "more than the",
        ),
        ("a size past 64 bits", Tar::web().sized(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], b"x").end(), "size"),
        ("a size that is no number", Tar::web().sized(&octal("0000000009x\0"), b"x").end(), "size"),
        ("a signed size", Tar::web().sized(&octal("-0000000001\0"), b"x").end(), "size"),
        ("a size past the end", gzip(&Tar::web().sized(&octal("00000100000\0"), b"x").0), "cut off"),
        ("no checksum", Tar::web().raw(&[b'x'; BLOCK]).end(), "checksum"),
        (
            "something behind a blank block",
            gzip(&Tar::web().raw(&[0; BLOCK]).file("web/../a", "x").0),
            "behind its end",
        ),
        ("a bomb", many(15, &zeros).end(), "far more"),
        ("a bomb in one file", Tar::web().file("web/a", vec![0; 6 << 20]).end(), ""),
        ("a bomb of headers", empty_headers.file("web/a", "x").end(), "far more"),
        ("too many files", many(20_001, b"").end(), ""),
        (
            "cut",
            Tar::web().file("web/a", (0..9000u32).flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>()).end()[..9000]
                .to_vec(),
            "cut off",
        ),
        ("cut in the header", Tar::web().end()[..5].to_vec(), ""),
        ("a cut tar file", gzip(&Tar::web().file("web/a", [7; 900]).0[..1700]), "cut off"),
        (
            "a second member of the same size",
            [gzip(&Tar::web().0), gzip(&Tar::default().file("web/../a", [1; 300]).0)].concat(),
            "`..`",
        ),
        ("gzip in gzip", gzip(&Tar::web().end()), ""),
        ("zip", b"PK\x03\x04rest".to_vec(), "a zip file"),
        ("xz", b"\xfd7zXZ\0rest".to_vec(), "not a chart archive"),
        ("zstd", b"\x28\xb5\x2f\xfdrest".to_vec(), "not a chart archive"),
        ("bzip2", b"BZh9rest".to_vec(), "not a chart archive"),
        ("plain tar", Tar::web().raw(&[0; 1024]).0, "an uncompressed tar file"),
        ("a page", b"<html>Not Found</html>".to_vec(), "a web page"),
        ("nothing", Vec::new(), "an empty file"),
        ("an empty archive", Tar::default().end(), "no files"),
        ("only folders", Tar::default().kind("web/", b'5', "").end(), "no files"),
        ("no metadata", Tar::default().file("web/values.yaml", "a: 1").end(), "Chart.yaml"),
        ("metadata at the root", Tar::default().file("Chart.yaml", META).end(), "not in the chart's folder"),
        ("metadata in a folder", Tar::default().file("web/deep/Chart.yaml", META).end(), "Chart.yaml"),
        ("binary metadata", Tar::meta([0xff, 0xfe, 0]).end(), "UTF-8"),
        ("a list", Tar::meta("- a\n").end(), ""),
        ("aliases", Tar::meta(format!("{}{}", String::from_utf8_lossy(META), aliases())).end(), ""),
        ("deep metadata", Tar::meta(format!("{}a: {}", String::from_utf8_lossy(META), "[".repeat(100_000))).end(), ""),
        ("no name", Tar::meta("apiVersion: v2\nversion: 1.0.0\n").end(), "name"),
        ("no version", Tar::meta("apiVersion: v2\nname: web\n").end(), "version"),
        ("a name with a path", Tar::meta("apiVersion: v2\nname: ../../escaped\nversion: 1.0.0\n").end(), "name"),
        ("a name with a slash", Tar::meta("apiVersion: v2\nname: a/escaped\nversion: 1.0.0\n").end(), "name"),
        ("a name that is a folder", Tar::meta("apiVersion: v2\nname: ..\nversion: 1.0.0\n").end(), "name"),
        (
            "a version with a path",
            Tar::meta("apiVersion: v2\nname: web\nversion: 1.0.0/../../escaped\n").end(),
            "version",
        ),
        (
            "a version with a line break",
            Tar::meta("apiVersion: v2\nname: web\nversion: \"1.0.0\\n2\"\n").end(),
            "version",
        ),
        ("a version with markup", Tar::meta("apiVersion: v2\nname: web\nversion: 1.0.0-<b>x</b>\n").end(), "version"),
        ("a version with a NUL", Tar::meta("apiVersion: v2\nname: web\nversion: \"1.0.0\\0\"\n").end(), "version"),
        ("only a v", Tar::meta("apiVersion: v2\nname: web\nversion: v\n").end(), "version"),
        (
            "a long version",
            Tar::meta(format!("apiVersion: v2\nname: web\nversion: 1.0.0-{}\n", "a".repeat(1 << 20))).end(),
            "version",
        ),
        (
            "a huge number",
            Tar::meta("apiVersion: v2\nname: web\nversion: 99999999999999999999999.0.0\n").end(),
            "version",
        ),
    ];
    all.extend(more.into_iter().map(|(what, data, why)| (what.to_owned(), data, why)));
    all
}

/// `chart` with at most 2 GiB of address space.
fn run(folder: &Folder, line: &str) -> Run {
    let begun = Instant::now();
    let limited = format!("ulimit -v 2097152; exec {} {line}", binary().display());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &limited]).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.stdin(Stdio::null()).output().expect("a shell");
    assert!(begun.elapsed() < Duration::from_secs(30), "{line}: {:?}", begun.elapsed());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// All paths below a folder.
fn tree(path: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(path).expect("readable") {
        let path = entry.expect("entry").path();
        into.push(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            tree(&path, into);
        }
    }
}

/// Puts an archive where each command finds it: as a file, in a repository, among a chart's dependencies.
fn lay_out(folder: &Folder, data: &[u8]) {
    let digest = chart::package::digest(data);
    folder.write("in/bad.tgz", data);
    folder.write("in/listed/web-1.0.0.tgz", data);
    let entry = format!("- name: web\n    version: 1.0.0\n    digest: {digest}\n    urls: [web-1.0.0.tgz]\n");
    folder.write("in/listed/index.yaml", format!("apiVersion: v1\nentries:\n  web:\n  {entry}"));
    let depends = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: 1.0.0\n  repository: file://{}/in/listed\n",
        folder.path().display()
    );
    folder.write("in/app/Chart.yaml", &depends);
    folder.write("in/locked/Chart.yaml", &depends);
    folder.write("in/locked/Chart.lock", lock(&format!("file://{}/in/listed", folder.path().display()), &digest));
    folder.write("in/full/Chart.yaml", &depends);
    folder.write("in/full/charts/web-1.0.0.tgz", data);
}

/// A lock file that names the archive itself, as a stranger's may.
fn lock(repository: &str, digest: &str) -> String {
    let (name, version, repository) = ("web".to_owned(), "1.0.0".to_owned(), repository.to_owned());
    let dependency = Dependency {
        name: name.clone(),
        version: version.clone(),
        repository: repository.clone(),
        ..Dependency::default()
    };
    let dependencies = vec![Locked { name, version, repository, digest: Some(digest.to_owned()) }];
    let digest = sum(&[dependency], &dependencies);
    Lock { dependencies, digest, generated: "2026-01-01T00:00:00Z".to_owned() }.render().expect("a lock")
}

/// Gives an archive to the commands, each of which must refuse it and leave nothing behind.
fn refuse(what: &str, data: &[u8], why: &str) {
    let outer = Folder::new();
    std::fs::create_dir(outer.path().join("home")).expect("a folder");
    let folder = Folder::at(outer.path().join("home"));
    lay_out(&folder, data);
    let at = folder.path().display();
    let paths = || {
        let mut paths = Vec::new();
        tree(outer.path(), &mut paths);
        paths.retain(|path| !path.contains("/.cache") && !path.ends_with(".index.yaml.lock"));
        paths.sort();
        paths
    };
    let before = paths();
    let mut commands = vec![
        format!("pull file://{at}/in/listed/web --untar -d out"),
        "render app in/full".to_owned(),
        format!("push in/bad.tgz file://{at}/repo"),
    ];
    // These read archives in the same way, however a path is written into its header.
    if !what.starts_with("long name") && !what.starts_with("extended header") {
        commands.extend([
            "package in/bad.tgz --no-validate -d out".to_owned(),
            "render web in/bad.tgz".to_owned(),
            "show all in/bad.tgz".to_owned(),
            "verify in/bad.tgz".to_owned(),
            "dependency update in/app".to_owned(),
            "dependency build in/locked".to_owned(),
        ]);
    }
    for line in commands {
        let run = run(&folder, &line);
        assert!(matches!(run.code, 1 | 2), "{what}: {line}: {run:?}");
        assert!(run.stderr.contains("error") && !run.stderr.contains("panicked"), "{what}: {line}: {run:?}");
        assert!(run.stderr.len() < 10_000, "{what}: {line} says too much: {}", run.stderr.len());
        let printable = |char: char| !char.is_control() || char == '\n';
        assert!(run.stderr.chars().all(printable), "{what}: {line}: {:?}", run.stderr);
        if line.starts_with('p') {
            assert!(run.stderr.contains(why), "{what}: {line}: {}", run.stderr);
        }
    }
    let run = run(&folder, "index in/listed --format json");
    assert!(run.code != 0 || run.stdout.contains(r#""listed":0"#), "{what}: {run:?}");
    assert_eq!(paths(), before, "{what} left something");
    assert!(!Path::new("/tmp/escaped").exists() && !Path::new("/escaped").exists(), "{what}");
}

/// Gives archives to the commands, some at a time.
fn refuse_all(all: Vec<(impl Into<String>, Vec<u8>, &'static str)>) {
    let all: Vec<(String, _, _)> = all.into_iter().map(|(what, data, why)| (what.into(), data, why)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((what, data, why)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    refuse(what, data, why);
                }
            });
        }
    });
}

#[test]
fn hostile_archives_are_refused_by_every_command() {
    refuse_all(hostile());
}

#[test]
fn charts_in_charts_are_bounded() {
    let zeros = vec![0; 4 << 20];
    let bomb = (0..20).fold(Tar::meta("name: c"), |tar, n| tar.file(&format!("c/{n}"), &zeros)).end();
    let below = |inner: Vec<u8>| Tar::web().file("web/charts/c.tgz", inner).end();
    for (what, data, why) in [
        ("a hundred deep", nested(100), "nest"),
        ("deeper still", nested(300), "nest"),
        ("a bomb below", below(Tar::meta("name: c").file("c/a", vec![0; 6 << 20]).end()), "far more"),
        ("charts beyond number", below(branching(7)), "more than 1000 charts"),
        ("a path below", below(Tar::meta("name: c").file("c/../../a", "").end()), "`..`"),
        (
            "many bombs below",
            (0..40).fold(Tar::web(), |tar, n| tar.file(&format!("web/charts/{n}.tgz"), &bomb)).end(),
            "",
        ),
    ] {
        let folder = Folder::new();
        folder.write("bad.tgz", &data);
        for line in ["render x bad.tgz", "show all bad.tgz", "package bad.tgz --no-validate -d out", "check bad.tgz"] {
            let run = run(&folder, line);
            assert!(matches!(run.code, 1 | 2), "{what}: {line}: {run:?}");
            assert!(run.stdout.contains(why) || run.stderr.contains(why), "{what}: {line}: {run:?}");
            assert!(!run.stderr.contains("panicked") && run.stderr.len() < 20_000, "{what}: {line}: {run:?}");
        }
    }
}

/// Gives archives to the commands, each of which must find `a: 1` in the values, as Helm does, but for some.
fn take_all(odd: &[(&str, Vec<u8>)], refused_by_helm: &[&str]) {
    let folder = Folder::new();
    for (what, data) in odd {
        folder.write("odd.tgz", data);
        let run = run(&folder, "show values odd.tgz");
        assert_eq!((run.code, run.stdout.trim_end().trim_start_matches('\u{feff}')), (0, "a: 1"), "{what}: {run:?}");
        folder.write("listed/web-1.0.0.tgz", data);
        let _ = std::fs::remove_file(folder.path().join("listed/index.yaml"));
        folder.run("index listed").ok();
        folder.run(&format!("pull file://{}/listed/web --version 1.0.0 --untar -d out", folder.path().display())).ok();
        assert_eq!(folder.read("out/web/values.yaml").trim_start_matches('\u{feff}'), "a: 1\n", "{what}");
        std::fs::remove_dir_all(folder.path().join("out")).expect("removed");
    }
    let Some(helm) = tool("helm") else { return };
    for (what, data) in odd {
        folder.write("odd.tgz", data);
        let mut command = Command::new(&helm);
        command.args(["show", "chart", "odd.tgz"]).current_dir(folder.path()).env_clear().env("HOME", folder.path());
        let output = command.output().expect("helm runs");
        let is_taken = !refused_by_helm.contains(what);
        assert_eq!(output.status.success(), is_taken, "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn odd_archives_that_helm_takes_are_taken() {
    let good = Tar::web().file("web/values.yaml", "a: 1\n");
    let mut with_garbage = good.clone().end();
    with_garbage.extend_from_slice(b"garbage behind the end");
    let (first, second) = good.0.split_at(700);
    let mut blanks = good.clone();
    blanks.0.truncate(blanks.0.len() - BLOCK + 5);
    let odd: Vec<(&str, Vec<u8>)> = vec![
        ("usual", good.clone().end()),
        ("two gzip members", [gzip(first), gzip(&[second, &[0; 1024]].concat())].concat()),
        ("garbage behind the end", with_garbage),
        ("another tar file behind the end", gzip(&good.clone().raw(&[0; 1024]).file("web/../../escaped", "x").0)),
        ("no end", gzip(&good.0)),
        ("a last block that is not filled", gzip(&blanks.0)),
        ("one blank block at the end", gzip(&good.clone().raw(&[0; BLOCK]).0)),
        ("metadata last", Tar::default().file("web/values.yaml", "a: 1\n").file("web/Chart.yaml", META).end()),
        (
            "another folder's name",
            Tar::default().file("other/Chart.yaml", META).file("other/values.yaml", "a: 1\n").end(),
        ),
        ("two folders", Tar::web().file("other/values.yaml", "a: 1\n").end()),
        ("folders", Tar::default().kind("web/", b'5', "").kind("web/templates/", b'5', "").raw(&good.0).end()),
        (
            "a folder with a size",
            Tar::default()
                .entry("web/", b'5', b"", |header| header[124..136].copy_from_slice(b"00000001000\0"))
                .raw(&good.0)
                .end(),
        ),
        ("dots", Tar::default().file("web/./Chart.yaml", META).file("./values.yaml", "a: 1\n").end()),
        ("backslashes", Tar::default().file("web\\Chart.yaml", META).file("web\\values.yaml", "a: 1\n").end()),
        (
            "old files",
            Tar::default()
                .entry("web/Chart.yaml", 0, META, |header| header[257..265].fill(0))
                .file("web/values.yaml", "a: 1\n")
                .end(),
        ),
        (
            "contiguous files",
            Tar::default().entry("web/Chart.yaml", b'7', META, |_| {}).file("web/values.yaml", "a: 1\n").end(),
        ),
        (
            "a prefix",
            Tar::web().entry("values.yaml", b'0', b"a: 1\n", |header| header[345..348].copy_from_slice(b"web")).end(),
        ),
        ("a global header", Tar::default().pax(b'g', &[("comment", "0123456789abcdef")]).raw(&good.0).end()),
        (
            "extended headers",
            Tar::web()
                .pax(b'x', &[("mtime", "1.5"), ("path", "web/values.yaml"), ("SCHILY.xattr.a", "b")])
                .file("x", "a: 1\n")
                .end(),
        ),
        ("an empty path", Tar::web().pax(b'x', &[("path", "")]).file("web/values.yaml", "a: 1\n").end()),
        (
            "a size with blanks",
            Tar::web()
                .entry("web/values.yaml", b'0', b"a: 1\n", |header| header[124..136].copy_from_slice(b"         5 \0"))
                .end(),
        ),
        (
            "a size in binary",
            Tar::web()
                .entry("web/values.yaml", b'0', b"a: 1\n", |header| {
                    header[124..136].copy_from_slice(&[128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])
                })
                .end(),
        ),
        (
            "a mark of the byte order",
            Tar::meta([b"\xef\xbb\xbf".as_slice(), META].concat()).file("web/values.yaml", "\u{feff}a: 1\n").end(),
        ),
        ("names of another case", good.clone().file("web/VALUES.yaml", "b: 1\n").end()),
        (
            "names of devices",
            good.clone().file("web/templates/_aux.tpl", "").file("web/con", "").file("web/nul.txt", "").end(),
        ),
        ("dots and blanks at the end", good.clone().file("web/a.", "").file("web/b ", "").file("web/...", "").end()),
        (
            "dots of other scripts",
            good.clone().file("web/\u{2024}\u{2024}/a", "").file("web/\u{ff0e}\u{ff0e}/a", "").end(),
        ),
        ("dots that lead nowhere", good.clone().file("web/..a", "").file("web/a..", "").file("web/b../c", "").end()),
        (
            "a version with a v",
            Tar::meta("apiVersion: v2\nname: web\nversion: v1.0.0\n").file("web/values.yaml", "a: 1\n").end(),
        ),
    ];
    // Helm takes any name that starts with two dots for a parent directory.
    take_all(&odd, &["dots that lead nowhere", "dots and blanks at the end"]);
}

#[test]
fn names_that_cannot_be_files_are_not_published() {
    for name in ["a\\b", "a%2fb", "a?b", "a#b"] {
        let folder = Folder::new();
        let data = Tar::meta(format!("apiVersion: v2\nname: '{name}'\nversion: 1.0.0\n")).end();
        folder.write("listed/a.tgz", &data);
        let run = folder.run("index listed").ok();
        assert!(run.stderr.contains("cannot be in a file's name"), "{run:?}");
        assert!(!folder.read("listed/index.yaml").contains("digest"));
        let run = folder.run(&format!("push listed/a.tgz file://{}/repo", folder.path().display())).fails(2);
        assert!(run.stderr.contains("cannot be in a file's name"), "{run:?}");
    }
}
