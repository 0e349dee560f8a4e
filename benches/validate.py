#!/usr/bin/env python3
"""Measures `chart validate` against kubeconform: CPU and wall time and peak memory of whole processes, as ratios.

    cargo build --release && benches/validate.py target/release/chart KUBECONFORM [--runs 5]

One small file, a manifest of many documents in 4 MB, one of 14 MB to see how the cost grows, and a folder of 2,000
small files. kubeconform reads its schemas from the local disk: they are made in a temporary folder from the PyPI package
`kubernetes-validate`. Without KUBECONFORM only `chart` is measured. `--inline` writes schemas without references, as
kubeconform's own catalog has them; the default is what it reads faster.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERSION = "1.37.0"

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
  labels: {{app.kubernetes.io/name: web, app.kubernetes.io/instance: web-{n}}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app.kubernetes.io/instance: web-{n}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: web, app.kubernetes.io/instance: web-{n}}}
      annotations: {{checksum/config: "0123456789abcdef0123456789abcdef"}}
    spec:
      serviceAccountName: web-{n}
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      volumes:
        - name: config
          configMap: {{name: web-{n}}}
        - name: tmp
          emptyDir: {{}}
      containers:
        - name: web
          image: "registry.example.com/team/web:1.{n}.0"
          imagePullPolicy: IfNotPresent
          ports:
            - {{name: http, containerPort: 8080}}
            - {{name: metrics, containerPort: 9090}}
          env:
            - {{name: LOG_LEVEL, value: info}}
            - name: POD_NAME
              valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
            - name: PASSWORD
              valueFrom: {{secretKeyRef: {{name: database, key: password}}}}
          livenessProbe:
            httpGet: {{path: /healthz, port: http}}
            periodSeconds: 10
          readinessProbe:
            httpGet: {{path: /ready, port: http}}
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{memory: 256Mi}}
          volumeMounts:
            - {{name: config, mountPath: /etc/web}}
            - {{name: tmp, mountPath: /tmp}}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {{matchLabels: {{app.kubernetes.io/instance: web-{n}}}}}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: web-{n}
spec:
  selector: {{app.kubernetes.io/instance: web-{n}}}
  ports:
    - {{name: http, port: 80, targetPort: http}}
    - {{name: metrics, port: 9090, targetPort: metrics}}
"""
ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata: {{name: web-{n}}}
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {{name: web-{n}}}
data:
  web.conf: |
{lines}
"""


def documents(count, lines):
    for n in range(count):
        yield DEPLOYMENT.format(n=n)
        yield SERVICE.format(n=n)
        yield ACCOUNT.format(n=n)
        text = "\n".join(f"    setting-{line} = a value of the web server, number {line} of many" for line in range(lines))
        yield CONFIG.format(n=n, lines=text)


def write_schemas(folder, inline):
    """Writes a schema file for each kind, with what it refers to."""
    import kubernetes_validate

    source = Path(kubernetes_validate.__path__[0]) / "kubernetes-json-schema" / f"v{VERSION}-local-strict"
    definitions = json.loads((source / "_definitions.json").read_text())["$defs"]
    target = folder / f"v{VERSION}-standalone-strict"
    target.mkdir(parents=True)

    def references(schema):
        if isinstance(schema, dict):
            # A schema of schemas has a property of this name.
            if isinstance(schema.get("$ref"), str):
                yield schema["$ref"].rsplit("/", 1)[1]
            for value in schema.values():
                yield from references(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from references(value)

    def expanded(schema, above):
        if isinstance(schema, dict):
            if isinstance(schema.get("$ref"), str):
                name = schema["$ref"].rsplit("/", 1)[1]
                return {} if name in above else expanded(definitions[name], above | {name})
            return {key: expanded(value, above) for key, value in schema.items()}
        if isinstance(schema, list):
            return [expanded(value, above) for value in schema]
        return schema

    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            parts = [kind["kind"].lower(), group, kind["version"]]
            path = target / ("-".join(part for part in parts if part) + ".json")
            if inline:
                path.write_text(json.dumps(expanded(schema, {name})))
                continue
            needed, open_names = {}, list(references(schema))
            while open_names:
                reached = open_names.pop()
                if reached not in needed:
                    needed[reached] = definitions[reached]
                    open_names.extend(references(definitions[reached]))
            text = json.dumps({**schema, "$defs": needed})
            path.write_text(text)


def peak(command):
    """Peak MiB of a command. Python's own peak would count as its child's; GNU time is small."""
    time_command = shutil.which("time")
    if not time_command:
        return float("nan")
    done = subprocess.run([time_command, "-f", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return int(done.stderr.split()[-1]) / 1024


def run(command):
    with open(os.devnull, "wb") as null:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=null, stderr=subprocess.PIPE)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{command} failed: {error.decode()[:500]}")
    return usage.ru_utime + usage.ru_stime, wall


def measure(commands, runs):
    """Median CPU and wall seconds and the peak MiB of each command, run in turn."""
    results = [[] for _ in commands]
    for command in commands:
        run(command)
    for _ in range(runs):
        for at, command in enumerate(commands):
            results[at].append(run(command))
    medians = [[statistics.median(column) for column in zip(*rows)] for rows in results]
    return [[*median, peak(command)] for median, command in zip(medians, commands)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chart")
    parser.add_argument("kubeconform", nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--inline", action="store_true")
    arguments = parser.parse_args()
    if not arguments.kubeconform:
        print("kubeconform is absent: measuring chart alone", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.yaml"
        small.write_text(DEPLOYMENT.format(n=1))
        large = folder / "large.yaml"
        large.write_text("---\n".join(documents(250, 190)))
        larger = folder / "larger.yaml"
        larger.write_text("---\n".join(documents(1000, 190)))
        many = folder / "many"
        many.mkdir()
        for at, text in enumerate(documents(500, 4)):
            (many / f"{at:04}.yaml").write_text(text)
        location = folder / "schemas"
        if arguments.kubeconform:
            write_schemas(location, arguments.inline)
        sizes = {small: 1, large: 1000, larger: 4000, many: 2000}
        for path in (large, larger):
            print(f"{path.name} has {path.stat().st_size / 1e6:.1f} MB in {sizes[path]} documents")
        print(f"{'':12} {'chart':>31}   {'kubeconform':>31}   ratio")
        print(f"{'':12} {'cpu ms':>10} {'wall ms':>10} {'MiB':>9}   {'cpu ms':>10} {'wall ms':>10} {'MiB':>9}   cpu  wall   MiB")
        for path, count in sizes.items():
            # Services and accounts of one folder refer to each other; both tools are to find nothing.
            commands = [[arguments.chart, "validate", str(path)]]
            if arguments.kubeconform:
                flags = ["-strict", "-kubernetes-version", VERSION, "-schema-location", str(location)]
                commands.append([arguments.kubeconform, *flags, str(path)])
            runs = arguments.runs * (4 if count == 1 else 1)
            ours, *theirs = measure(commands, runs)
            line = f"{path.name:12} {ours[0] * 1e3:10.1f} {ours[1] * 1e3:10.1f} {ours[2]:9.1f}"
            if theirs:
                theirs = theirs[0]
                line += f"   {theirs[0] * 1e3:10.1f} {theirs[1] * 1e3:10.1f} {theirs[2]:9.1f}"
                line += f"   {theirs[0] / ours[0]:4.1f} {theirs[1] / ours[1]:5.1f} {theirs[2] / ours[2]:5.1f}"
            print(line)


if __name__ == "__main__":
    main()
