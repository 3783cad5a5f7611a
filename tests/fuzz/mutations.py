"""Spoiling bytes: what a bad disk, a bad cable or a bad person does to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

Kind = Literal["set", "delete", "insert", "repeat", "truncate", "swap"]
NASTY = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00",
         b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"%s", b"\n", b"\r\n",
         b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf")  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """One change. Places are shares of the length, so that they fit any text."""

    kind: Kind
    at: float
    to: float
    what: bytes

    def apply(self, data: bytes) -> bytes:
        start, end = sorted((round(self.at * len(data)), round(self.to * len(data))))
        if self.kind == "set":
            return data[:start] + self.what + data[start + len(self.what) :]
        if self.kind == "insert":
            return data[:start] + self.what + data[start:]
        if self.kind == "truncate":
            return data[:start]
        # Changes of a few bytes find more than those of half a file.
        end = min(end, start + 64)
        if self.kind == "delete":
            return data[:start] + data[end:]
        if self.kind == "repeat":
            return data[:end] + data[start:end] * 3 + data[end:]
        return data[:start] + data[start:end][::-1] + data[end:]


PLACES = st.floats(0.0, 1.0)
MUTATIONS = st.lists(
    st.builds(
        Mutation,
        st.sampled_from(["set", "set", "delete", "insert", "repeat", "truncate", "swap"]),
        PLACES,
        PLACES,
        st.sampled_from(NASTY) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data: bytes, mutations: list[Mutation]) -> bytes:
    """The data after all changes in turn."""
    for mutation in mutations:
        data = mutation.apply(data)
    return data
