"""The privacy report says everything that is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.commands.notices import ALERTS, NOTICES, TOLD, notice
from edge_app.commands.privacy_report import KEPT_DAYS, privacy_report
from edge_app.config.load import load
from edge_app.config.schema import (
    BrokerSettings,
    Config,
    HomeAssistantSettings,
    OutboxSettings,
    StaffSettings,
)
from edge_app.delivery.contract import PAYLOADS
from edge_app.delivery.home_assistant import config_topic
from edge_app.delivery.topics import TOPICS
from edge_app.events.counts import Counts
from edge_app.flow import Entry, Outfit, Worn

EXAMPLE = Path(__file__).resolve().parents[3] / "systemd" / "store.example.yaml"


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


def test_every_topic_and_every_field_is_told(config: Config) -> None:
    report = privacy_report(config)
    for kind, topic in TOPICS.items():
        (line,) = [row for row in report.splitlines() if row.startswith(f"| `{topic.pattern}`")]
        fields = line.split("|")[3].strip().split(", ")
        model = PAYLOADS[kind]
        assert fields == list(model.model_json_schema(by_alias=True)["properties"])


def test_what_the_configuration_decides_is_told(config: Config) -> None:
    report = privacy_report(config)
    assert "as long as they are in view and 8 s more" in report
    assert "mqtts://broker.store.lan:8883" in report
    assert "formalwear: dress, suit" in report
    assert "Cells of 1 to 4 people" in report
    assert "privacy masks, blacked out before anything: 1\n" in report
    quiet = config.model_copy(update={"alerts": {}})
    assert "Alerts are off" in privacy_report(quiet)
    assert "`alert/" not in privacy_report(quiet)
    assert "colleagues in uniform" not in report
    staff = StaffSettings(uniform=Path("/etc/dresscode/uniform"))
    assert "colleagues in uniform in /etc/dresscode/uniform" in privacy_report(
        config.model_copy(update={"staff": staff})
    )


def test_headquarters_is_not_told_of_this_moment(config: Config) -> None:
    hq = BrokerSettings(url="mqtts://hq.example.org")
    report = privacy_report(config.model_copy(update={"headquarters": hq}))
    assert "By MQTT to mqtts://broker.store.lan:8883 and mqtts://hq.example.org" in report
    assert "`alert` and `live`, goes to mqtts://broker.store.lan:8883 alone" in report
    assert "alone" not in privacy_report(config)


def test_alerts_stay_as_long_as_the_rules_say(config: Config) -> None:
    rule = config.alerts["formalwear"]
    longer = {"formalwear": rule.model_copy(update={"expires_s": 600.0})}
    report = privacy_report(config.model_copy(update={"alerts": longer}))
    assert "- on the box, while it runs: alerts 600 s at most" in report
    assert "- at the broker, `alert/{zone}/{rule}`: 600 s" in report


def test_the_notice_is_there_in_five_languages(config: Config) -> None:
    assert set(NOTICES) == set(ALERTS) == set(TOLD) == {"en", "de", "fr", "es", "it"}
    report = privacy_report(config)
    for language in NOTICES:
        assert notice(language, has_alerts=True) in report
        assert ALERTS[language] not in notice(language, has_alerts=False)


def test_the_notice_says_that_alerts_leave_the_device_too(config: Config) -> None:
    assert (
        "Only counts and these alerts (kind and colour of clothing) leave the device"
        in notice("en", has_alerts=True)
    )  # fmt: skip
    assert "Only counts leave the device" in notice("en", has_alerts=False)
    for language in NOTICES:
        assert TOLD[language] in notice(language, has_alerts=True)
        assert TOLD[language] not in notice(language, has_alerts=False)
    quiet = privacy_report(config.model_copy(update={"alerts": {}}))
    assert "these alerts" not in quiet


def test_colours_are_looked_at_and_named_in_alerts(config: Config) -> None:
    looked_at = privacy_report(config).split("## What leaves the box")[0]
    assert "- Colour of clothing" in looked_at
    assert "named in alerts: black, grey, white" in looked_at
    quiet = privacy_report(config.model_copy(update={"alerts": {}}))
    assert "- Colour of clothing" in quiet
    assert "named in alerts" not in quiet


def test_home_assistant_is_told_of(config: Config) -> None:
    told = HomeAssistantSettings(discovery=True, prefix="ha")
    report = privacy_report(config.model_copy(update={"home_assistant": told}))
    topic = config_topic(config.model_copy(update={"home_assistant": told}))
    assert f"| `{topic}` |" in report
    assert "/device/" not in privacy_report(config)


def test_days_and_the_counters_behind_all_counts_stay_longer(config: Config) -> None:
    staying = privacy_report(config).split("## How long it stays")[1].split("\n## ")[0]
    assert "of whole days 90 days" in staying
    assert f"small numbers too, {KEPT_DAYS} days at most" in staying
    older = config.model_copy(update={"outbox": OutboxSettings(history_days=200)})
    assert "of whole days 200 days" in privacy_report(older)


def test_a_broker_without_expiries_keeps_longer(config: Config) -> None:
    (line,) = [row for row in privacy_report(config).splitlines() if "MQTT 3.1.1" in row]
    assert "knows no such times" in line


def test_the_counters_behind_are_forgotten_in_time() -> None:
    """What the report says of them is so."""
    began_s = 1_795_014_000.0
    counts = Counts({"entrance": "door"}, "UTC", "04:00", began_s)
    entry = Entry("door", "entrance", 1, "in", 0, began_s + 5.0)
    counts.entered(entry)
    counts.settled(entry, Outfit(True, {}, {"long": Worn("dress", 0.9)}))
    empty = Counts({"entrance": "door"}, "UTC", "04:00", began_s)
    for hour in range(KEPT_DAYS * 24 + 1):
        counts.advance(began_s + 3600.0 * hour)
        empty.advance(began_s + 3600.0 * hour)
    assert counts.state()["garments"] == empty.state()["garments"]
    assert counts.state()["packed"]["garments"] == empty.state()["packed"]["garments"]
