"""From the temporary folder of a run to the S3 address where it belongs, and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fmbench.core.failures import Refused
from fmbench.core.names import below
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.store import Store, store_for
from fmbench.storage.stores.local import LocalStore

AT_A_TIME = 8
MANIFEST = "manifest.json"


def upload(folder: RunFolder, region: str | None = None, but: Iterable[str] = (), only: Iterable[str] | None = None) -> None:
    """Store every file of ``folder`` ``but`` these, or these ``only``, at its address: each checked after it, the manifest last.

    Does nothing where the folder is its own address. Local files are left alone. Raises ``Refused`` or ``OSError``.
    """
    if folder.is_remote:
        names = LocalStore(str(folder.path)).list() if only is None else only
        upload_files(folder, [name for name in names if name not in but], store_for(folder.address, region))


def upload_files(folder: RunFolder, names: Iterable[str], store: Store) -> None:
    """Store the files ``names`` of ``folder``, the manifest last."""
    wanted = list(names)
    _each(lambda name: store.put_file(name, folder.path / name), [name for name in wanted if name != MANIFEST])
    if MANIFEST in wanted:
        store.put_file(MANIFEST, folder.path / MANIFEST)


def download(store: Store, target: Path) -> None:
    """Copy every file of ``store`` to the folder ``target``."""
    _each(lambda name: _download(store, name, target), store.list())


def _each(act: Callable[[str], None], names: Sequence[str]) -> None:
    """``act`` on each, several at a time. The first that fails ends it: no further one is begun."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            for done in [pool.submit(act, name) for name in names]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _download(store: Store, name: str, target: Path) -> None:
    try:
        store.get_file(name, below(target, name))
    except FileNotFoundError:
        raise Refused(f"{store.address}/{name}: is listed and not there; ask again when nobody changes the run.") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Refused(f"{store.address}/{name}: is the name of a file and of a folder there; take one of the two away.") from None


def forget_local_copy(folder: RunFolder) -> None:
    """Remove the temporary folder of a run that is stored elsewhere."""
    if folder.is_remote:
        shutil.rmtree(folder.path, ignore_errors=True)
