-- engine: server
-- Analysts: a role that may read the views, of the accounts that it was granted, and nothing else. An engine that keeps
-- no users, or whose user may not manage access, skips this file from the first statement on that it refuses.
--
-- An analyst:       CREATE USER jana IDENTIFIED BY '...' DEFAULT ROLE seatbeat_analyst
-- and an account:   INSERT INTO analyst_accounts VALUES ('jana', 'acme')
-- taken away again: DELETE FROM analyst_accounts WHERE user = 'jana' AND account = 'acme'
--
-- The views run with the rights of who asks (INVOKER). Under the rights of their definer the row policies of the definer
-- would apply, and every analyst would see every account. So the role may read what the views read, column by column:
-- the body of a contract, with its prices and people, is not among them.
-- Names in a policy's query are looked up in the database of the session that asks, where an analyst could have a table
-- `analyst_accounts` of their own. So it is written out: {database} is the database that is migrated.
-- As soon as a table has any policy, a server may be set to show its rows to nobody else, which would empty statements
-- without an error. So each table has a policy for everybody else, too.
-- Grants come last: a migration that is cut in the middle leaves a role that may read nothing.

CREATE TABLE analyst_accounts
(
    user String COMMENT 'a user of this server',
    account String COMMENT 'an account whose rows they may read'
)
ENGINE = ReplacingMergeTree
ORDER BY (user, account)
COMMENT 'which analyst may read which account';

ALTER TABLE current_contracts MODIFY SQL SECURITY INVOKER;

ALTER TABLE usage MODIFY SQL SECURITY INVOKER;

ALTER TABLE usage_slots MODIFY SQL SECURITY INVOKER;

ALTER TABLE slot_counts MODIFY SQL SECURITY INVOKER;

CREATE ROLE seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON usage_days FOR SELECT
    USING account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())
    TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON usage_days FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON contracts FOR SELECT
    USING account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())
    TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON contracts FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON replaced_codes FOR SELECT
    USING account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())
    TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON replaced_codes FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

CREATE ROW POLICY seatbeat_analyst ON analyst_accounts FOR SELECT USING user = currentUser() TO seatbeat_analyst;

CREATE ROW POLICY seatbeat_others ON analyst_accounts FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst;

CREATE SETTINGS PROFILE seatbeat_analyst SETTINGS
    readonly = 2,
    max_execution_time = 60 MIN 1 MAX 60,
    max_memory_usage = 4000000000 MIN 1 MAX 4000000000,
    max_concurrent_queries_for_user = 4 MIN 1 MAX 4
    TO seatbeat_analyst;

GRANT SELECT ON analyst_accounts TO seatbeat_analyst;

GRANT SELECT(account, content_hash, applied_at, country, currency) ON contracts TO seatbeat_analyst;

GRANT SELECT ON current_contracts TO seatbeat_analyst;

GRANT SELECT ON replaced_codes TO seatbeat_analyst;

GRANT SELECT ON policies TO seatbeat_analyst;

GRANT SELECT ON usage_days TO seatbeat_analyst;

GRANT SELECT ON usage TO seatbeat_analyst;

GRANT SELECT ON usage_slots TO seatbeat_analyst;

GRANT SELECT ON slot_counts TO seatbeat_analyst;
