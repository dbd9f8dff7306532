"""Every parser of foreign bytes as a target: how malformed input of it is made, and what it may do with it.

A target reads its input and returns, or raises what it is allowed to raise (one message for the user, one word of the closed
list); anything else is a finding.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgpack
import orjson

from fmbench.bedrock.frames import CorruptFrame, FrameDecoder, parse_headers
from fmbench.bedrock.http1 import NotHttp, ResponseReader
from fmbench.bedrock.sse import EventReader, fields_of
from fmbench.config.document import read_document
from fmbench.config.schema import Columns
from fmbench.core.failures import FmbenchError, Refused, UnusableInput
from fmbench.core.names import below
from fmbench.load.protocol import ORDERS, PREFIX, REPLIES, decode, encode
from fmbench.prompts.reading.files import find, records
from fmbench.prompts.reading.mapping import Mapper
from fmbench.storage.fitting import fitted, identified, misfits
from fmbench.storage.manifest import read_manifest
from fmbench.storage.reader import read_lines
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import _rows, seal
from tests.bedrock import by_hand
from tests.fuzz.answers import all_answers, dumped
from tests.fuzz.mutation import Mutator
from tests.load.test_protocol import MESSAGES


class Target(Protocol):
    """Something that reads foreign bytes."""

    def make(self, mutator: Mutator) -> bytes:
        """Malformed input."""

    def read(self, pieces: list[bytes]) -> None:
        """Read it, as it comes; raises what is a finding."""


@dataclass
class Parser:
    """A target of a function over the whole bytes."""

    seeds: list[bytes]
    parse: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...] = ()

    def make(self, mutator: Mutator) -> bytes:
        return mutator.bytes(mutator.random.choice(self.seeds))

    def read(self, pieces: list[bytes]) -> None:
        try:
            self.parse(b"".join(pieces))
        except self.allowed:
            return


class Frames:
    """Event-stream frames, cut anywhere."""

    def make(self, mutator: Mutator) -> bytes:
        headers = {":event-type": "x", ":message-type": mutator.random.choice(("event", "exception", "error", "\u00e9" * 40))}
        sound = [by_hand.frame(headers, mutator.random.randbytes(mutator.random.randrange(60))), *by_hand.answer_frames()]
        return mutator.bytes(b"".join(sound[: mutator.random.randrange(1, len(sound))]))

    def read(self, pieces: list[bytes]) -> None:
        decoder = FrameDecoder(lambda headers, payload, now: parse_headers(headers) and None)
        try:
            for piece in pieces:
                decoder.content(piece, 0, len(piece), 1)
        except CorruptFrame:
            return


class HeaderBlocks:
    """The headers of a frame that is sound otherwise."""

    def make(self, mutator: Mutator) -> bytes:
        block = by_hand.header(":event-type", "chunk") + b"\x01b\x01" + b"\x01n\x04\x00\x00\x00\x05" + b"\x01u\x09" + b"\0" * 16
        return mutator.bytes(block)

    def read(self, pieces: list[bytes]) -> None:
        try:
            found = parse_headers(b"".join(pieces))
        except CorruptFrame:
            return
        assert all(isinstance(text, str) for text in (*found, *found.values()))


class _Counted:
    def __init__(self) -> None:
        self.bytes = 0

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        assert 0 <= start <= end <= len(data)
        self.bytes += end - start


class Http:
    """Heads, counted bodies, chunks and trailers, cut anywhere."""

    SEEDS = (
        by_hand.counted(b'{"a": 1}', x_amzn_RequestId="r"),
        by_hand.streamed([b"one", b"two" * 30]),
        by_hand.head("100 Continue") + by_hand.head(Transfer_Encoding="chunked") + b"3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
        by_hand.head(Connection="close") + b"until the end",
        by_hand.head("204 No Content"),
        b"HTTP/1.0 200\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    )

    def make(self, mutator: Mutator) -> bytes:
        return mutator.bytes(mutator.random.choice(self.SEEDS))

    def read(self, pieces: list[bytes]) -> None:
        sink = _Counted()
        reader = ResponseReader(lambda head: sink)
        try:
            for number, piece in enumerate(pieces):
                if reader.feed(piece, number):
                    break
            reader.end_of_input()
        except NotHttp:
            return
        assert sink.bytes <= sum(map(len, pieces))


class Events:
    """Server-sent events, cut anywhere."""

    SEED = b"\xef\xbb\xbf: hello\r\nevent: a\r\ndata: {}\r\ndata\r\n\r\ndata: 1\n\nid: 5\rretry: x\r\rdata: [DONE]\n\n"

    def make(self, mutator: Mutator) -> bytes:
        return mutator.bytes(self.SEED)

    def read(self, pieces: list[bytes]) -> None:
        seen: list[tuple[str, bytes]] = []
        reader = EventReader(lambda event, now: seen.append(fields_of(event)))
        for piece in pieces:
            reader.content(piece, 0, len(piece), 1)
        assert isinstance(reader.unfinished, bool)
        whole: list[tuple[str, bytes]] = []
        data = b"".join(pieces)
        EventReader(lambda event, now: whole.append(fields_of(event))).content(data, 0, len(data), 1)
        assert seen == whole, "the events depend on how the bytes were cut"


class Master:
    """What strangers and load processes send to a master, and it to them. It needs Locust, which changes its process for good."""

    SEEDS = tuple((kind, data) for kind, data in map(encode, MESSAGES))
    LOCUST = (
        ("client_ready", "2.40"),
        ("stats", {"stats": [], "stats_total": {}, "errors": {}, "user_classes_count": {"a": 1}, "user_count": 1}),
        ("heartbeat", {"state": "ready", "current_cpu_usage": 1.0, "current_memory_usage": 5}),
        ("spawning_complete", {"user_classes_count": {"a": 1}, "user_count": 1}),
        ("exception", {"msg": "x", "traceback": "y"}),
        ("logs", {"worker_id": "w", "logs": ["a"]}),
        ("quit", None),
    )

    def make(self, mutator: Mutator) -> bytes:
        kind, data = mutator.random.choice(self.SEEDS + self.LOCUST)  # type: ignore[operator]
        changed = mutator.json([kind, data, "w1"])
        try:
            packed: bytes = msgpack.dumps(changed)
        except (OverflowError, ValueError, UnicodeEncodeError, RecursionError):
            packed = msgpack.dumps([kind, data, "w1"])
        return mutator.bytes(packed) if mutator.random.random() < 0.4 else packed

    def read(self, pieces: list[bytes]) -> None:
        from fmbench.load.transport import checked

        message = checked([b"w1", b"".join(pieces)])
        checked(pieces)
        if message is not None and message.type.startswith(PREFIX):
            kind = message.type.removeprefix(PREFIX)
            assert kind in REPLIES
            decode(kind, message.data, "r")
        for kind in ORDERS:
            decode(kind, None if message is None else message.data)


def _row(**facts: Any) -> bytes:
    known = {"run_id": "r", "worker": "w", "user": 1, "seq": 2, "outcome": "ok", "usd": 0.1, "output_tokens": 5, "message": None}
    return json.dumps({"record": known | facts}).encode() + b"\n" + json.dumps({"intent": known | {"seq": 3}}).encode() + b"\n"


class Journals:
    """A journal whose file was damaged, or that another wrote."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"

    def make(self, mutator: Mutator) -> bytes:
        lines = []
        for line in (_row(), _row(seq=4), _row(user=2)):
            parsed = [json.loads(each) for each in line.splitlines()]
            lines += [
                dumped(mutator.json(each)) + b"\n" if mutator.random.random() < 0.4 else dumped(each) + b"\n" for each in parsed
            ]
        return mutator.bytes(b"".join(lines))

    def read(self, pieces: list[bytes]) -> None:
        self._path.write_bytes(b"".join(pieces))
        faults = Counter[str]()
        for row in _rows(self._path, faults):
            assert identified(row)
            orjson.dumps(fitted(row, misfits(row)))
        if self._path.stat().st_size % 50 == 0:  # a part is slow to write
            folder = RunFolder(self._path.parent / "run")
            folder.journal.mkdir(parents=True, exist_ok=True)
            self._path.replace(folder.journal / "w.jsonl")
            seal(folder)


