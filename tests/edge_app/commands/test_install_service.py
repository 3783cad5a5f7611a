"""The unit and its installer, against a folder that stands for a system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_app.cli import cli
from edge_app.commands.install_service import (
    Step,
    carry_out,
    installation,
    refuse_what_is_hidden,
    removal,
    still_missing,
)
from edge_app.commands.systemd_devices import drop_in, find_devices
from edge_app.errors import ServiceError

UNIT = Path(__file__).resolve().parents[3] / "systemd" / "dresscode.service"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, text=True)


def carry_out_all(steps: list[Step]) -> None:
    for step in steps:
        carry_out(step)


def configured(root: Path, text: str) -> Path:
    """The configuration of a system that has no other yet."""
    config = root / "etc/dresscode/store.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(text)
    return config


def test_the_unit_is_hardened() -> None:
    done = analyze("security", "--offline=true", "--threshold=20", str(UNIT))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_is_correct(tmp_path: Path) -> None:
    program = tmp_path / "dresscode"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "dresscode.service"
    unit.write_text(UNIT.read_text().replace("/opt/dresscode/bin/dresscode", str(program)))
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_example_in_the_installation_is_the_one_that_is_tested(tmp_path: Path) -> None:
    carry_out_all(installation(tmp_path, Path("/opt/x/dresscode")))
    config = tmp_path / "etc/dresscode/store.yaml"
    assert config.read_text() == UNIT.with_name("store.example.yaml").read_text()
    unit = (tmp_path / "etc/systemd/system/dresscode.service").read_text()
    assert "ExecStart=/opt/x/dresscode run -c /etc/dresscode/store.yaml" in unit
    assert (
        "[Service]"
        in (tmp_path / "etc/systemd/system/dresscode.service.d/devices.conf").read_text()
    )


def test_what_a_person_wrote_survives_installing_and_removing(tmp_path: Path) -> None:
    config = configured(tmp_path, "mine")
    carry_out_all(installation(tmp_path))
    carry_out_all(removal(tmp_path))
    assert config.read_text() == "mine"
    assert list((tmp_path / "etc/systemd/system").iterdir()) == []
    assert removal(tmp_path) == []


def test_a_drop_in_of_somebody_else_stays_with_its_folder(tmp_path: Path) -> None:
    carry_out_all(installation(tmp_path))
    theirs = tmp_path / "etc/systemd/system/dresscode.service.d/override.conf"
    theirs.write_text("[Service]\nNice=5\n")
    carry_out_all(removal(tmp_path))
    assert list((tmp_path / "etc/systemd/system").rglob("*")) == [theirs.parent, theirs]


SECRETS = """
mqtt: {password_file: "${CREDENTIALS_DIRECTORY}/mqtt-password"}
# key_file: ${CREDENTIALS_DIRECTORY}/of-a-remark
cameras:
  door: {password_file: "${CREDENTIALS_DIRECTORY}/door-password"}
  back: {password_file: /etc/dresscode/read-by-the-service}
