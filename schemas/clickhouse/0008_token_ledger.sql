-- The token ledger as its log has it. Void postings are kept: who posted what, and what never counted.

CREATE TABLE ledger_log
(
    account String,
    log String COMMENT 'which log the place belongs to',
    partition UInt32,
    offset UInt64 COMMENT 'the place of the posting in the log',
    `index` UInt32 COMMENT 'the place of the entry in its posting',
    sequence UInt64 COMMENT 'the number of the posting, per account',
    id String,
    at DateTime64(3, 'UTC') COMMENT 'when it takes effect',
    kind LowCardinality(String) COMMENT 'grant, debit, expiry, credit, refusal or settled',
    team LowCardinality(String),
    product LowCardinality(String),
    country LowCardinality(String),
    user String,
    end_at DateTime64(3, 'UTC') COMMENT 'of a debit: the end of its window',
    tokens UInt64 COMMENT 'granted, paid by packs, expired or given back',
    uncovered UInt64,
    fact String COMMENT 'all that the entry says, as JSON'
)
ENGINE = ReplacingMergeTree
ORDER BY (account, log, partition, offset, `index`)
COMMENT 'every posting of every account, void ones too; read the view ledger';

CREATE VIEW ledger SQL SECURITY INVOKER AS
SELECT account, sequence, `index`, id, at, kind, team, product, country, user, end_at, tokens, uncovered, fact
FROM (SELECT * FROM ledger_log FINAL) AS entries
INNER JOIN
(
    SELECT account, sequence, min((log, partition, offset)) AS place
    FROM ledger_log
    GROUP BY account, sequence
) AS firsts ON firsts.account = entries.account AND firsts.sequence = entries.sequence
WHERE (entries.log, entries.partition, entries.offset) = firsts.place;