class Zips:
    """A dataset in an archive."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "data.zip"
        self.seeds = [self._packed(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)]

    @staticmethod
    def _packed(method: int) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("data/hotpotqa.jsonl", b'{"input": "Why?", "context": "Because."}\n' * 20)
            archive.writestr("../../evil.jsonl", b'{"text": "x"}\n')
        return buffer.getvalue()

    def make(self, mutator: Mutator) -> bytes:
        return mutator.bytes(mutator.random.choice(self.seeds))

    def read(self, pieces: list[bytes]) -> None:
        self._path.write_bytes(b"".join(pieces))
        read_dataset(self._path, self._folder)


class Rows:
    """A dataset of JSON lines."""

    ROW: ClassVar[dict[str, Any]] = {
        "input": "Why?",
        "context": "Because.",
        "answers": ["x"],
        "all_classes": None,
        "_id": 5,
        "language": "en",
        "dataset": "a",
    }

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "data.jsonl"

    def make(self, mutator: Mutator) -> bytes:
        rows = b"\n".join(dumped(mutator.json(self.ROW)) for _ in range(3)) + b"\n"
        return mutator.bytes(rows) if mutator.random.random() < 0.5 else rows

    def read(self, pieces: list[bytes]) -> None:
        self._path.write_bytes(b"".join(pieces))
        read_dataset(self._path, self._folder)


def read_dataset(path: Path, scratch: Path) -> None:
    """Every row of a dataset's files, as the sources read them; one message for what cannot be read."""
    mapper = Mapper(Columns(), "en")
    try:
        files, _ = find(str(path), scratch)
        for file in files:
            for record, number, _ in records(file):
                mapper.check(record, file.task, "row")
                row = mapper.row(record, file.task, f"line {number}")
                for text in (row.input, row.context, row.language, row.task, *row.answers):
                    text.encode()
    except UnusableInput as error:
        assert 0 < len(str(error)) < 2000, "a message of more than 2,000 characters"


