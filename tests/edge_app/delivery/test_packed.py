"""Packed properties are what paho's own would be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_app.delivery.packed import PublishProperties

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)


@given(
    st.none() | st.integers(1, 2**32 - 1),
    st.none() | st.binary(max_size=40),
    st.dictionaries(TEXT, TEXT, max_size=8),
)
def test_paho_reads_what_was_packed(
    expiry_s: int | None, correlation: bytes | None, user: dict[str, str]
) -> None:
    packed = PublishProperties(expiry_s, user, correlation).pack()
    read = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    _, used = read.unpack(packed)  # type: ignore[no-untyped-call]
    assert used == len(packed)
    assert read.ContentType == "application/json"
    assert getattr(read, "MessageExpiryInterval", None) == expiry_s
    assert getattr(read, "CorrelationData", None) == correlation
    assert dict(getattr(read, "UserProperty", ())) == user


def test_a_message_that_is_almost_late_still_gets_a_second() -> None:
    assert PublishProperties(0.01).pack().endswith(b"\x02\x00\x00\x00\x01")
