-- TimescaleDB for the windows of many stores: psql -d dresscode -f schema.sql
-- Applied again it brings an older database up to date.
-- One row per window; a later revision replaces an earlier one, the same one twice changes nothing.
-- A garment count that is null was suppressed to protect people, or the window is finer than an hour.

CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE IF NOT EXISTS agg (
    store text NOT NULL,
    node text NOT NULL,
    zone text NOT NULL,
    "window" text NOT NULL,
    start timestamptz NOT NULL,
    id uuid,
    seq bigint,
    boot text,
    "end" timestamptz,
    tz text,
    business_day date,
    local_hour integer,
    rev integer,
    final boolean,
    historical boolean,
    coverage double precision,
    clock_ok boolean,
    "in" integer,
    "out" integer,
    uturn integer,
    staff_in integer,
    occ_start integer,
    occ_end integer,
    occ_max integer,
    occ_avg double precision,
    dwell_n integer,
    dwell_sum_s double precision,
    garment_tshirt integer,
    garment_shirt integer,
    garment_top integer,
    garment_sweater integer,
    garment_hoodie integer,
    garment_blazer integer,
    garment_jacket integer,
    garment_coat integer,
    garment_suit integer,
    garment_jeans integer,
    garment_trousers integer,
    garment_shorts integer,
    garment_skirt integer,
    garment_dress integer,
    garment_jumpsuit integer,
    garment_unknown integer,
    garment_n integer,
    k integer,
    suppressed integer,
    in_total bigint,
    out_total bigint,
    counter_epoch timestamptz,
    model text,
    drift integer,
    dropped_windows integer,
    UNIQUE (store, node, zone, "window", start)
);
SELECT create_hypertable('agg', 'start', chunk_time_interval => INTERVAL '30 days', if_not_exists => TRUE);
-- For questions about all stores.
CREATE INDEX IF NOT EXISTS agg_by_window ON agg ("window", zone, start);

-- Minutes are nine rows of ten; quarters, hours and days stay for ever.
CREATE OR REPLACE PROCEDURE forget_minutes(job_id integer, config jsonb) LANGUAGE sql AS $$
    DELETE FROM agg WHERE "window" = 'pt1m' AND start < now() - INTERVAL '40 days';
$$;
SELECT add_job('forget_minutes', INTERVAL '1 day')
WHERE NOT EXISTS (SELECT FROM timescaledb_information.jobs WHERE proc_name = 'forget_minutes');

-- Every number that arrived, of replaced revisions too: what is missing between them was lost.
-- A box that is replaced numbers from 1 again, under a counter_epoch of its own.
CREATE TABLE IF NOT EXISTS agg_seen (
    store text NOT NULL,
    node text NOT NULL,
    counter_epoch timestamptz,
    seq bigint NOT NULL,
    "end" timestamptz NOT NULL
);
SELECT create_hypertable('agg_seen', 'end', chunk_time_interval => INTERVAL '7 days', if_not_exists => TRUE);
SELECT add_retention_policy('agg_seen', INTERVAL '40 days', if_not_exists => TRUE);
-- Of before counter_epoch:
ALTER TABLE agg_seen ADD COLUMN IF NOT EXISTS counter_epoch timestamptz;
ALTER TABLE agg_seen DROP CONSTRAINT IF EXISTS agg_seen_store_node_seq_end_key;
UPDATE agg_seen SET counter_epoch = agg.counter_epoch FROM agg
WHERE agg_seen.counter_epoch IS NULL
    AND agg.store = agg_seen.store AND agg.node = agg_seen.node AND agg."end" = agg_seen."end";
CREATE UNIQUE INDEX IF NOT EXISTS agg_seen_once ON agg_seen (store, node, counter_epoch, seq, "end");

