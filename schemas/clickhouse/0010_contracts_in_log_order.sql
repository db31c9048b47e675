-- engine: server
-- Of two versions of a contract that were applied in one millisecond the later in the log is in force. An analyst reads
-- the view current_contracts, and with it the column by which it decides.

ALTER TABLE contracts
    ADD COLUMN IF NOT EXISTS offset UInt64 COMMENT 'the place in the log; without a log, the order within the millisecond',
    MODIFY ORDER BY (account, content_hash, offset);

CREATE OR REPLACE VIEW current_contracts SQL SECURITY INVOKER AS
SELECT account, argMax(content_hash, (applied_at, offset, contracts.content_hash)) AS content_hash,
    argMax(country, (applied_at, offset, contracts.content_hash)) AS country,
    argMax(currency, (applied_at, offset, contracts.content_hash)) AS currency
FROM contracts
GROUP BY account;

CREATE ROLE seatbeat_analyst;

GRANT SELECT(offset) ON contracts TO seatbeat_analyst;
