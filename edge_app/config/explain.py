"""Pydantic's errors in plain words: what was expected, what came, what to do."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from edge_app.config.advice import did_you_mean, unknown_key
from edge_app.config.kinds import ID_PATTERN
from edge_app.config.schema import Config
from edge_app.config.yaml_tree import KeyPath, Problem

_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_KINDS = {
    "string_type": "text",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "path_type": "the path of a file",
    "dict_type": "a section of keys, indented below",
    "model_type": "a section of keys, indented below",
    "model_attributes_type": "a section of keys, indented below",
    "tuple_type": "a list such as [a, b]",
}


def explain(error: ValidationError, tree: Any) -> list[Problem]:
    """One problem per place in the file, in the order in which they were found.

    Args:
        error: what validation raised.
        tree: the plain values that were validated.
    """
    problems: dict[KeyPath, str] = {}
    for details in error.errors(include_url=False):
        path = _path_in(tree, details)
        said = _say(details, path)
        if path in problems and said != problems[path]:
            # Both arms of a union failed in one place, such as a source that is a list.
            said = "expected text or a whole number, got " + show(details["input"])
        problems[path] = said
    return list(problems.items())


def _path_in(tree: Any, details: ErrorDetails) -> KeyPath:
    """The error's location without the parts that pydantic adds for unions and keys."""
    path: list[str | int] = []
    here = tree
    for part in details["loc"]:
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_list or (isinstance(here, dict) and part in here):
            here = here[part]
        elif details["type"] == "missing" and isinstance(here, (dict, list)):
            path.append(part)
            break
        else:
            break
        path.append(part)
    return tuple(path)


def _say(details: ErrorDetails, path: KeyPath) -> str:
    kind, context, came = details["type"], details.get("ctx", {}), show(details["input"])
    match kind:
        case "missing":
            return _missing(path)
        case "extra_forbidden":
            return unknown_key(str(path[-1]), sorted(_fields_at(path[:-1])))
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return _literal(context["expected"], details["input"])
        case "string_pattern_mismatch":
            return _pattern(context["pattern"], path, came)
        case "too_short":
            least, length = context["min_length"], context["actual_length"]
            return f"expected at least {least} entries, got {length}"
        case "too_long" if path[-1:] == ("line",):
            return "expected two points, [[x1, y1], [x2, y2]], got more"
        case "too_long":
            return f"expected at most {context['max_length']} entries, got more"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        hint = ""
        if isinstance(path[-1], int) and context[key] in (0.0, 1.0):
            hint = "; points are fractions of the picture's width and height, not pixels"
        return f"expected {words} {context[key]:g}, got {came}{hint}"
    if kind in _KINDS:
        hint = ""
        if kind == "string_type" and isinstance(details["input"], (int, float)):
            hint = "; put it in quotes"
        return f"expected {_KINDS[kind]}, got {came}{hint}"
    return f"{details['msg']}, got {came}"


def _missing(path: KeyPath) -> str:
    key = path[-1]
    if isinstance(key, int):
        return f"expected {key + 1} values, got fewer"
    field = _fields_at(path[:-1]).get(key)
    described = field and field.description
    return f"expected this key, got nothing; add {key}: {described or '...'}"


def _literal(expected: str, came: Any) -> str:
    names = expected.replace("'", "").replace(" or ", ", ").split(", ")
    advice = did_you_mean(str(came), names)
    return f"expected one of {', '.join(names)}, got {show(came)}{'; ' if advice else ''}{advice}"


def _pattern(pattern: str, path: KeyPath, came: str) -> str:
    if pattern == ID_PATTERN:
        return (
            f"expected an id of small letters, digits and dashes, at most 32 of them, got {came}; "
            "rename it"
        )
    if path[-1] == "url":
        return f"expected mqtts://host:port, got {came}; write it so"
    return f"expected text like {pattern}, got {came}"


def show(value: Any) -> str:
    """A value as a short word of an error message.

    >>> show(None), show([1, 2]), show("x" * 99)[:5]
    ('nothing', 'a list of 2', "'xxxx")
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]}..."


def _annotations_at(path: Iterable[str | int]) -> list[Any]:
    """The types that the schema allows at a path."""
    here: list[Any] = [Config]
    for part in path:
        after: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                field = kind.model_fields.get(str(part))
                after += _arms(field.annotation) if field else []
            elif typing.get_origin(kind) in (dict, tuple):
                after += [arm for a in typing.get_args(kind) for arm in _arms(a)]
        here = after
    return here


def _arms(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        return _arms(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [arm for a in typing.get_args(annotation) for arm in _arms(a)]
    return [annotation]


def _fields_at(path: KeyPath) -> dict[str, FieldInfo]:
    """The keys that the schema allows below a path."""
    models = [
        kind
        for kind in _annotations_at(path)
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]
    return {key: field for model in models for key, field in model.model_fields.items()}
