#!/usr/bin/env bash
# The three images, tagged fmbench-load:TAG, fmbench-load-worker:TAG and fmbench-load-store:TAG.
#   docker/images.sh TAG
# With the base that the Dockerfile names where it is here or can be pulled; else with one made by docker/offline-base.sh, and its wheels.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?usage: docker/images.sh TAG}

base=$(sed -n 's/^ARG BASE=//p' docker/Dockerfile)
if docker image inspect "$base" >/dev/null 2>&1 || timeout 60 docker pull --quiet "$base" >&2; then
    arguments=()
else
    echo "no base image can be pulled: making one" >&2
    docker/offline-base.sh fmbench-base
    arguments=(--build-arg BASE=fmbench-base --build-arg PIP_NO_INDEX=1)
fi
# The largest last: builders without BuildKit make every stage above the one asked for.
for target in store worker full; do
    name=fmbench-load$([ "$target" = full ] || echo "-$target")
    docker build --quiet --network host "${arguments[@]}" --file docker/Dockerfile --target "$target" --tag "$name:$tag" . >&2
    echo "$name:$tag"
done
