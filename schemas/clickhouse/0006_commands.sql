-- Commands as the log holds them, and the voids among them. Nothing is deleted to correct a bill.

CREATE TABLE commands
(
    account String,
    log String COMMENT 'which log the offsets belong to',
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    id String,
    kind LowCardinality(String),
    `by` String,
    issued_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC') COMMENT 'by the broker',
    body String COMMENT 'the command, as JSON',
    excludes Tuple(session String, product String, machine String, user String, from_slot Int64, until_slot Int64)
        MATERIALIZED if(kind = 'void',
            (
                JSONExtractString(body, 'session'), JSONExtractString(body, 'product'),
                JSONExtractString(body, 'machine'), JSONExtractString(body, 'user'),
                if(JSONHas(body, 'from'), intDiv(JSONExtractInt(body, 'from'), 600000), -1),
                if(JSONHas(body, 'until'), intDiv(JSONExtractInt(body, 'until') + 599999, 600000), 9223372036854775807)
            ),
            ('', '', '', '', -1, -1))
        COMMENT 'what a void leaves out: empty texts are no condition; ten-minute slots counted from the epoch, half-open',
    undoes String MATERIALIZED if(kind = 'unvoid', JSONExtractString(body, 'void'), '') COMMENT 'the id of a void'
)
ENGINE = ReplacingMergeTree
ORDER BY (account, log, topic, partition, offset)
COMMENT 'one row per place in the log; of several under one id the first in log order is the command';

ALTER TABLE contracts ADD COLUMN IF NOT EXISTS applied_by String;

CREATE OR REPLACE VIEW current_contracts SQL SECURITY INVOKER AS
SELECT account, argMax(content_hash, (applied_at, contracts.content_hash)) AS content_hash,
    argMax(country, (applied_at, contracts.content_hash)) AS country,
    argMax(currency, (applied_at, contracts.content_hash)) AS currency
FROM contracts
GROUP BY account;

CREATE VIEW first_commands SQL SECURITY INVOKER AS
SELECT account, id,
    argMin(kind, place) AS kind,
    argMin(`by`, place) AS `by`,
    argMin(issued_at, place) AS issued_at,
    argMin(excludes, place) AS excludes,
    argMin(undoes, place) AS undoes,
    min(place) AS first_place
FROM
(
    SELECT account, id, kind, `by`, issued_at, excludes, undoes,
        (min(received_at) OVER (PARTITION BY account, log), log, partition, offset) AS place
    FROM commands FINAL
)
GROUP BY account, id;

CREATE VIEW voids SQL SECURITY INVOKER AS
SELECT ordered.account AS account, ordered.id AS id, ordered.`by` AS `by`, ordered.issued_at AS issued_at,
    ordered.excludes AS excludes
FROM (SELECT * FROM first_commands WHERE kind = 'void') AS ordered
LEFT JOIN
(
    SELECT account, undoes AS id, max(first_place) AS last_place
    FROM first_commands
    WHERE kind = 'unvoid'
    GROUP BY account, undoes
) AS undone ON undone.account = ordered.account AND undone.id = ordered.id
WHERE undone.id = '' OR undone.last_place < ordered.first_place;

CREATE OR REPLACE VIEW usage SQL SECURITY INVOKER AS
SELECT
    facts.account AS account,
    if(codes.product = '', facts.product, codes.product) AS product,
    if(facts.country = '', contracts.country, facts.country) AS country,
    facts.usage AS usage,
    facts.day AS day,
    facts.machine AS machine,
    facts.user AS user,
    facts.session AS session,
    facts.product AS reported_product,
    facts.country AS reported_country,
    facts.version AS version,
    facts.opened_at AS opened_at,
    facts.last_at AS last_at,
    arrayFilter(
        slot -> NOT arrayExists(
            one -> toInt64(toUInt16(facts.day)) * 144 + slot >= one.5 AND toInt64(toUInt16(facts.day)) * 144 + slot < one.6,
            facts.voids
        ),
        facts.used_slots
    ) AS used_slots,
    facts.stretches AS stretches,
    facts.received_min_at AS received_min_at,
    facts.received_max_at AS received_max_at
FROM
(
    SELECT days.*,
        arrayFilter(
            one -> one.1 IN ('', session) AND one.2 IN ('', product) AND one.3 IN ('', machine) AND one.4 IN ('', user),
            excluded.all_of_account
        ) AS voids
    FROM (SELECT * FROM usage_days FINAL) AS days
    LEFT JOIN (SELECT account, groupArray(excludes) AS all_of_account FROM voids GROUP BY account) AS excluded
        ON excluded.account = days.account
) AS facts
LEFT JOIN current_contracts AS contracts ON contracts.account = facts.account
LEFT JOIN (SELECT * FROM replaced_codes FINAL) AS codes
    ON codes.account = facts.account
    AND codes.content_hash = contracts.content_hash
    AND codes.code = facts.product
    AND codes.from_day <= facts.day
    AND codes.until_day > facts.day
WHERE NOT arrayExists(one -> one.1 != '', facts.voids);
