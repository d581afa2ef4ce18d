"""JSON Patch (RFC 6902) on a resource: test, add, replace, remove. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any


class BadPatch(Exception):
    """The patch is no patch, or names a place that is not there."""


class TestFailed(Exception):
    """A `test` did not hold: the resource is another than was thought."""

    __test__ = False


def patched(resource: Mapping[str, Any], operations: Sequence[Any]) -> dict[str, Any]:
    """Return the resource with all operations done, or raise and leave it as it was."""
    if not isinstance(operations, list) or not operations:
        raise BadPatch
    result = deepcopy(dict(resource))
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise BadPatch
        _do(result, operation)
    return result


def _do(resource: dict[str, Any], operation: Mapping[str, Any]) -> None:
    act, path = operation.get("op"), operation.get("path")
    if act not in {"test", "add", "replace", "remove"} or not isinstance(path, str):
        raise BadPatch
    if act != "remove" and "value" not in operation:
        raise BadPatch
    *steps, last = [_unescaped(step) for step in path.removeprefix("/").split("/")]
    place: Any = resource
    for step in steps:
        place = _inside(place, step)
    if act == "test":
        if _inside(place, last, default=None) != operation["value"]:
            raise TestFailed
    elif isinstance(place, list):
        _in_list(place, act, last, operation.get("value"))
    elif isinstance(place, dict):
        _in_object(place, act, last, operation.get("value"))
    else:
        raise BadPatch


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


_MISSING: Any = object()


def _inside(place: Any, step: str, *, default: Any = _MISSING) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    if default is _MISSING:
        raise BadPatch
    return default


def _in_object(place: dict[str, Any], act: str, name: str, value: Any) -> None:
    if act in {"replace", "remove"} and name not in place:
        raise BadPatch
    if act == "remove":
        del place[name]
    else:
        place[name] = deepcopy(value)


def _in_list(place: list[Any], act: str, step: str, value: Any) -> None:
    if act == "add" and step == "-":
        place.append(deepcopy(value))
        return
    if not step.isdecimal() or int(step) > len(place) - (act != "add"):
        raise BadPatch
    if act == "add":
        place.insert(int(step), deepcopy(value))
    elif act == "replace":
        place[int(step)] = deepcopy(value)
    else:
        del place[int(step)]
