-- What a piece of a licence server's log means for the pieces that are read in other runs: which sessions it leaves open,
-- which returns in it had nothing open, and when daemons ended (pipeline/codec/flexnet/carrying.py).

CREATE TABLE licence_log_pieces
(
    account String,
    log String COMMENT 'the log that the piece was read in',
    server String COMMENT 'the host of its start line, or empty',
    first_at DateTime64(3, 'UTC'),
    last_at DateTime64(3, 'UTC'),
    body String COMMENT 'the sessions it leaves open, returns without a checkout, ends of daemons; JSON'
)
ENGINE = ReplacingMergeTree
ORDER BY (account, log, server);
