"""The configuration: one YAML file becomes one frozen tree, each stage gets its own section.

Every key has a default or is required; unknown keys are refused. Points are fractions of the
picture's width and height. Units are in the names or in the descriptions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_app.config.kinds import (
    Area,
    BrokerUrl,
    ClockSpan,
    ClockTime,
    Garment,
    Id,
    Point,
    Section,
    TimeZone,
    is_this_machine,
)


class BrokerSettings(Section):
    """An MQTT broker."""

    url: BrokerUrl = Field(description="mqtts://host:port, or mqtt:// for a broker on this machine")
    username: str | None = Field(None, description="name given to the broker")
    password_file: Path | None = Field(None, description="file whose first line is the password")
    ca_file: Path | None = Field(None, description="PEM of the authority; default: the system's")
    certificate_file: Path | None = Field(None, description="PEM of the client's certificate")
    key_file: Path | None = Field(None, description="PEM of the client's key")
    allow_insecure: bool = Field(False, description="allow mqtt:// to another machine")
    protocol: Literal["auto", "5", "3.1.1"] = Field(
        "auto", description="version of MQTT; auto tries 5 first and falls back"
    )
    keepalive_s: int = Field(20, ge=5, le=600, description="between signs of life")
    connect_timeout_s: float = Field(
        4.0, gt=0.0, le=60.0, description="for the name, the connection, TLS and the welcome, each"
    )
    stall_s: float = Field(
        30.0, gt=0.0, le=600.0, description="messages under way and no answer: connect anew"
    )
    settle_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="brokers acknowledge before they save: what was "
        "acknowledged this shortly before a connection broke is sent again, with the same id",
    )
    reconnect_max_s: float = Field(
        60.0, ge=1.0, le=3600.0, description="longest pause between attempts to connect"
    )

    @model_validator(mode="after")
    def _is_safe(self) -> BrokerSettings:
        is_plain = self.url.startswith("mqtt:")
        if is_plain and not is_this_machine(self.url) and not self.allow_insecure:
            raise ValueError(
                f"{self.url} is plain text to another machine; use mqtts://, or set "
                "allow_insecure: true if the network is trusted"
            )
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together; only one is set")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username beside it")
        return self


class ZoneSettings(Section):
    """A line that people cross, or an area that they step into; one of the two."""

    line: tuple[Point, Point] | None = Field(
        None, description="walking from the first point to the second, 'in' is on the left hand"
    )
    area: Area | None = Field(
        None, description="corners in order; the boundary belongs to the inside"
    )
    hysteresis: float = Field(
        0.015,
        ge=0.0,
        le=0.2,
        description="half width of the band around the line that counts as neither side, "
        "as a fraction of the picture's height",
    )
    hold_s: float = Field(0.3, ge=0.0, le=5.0, description="seconds on each side before it counts")
    uturn_s: float = Field(10.0, ge=0.0, le=300.0, description="back within this is a U-turn")

    @model_validator(mode="after")
    def _is_one_shape(self) -> ZoneSettings:
        if (self.line is None) == (self.area is None):
            raise ValueError("a zone has either a line or an area")
        if self.line is not None:
            (x1, y1), (x2, y2) = self.line
            if (x2 - x1) ** 2 + (y2 - y1) ** 2 < 1e-4:
                raise ValueError(
                    "the line has hardly any length; put its two points farther apart, "
                    "by at least 0.01"
                )
        return self


class CameraSettings(Section):
    """A camera, a recording or a simulated entrance."""

    source: str | int = Field(
        description="rtsp:// URL, device number, file, folder of pictures, sim://entrance, "
        "or gst:// followed by a GStreamer pipeline"
    )
    username: str | None = Field(None, description="of the camera; never in the URL")
    password_file: Path | None = Field(None, description="file whose first line is the password")
    fps: float = Field(
        10.0, gt=0.0, le=120.0, description="frames per second live; time base of picture folders"
    )
    decoder: Literal["auto", "gstreamer", "pynvvideocodec", "ffmpeg"] = Field(
        "auto", description="of RTSP streams; auto is the best at hand"
    )
    privacy_masks: tuple[Area, ...] = Field(
        (), description="polygons blacked out before anything looks at the frame"
    )
    zones: dict[Id, ZoneSettings] = Field(default_factory=dict, description="lines and areas by id")


class RuleSettings(Section):
    """When staff are told; every condition must hold."""

    any_of: tuple[Garment, ...] = Field((), description="wears at least one of these")
    all_of: tuple[Garment, ...] = Field((), description="wears each of these")
    zones: tuple[Id, ...] = Field((), description="zones entered; empty for all")
    direction: Literal["in", "out"] = Field("in", description="of the crossing")
    min_probability: float = Field(0.7, gt=0.0, lt=1.0, description="of the garments together")
    cooldown_s: float = Field(
        30.0, ge=0.0, le=3600.0, description="later people within it are merged into one alert"
    )
    group_s: float = Field(
        0.0, ge=0.0, le=10.0, description="wait this long for companions before the first alert"
    )
    hours: ClockSpan | None = Field(None, description="store time, such as '09:00-21:00'")
    max_per_hour: int = Field(60, ge=1, le=3600, description="alerts of this rule and zone")
    expires_s: float = Field(60.0, ge=10.0, le=600.0, description="later it is worthless")

    @model_validator(mode="after")
    def _names_garments(self) -> RuleSettings:
        if not self.any_of and not self.all_of:
            raise ValueError("a rule needs any_of or all_of with at least one garment")
        return self


class StaffSettings(Section):
    """Who works here: no rule announces them, and their entries are counted apart."""

    uniform: Path | None = Field(
        None, description="folder of pictures of colleagues in uniform, one person in each"
    )
    min_similarity: float = Field(
        0.92, gt=0.0, lt=1.0, description="of the clothes on the upper body to the uniform's"
    )
    zones: tuple[Id, ...] = Field((), description="whoever is seen in one of these works here")


class PrivacySettings(Section):
    """What may leave the box."""

    min_cell: int = Field(5, ge=3, le=100, description="k: smaller garment counts are suppressed")


class InferenceSettings(Section):
    """How the networks are run."""

    device: Literal["auto", "gpu", "cpu"] = Field("auto", description="where")
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0 for all cores")
    models: Path | None = Field(None, description="folder of the .onnx files; default: the shipped")
    max_batch: int = Field(8, ge=1, le=64, description="most pictures in one network call")
    engines: Path = Field(Path("/var/cache/dresscode"), description="folder of built GPU engines")
    workspace_mb: int = Field(1024, ge=16, le=65536, description="for building GPU engines")
    optimization_level: int = Field(3, ge=0, le=5, description="0 builds fast, 5 runs fast")


class MotionSettings(Section):
    """When a network need not look: nothing moves, and nobody is there."""

    gate: Literal["live", "always", "off"] = Field(
        "live", description="skip quiet pictures of live cameras, of recordings too, or never"
    )
    look_every_s: float = Field(1.0, gt=0.0, le=10.0, description="a look is forced so often")
    threshold: float = Field(
        4.0, ge=1.0, le=64.0, description="change of brightness (of 255) that counts as motion"
    )


class DetectionSettings(Section):
    """When a box is a person."""

    min_score: float = Field(0.1, ge=0.01, le=1.0, description="weaker boxes are not looked at")
    max_iou: float = Field(0.6, gt=0.0, le=1.0, description="of non-maximum suppression")


class TrackingSettings(Section):
    """How boxes become people (ByteTrack, Zhang et al., ECCV 2022)."""

    high_score: float = Field(0.5, ge=0.0, le=1.0, description="boxes matched in the first round")
    hint_score: float = Field(0.25, ge=0.0, le=1.0, description="weaker boxes start no track")
    new_score: float = Field(0.5, ge=0.0, le=1.0, description="reached once, it is a person")
    confirm_s: float = Field(
        0.2,
        ge=0.0,
        le=5.0,
        description="seen for this long is a person; if surely found, for half",
    )
    lost_s: float = Field(2.0, ge=0.0, le=30.0, description="unseen for longer ends a track")
    known_again_s: float = Field(
        8.0, ge=0.0, le=30.0, description="unless known again by colours, after at most so long"
    )
    appearance: bool = Field(
        True, description="tell people who cross apart by colours too, in memory, while in view"
    )


class OutfitSettings(Section):
    """How looks at a person become a settled outfit."""

    looks_per_s: float = Field(
        20.0, gt=0.0, le=1000.0, description="budget of person crops for all cameras together"
    )
    min_height_px: int = Field(40, ge=8, le=2000, description="smaller people are not looked at")
    garment_score: float = Field(0.3, ge=0.0, le=1.0, description="weaker garments are dropped")
    probability: float = Field(0.6, gt=0.0, lt=1.0, description="a category settles above this")
    margin: float = Field(0.2, ge=0.0, lt=1.0, description="and this far above the next one")
    min_looks: int = Field(4, ge=1, le=100, description="and not before so many looks")
    min_weight: float = Field(
        1.0, gt=0.0, le=100.0, description="whose qualities (0..1 each) add up to this"
    )
    max_looks: int = Field(
        24, ge=1, le=1000, description="a track is not looked at more often before it enters"
    )
    deadline_s: float = Field(
        4.0, ge=0.1, le=60.0, description="after an entry; what is open then is unknown"
    )


class OutboxSettings(Section):
    """Where messages wait for the broker."""

    max_mb: float = Field(64.0, ge=1.0, le=10_000.0, description="size of the database")
    max_age_days: float = Field(14.0, gt=0.0, le=365.0, description="older windows are dropped")
    history_days: float = Field(
        35.0, gt=0.0, le=365.0, description="sent windows are kept, to be sent again on request"
    )
    drain_per_s: float = Field(20.0, gt=0.0, le=100_000.0, description="messages of a backlog")


class HomeAssistantSettings(Section):
    """The box as a device of Home Assistant, through the store's broker."""

    discovery: bool = Field(False, description="describe the box by MQTT device discovery")
    prefix: str = Field(
        "homeassistant", pattern=r"^[\w-]+(/[\w-]+)*$", description="of the discovery topics"
    )


