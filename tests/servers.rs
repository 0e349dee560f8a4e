//! Real servers on free ports of the loopback interface, each with its own folder, ended when the test is over.

use crate::support::{Folder, optional_tool, tool};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running server.
pub struct Running {
    child: Child,
    pub port: u16,
    /// Configuration, logs and, under `data`, what is served.
    pub folder: Folder,
}

impl Running {
    fn start(command: &mut Command, port: u16, folder: Folder) -> Running {
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let second = log.try_clone().expect("a second handle");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(second).spawn().expect("the server starts");
        let mut running = Running { child, port, folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = running.child.try_wait().expect("waiting works");
            assert!(
                ended.is_none() && begun.elapsed() < Duration::from_secs(60),
                "no server: {}",
                running.folder.read("log")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not a kill: nginx's master ends its workers only when it can handle the signal.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on, and that the system gives to no client meanwhile: those are higher.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(97);
    loop {
        let port = 20_000 + (first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// nginx that serves `data/` and takes these WebDAV methods; `more` goes into its `location`.
#[track_caller]
pub fn nginx(methods: &str, more: &str) -> Option<Running> {
    nginx_with(methods, more, "")
}

/// nginx with WebDAV that speaks TLS, with these lines in its `server`.
#[track_caller]
pub fn nginx_tls(lines: &str) -> Option<Running> {
    nginx_with("PUT DELETE MKCOL", "", lines)
}

/// nginx that speaks TLS in front of a server on this machine.
#[track_caller]
pub fn nginx_tls_proxy(port: u16, lines: &str) -> Option<Running> {
    let proxy = format!(
        "proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;"
    );
    nginx_with("", &proxy, lines)
}

#[track_caller]
fn nginx_with(methods: &str, more: &str, tls: &str) -> Option<Running> {
    let nginx = tool("nginx")?;
    let folder = Folder::new();
    let port = free_port();
    std::fs::create_dir_all(folder.path().join("data")).expect("folder");
    std::fs::create_dir_all(folder.path().join("tmp")).expect("folder");
    let dav = if methods.is_empty() { String::new() } else { format!("dav_methods {methods};") };
    let at = folder.path().display();
    folder.write(
        "nginx.conf",
        format!(
            "daemon off; worker_processes 2; pid {at}/pid; error_log stderr; user {user};
            events {{ worker_connections 1024; }}
            http {{
                access_log {at}/access;
                client_max_body_size 100m;
                client_body_temp_path {at}/tmp; proxy_temp_path {at}/tmp; fastcgi_temp_path {at}/tmp;
                uwsgi_temp_path {at}/tmp; scgi_temp_path {at}/tmp;
                server {{
                    listen 127.0.0.1:{port}{ssl}; {tls}
                    root {at}/data;
                    location / {{ {dav} create_full_put_path on; {more} }}
                }}
            }}",
            ssl = if tls.is_empty() { "" } else { " ssl" },
            user = if is_root() { "root" } else { "nobody" },
        ),
    );
    let config = folder.path().join("nginx.conf");
    let mut command = Command::new(nginx);
    command.arg("-c").arg(&config).arg("-p").arg(folder.path()).args(["-e", "stderr"]);
    Some(Running::start(&mut command, port, folder))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// ChartMuseum with local storage in `data/`.
#[track_caller]
pub fn chartmuseum(arguments: &[&str]) -> Option<Running> {
    let binary = tool("chartmuseum")?;
    let folder = Folder::new();
    let port = free_port();
    let mut command = Command::new(binary);
    command
        .args(["--storage", "local", "--port", &port.to_string(), "--storage-local-rootdir"])
        .arg(folder.path().join("data"))
        .args(arguments)
        .env_clear();
    std::fs::create_dir_all(folder.path().join("data")).expect("folder");
    Some(Running::start(&mut command, port, folder))
}

/// Gitea with its database in `data/`, and user `ann` with password `s3cret-s3cret`.
#[track_caller]
pub fn gitea() -> Option<Running> {
    let binary = optional_tool("gitea")?;
    let folder = Folder::new();
    let port = free_port();
    let at = folder.path().display();
    folder.write(
        "app.ini",
        format!(
            "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\nWORK_PATH = {at}\n\
             [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = http://127.0.0.1:{port}/\n\
             OFFLINE_MODE = true\nDISABLE_SSH = true\n\
             [database]\nDB_TYPE = sqlite3\nPATH = {at}/data/gitea.db\nSQLITE_JOURNAL_MODE = WAL\nSQLITE_TIMEOUT = 20000\n\
             [security]\nINSTALL_LOCK = true\nSECRET_KEY = x\n[log]\nMODE = console\nLEVEL = warn\n\
             [indexer]\nISSUE_INDEXER_TYPE = db\n[cron]\nENABLED = false\n"
        ),
    );
    let run = |line: &str| {
        let mut command = Command::new(&binary);
        command.arg("-c").arg(folder.path().join("app.ini")).args(line.split(' ')).current_dir(folder.path());
        command.env("HOME", folder.path());
        command
    };
    for line in [
        "migrate",
        "admin user create --username ann --password s3cret-s3cret --email ann@example.com --must-change-password=false",
    ] {
        let output = run(line).output().expect("gitea runs");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut web = run("web");
    Some(Running::start(&mut web, port, folder))
}

/// The names of the files in a folder, hidden ones too.
pub fn files(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(path)
        .expect("readable folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A Docker registry with its storage in `data/`, and user `ann` with password `s3cret` where asked for.
#[track_caller]
pub fn registry(with_login: bool) -> Option<Running> {
    let binary = tool("docker-registry")?;
    let folder = Folder::new();
    let port = free_port();
    let at = folder.path().display();
    let auth = if with_login {
        format!("auth: {{htpasswd: {{realm: charts, path: {at}/htpasswd}}}}\n")
    } else {
        String::new()
    };
    folder.write("htpasswd", "ann:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n");
    let config = format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {at}/data}}, delete: {{enabled: true}}}}\n\
         http: {{addr: '127.0.0.1:{port}', secret: x}}\n{auth}"
    );
    folder.write("config.yml", config);
    let mut command = Command::new(binary);
    command.arg("serve").arg(folder.path().join("config.yml")).env_clear();
    Some(Running::start(&mut command, port, folder))
}
