"""Ours has no such package: `make compare-trackers` runs these in an environment of their own."""

collect_ignore = ["judge.py", "compare_trackers.py"]