class MetricsSettings(Section):
    """Figures for Prometheus, on this machine only."""

    port: int = Field(9464, ge=0, le=65535, description="on 127.0.0.1; 0 for none")


class LogsSettings(Section):
    """What the program says."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="from here on")


class Config(Section):
    """One store's box."""

    store: Id = Field(description="unique among all stores; first level of every topic")
    node: Id = Field(description="this box, unique in the store")
    timezone: TimeZone = Field(description="of the tz database, such as Europe/Paris")
    business_day_start: ClockTime = Field("04:00", description="when a new day begins")
    state_dir: Path = Field(
        Path("/var/lib/dresscode"), description="folder of the outbox and the counters"
    )
    mqtt: BrokerSettings
    headquarters: BrokerSettings | None = Field(None, description="optional second broker")
    cameras: Annotated[dict[Id, CameraSettings], Field(min_length=1)]
    alerts: dict[Id, RuleSettings] = Field(default_factory=dict)
    staff: StaffSettings = StaffSettings()
    language: Literal["en", "de", "fr", "es", "it"] = Field("en", description="of the sentences")
    privacy: PrivacySettings = PrivacySettings()
    inference: InferenceSettings = InferenceSettings()
    motion: MotionSettings = MotionSettings()
    detection: DetectionSettings = DetectionSettings()
    tracking: TrackingSettings = TrackingSettings()
    outfit: OutfitSettings = OutfitSettings()
    outbox: OutboxSettings = OutboxSettings()
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    metrics: MetricsSettings = MetricsSettings()
    logs: LogsSettings = LogsSettings()

    @property
    def zones(self) -> dict[str, tuple[str, ZoneSettings]]:
        """Every zone by id, with the id of its camera."""
        return {
            zone_id: (camera_id, zone)
            for camera_id, camera in self.cameras.items()
            for zone_id, zone in camera.zones.items()
        }
