-- Stored facts. Every column is a min, a max or a union, so inserting a row again, in any order, changes nothing.

CREATE TABLE usage_days
(
    account String,
    product LowCardinality(String) COMMENT 'as reported; the view usage replaces old codes',
    country LowCardinality(String) COMMENT 'as reported, empty where absent',
    usage LowCardinality(String) COMMENT 'production, trial, evaluation or pre-activation; only production counts',
    day Date COMMENT 'UTC',
    machine String COMMENT 'NFC and case folded',
    user String COMMENT 'NFC and case folded',
    session String,
    opened_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    used_slots SimpleAggregateFunction(groupUniqArrayArray, Array(UInt8)) COMMENT 'ten-minute slots of the day, 0 to 143',
    stretches SimpleAggregateFunction(maxMap, Map(Int64, Int64)) COMMENT 'activity: resumed_at to the largest active_at, epoch ms',
    version SimpleAggregateFunction(max, String),
    received_min_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    received_max_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (account, product, country, usage, day, machine, user, session)
COMMENT 'one row per session and UTC day: what all evidence says of it';

CREATE TABLE session_closes
(
    account String,
    product LowCardinality(String),
    country LowCardinality(String),
    usage LowCardinality(String),
    machine String,
    user String,
    session String,
    closed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (account, product, country, usage, machine, user, session)
COMMENT 'the latest close heard of a session; for live views, never for a count';

CREATE TABLE deliveries
(
    account String,
    log String COMMENT 'which log the offsets belong to',
    topic LowCardinality(String),
    partition UInt32,
    block UInt64 COMMENT 'offset divided by 1000',
    heartbeats SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) COMMENT 'offset to valid heartbeats in that message'
)
ENGINE = AggregatingMergeTree
ORDER BY (account, log, topic, partition, block)
COMMENT 'which messages were metered and how many valid heartbeats each brought';

CREATE TABLE dead_letters
(
    account String COMMENT 'empty where neither the member nor its key names one',
    log String,
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    `index` UInt32,
    code LowCardinality(String),
    field LowCardinality(String),
    detail String,
    member Nullable(String) COMMENT 'JSON, where it could be parsed',
    raw String COMMENT 'bytes, where it could not',
    received_at DateTime64(3, 'UTC'),
    source String,
    line UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (account, log, topic, partition, offset, `index`)
COMMENT 'evidence that could not be used; one row per place it stood in, so count with FINAL';

CREATE TABLE denials
(
    account String,
    id String,
    kind LowCardinality(String) COMMENT 'denied or unsupported',
    at DateTime64(3, 'UTC'),
    feature LowCardinality(String),
    user String,
    machine String,
    detail String,
    source String,
    line UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (account, at, id)
COMMENT 'launches a licence server refused; count with FINAL';

CREATE TABLE completeness
(
    account String,
    log String,
    complete_until SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (account, log)
COMMENT 'up to when each log is known to be worked off';
