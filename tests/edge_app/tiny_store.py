"""A store with the tiny models, one camera, one area and one rule."""

CONFIG = """
store: acme-1
node: edge-1
timezone: Europe/Paris
mqtt: {url: "mqtt://127.0.0.1:1883"}
inference: {models: models, threads: 1}
outfit: {min_looks: 2, min_weight: 0.2}
cameras:
  door:
    source: nowhere.mp4
    fps: 10
    zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}
alerts:
  dresses: {any_of: [dress], min_probability: 0.6, cooldown_s: 0}
"""
