"""The tables of the outbox's database."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,            -- alert, agg
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    properties TEXT NOT NULL,      -- JSON
    id TEXT,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    created_s REAL NOT NULL,
    expires_s REAL,
    zone TEXT,                     -- of windows
    window TEXT,
    start TEXT                     -- RFC 3339, so that text order is time order
);
CREATE INDEX IF NOT EXISTS message_by_lane ON message (lane, position);
CREATE INDEX IF NOT EXISTS message_by_window ON message (window, position) WHERE window NOT NULL;
CREATE INDEX IF NOT EXISTS message_by_age ON message (created_s);
CREATE TABLE IF NOT EXISTS latest (
    topic TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    properties TEXT NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS cursor (
    broker TEXT NOT NULL,
    lane TEXT NOT NULL,
    position INTEGER NOT NULL,     -- everything up to here was acknowledged, or given up
    PRIMARY KEY (broker, lane)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resend (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    broker TEXT NOT NULL,
    message INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS refused (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    broker TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    at_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
