"""The command ``dresscode``: reads arguments, calls :mod:`edge_app.commands`, shows the outcome."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import click
from rich.console import Console

from edge_app import __version__
from edge_app.errors import DresscodeError

PATH = click.Path(path_type=Path)
CONFIG = click.option(
    "-c", "--config", "config_path", type=PATH, required=True, help="The store's YAML file."
)
CAMERA = click.option("--camera", help="Which camera of the configuration the recording is of.")
PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the page; default: any."
)
console = Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dresscode")
def cli() -> None:
    """In-store camera software: who comes in, what they wear, told over MQTT."""
    # A core file would hold pictures.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@cli.command()
@CONFIG
def run(config_path: Path) -> None:
    """Run the daemon: alerts and counts, until stopped."""
    from edge_app.commands.run import run as run_daemon

    run_daemon(config_path)


@cli.command()
@click.option("--source", help="A camera, file, folder or sim:// URL instead of the simulation.")
@click.option("-c", "--config", "config_path", type=PATH, help="Zones and rules from this file.")
@CAMERA
@click.option("--seconds", type=click.FloatRange(min=1), help="End after so long.")
@click.option("--draw", "draw_dir", type=PATH, help="Save annotated frames in this folder.")
def demo(
    source: str | None,
    config_path: Path | None,
    camera: str | None,
    seconds: float | None,
    draw_dir: Path | None,
) -> None:
    """Show everything at once, on this machine.

    Broker, camera, pipeline, and a client that reads what arrives.
    """
    from edge_app.commands.demo import demo_config, run_demo

    run_demo(demo_config(source, config_path, camera), seconds, draw_dir)


@cli.command()
@click.argument("config_path", type=PATH)
def check(config_path: Path) -> None:
    """Check a configuration file.

    On a bad one, exit 1 and every problem with its line.
    """
    from edge_app.commands.check import check as check_file

    config, notes = check_file(config_path)
    for words in notes:
        click.echo(f"{config_path}: {words}", err=True)
    zones = ", ".join(config.zones) or "none"
    rules = ", ".join(config.alerts) or "none"
    click.echo(
        f"{config_path}: good. Store {config.store}, node {config.node}; "
        f"cameras: {', '.join(config.cameras)}; zones: {zones}; rules: {rules}."
    )


@cli.command()
@click.argument("path", type=PATH)
@click.option("--json", "json_path", type=PATH, help="Write one JSON object per picture.")
@click.option("--draw", "draw_dir", type=PATH, help="Save annotated pictures in this folder.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Weaker people and garments are left out.",
)
@click.option("--models", type=PATH, help="Folder of models; default: the shipped ones.")
def look(
    path: Path, json_path: Path | None, draw_dir: Path | None, min_score: float, models: Path | None
) -> None:
    """Find people and clothes in one or more pictures."""
    from rich.progress import track

    from edge_app.commands.look import look as look_at
    from edge_app.commands.look import open_for_stills, pictures_in
    from edge_app.commands.outputs import write_lines

    paths = pictures_in(path)
    networks = open_for_stills(models, min_score)

    def tell(why: str) -> None:
        console.print(f"skipped: {why}", markup=False, highlight=False, soft_wrap=True)

    lines = look_at(networks, paths, min_score, draw_dir, tell)
    shown = track(lines, "looking", total=len(paths), console=console, transient=True)
    if json_path is not None:
        write_lines(shown, json_path)
        return
    for line in shown:
        click.echo(json.dumps(line))


@cli.command()
@click.argument("clip")
@CONFIG
@CAMERA
@click.option("--truth", "truth_path", type=PATH, help="Compare with this hand-made truth.")
@click.option("--json", "json_path", type=PATH, help="Write the result here.")
@click.option("--mot", "mot_path", type=PATH, help="Write tracks in MOTChallenge format here.")
@click.option("--draw", "draw_dir", type=PATH, help="Save annotated frames in this folder.")
@click.option("--picture", "picture_path", type=PATH, help="Save everybody's paths as a picture.")
@click.option("--start", help="When the recording began (RFC 3339); rules then keep their hours.")
def replay(
    clip: str,
    config_path: Path,
    camera: str | None,
    truth_path: Path | None,
    json_path: Path | None,
    mot_path: Path | None,
    draw_dir: Path | None,
    picture_path: Path | None,
    start: str | None,
) -> None:
    """Run a recording exactly; compare with a truth.

    CLIP is a video, a folder of pictures or a sim:// URL (whose truth is known).
    """
    from edge_app.commands.outputs import expect_writable, write_json
    from edge_app.commands.replay import ReplayOptions, replay_clip
    from edge_app.commands.report import agreement_table, show, summary
    from edge_app.config.load import load

    expect_writable(json_path)
    options = ReplayOptions(camera, start, truth_path, mot_path, draw_dir, picture_path)
    result = replay_clip(clip, load(config_path), options, console)
    click.echo(summary(result))
    if result.truth is not None:
        show(agreement_table(result.truth))
    if json_path is not None:
        write_json(result.as_json(), json_path)


@cli.command()
@click.argument("clip")
@CONFIG
@CAMERA
@click.option(
    "--truth", "truth_path", type=PATH, required=True, help="Made if missing; other clips stay."
)
@PORT
def label(clip: str, config_path: Path, camera: str | None, truth_path: Path, port: int) -> None:
    """Make a truth file of a recording, in the browser.

    CLIP is a video or a folder of pictures. The page is on this machine's loopback only.
    """
    from edge_app.commands.label import label_clip
    from edge_app.config.load import load

    label_clip(clip, load(config_path), camera, truth_path, port, click.echo)


@cli.command()
@CONFIG
@PORT
def zones(config_path: Path, port: int) -> None:
    """Draw lines, areas and masks on the cameras, in the browser.

    The page shows at once who is counted, and the YAML for the file. It is on this machine's
    loopback only.
    """
    from edge_app.commands.zones import draw_zones_on
    from edge_app.config.load import load

    draw_zones_on(load(config_path), port, click.echo)


@cli.command()
@click.argument("clip")
@CONFIG
@CAMERA
@click.option("--json", "json_path", type=PATH, help="Write the figures here.")
@click.option(
    "--device", type=click.Choice(["auto", "gpu", "cpu"]), help="[default: the configuration's]"
)
@click.option(
    "--seconds",
    "least_s",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Run a short recording again until the pipeline has worked for so long.",
)
def bench(
    clip: str,
    config_path: Path,
    camera: str | None,
    json_path: Path | None,
    device: str | None,
    least_s: float,
) -> None:
    """Measure speed, and the share of the networks' limit.

    Frames per second and milliseconds per stage, in turns with the networks alone.
    """
    from edge_app.commands.bench import bench_clip
    from edge_app.commands.outputs import expect_writable, write_json
    from edge_app.commands.report import bench_table, show
    from edge_app.config.load import load

    expect_writable(json_path)
    figures = bench_clip(clip, load(config_path), camera, device, least_s)
    show(bench_table(figures))
    if json_path is not None:
        write_json(figures, json_path)


@cli.command()
@CONFIG
def doctor(config_path: Path) -> None:
    """Look at everything that this machine needs.

    Exit 1 where something is wrong.
    """
    from edge_app.commands.doctor import show_findings
    from edge_app.commands.sandbox import is_for_unit
    from edge_app.config.load import load

    if not show_findings(load(config_path), config_path if is_for_unit() else None):
        sys.exit(1)


@cli.command("privacy-report")
@CONFIG
def privacy_report(config_path: Path) -> None:
    """Print what leaves the box, and a notice for the door."""
    from edge_app.commands.privacy_report import privacy_report as report_of
    from edge_app.config.load import load

    click.echo(report_of(load(config_path)))


@cli.command("install-service")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--uninstall", is_flag=True, help="Remove it; configuration and counters stay.")
@click.option("--root", type=PATH, default=Path("/"), help="Of another system, such as an image.")
def install_service(dry_run: bool, uninstall: bool, root: Path) -> None:
    """Put the systemd unit and its devices in place.

    An example configuration too, where there is none.
    """
    from edge_app.commands.install_service import change_service

    change_service(root, dry_run, uninstall, click.echo)


@cli.command("systemd-devices")
def systemd_devices() -> None:
    """Print the unit's drop-in with GPU and cameras."""
    from edge_app.commands.systemd_devices import drop_in, find_devices

    click.echo(drop_in(find_devices()), nl=False)


@cli.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a message, or of config.

    Without a name, the names of all.
    """
    from edge_app.commands.schema import schema_names, schema_text

    click.echo("\n".join(schema_names()) if name is None else schema_text(name), nl=name is None)


@cli.group()
def audit() -> None:
    """The log of commands and configuration changes."""


@audit.command("verify")
@click.argument("path", type=PATH)
def audit_verify(path: Path) -> None:
    """Check that no line of an audit log was changed, removed or put in: exit 1 if one was."""
    from edge_app.commands.audit import verify_audit

    click.echo(verify_audit(path))


def main() -> None:
    """Run a command; errors of Dresscode's own are shown plainly, with exit status 1."""
    try:
        cli()
    except DresscodeError as error:
        click.echo(f"dresscode: {error}", err=True)
        sys.exit(1)
