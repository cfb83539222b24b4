"""What a model has learnt, stored without a pickle: its attributes, or what its class saves."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import DataError
from workbench.settings import Settings
from workbench.tracking.custom.classes import titled
from workbench.tracking.custom.loader import STATE, read_state
from workbench.tracking.trusted import TRUSTED_TYPES, check_trees

__all__ = ["load_state", "packages", "save_state", "saves_itself"]

_PICKLED = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_PICKLES = (".pkl", ".pickle")


def saves_itself(cls: type) -> bool:
    """Say whether a class has `save(folder)` and `load(folder)` of its own."""
    return callable(getattr(cls, "save", None)) and callable(getattr(cls, "load", None))


def save_state(model: Any, folder: Path, settings: Settings) -> tuple[list[str], bool]:
    """Write the state into a model's folder.

    Returns
    -------
    tuple
        The types in it that skops doesn't know by itself, and whether it holds a pickle, which
        only `save` of the class can have written, and only where the project trusts pickles.

    Raises
    ------
    DataError
        If an attribute can't be stored, saying which; or the class saves a pickle.
    """
    path = folder / STATE
    path.parent.mkdir()
    cls = type(model)
    if not saves_itself(cls):
        return _dump(model, path, settings), False
    try:
        model.save(path.parent)
    except Exception as error:
        raise DataError(f"{titled(cls)}.save fails: {type(error).__name__}: {error}") from error
    return [], _allowed(path.parent, titled(cls), settings)


def load_state(cls: type, folder: Path, settings: Settings, uri: str) -> Any:
    """Make a model of the class from its state.

    Raises
    ------
    DataError
        If it holds a pickle or types that the project doesn't trust, or can't be read.
    """
    trusted = {*TRUSTED_TYPES, *settings.trusted_types}
    by_skops = not saves_itself(cls)
    if not by_skops:
        _allowed((folder / STATE).parent, uri, settings)
    try:
        own = read_state(cls, folder, by_skops=by_skops, trusted=trusted)
    except Exception as error:  # skops's, and whatever `load` of the class says of a file
        raise DataError(f"{uri}: its state can't be read: {error}") from error
    if not isinstance(own, cls):
        raise DataError(f"{uri}: load gives a {titled(type(own))}; expected a {cls.__qualname__}")
    check_trees(dict(vars(own)) if hasattr(own, "__dict__") else {}, uri)
    return own


def packages(folder: Path) -> set[str]:
    """Name the packages whose types are in the state, as skops's file has them."""
    path = folder / STATE
    if not path.exists():
        return set()
    with zipfile.ZipFile(path) as archive:
        return set(_modules(json.loads(archive.read("schema.json"))))


def _modules(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(module := node.get("__module__"), str):
            yield module.partition(".")[0]
        for part in node.values():
            yield from _modules(part)
    elif isinstance(node, list):
        for part in node:
            yield from _modules(part)


def _dump(model: Any, path: Path, settings: Settings) -> list[str]:
    import skops.io

    if not hasattr(model, "__dict__"):
        raise DataError(f"{titled(type(model))} has __slots__: give it save(folder), load(folder)")
    state = {name: value for name, value in vars(model).items() if name != "schema"}
    trusted = {*TRUSTED_TYPES, *settings.trusted_types}
    try:
        skops.io.dump(state, path)
        needed = skops.io.get_untrusted_types(file=path)
    except Exception as error:  # whatever an unknown object says of being written
        raise _refusal(model, state, trusted) from error
    if set(needed) - trusted:
        raise _refusal(model, state, trusted)
    return sorted(needed)


def _refusal(model: Any, state: dict[str, Any], trusted: set[str]) -> DataError:
    """Find the attribute that is in the way."""
    import skops.io

    for name, value in state.items():
        try:
            unknown = set(skops.io.get_untrusted_types(data=skops.io.dumps(value))) - trusted
            why = f"it holds {', '.join(sorted(unknown))}"
            if "builtins.NoneType" in unknown:
                why = "it has None as a key"
        except Exception as error:
            unknown, why = {name}, str(error)
        if unknown:
            return DataError(
                f"{titled(type(model))}: attribute {name}, a {type(value).__name__}, can't be "
                f"stored without a pickle: {why}. Keep numbers, texts, arrays, lists and dicts of "
                "these and fitted models there, or give the class save(folder) and load(folder)"
            )
    return DataError(f"{titled(type(model))} can't be stored without a pickle")


def _allowed(folder: Path, what: str, settings: Settings) -> bool:
    """Say whether there is a pickle in the folder; refuse one that the project doesn't trust."""
    found = [path.name for path in sorted(folder.rglob("*")) if path.is_file() and _pickle(path)]
    if found and not settings.trust_pickle:
        raise DataError(
            f"{what}: {', '.join(found)} is a pickle, which runs what is in it when it is loaded; "
            "save something else, or set trust_pickle = true in workbench.toml"
        )
    return bool(found)


def _pickle(path: Path) -> bool:
    """Look whether a file is a pickle, or an archive with one in it, as PyTorch's are."""
    if path.suffix in _PICKLES:
        return True
    with path.open("rb") as file:
        head = file.read(2)
    if head == b"PK" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(_PICKLES) for name in archive.namelist())
    return head in _PICKLED