-- What Telegraf writes: the time is called time, numbers are floats, times and ids are text. Its
-- driver converts nothing, and one value that does not fit its column costs the whole batch.
CREATE TABLE IF NOT EXISTS agg_landing (
    "time" timestamptz,
    store text,
    node text,
    zone text,
    "window" text,
    id text,
    seq double precision,
    boot text,
    "end" text,
    tz text,
    business_day text,
    local_hour double precision,
    rev double precision,
    final boolean,
    historical boolean,
    coverage double precision,
    clock_ok boolean,
    "in" double precision,
    "out" double precision,
    uturn double precision,
    staff_in double precision,
    occ_start double precision,
    occ_end double precision,
    occ_max double precision,
    occ_avg double precision,
    dwell_n double precision,
    dwell_sum_s double precision,
    garment_tshirt double precision,
    garment_shirt double precision,
    garment_top double precision,
    garment_sweater double precision,
    garment_hoodie double precision,
    garment_blazer double precision,
    garment_jacket double precision,
    garment_coat double precision,
    garment_suit double precision,
    garment_jeans double precision,
    garment_trousers double precision,
    garment_shorts double precision,
    garment_skirt double precision,
    garment_dress double precision,
    garment_jumpsuit double precision,
    garment_unknown double precision,
    garment_n double precision,
    k double precision,
    suppressed double precision,
    in_total double precision,
    out_total double precision,
    counter_epoch text,
    model text,
    drift double precision,
    dropped_windows double precision
);
-- Of before they were booleans:
ALTER TABLE agg_landing ALTER final TYPE boolean USING final::boolean,
    ALTER historical TYPE boolean USING historical::boolean,
    ALTER clock_ok TYPE boolean USING clock_ok::boolean;

