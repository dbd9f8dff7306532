#!/usr/bin/env bash
# A base image and wheels, for a machine that cannot pull images: Debian from its own packages, Python's packages with this machine's pip.
#   docker/offline-base.sh fmbench-base
#   docker build --network host --build-arg BASE=fmbench-base --build-arg PIP_NO_INDEX=1 --file docker/Dockerfile --target full .
# Needs Debian (or what is made of it), root, docker, debootstrap, and a python3 of the version that the distribution has.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?usage: docker/offline-base.sh IMAGE}
. docker/within.sh

. /etc/os-release
if ! docker image inspect "$tag" >/dev/null 2>&1; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" "Created-By: Packages" | head -n 1)
    root=$(mktemp -d)
    trap 'rm -rf --one-file-system "$root"' EXIT
    within 600 "debootstrap" debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv,tini \
        "$VERSION_CODENAME" "$root" ${mirror:+"$mirror"} >&2
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    tar --create --one-file-system --directory "$root" . | timeout 300 docker import - "$tag" >&2
fi

version='import sys; print("%d.%d" % sys.version_info[:2])'
there=$(within 60 "asking $tag for its Python" docker run --rm --network none "$tag" python3 -c "$version")
here=$(python3 -c "$version")
if [ "$there" != "$here" ]; then
    echo "$tag has Python $there, this machine's python3 is $here: wheels would not fit. Put Python $there first on PATH." >&2
    exit 1
fi
# What the lock files name, each with one of its hashes; MiniStack's own requirements do not follow ours.
made_for=$(echo "$here" | cat - docker/*.lock | sha256sum)
if [ "$(cat docker/wheels/made-for 2>/dev/null)" != "$made_for" ]; then
    for lock in build worker full store; do
        within 900 "fetching the wheels of $lock" python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary :all: --dest docker/wheels --requirement "docker/$lock.lock"
    done
    echo "$made_for" >docker/wheels/made-for
fi
