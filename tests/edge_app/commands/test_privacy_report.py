"""The privacy report says everything that is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.commands.notices import ALERTS, NOTICES, TOLD, notice
from edge_app.commands.privacy_report import privacy_report
from edge_app.config.load import load
from edge_app.config.schema import BrokerSettings, Config, StaffSettings
from edge_app.delivery.contract import PAYLOADS
from edge_app.delivery.topics import TOPICS

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
    assert "- on the box: alerts 600 s at most" in report
    assert "- at the broker, `alert/{zone}/{rule}`: 600 s" in report


def test_the_notice_is_there_in_five_languages(config: Config) -> None:
    assert set(NOTICES) == set(ALERTS) == set(TOLD) == {"en", "de", "fr", "es", "it"}
    report = privacy_report(config)
    for language in NOTICES:
        assert notice(language, has_alerts=True) in report
        assert ALERTS[language] not in notice(language, has_alerts=False)
        assert "me@example.org" in notice(language, False, "me@example.org")


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