-- A row that cannot be is left out with a warning in the server's log: the others of its batch are
-- other stores'.
CREATE OR REPLACE FUNCTION agg_upsert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agg_seen (store, node, counter_epoch, seq, "end")
    VALUES (NEW.store, NEW.node, NEW.counter_epoch::timestamptz, NEW.seq::bigint, NEW."end"::timestamptz)
    ON CONFLICT DO NOTHING;
    INSERT INTO agg (
        store, node, zone, "window", start,
        id, seq, boot, "end", tz, business_day, local_hour, rev, final, historical, coverage, clock_ok, "in", "out", uturn, staff_in, occ_start, occ_end, occ_max, occ_avg, dwell_n, dwell_sum_s, garment_tshirt, garment_shirt, garment_top, garment_sweater, garment_hoodie, garment_blazer, garment_jacket, garment_coat, garment_suit, garment_jeans, garment_trousers, garment_shorts, garment_skirt, garment_dress, garment_jumpsuit, garment_unknown, garment_n, k, suppressed, in_total, out_total, counter_epoch, model, drift, dropped_windows
    ) VALUES (
        NEW.store, NEW.node, NEW.zone, NEW."window", NEW."time",
        NEW.id::uuid,
        NEW.seq::bigint,
        NEW.boot,
        NEW."end"::timestamptz,
        NEW.tz,
        NEW.business_day::date,
        NEW.local_hour::integer,
        NEW.rev::integer,
        NEW.final,
        NEW.historical,
        NEW.coverage,
        NEW.clock_ok,
        NEW."in"::integer,
        NEW."out"::integer,
        NEW.uturn::integer,
        NEW.staff_in::integer,
        NEW.occ_start::integer,
        NEW.occ_end::integer,
        NEW.occ_max::integer,
        NEW.occ_avg,
        NEW.dwell_n::integer,
        NEW.dwell_sum_s,
        NEW.garment_tshirt::integer,
        NEW.garment_shirt::integer,
        NEW.garment_top::integer,
        NEW.garment_sweater::integer,
        NEW.garment_hoodie::integer,
        NEW.garment_blazer::integer,
        NEW.garment_jacket::integer,
        NEW.garment_coat::integer,
        NEW.garment_suit::integer,
        NEW.garment_jeans::integer,
        NEW.garment_trousers::integer,
        NEW.garment_shorts::integer,
        NEW.garment_skirt::integer,
        NEW.garment_dress::integer,
        NEW.garment_jumpsuit::integer,
        NEW.garment_unknown::integer,
        NEW.garment_n::integer,
        NEW.k::integer,
        NEW.suppressed::integer,
        NEW.in_total::bigint,
        NEW.out_total::bigint,
        NEW.counter_epoch::timestamptz,
        NEW.model,
        NEW.drift::integer,
        NEW.dropped_windows::integer
    )
    ON CONFLICT (store, node, zone, "window", start) DO UPDATE SET
        id = EXCLUDED.id,
        seq = EXCLUDED.seq,
        boot = EXCLUDED.boot,
        "end" = EXCLUDED."end",
        tz = EXCLUDED.tz,
        business_day = EXCLUDED.business_day,
        local_hour = EXCLUDED.local_hour,
        rev = EXCLUDED.rev,
        final = EXCLUDED.final,
        historical = EXCLUDED.historical,
        coverage = EXCLUDED.coverage,
        clock_ok = EXCLUDED.clock_ok,
        "in" = EXCLUDED."in",
        "out" = EXCLUDED."out",
        uturn = EXCLUDED.uturn,
        staff_in = EXCLUDED.staff_in,
        occ_start = EXCLUDED.occ_start,
        occ_end = EXCLUDED.occ_end,
        occ_max = EXCLUDED.occ_max,
        occ_avg = EXCLUDED.occ_avg,
        dwell_n = EXCLUDED.dwell_n,
        dwell_sum_s = EXCLUDED.dwell_sum_s,
        garment_tshirt = EXCLUDED.garment_tshirt,
        garment_shirt = EXCLUDED.garment_shirt,
        garment_top = EXCLUDED.garment_top,
        garment_sweater = EXCLUDED.garment_sweater,
        garment_hoodie = EXCLUDED.garment_hoodie,
        garment_blazer = EXCLUDED.garment_blazer,
        garment_jacket = EXCLUDED.garment_jacket,
        garment_coat = EXCLUDED.garment_coat,
        garment_suit = EXCLUDED.garment_suit,
        garment_jeans = EXCLUDED.garment_jeans,
        garment_trousers = EXCLUDED.garment_trousers,
        garment_shorts = EXCLUDED.garment_shorts,
        garment_skirt = EXCLUDED.garment_skirt,
        garment_dress = EXCLUDED.garment_dress,
        garment_jumpsuit = EXCLUDED.garment_jumpsuit,
        garment_unknown = EXCLUDED.garment_unknown,
        garment_n = EXCLUDED.garment_n,
        k = EXCLUDED.k,
        suppressed = EXCLUDED.suppressed,
        in_total = EXCLUDED.in_total,
        out_total = EXCLUDED.out_total,
        counter_epoch = EXCLUDED.counter_epoch,
        model = EXCLUDED.model,
        drift = EXCLUDED.drift,
        dropped_windows = EXCLUDED.dropped_windows
    WHERE agg.rev < EXCLUDED.rev;
    RETURN NULL;  -- nothing stays in the landing table
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RAISE WARNING 'a window of store %, node %, zone % from % is left out: %', NEW.store, NEW.node, NEW.zone, NEW."time", SQLERRM;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER agg_upsert BEFORE INSERT ON agg_landing
    FOR EACH ROW EXECUTE FUNCTION agg_upsert();

