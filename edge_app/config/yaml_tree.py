"""YAML read strictly and safely, with the line of every key.

A subset of YAML 1.2's core schema, so that nothing surprises the person who writes the file: `no`
and `04:00` are texts, numbers with leading zeros too; keys are always texts; keys that occur twice,
anchors, aliases, tags and several documents are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]
"""Where something cannot be accepted, and why."""
MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
AGAIN = "\0again"
"""Last part of the path of a key that occurs a second time."""

_UNFIT = re.compile(r"[\0\ud800-\udfff]")
"""What no file, broker or log takes in a text: NUL, and halves of characters."""

_NULL, _BOOL, _INT, _FLOAT, _STR = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")
)


def dotted(path: KeyPath) -> str:
    """A path as it is shown.

    >>> dotted(("cameras", "door", "zones", "entrance", "line", 0, 1))
    'cameras.door.zones.entrance.line[0][1]'
    """
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in path if part != AGAIN
    ).lstrip(".")


class _Loader(yaml.SafeLoader):
    """The safe loader's scanner and parser with the core schema's plain scalars."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:  # an alias names one too
            raise yaml.composer.ComposerError(
                None,
                None,
                "anchors and aliases are not used here; write the value out",
                event.start_mark,
            )
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    (_NULL, r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (_BOOL, r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (_INT, r"^[-+]?(?:0|[1-9][0-9]{0,17})$", list("-+0123456789")),
    (
        _FLOAT,
        r"^[-+]?(?:(?:[0-9]{1,20}\.[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,3})?"
        r"|[0-9]{1,20}[eE][-+]?[0-9]{1,3})$",
        list("-+0123456789."),
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


@dataclass
class YamlTree:
    """A YAML text as plain values.

    Attributes:
        value: dicts with text keys, lists, texts, numbers, booleans and None.
        lines: 1-based line of every key and list entry, by its path; `()` is the whole text.
        problems: what cannot be accepted.
    """

    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """Line of a path, or of the closest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class YamlSyntaxError(Exception):
    """The text is not YAML.

    Attributes:
        line: 1-based.
        column: 1-based.
    """

    def __init__(self, text: str, line: int, column: int) -> None:
        super().__init__(text)
        self.line = line
        self.column = column


def read_tree(text: str) -> YamlTree:
    """Read a YAML text.

    Raises:
        YamlSyntaxError: it is not YAML, or larger or deeper than any configuration.
    """
    if len(text) > MAX_CHARACTERS:
        raise YamlSyntaxError(
            f"expected at most {MAX_CHARACTERS} characters, got {len(text)}", 1, 1
        )
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlSyntaxError(_plain(error), line, column) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise YamlSyntaxError(
            "a control character is in the text; remove it", line, column
        ) from error
    except RecursionError as error:
        raise YamlSyntaxError("sections are nested too deeply", 1, 1) from error
    except (ValueError, OverflowError) as error:
        # An escape such as "\U00110000", or %YAML with a version of thousands of digits.
        raise YamlSyntaxError(
            "an escape or a version is beyond every range; write it out", 1, 1
        ) from error
    tree = YamlTree(lines={(): 1})
    if node is not None:
        tree.value = _value(node, (), tree)
    return tree


def _plain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "not YAML"
    if "'\\t'" in problem:
        problem = "a tab stands where YAML wants spaces; indent with spaces"
    elif "mapping values are not allowed" in problem:
        problem = (
            "a second ':' is not allowed here; check the indentation, or put the value in quotes"
        )
    elif "expected a single document" in (error.context or ""):
        problem = "a second document begins here; keep everything in one"
    return problem


def _value(node: yaml.Node, path: KeyPath, tree: YamlTree) -> Any:
    """Plain value of a node; lines and problems are noted in the tree."""
    tree.lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > MAX_DEPTH:
        tree.problems.append((path, f"nested more than {MAX_DEPTH} deep; no section needs that"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, tree)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, i), tree) for i, child in enumerate(node.value)]
    return _scalar(node, path, tree)


def _mapping(node: yaml.MappingNode, path: KeyPath, tree: YamlTree) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            tree.problems.append((path, f"expected a text as the key in line {line}, got a list"))
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key in values:
            first, again = tree.lines[here], (*here, AGAIN)
            tree.lines[again] = line
            tree.problems.append((again, f"this key is already in line {first}; keep one of them"))
            continue
        tree.lines[here] = line
        values[key] = _value(value_node, here, tree)
    return values


def _scalar(node: yaml.Node, path: KeyPath, tree: YamlTree) -> Any:
    text = str(node.value)
    if node.tag == _STR:
        if _UNFIT.search(text):
            tree.problems.append((path, "an escape stands for no character; remove it"))
        return _UNFIT.sub("\ufffd", text)
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() == "true"
    try:
        if node.tag == _INT:
            return int(text)
        if node.tag == _FLOAT:
            return float(text)
    except ValueError:
        # Only a tag written by hand gets here: `!!int many`.
        tree.problems.append((path, f"{text!r} is not what its tag says; remove the tag"))
        return None
    tree.problems.append((path, f"tags such as {node.tag!r} are not used here; remove it"))
    return None
