"""``dresscode privacy-report``: what leaves the box, how long it stays, and what hangs at the door.

Made from the running configuration and from the very schemas that the messages are made of, so that
it cannot say less than is sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge_app import __version__
from edge_app.box.reload import config_hash
from edge_app.box.senders import brokers_of
from edge_app.commands.notices import NOTICES, notice
from edge_app.config.denied import DENIED
from edge_app.config.schema import Config
from edge_app.delivery.audit import MAX_BYTES
from edge_app.delivery.bounds import DAYS_KEPT
from edge_app.delivery.contract import PAYLOADS
from edge_app.delivery.home_assistant import config_topic
from edge_app.delivery.topics import PREFIX, TOPICS
from edge_app.outfit.colour import COLOURS
from edge_app.vocabulary import CATEGORIES

_DAY_S = 86400.0
KEPT_DAYS = 5
"""Longer than any window can still change; nothing of its counters is left by then."""


def privacy_report(config: Config) -> str:
    """The report as Markdown."""
    parts = (_head, _inside, _leaving, _staying, _thresholds, _never, _notices)
    return "\n".join(line for part in parts for line in (*part(config), ""))


def _head(config: Config) -> Iterator[str]:
    yield f"# Privacy report of {config.store}, {config.node}"
    yield ""
    yield f"Dresscode {__version__}, configuration {config_hash(config)[:16]}."


def _inside(config: Config) -> Iterator[str]:
    yield "## What is looked at"
    yield ""
    for name, camera in config.cameras.items():
        masks = len(camera.privacy_masks)
        zones = ", ".join(camera.zones) or "none"
        yield f"- camera {name}: zones {zones}; privacy masks, blacked out before anything: {masks}"
    tracking = config.tracking
    beyond_s = max(tracking.lost_s, tracking.known_again_s if tracking.appearance else 0.0)
    yield (
        "- Pictures, crops and embeddings are in memory only, those of a person for as long as "
        f"they are in view and {beyond_s:g} s more; none is written, sent or logged."
    )
    if config.staff.uniform is not None:
        yield (
            f"- The pictures of colleagues in uniform in {config.staff.uniform} are read at the "
            "start; only embeddings of their clothes are kept, in memory."
        )
    yield f"- Kinds of clothing: {', '.join(CATEGORIES)}, or unknown."
    apart = ", also to tell the people in view apart" if config.tracking.appearance else ""
    named = f"; named in alerts: {', '.join(COLOURS)}" if config.alerts else ""
    yield f"- Colour of clothing{apart}{named}."


def _leaving(config: Config) -> Iterator[str]:
    yield "## What leaves the box"
    yield ""
    urls = " and ".join(broker.url for broker in brokers_of(config).values())
    yield f"By MQTT to {urls}, below `{PREFIX}/{config.store}/`:"
    yield ""
    yield "| topic | what | fields |"
    yield "|---|---|---|"
    for kind, topic in TOPICS.items():
        if kind == "alert" and not config.alerts:
            continue
        fields = PAYLOADS[kind].model_fields
        names = ", ".join(field.alias or name for name, field in fields.items())
        yield f"| `{topic.pattern}` | {topic.content} | {names} |"
    yield ""
    if config.home_assistant.discovery:
        yield f"To {config.mqtt.url} also, beside that:"
        yield ""
        yield "| topic | what |"
        yield "|---|---|"
        yield f"| `{config_topic(config)}` | the names of zones, rules and cameras, kept |"
        yield ""
    if config.headquarters:
        yield f"What speaks of this moment, `alert` and `live`, goes to {config.mqtt.url} alone."
    if config.alerts:
        rules = "; ".join(
            f"{name}: {', '.join((*rule.any_of, *rule.all_of))}"
            for name, rule in config.alerts.items()
        )
        yield f"Alerts are on: staff are told of single customers ({rules}). Assess them apart."
    else:
        yield "Alerts are off: nobody is told of single customers."
    if config.metrics.port:
        yield f"On this machine only, http://127.0.0.1:{config.metrics.port}: figures of operation."


def _staying(config: Config) -> Iterator[str]:
    yield "## How long it stays"
    yield ""
    expiries_s = {kind: topic.expiry_s for kind, topic in TOPICS.items()}
    expiries_s["alert"] = max((rule.expires_s for rule in config.alerts.values()), default=None)
    alert_s = expiries_s["alert"]
    alerts = "none are made" if alert_s is None else f"{alert_s:g} s at most"
    outbox = config.outbox
    days = max(DAYS_KEPT, outbox.max_age_days, outbox.history_days)
    yield f"- on the box, while it runs: alerts {alerts};"
    yield f"  unsent counts {outbox.max_age_days:g} days;"
    yield f"  sent counts {outbox.history_days:g} days; counts of whole days {days:g} days;"
    yield f"  the counters behind them, small numbers too, {KEPT_DAYS} days at most;"
    yield "  what somebody wears, until it is counted, and told if an alert of it waits;"
    yield f"  the newest {2 * MAX_BYTES >> 20} MB of the audit log, in two files"
    yield "- on the box, until removed: a few databases that were damaged or could not be read,"
    yield "  `outbox.sqlite.damaged-*` and `outbox.sqlite.unread-*`"
    for kind, expiry_s in expiries_s.items():
        if expiry_s is not None:
            span = f"{expiry_s / _DAY_S:g} days" if expiry_s >= _DAY_S else f"{expiry_s:g} s"
            kept = ", the latest kept" if TOPICS[kind].is_retained else ""
            yield f"- at the broker, `{TOPICS[kind].pattern}`: {span}{kept}"
    yield "- a broker that speaks only MQTT 3.1.1 knows no such times: it keeps the latest until"
    yield "  the next, and what waits for a reader until that reader comes"
    yield "- what readers of the broker do with it is theirs to say"


def _thresholds(config: Config) -> Iterator[str]:
    k = config.privacy.min_cell
    yield "## Thresholds"
    yield ""
    yield f"- Garments are counted by hour and day only. Cells of 1 to {k - 1} people are left out,"
    yield "  and others where one could be worked out of all that is told of zones, hours and days."
    yield "- Only entries and exits have running totals; garments have none."


def _never(_config: Config) -> Iterator[str]:
    yield "## What it refuses"
    yield ""
    yield (
        f"Rules and models whose labels describe {', '.join(DENIED)}. No faces, no recognition of "
        "persons across cameras or visits, no pictures in messages."
    )


def _notices(config: Config) -> Iterator[str]:
    yield "## Notice for the door"
    for language in NOTICES:
        yield ""
        yield f"**{language}**: {notice(language, bool(config.alerts))}"
