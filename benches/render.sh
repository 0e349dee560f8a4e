#!/usr/bin/env bash
# Times `chart render --no-validate` against `helm template` on the same charts, in turn: render.sh CHART…
# HELM and CHART name the binaries; RUNS the runs of each (default 10). Prints the medians and their ratio.
set -euo pipefail
chart=${CHART:-target/release/chart} helm=${HELM:-helm} runs=${RUNS:-10}
command -v "$helm" >/dev/null || { echo "helm is absent: nothing to compare with (HELM names it)" >&2; exit 2; }
[ $# -gt 0 ] || { echo "usage: render.sh CHART…" >&2; exit 2; }
micros() { local start=$EPOCHREALTIME; "$@" >/dev/null 2>&1 || true; echo $(( (${EPOCHREALTIME/./} - ${start/./}) )); }
median() { sort -n | sed -n "$(( (runs + 1) / 2 ))p"; }
for path; do
    ours=() theirs=()
    for _ in $(seq "$runs"); do
        ours+=("$(micros "$chart" render demo "$path" --no-validate)")
        theirs+=("$(micros "$helm" template demo "$path")")
    done
    a=$(printf '%s\n' "${ours[@]}" | median) b=$(printf '%s\n' "${theirs[@]}" | median)
    awk -v p="$path" -v a="$a" -v b="$b" 'BEGIN { printf "%s: chart %.1f ms, helm %.1f ms, ratio %.1f\n", p, a / 1000, b / 1000, b / a }'
done