"""


def test_secrets_that_the_configuration_names_are_handed_over(tmp_path: Path) -> None:
    config = configured(tmp_path, SECRETS)
    config.with_name("door-password").write_text("x")
    carry_out_all(installation(tmp_path))
    handed_over = tmp_path / "etc/systemd/system/dresscode.service.d/credentials.conf"
    assert handed_over.read_text().splitlines()[1:] == [
        "[Service]",
        "LoadCredential=door-password:/etc/dresscode/door-password",
        "LoadCredential=mqtt-password:/etc/dresscode/mqtt-password",
    ]
    [missing] = still_missing(tmp_path)
    assert missing.startswith("/etc/dresscode/mqtt-password is not there")
    config.write_text("store: acme-1")
    carry_out_all(installation(tmp_path))
    assert not handed_over.exists()


def test_the_example_has_its_secrets_handed_over(tmp_path: Path) -> None:
    carry_out_all(installation(tmp_path))  # which puts the example there
    carry_out_all(installation(tmp_path))
    handed_over = tmp_path / "etc/systemd/system/dresscode.service.d/credentials.conf"
    loaded = [line.partition(":")[2] for line in handed_over.read_text().splitlines()[2:]]
    assert loaded == ["/etc/dresscode/door-password", "/etc/dresscode/mqtt-password"]


def test_secrets_that_only_root_can_read_are_named(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has files of root's")
    config = configured(
        tmp_path,
        "mqtt: {password_file: /etc/dresscode/mqtt-password, key_file: of-a-group.pem}\n"
        "cameras: {door: {password_file: open-to-all}}\n",
    )
    for name, mode in (("mqtt-password", 0o600), ("of-a-group.pem", 0o640), ("open-to-all", 0o644)):
        config.with_name(name).write_text("x")
        config.with_name(name).chmod(mode)
    os.chown(config.with_name("of-a-group.pem"), 0, 44)
    [said] = still_missing(tmp_path)
    assert said.startswith("mqtt.password_file: ")
    assert "can be read by root only, and the service is not root" in said
    assert "write ${CREDENTIALS_DIRECTORY}/mqtt-password in store.yaml, for /etc/" in said
    config.parent.chmod(0o700)
    assert len(still_missing(tmp_path)) == 3


@pytest.mark.parametrize("state_dir", ["/srv/dresscode", "state", "/var/lib/dresscode/../x"])
def test_a_state_folder_that_the_service_cannot_write_is_refused(
    tmp_path: Path, state_dir: str
) -> None:
    configured(tmp_path, f"state_dir: {state_dir}\n")
    with pytest.raises(ServiceError, match="leave state_dir out") as refused:
        installation(tmp_path)
    assert f"store.yaml: state_dir: {state_dir}: " in str(refused.value)


@pytest.mark.parametrize("state_dir", ["/var/lib/dresscode/", "/var/lib/private/dresscode/door"])
def test_a_state_folder_that_systemd_gives_the_service_is_taken(
    tmp_path: Path, state_dir: str
) -> None:
    configured(tmp_path, f"state_dir: {state_dir}\n")
    assert installation(tmp_path)


def test_a_configuration_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    configured(tmp_path, "store: [")
    with pytest.raises(ServiceError, match="dresscode check"):
        installation(tmp_path)


@pytest.mark.parametrize("hidden", ["home", "root", "tmp"])
def test_a_program_that_the_sandbox_hides_is_refused(hidden: str) -> None:
    with pytest.raises(ServiceError, match="-m venv /opt/dresscode"):
        refuse_what_is_hidden(
            [Path("/opt/dresscode/bin/python"), Path("/", hidden, "env/bin/python")]
        )


def test_a_program_in_opt_is_seen_by_the_service() -> None:
    refuse_what_is_hidden([Path("/opt/dresscode/bin/python"), Path("/usr/bin/python3.11")])


def test_a_dry_run_does_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["install-service", "--dry-run", "--root", str(tmp_path)])
    assert done.exit_code == 0
    assert f"write  {tmp_path}/etc/systemd/system/dresscode.service" in done.output
    assert list(tmp_path.iterdir()) == []


def test_on_a_system_it_is_enabled_not_started() -> None:
    commands = [step.command for step in installation() if step.command]
    assert commands == [
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable", "dresscode.service"),
    ]


def test_a_key_that_nobody_may_look_for_is_not_called_missing(tmp_path: Path) -> None:
    configured(tmp_path, f"mqtt: {{key_file: /{'k' * 300}.pem}}\n")  # no file system asks further
    assert still_missing(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be")
    with pytest.raises(ServiceError, match=r"cannot write .*: (Not a directory|File exists)"):
        carry_out_all(installation(tmp_path))


def test_only_devices_are_opened(tmp_path: Path) -> None:
    for name in ("nvidia0", "video0"):
        (tmp_path / name).write_text("not a device")
    assert find_devices(tmp_path) == []
    assert "DeviceAllow" not in drop_in([])


def test_a_gpu_and_a_camera_are_opened(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").symlink_to("/dev/null")
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").symlink_to("/dev/null")
    text = drop_in(find_devices(tmp_path))
    assert f"DeviceAllow={tmp_path}/nvidiactl rw" in text
    assert "nvidia-modprobe" in text
    assert "SupplementaryGroups=render" in text


def test_a_card_whose_nodes_are_made_later_is_opened_too(tmp_path: Path) -> None:
    """systemd resolves devices before ExecStartPre; what is not there then, it leaves closed."""
    (tmp_path / "nvidiactl").symlink_to("/dev/null")
    unit, service = drop_in(find_devices(tmp_path)).split("[Service]")
    assert "After=modprobe@nvidia_uvm.service" in unit
    assert "DeviceAllow=char-nvidia* rw" in service
    assert "nvidia" not in drop_in([Path("/dev/video0")])


def test_no_root_is_said() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    with pytest.raises(ServiceError, match="run it as root"):
        carry_out_all(installation()[:1])