YAML_SEEDS = [
    b"name: x\nmodels:\n  - id: a.b:0\n    label: &l one\n    inference: {max_tokens: 5, temperature: 1e3}\nload: {}\n",
    b"a: !!int '5'\nb: !!float .inf\nc: !!bool true\nd: ~\ne: !!str 5\nf: !!timestamp 2001-01-01\n",
    b"base: &b {x: 1}\nother:\n  <<: *b\n  <<: [*b, *b]\n? [a, b]\n: c\n",
    b"a: |\n  text\n  more\nb: >-\n  folded\n'c': \"\\u00e9\\x41\"\n--- \n",
]


class Manifests:
    """manifest.json, load.json and cells.jsonl of a run folder that comes from a bucket."""

    SOUND: ClassVar[dict[str, Any]] = {
        "schema_version": "1.0",
        "run_id": "r",
        "status": "running",
        "accounting": {"sent": 1},
        "process": {"pid": 1},
    }

    def __init__(self, folder: Path) -> None:
        self._folder = RunFolder(folder)

    def make(self, mutator: Mutator) -> bytes:
        data = dumped(mutator.json(self.SOUND))
        return mutator.bytes(data) if mutator.random.random() < 0.5 else data

    def read(self, pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        self._folder.manifest.write_bytes(data)
        self._folder.cells.write_bytes(data)
        read_lines(self._folder.cells)
        try:
            assert isinstance(read_manifest(self._folder), dict)
        except UnusableInput:
            return


def _name(data: bytes) -> None:
    folder = Path("/tmp/fuzz")
    name = data.decode("utf-8", "surrogateescape")
    path = below(folder, name)
    assert folder in path.resolve().parents and ".." not in path.parts, name


def _yaml(data: bytes) -> None:
    document = read_document(data.decode("utf-8", "replace"), "cfg.yml")
    for fault in document.faults:
        assert fault.line() if hasattr(fault, "line") else str(fault)


def read_as_master(corpus: str, count: int) -> None:
    """The corpus and so many malformed messages, in a process of its own."""
    for path in Path(corpus).glob("master/*"):
        Master().read([path.read_bytes()])
    for number in range(count):
        mutator = Mutator(number)
        Master().read(mutator.pieces(Master().make(mutator)))


def all_targets(folder: Path | None = None) -> dict[str, Target]:
    """Every target by its name, but the master's; those that read files use ``folder``."""
    scratch = folder or Path(tempfile.mkdtemp(prefix="fmbench-fuzz-"))
    targets: dict[str, Target] = {
        "frames": Frames(),
        "frame-headers": HeaderBlocks(),
        "http": Http(),
        "events": Events(),
        "journals": Journals(scratch),
        "zips": Zips(scratch),
        "rows": Rows(scratch),
        "yaml": Parser(YAML_SEEDS, _yaml),
        "manifests": Manifests(scratch),
        "names": Parser([b"a/b/c.parquet", b"records/../../x", "\u202ea/b".encode()], _name, (Refused,)),
    }
    return targets | {f"answers-{name.replace(' ', '-')}": target for name, target in all_answers().items()}


__all__ = ["FmbenchError", "Target", "all_targets"]