CREATE TABLE IF NOT EXISTS health (
    store text NOT NULL,
    node text NOT NULL,
    ts timestamptz NOT NULL,
    boot text,
    uptime_s double precision,
    clock_ok boolean,
    latency_p50_ms double precision,
    latency_p99_ms double precision,
    memory_mb double precision,
    outbox_rows bigint,
    outbox_oldest_s double precision,
    outbox_mb double precision,
    puback_age_s double precision,
    alerts_expired_total bigint,
    windows_dropped_total bigint,
    live_dropped_total bigint,
    refused_total bigint,
    UNIQUE (store, node, ts)
);
SELECT create_hypertable('health', 'ts', chunk_time_interval => INTERVAL '7 days', if_not_exists => TRUE);
SELECT add_retention_policy('health', INTERVAL '90 days', if_not_exists => TRUE);
CREATE TABLE IF NOT EXISTS health_landing (
    "time" timestamptz,
    store text,
    node text,
    boot text,
    uptime_s double precision,
    clock_ok boolean,
    latency_p50_ms double precision,
    latency_p99_ms double precision,
    memory_mb double precision,
    outbox_rows double precision,
    outbox_oldest_s double precision,
    outbox_mb double precision,
    puback_age_s double precision,
    alerts_expired_total double precision,
    windows_dropped_total double precision,
    live_dropped_total double precision,
    refused_total double precision
);
ALTER TABLE health_landing ALTER clock_ok TYPE boolean USING clock_ok::boolean;

CREATE OR REPLACE FUNCTION health_upsert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO health (store, node, ts, boot, uptime_s, clock_ok, latency_p50_ms, latency_p99_ms, memory_mb, outbox_rows, outbox_oldest_s, outbox_mb, puback_age_s, alerts_expired_total, windows_dropped_total, live_dropped_total, refused_total)
    VALUES (NEW.store, NEW.node, NEW."time", NEW.boot, NEW.uptime_s, NEW.clock_ok, NEW.latency_p50_ms, NEW.latency_p99_ms, NEW.memory_mb, NEW.outbox_rows::bigint, NEW.outbox_oldest_s, NEW.outbox_mb, NEW.puback_age_s, NEW.alerts_expired_total::bigint, NEW.windows_dropped_total::bigint, NEW.live_dropped_total::bigint, NEW.refused_total::bigint)
    ON CONFLICT (store, node, ts) DO NOTHING;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RAISE WARNING 'the health of store %, node % at % is left out: %', NEW.store, NEW.node, NEW."time", SQLERRM;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER health_upsert BEFORE INSERT ON health_landing
    FOR EACH ROW EXECUTE FUNCTION health_upsert();

-- The newest state of every box. A last will that comes late has a lower birth: it is ignored.
CREATE TABLE IF NOT EXISTS state (
    store text NOT NULL,
    node text NOT NULL,
    ts timestamptz NOT NULL,
    state text,
    reason text,
    boot text,
    birth bigint,
    UNIQUE (store, node)
);
CREATE TABLE IF NOT EXISTS state_landing (
    "time" timestamptz,
    store text,
    node text,
    state text,
    reason text,
    boot text,
    birth double precision
);

CREATE OR REPLACE FUNCTION state_upsert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO state (store, node, ts, state, reason, boot, birth)
    VALUES (NEW.store, NEW.node, NEW."time", NEW.state, NEW.reason, NEW.boot, NEW.birth::bigint)
    ON CONFLICT (store, node) DO UPDATE SET ts = EXCLUDED.ts, state = EXCLUDED.state, reason = EXCLUDED.reason, boot = EXCLUDED.boot, birth = EXCLUDED.birth
    WHERE state.birth <= EXCLUDED.birth;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RAISE WARNING 'the state of store %, node % at % is left out: %', NEW.store, NEW.node, NEW."time", SQLERRM;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER state_upsert BEFORE INSERT ON state_landing
    FOR EACH ROW EXECUTE FUNCTION state_upsert();

-- Opening a web page must not need more than reading.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'telegraf') THEN CREATE ROLE telegraf LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') THEN CREATE ROLE grafana LOGIN; END IF;
END $$;
GRANT SELECT, INSERT ON agg_landing, health_landing, state_landing TO telegraf;
GRANT SELECT, INSERT, UPDATE ON agg, agg_seen, health, state TO telegraf;
GRANT SELECT ON agg, agg_seen, health, state TO grafana;
