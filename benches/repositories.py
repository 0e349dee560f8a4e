#!/usr/bin/env python3
"""Times `chart` against `helm` on repositories: time and peak memory of whole processes, as ratios.

    cargo build --release && benches/repositories.py target/release/chart HELM [--runs 5] [--small]

Everything is made in a temporary folder and served by nginx on the loopback interface. Needs nginx and GNU time. With
TMPDIR=/dev/shm the disk is left out: ext4 is slow to make files where many were removed seconds before, as runs do.
"""

import argparse
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path


def measure(command, env, cwd, prepare, runs):
    """Median seconds and peak MiB of a command, each run after `prepare`."""
    # Python's own peak would count as its child's; GNU time is small.
    peak = Path(env["HOME"]) / "peak"
    wrapper = [shutil.which("time") or "/usr/bin/time", "-f", "%M", "-o", peak]
    times, memory = [], []
    for _ in range(runs):
        prepare()
        begun = time.perf_counter()
        done = subprocess.run([*wrapper, *command], env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        times.append(time.perf_counter() - begun)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stderr.decode()}")
        memory.append(int(peak.read_text()) / 1024)
    return statistics.median(times), statistics.median(memory)


class Nginx:
    def __init__(self, root, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = folder / "nginx.conf"
        user = "user root;" if os.getuid() == 0 else ""
        paths = " ".join(f"{name}_temp_path {folder}/tmp;" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(
            f"daemon off; pid {folder}/pid; error_log stderr; {user} events {{}}\n"
            f"http {{ access_log off; {paths} server {{ listen 127.0.0.1:{self.port}; root {root}; }} }}\n"
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([nginx, "-c", config, "-p", folder, "-e", "stderr"])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, folder, chart, helm, runs):
        self.folder, self.chart, self.helm, self.runs = folder, str(chart), str(helm), runs
        self.env = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        self.rows = []

    def package(self, name, version, destination, files=5):
        source = self.folder / "src" / name
        (source / "templates").mkdir(parents=True, exist_ok=True)
        (source / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: A chart\n")
        for number in range(files):
            text = "".join(hashlib.sha256(f"{name}{version}{number}{line}".encode()).hexdigest() + "\n" for line in range(40))
            (source / "templates" / f"_{number}.tpl").write_text(f"{{{{/*\n{text}*/}}}}\n")
        command = [self.chart, "package", str(source), "-d", str(destination), "--no-validate", "-q"]
        subprocess.run(command, check=True, env=self.env, stdout=subprocess.DEVNULL)

    def compare(self, what, ours, theirs, cwd, prepare=lambda: None, prepare_theirs=None):
        chart = measure([self.chart, *ours], self.env, cwd, prepare, self.runs)
        helm = measure([self.helm, *theirs], self.env, cwd, prepare_theirs or prepare, self.runs)
        self.rows.append((what, chart, helm))
        print(
            f"{what:42} chart {chart[0] * 1000:8.1f} ms {chart[1]:7.1f} MiB   helm {helm[0] * 1000:9.1f} ms {helm[1]:7.1f} MiB"
            f"   {helm[0] / chart[0]:6.1f}x faster, {helm[1] / chart[1]:5.1f}x less memory",
            flush=True,
        )


def remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def dependencies(bench, count):
    repository = bench.folder / "deps"
    for number in range(count):
        bench.package(f"dep-{number:02}", "1.2.3", repository)
    subprocess.run([bench.chart, "index", str(repository), "-q"], check=True, env=bench.env)
    server = Nginx(repository, bench.folder / "nginx")
    try:
        app = bench.folder / "app"
        app.mkdir()
        lines = "".join(f"- name: dep-{number:02}\n  version: ^1.0.0\n  repository: {server.url()}\n" for number in range(count))
        (app / "Chart.yaml").write_text(f"apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{lines}")
        subprocess.run([bench.helm, "repo", "add", "bench", server.url()], check=True, env=bench.env, stdout=subprocess.DEVNULL)
        subprocess.run([bench.chart, "dependency", "update", "app", "-q"], check=True, env=bench.env, cwd=bench.folder)
        charts, cache = app / "charts", bench.folder / ".cache"
        helm_cache = cache / "helm"
        build = ["dependency", "build", "app"]
        bench.compare(
            f"dependency build, {count} charts, cold cache", build, build, bench.folder,
            lambda: remove(charts, cache / "chart"), lambda: remove(charts, helm_cache / "content"),
        )
        bench.compare(f"dependency build, {count} charts, warm cache", build, build, bench.folder, lambda: remove(charts))
        bench.compare(f"dependency build, {count} charts, nothing to do", build, build, bench.folder)
        subprocess.run([bench.helm, "repo", "remove", "bench"], check=True, env=bench.env, stdout=subprocess.DEVNULL)
    finally:
        server.stop()


def pull(bench, versions):
    repository = bench.folder / "huge"
    bench.package("wanted", "3.2.1", repository)
    digest = hashlib.sha256((repository / "wanted-3.2.1.tgz").read_bytes()).hexdigest()
    charts = 250
    with open(repository / "index.yaml", "w") as index:
        index.write("apiVersion: v1\nentries:\n")
        for chart in range(charts):
            name = f"chart-{chart:03}"
            index.write(f"  {name}:\n")
            for version in range(versions // charts):
                fake = hashlib.sha256(f"{chart} {version}".encode()).hexdigest()
                index.write(
                    f"  - apiVersion: v2\n    appVersion: 1.{version}.0\n    created: \"2026-01-01T00:00:00.000000000Z\"\n"
                    f"    description: {'A chart with a description of some length. ' * 8}\n    digest: {fake}\n"
                    f"    home: https://charts.example/{name}\n    keywords:\n    - one\n    - two\n    - three\n"
                    f"    maintainers:\n    - email: someone@charts.example\n      name: Someone\n    name: {name}\n"
                    f"    sources:\n    - https://charts.example/{name}/source\n    type: application\n"
                    f"    urls:\n    - {name}-1.{version}.0.tgz\n    version: 1.{version}.0\n"
                )
        index.write(
            f"  wanted:\n  - apiVersion: v2\n    created: \"2026-01-01T00:00:00Z\"\n    digest: {digest}\n    name: wanted\n"
            f"    urls:\n    - wanted-3.2.1.tgz\n    version: 3.2.1\ngenerated: \"2026-01-01T00:00:00Z\"\n"
        )
    size = (repository / "index.yaml").stat().st_size / 1e6
    server = Nginx(repository, bench.folder / "nginx")
    try:
        arguments = ["pull", "wanted", "--repo", server.url(), "--version", "3.2.1"]
        cache, helm_cache = bench.folder / ".cache" / "chart", bench.folder / ".cache" / "helm"
        archive = bench.folder / "wanted-3.2.1.tgz"
        what = f"pull, index of {versions} versions ({size:.0f} MB)"
        bench.compare(f"{what}, cold", arguments, arguments, bench.folder,
                      lambda: remove(archive, cache), lambda: remove(archive, helm_cache))
        bench.compare(f"{what}, known", arguments, arguments, bench.folder, lambda: remove(archive))
    finally:
        server.stop()


def index(bench, count):
    repository, seeds = bench.folder / "many", bench.folder / "seeds"
    repository.mkdir()
    # Packing with a process each would take longer than the rest; renaming would make them one version.
    import gzip, io, tarfile
    bench.package("seed", "0.0.0", seeds, files=10)
    with tarfile.open(seeds / "seed-0.0.0.tgz") as archive:
        members = [(member.name.split("/", 1)[1], archive.extractfile(member).read()) for member in archive]
    for number in range(count):
        name, version = f"chart-{number % 200:03}", f"1.{number // 200}.0"
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
            for path, data in members:
                if path == "Chart.yaml":
                    data = f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: A chart\n".encode()
                info = tarfile.TarInfo(f"{name}/{path}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        (repository / f"{name}-{version}.tgz").write_bytes(out.getvalue())
    written, cache = repository / "index.yaml", bench.folder / ".cache" / "chart"
    ours, theirs = ["index", str(repository)], ["repo", "index", str(repository)]
    bench.compare(f"index, {count} archives, none known", ours, theirs, bench.folder,
                  lambda: remove(written, cache), lambda: remove(written))
    bench.compare(f"index, {count} archives, all known", ours, theirs, bench.folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chart", type=Path)
    parser.add_argument("helm", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["dependencies", "pull", "index"])
    parser.add_argument("--small", action="store_true", help="a tenth of the data, to try the script")
    arguments = parser.parse_args()
    part = 10 if arguments.small else 1
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "nginx" / "tmp").mkdir(parents=True)
        bench = Bench(folder, arguments.chart.resolve(), arguments.helm.resolve(), arguments.runs)
        for work, count in [(dependencies, 30), (pull, 50_000), (index, 10_000)]:
            if arguments.only in (None, work.__name__):
                work(bench, count // part)


if __name__ == "__main__":
    main()
