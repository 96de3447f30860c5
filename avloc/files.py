"""Files that appear whole or not at all, and JSON that is read with plain words for its faults."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avloc.errors import DataError, MediaError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well and removed if not.

    The suffix stays, since writers choose formats by it.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaError(f"{path}: cannot be written ({reason})") from error


def read_json(path: Path, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value in a JSON file; UTF-8, a byte-order mark in front does no harm.

    Args:
        path: the file.
        pairs: makes a value of the keys and values of a mapping; by default a dictionary.

    Raises:
        DataError: it cannot be read, or is not JSON, or not text that can be written again.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        value = json.loads(text, object_pairs_hook=pairs)
        if "\\ud" in text.lower():  # half of a surrogate pair can be read, but never written
            json.dumps(value, ensure_ascii=False).encode()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    return value
