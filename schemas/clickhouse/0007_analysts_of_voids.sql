-- engine: server
-- The views apply voids, so the role of the analysts reads what voids leave out; of all other commands it reads no body.

CREATE ROLE seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON commands FOR SELECT
    USING account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())
    TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON commands FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

GRANT SELECT(account, log, topic, partition, offset, id, kind, `by`, issued_at, received_at, excludes, undoes) ON commands TO seatbeat_analyst;

GRANT SELECT ON first_commands TO seatbeat_analyst;

GRANT SELECT ON voids TO seatbeat_analyst;
