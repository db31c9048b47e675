-- A session whose code is replaced by a product at some midnight stays one session: whether it is recorded, and which
-- slot is that of its opening, is judged by all of it; each slot counts for the product of its day.

CREATE OR REPLACE VIEW slot_counts SQL SECURITY INVOKER AS
WITH
sessions AS
(
    SELECT account, country, reported_product, reported_country, machine, user, session,
        toUnixTimestamp64Milli(min(opened_at)) AS opened_ms,
        toUnixTimestamp64Milli(max(last_at)) AS last_ms,
        groupArray((toString(product), toInt64(toUInt16(day)) * 86400000, used_slots)) AS days
    FROM usage
    WHERE usage = 'production'
    GROUP BY account, country, reported_product, reported_country, machine, user, session
),
used AS
(
    SELECT account, one.1 AS product, country, reported_product, reported_country, machine, user, session,
        opened_ms, last_ms, one.2 AS midnight_ms, one.3 AS used_slots
    FROM sessions
    ARRAY JOIN days AS one
)
SELECT
    account, product, country, policy,
    fromUnixTimestamp64Milli(intDiv(midnight_ms + slot * 600000, slot_ms) * slot_ms, 'UTC') AS slot_at,
    uniqExact(if(unit = 'machine', (machine, '', '', '', ''), (machine, user, session, reported_product, reported_country))) AS units
FROM used
CROSS JOIN (SELECT * FROM policies FINAL) AS rules
ARRAY JOIN used_slots AS slot
WHERE last_ms - opened_ms >= min_use_ms
    AND toDate32(slot_at) >= from_day
    AND toDate32(slot_at) < until_day
    AND (opening_slot_counts OR intDiv(midnight_ms + slot * 600000, slot_ms) != intDiv(opened_ms, slot_ms))
GROUP BY account, product, country, policy, slot_at;
