"""The Hugging Face hub: files by revision, kept in the user's own hub cache.

Its own variables hold: HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from fmbench.core.failures import UnusableInput

_COMMIT = re.compile(r"[0-9a-f]{40}")


class Unreachable(UnusableInput):
    """The hub cannot be reached, or does not have the data."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the hub, here, and the commit that it is of."""

    path: Path
    revision: str


def download(repo: str, name: str, revision: str) -> HubFile:
    """The file ``name`` of a dataset repository at ``revision``. Raises ``UnusableInput`` when it cannot be had."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        path = Path(huggingface_hub.hf_hub_download(repo, name, repo_type="dataset", revision=revision))
    except Exception as error:  # the client raises its own, httpx's, requests' and OSError
        raise unreachable(repo, error) from error
    return HubFile(path, _commit(path, revision))


def offline() -> bool:
    """Whether the user has told the hub's client to stay off the network."""
    import huggingface_hub.constants

    return bool(huggingface_hub.constants.HF_HUB_OFFLINE)


def commit_of(repo: str, revision: str | None) -> str:
    """The commit that a revision (None: the default branch) is now. Raises ``UnusableInput`` when the hub cannot be asked."""
    import huggingface_hub

    try:
        return str(huggingface_hub.HfApi().dataset_info(repo, revision=revision).sha)
    except Exception as error:
        raise unreachable(repo, error) from error


def cached_folder(repo: str, revision: str | None) -> Path:
    """The folder that the hub's cache keeps of a repository at a commit or branch; None: what came last. For use offline."""
    import huggingface_hub

    try:
        cached = huggingface_hub.scan_cache_dir().repos
    except huggingface_hub.errors.CacheNotFound as error:
        raise unreachable(repo, error) from error
    commits = [commit for entry in cached if (entry.repo_type, entry.repo_id) == ("dataset", repo) for commit in entry.revisions]
    asked = [commit for commit in commits if revision in (None, commit.commit_hash, *commit.refs)]
    if not asked:
        raise unreachable(repo, FileNotFoundError(f"HF_HUB_OFFLINE is set, and the cache does not hold {revision or 'it'}"))
    return Path(max(asked, key=lambda commit: commit.last_modified).snapshot_path)


def unreachable(repo: str, error: Exception) -> Unreachable:
    """The message for a repository that cannot be had."""
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return Unreachable(
        f"dataset: {repo} cannot be fetched from the Hugging Face hub ({type(error).__name__}: {reason[0]}): check the name, the "
        "network and HF_TOKEN, or download the data by hand and give its place at dataset.path"
    )


def _commit(path: Path, asked: str) -> str:
    """The cache keeps files under ``snapshots/<commit>/``."""
    return next((part for part in path.parts if _COMMIT.fullmatch(part)), asked)
