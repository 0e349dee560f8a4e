#!/usr/bin/env bash
# Builds ChartMuseum, which the tests push to, from its Go module: .ci/chartmuseum.sh FILE
# Built as the main module, because only then its `replace` lines count, and it does not build without them.
set -euo pipefail
version=v0.13.1
out=$(realpath -m "${1:?usage: chartmuseum.sh FILE}")
[ ! -x "$out" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
source=$(go mod download -json "helm.sh/chartmuseum@$version" | sed -n 's/^\t*"Dir": "\(.*\)",*$/\1/p')
cp -r "$source" source
chmod -R u+w source
cd source
go build -mod=mod -o "$out" ./cmd/chartmuseum
