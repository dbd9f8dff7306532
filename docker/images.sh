#!/usr/bin/env bash
# The three images, tagged fmbench-load:TAG, fmbench-load-worker:TAG and fmbench-load-store:TAG.
#   docker/images.sh TAG
# With the base that the Dockerfile names where it is here or can be pulled; else with one made by docker/offline-base.sh, and its wheels.
# Each step has its time, and a step that needs more is given up with a message.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?usage: docker/images.sh TAG}
. docker/within.sh

base=$(sed -n 's/^ARG BASE=//p' docker/Dockerfile)
if docker image inspect "$base" >/dev/null 2>&1 || within 60 "pulling $base" docker pull --quiet "$base" >&2; then
    arguments=()
else
    echo "$base cannot be pulled: making a base" >&2
    docker/offline-base.sh fmbench-base
    arguments=(--build-arg BASE=fmbench-base --build-arg PIP_NO_INDEX=1)
fi
# The largest last: builders without BuildKit make every stage above the one asked for.
for target in store worker full; do
    name=fmbench-load$([ "$target" = full ] || echo "-$target")
    within 900 "building $name" \
        docker build --quiet --network host "${arguments[@]}" --file docker/Dockerfile --target "$target" --tag "$name:$tag" . >&2
    echo "$name:$tag"
done
