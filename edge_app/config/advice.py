"""What to say of a word that nobody knows: which one was probably meant, or which there are."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def did_you_mean(came: str, known: Collection[str]) -> str:
    """The word that was probably meant, as a question; empty where none is near.

    >>> did_you_mean("dres", ("dress", "suit")), did_you_mean("hat", ("dress", "suit"))
    ("did you mean 'dress'?", '')
    """
    close = difflib.get_close_matches(came, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def unknown_key(came: str, known: Collection[str]) -> str:
    """Of a key that means nothing at its place."""
    advice = did_you_mean(came, known) or f"known here: {', '.join(known)}"
    return f"expected a known key, got {came!r}; {advice}"
