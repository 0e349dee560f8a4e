#!/usr/bin/env bash
# Builds Gitea, which the tests push to, from its Go module, with its templates inside: .ci/gitea.sh FILE
# The newest version whose modules are all to be had; as the main module, because of its `replace` lines.
set -euo pipefail
version=v1.26.0
out=$(realpath -m "${1:?usage: gitea.sh FILE}")
[ ! -x "$out" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
source=$(go mod download -json "code.gitea.io/gitea@$version" | sed -n 's/^\t*"Dir": "\(.*\)",*$/\1/p')
cp -r "$source" source
chmod -R u+w source
cd source
go generate -tags bindata ./modules/options ./modules/public ./modules/templates ./modules/migration >/dev/null
go build -tags 'bindata sqlite sqlite_unlock_notify' -ldflags '-s -w' -o "$out" .
