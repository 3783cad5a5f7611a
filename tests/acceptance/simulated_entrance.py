"""The simulated entrance, many seeds: are entries and alerts right?

``make acceptance`` runs ten seeds of five minutes at ten frames a second and prints, per seed and
in all, entries against the truth and precision and recall of the rule "dress or suit" at several
probabilities. Nothing was ever trained on these seeds. Each process uses one thread.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.commands.replay import ReplayOptions, replay_clip
from edge_app.config.schema import Config

RULES = {f"formalwear-{percent}": percent / 100 for percent in (50, 55, 60, 70)}
"""One rule at several probabilities: the installer's choice between missed and false alerts."""


def config_for(url: str, models: str | None) -> Config:
    """A store whose one camera is the entrance, with its own line as the zone."""
    line = [list(map(float, point)) for point in SimulatedEntrance.from_url(url).line]
    return Config.model_validate(
        {
            "store": "simulated",
            "node": "edge-1",
            "timezone": "UTC",
            "mqtt": {"url": "mqtt://127.0.0.1:1883"},
            "inference": {"threads": 1, "models": models},
            "cameras": {"door": {"source": url, "zones": {"entrance": {"line": line}}}},
            "alerts": {
                rule: {
                    "any_of": ["dress", "suit"],
                    "min_probability": min_probability,
                    "cooldown_s": 0,
                    "max_per_hour": 3600,
                }
                for rule, min_probability in RULES.items()
            },
        }
    )


def run_seed(seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Replay one seed; its comparison with the truth."""
    cv2.setNumThreads(1)
    url = (
        f"sim://entrance?seed={seed}&fps={arguments.fps}&duration_s={60 * arguments.minutes}"
        f"&people_per_min={arguments.people_per_min}"
    )
    quiet = Console(quiet=True)
    options = ReplayOptions(draw_dir=arguments.draw and arguments.draw / str(seed))
    result = replay_clip(url, config_for(url, arguments.models), options, quiet)
    return {"seed": seed, **(result.truth or {})}


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All seeds together."""

    def total(*keys: str) -> int:
        found = 0
        for row in rows:
            value: Any = row
            for key in keys:
                value = value[key]
            found += len(value) if isinstance(value, list) else int(value)
        return found

    matched, missed, wrong = (total("entries", k) for k in ("matched", "missed", "wrong"))
    alerts: dict[str, Any] = {}
    for rule, min_probability in RULES.items():
        right = total("alerts", rule, "matched")
        unheard = total("alerts", rule, "missed_frames")
        false = total("alerts", rule, "wrong_frames")
        alerts["alerts_due"] = right + unheard
        alerts[f"alerts_precision at {min_probability}"] = round(right / max(right + false, 1), 4)
        alerts[f"alerts_recall at {min_probability}"] = round(right / max(right + unheard, 1), 4)
    zone = [row["counts"].get("entrance", {}) for row in rows]
    true_in, counted_in = (sum(z.get(k, 0) for z in zone) for k in ("true_in", "counted_in"))
    return {
        "seeds": len(rows),
        "true_in": true_in,
        "counted_in": counted_in,
        "net_error": round((counted_in - true_in) / max(true_in, 1), 4),
        "entries_precision": round(matched / max(matched + wrong, 1), 4),
        "entries_recall": round(matched / max(matched + missed, 1), 4),
        **alerts,
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("matched", "missed_frames", "wrong_frames")
    return {rule: {key: row["alerts"][rule][key] for key in keys} for rule in RULES}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--people-per-min", type=float, default=5.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--models", help="folder of models; default: the shipped ones")
    parser.add_argument("--draw", type=Path, help="save annotated frames here")
    parser.add_argument("--json", type=Path, help="write everything here")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    rows = []
    console = Console()
    with ProcessPoolExecutor(arguments.processes) as pool:
        for row in pool.map(partial(run_seed, arguments=arguments), seeds):
            rows.append(row)
            console.print(
                f"seed {row['seed']}: {row['counts'].get('entrance', {})}, "
                f"missed {[e['frame'] for e in row['entries']['missed']]}, "
                f"wrong {[e['frame'] for e in row['entries']['wrong']]}; alerts "
                f"{_told(row)}",
                highlight=False,
            )
    table = Table("figure", "value")
    for name, value in summed(rows).items():
        table.add_row(name, str(value))
    console.print(table)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"all": summed(rows), "seeds": rows}, indent=1))


if __name__ == "__main__":
    main()
