-- engine: server
-- The token ledger for analysts: every entry that counts, of the accounts granted to them. What an entry says in full,
-- with the prices of packs, they may not read, as they may not read the body of a contract.

CREATE ROLE seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON ledger_log FOR SELECT
    USING account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())
    TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON ledger_log FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

GRANT SELECT(account, log, partition, offset, `index`, sequence, id, at, kind, team, product, country, user, end_at, tokens, uncovered) ON ledger_log TO seatbeat_analyst;

GRANT SELECT ON ledger TO seatbeat_analyst;
