#!/usr/bin/env python3
"""Writes layout.ld, which has the linker put the functions that common commands run side by side.

    cargo rustc --release --bin chart --target-dir target/layout -- -C strip=none -C link-arg=-Wl,-Map=target/layout.map
    benches/layout.py target/layout/release/chart target/layout.map [CHART…] > layout.ld

A run of `chart` enters about a thousand of the program's 36,000 functions. Scattered over 20 MiB they cost a page fault
and 64 KiB of resident memory nearly each, as the system maps a file in such windows. CHART are public charts to render
besides the repository's own. Needs valgrind, which says which functions a run enters, and the map of lld.

Names are written without the hashes of the compiler, so most of the list stays of use when a dependency or the compiler
changes. Only where many functions share a name, of which runs enter few, the hash tells them apart. A pattern that matches
nothing does no harm.
"""

import argparse
import functools
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Functions of one name are taken together if runs enter this share of their bytes.
COMMON = 0.5


def sections(path):
    """The size and the section of each function by its mangled name, from a map of lld."""
    line = re.compile(r"^ *\w+ +\w+ +(\w+) +\d+ +\S+:\((\.text\.(?:unlikely\.)?(\S+))\)$", re.M)
    return {name: (int(size, 16), section) for size, section, name in line.findall(path.read_text())}


def commands(folder, url, charts):
    """The arguments of each run, the most frequent command first."""
    service, helm, layers = ROOT / "charts/service", ROOT / "charts/service-helm", ROOT / "charts/service/environments"
    umbrella = folder / "umbrella"
    umbrella.mkdir()
    dependencies = f"dependencies: [{{name: service, version: '>=0', repository: '{url}'}}]\n"
    (umbrella / "Chart.yaml").write_text("apiVersion: v2\nname: umbrella\nversion: 1.0.0\n" + dependencies)
    (folder / "repository").mkdir(exist_ok=True)
    manifest = folder / "manifest.yaml"
    yield ["--version"]
    for chart in [helm, *charts]:
        yield ["render", "demo", chart, "--no-validate"]
    yield ["render", "shop", service, "-f", next(iter(sorted(layers.glob("*.yaml"))))]
    yield ["render", "demo", service, "--output-dir", folder / "out"]
    manifest.write_bytes(subprocess.run([*COMMAND, "render", "demo", helm], stdout=subprocess.PIPE, check=True).stdout)
    for chart in [helm, *charts]:
        yield ["render", "demo", chart]
    yield ["validate", manifest]
    yield ["validate", folder / "out"]
    yield ["package", service, "-d", folder / "repository"]
    yield ["index", folder / "repository"]
    yield ["index", folder / "repository"]
    yield ["dependency", "update", umbrella]
    yield ["dependency", "build", umbrella]
    for archive in (umbrella / "charts").glob("*"):
        archive.unlink()
    yield ["dependency", "build", umbrella]
    yield ["pull", "service", "--repo", url, "-d", folder]


def entered(arguments, folder, env):
    """The mangled names of the functions that a run enters, in order of entry."""
    out = folder / "callgrind"
    tool = ["valgrind", "-q", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}"]
    done = subprocess.run([*tool, *COMMAND, *arguments], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode > 1:
        print(f"{' '.join(map(str, arguments))}: {done.stderr.decode()[-300:]}", file=sys.stderr)
    names = re.findall(r"^c?fn=\(\d+\) (\S+)", out.read_text(), re.M)
    return dict.fromkeys(name.split("'")[0] for name in names)


def plain(name):
    """A mangled name without its hashes, as a pattern of linkers: what stays when the compiler or a dependency changes."""
    name = re.sub(r"17h[0-9a-f]{16}E.*$|\.llvm\.\d+$", "", name)
    name = re.sub(r"_ZN\d+_\$LT\$", "_ZN*_$LT$", name)
    return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name).replace("$", "?")


def patterns(functions, order):
    """The patterns of layout.ld, in the order of first entry."""
    entered, total = {}, {}
    for name, (size, _) in functions.items():
        total[plain(name)] = total.get(plain(name), 0) + size
        entered[plain(name)] = entered.get(plain(name), 0) + (size if name in order else 0)
    # No more of a name than tells it from its neighbours.
    names = ["", *sorted(total), ""]
    needed = {
        name: max(len(os.path.commonprefix([name, names[at]])) for at in (at, at + 2)) + 1
        for at, name in enumerate(names[1:-1])
    }
    found = {}
    for name in order:
        if name in functions:
            section, one = functions[name][1], plain(name)
            common = entered[one] >= COMMON * total[one]
            pattern = one[: needed[one]] if common else re.sub(r"\.llvm\.\d+$", "", name)
            found[section.removesuffix(name) + pattern + "*"] = None
    return list(found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("map", type=Path)
    arguments.add_argument("charts", nargs="*", type=Path, metavar="CHART")
    given = arguments.parse_args()
    global COMMAND
    COMMAND = [given.binary.resolve()]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "repository").mkdir()
        serve = functools.partial(Quiet, directory=folder / "repository")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {**os.environ, "HOME": temporary, "XDG_CACHE_HOME": f"{temporary}/cache", "XDG_CONFIG_HOME": f"{temporary}/config"}
        order = {}
        for run in commands(folder, f"http://127.0.0.1:{server.server_port}", [c.resolve() for c in given.charts]):
            order |= entered(run, folder, env)
        server.shutdown()
    print("/* Written by benches/layout.py, which says why. */")
    print("SECTIONS\n{\n  .text.common :\n  {")
    for pattern in patterns(sections(given.map), order):
        print(f"    *({pattern})")
    print("  }\n}\nINSERT BEFORE .text;")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    main()
