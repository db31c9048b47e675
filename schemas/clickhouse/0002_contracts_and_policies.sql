-- Contracts and policies as the views read them. Facts are never re-written; a newer contract re-reads them.

CREATE TABLE contracts
(
    account String,
    content_hash String,
    applied_at DateTime64(3, 'UTC'),
    country LowCardinality(String),
    currency LowCardinality(String),
    body String COMMENT 'the contract file, byte for byte'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (account, content_hash);

CREATE TABLE replaced_codes
(
    account String,
    content_hash String,
    code String,
    from_day Date32,
    until_day Date32,
    product String
)
ENGINE = ReplacingMergeTree
ORDER BY (account, content_hash, code, from_day)
COMMENT 'for each old code of a contract the product it counts for, in [from_day, until_day)';

CREATE TABLE policies
(
    policy String,
    from_day Date32,
    until_day Date32,
    slot_ms UInt32,
    opening_slot_counts Bool,
    min_use_ms UInt32,
    unit LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (policy, from_day)
COMMENT 'the built-in metering policies, each row in force in [from_day, until_day)';

CREATE VIEW current_contracts AS
SELECT account, argMax(content_hash, applied_at) AS content_hash, argMax(country, applied_at) AS country,
    argMax(currency, applied_at) AS currency
FROM contracts
GROUP BY account;
