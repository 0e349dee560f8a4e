//! What the tests share: a temporary folder with files, the built binary, and loud skipping.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The built binary.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_chart"))
}

/// A temporary folder in which a test writes files and runs `chart`.
pub struct Folder {
    path: PathBuf,
    _directory: Option<tempfile::TempDir>,
}

impl Folder {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary folder");
        Folder { path: directory.path().to_owned(), _directory: Some(directory) }
    }

    /// A folder that is there already, and stays.
    pub fn at(path: PathBuf) -> Self {
        Folder { path, _directory: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, with its folders.
    #[must_use]
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("folders");
        std::fs::write(path, text).expect("written file");
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("readable file")
    }

    /// Copies a folder of the repository, such as `charts/service`.
    #[must_use]
    pub fn copy(self, from: &str, to: &str) -> Self {
        copy_all(&root().join(from), &self.path().join(to));
        self
    }

    /// `chart` with these arguments, in this folder, with a bare environment.
    pub fn command<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, arguments: I) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path()).env_clear().env("NO_COLOR", "1").env("HOME", self.path());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs `chart` with words split at blanks.
    pub fn run(&self, line: &str) -> Run {
        self.run_args(line.split_whitespace())
    }

    pub fn run_args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, arguments: I) -> Run {
        let output = self.command(arguments).output().expect("chart runs");
        Run::new(output, self.path())
    }
}

/// What a run printed. The temporary folder's path reads `[DIR]`.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    fn new(output: Output, directory: &Path) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&*directory.to_string_lossy(), "[DIR]");
        Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The run must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The run must have ended with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// All that a user sees, for snapshots.
    pub fn shown(&self) -> String {
        format!("exit: {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("readable folder") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied file");
        }
    }
}

/// A tool on the PATH or named by the environment variable `CHART_TEST_<NAME>`. Where it is absent the test says so
/// and returns; with `CHART_TEST_NO_SKIP` set (as `.ci/run` does) absence fails the test.
#[track_caller]
pub fn tool(name: &str) -> Option<PathBuf> {
    let variable = format!("CHART_TEST_{}", name.to_uppercase().replace('-', "_"));
    let found = std::env::var_os(&variable).map(PathBuf::from).or_else(|| {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .map(|directory| directory.join(name))
            .find(|path| path.is_file())
    });
    if found.is_none() {
        skip(&format!("`{name}` is not installed (set {variable} or put it on the PATH)"));
    }
    found
}

/// A tool that takes minutes to build, named by `CHART_TEST_<NAME>`. Where it is absent the test says so and returns,
/// also where skipping is forbidden.
#[track_caller]
pub fn optional_tool(name: &str) -> Option<PathBuf> {
    let variable = format!("CHART_TEST_{}", name.to_uppercase().replace('-', "_"));
    let found = std::env::var_os(&variable).map(PathBuf::from);
    if found.is_none() {
        say_skipped(&format!("`{name}` is not installed (`.ci/{name}.sh` builds it, {variable} names it)"));
    }
    found
}

/// Says loudly that a test skips, or fails where skipping is forbidden.
#[track_caller]
pub fn skip(why: &str) {
    assert!(std::env::var_os("CHART_TEST_NO_SKIP").is_none(), "skipping is forbidden here: {why}");
    say_skipped(why);
}

#[track_caller]
fn say_skipped(why: &str) {
    // Written to the terminal's stderr itself: the test harness captures `eprintln!` of passing tests.
    use std::io::Write;
    let at = std::panic::Location::caller();
    let _ = writeln!(std::io::stderr(), "SKIPPED {}:{}: {why}", at.file(), at.line());
}
