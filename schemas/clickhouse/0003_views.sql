-- What analysts ask. `uniqExact` and `max` over these are safe; nothing here adds up.

CREATE VIEW usage AS
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
    facts.used_slots AS used_slots,
    facts.stretches AS stretches,
    facts.received_min_at AS received_min_at,
    facts.received_max_at AS received_max_at
FROM (SELECT * FROM usage_days FINAL) AS facts
LEFT JOIN current_contracts AS contracts ON contracts.account = facts.account
LEFT JOIN (SELECT * FROM replaced_codes FINAL) AS codes
    ON codes.account = facts.account
    AND codes.content_hash = contracts.content_hash
    AND codes.code = facts.product
    AND codes.from_day <= facts.day
    AND codes.until_day > facts.day;

CREATE VIEW usage_slots AS
SELECT
    account, product, country, usage,
    toDateTime(day, 'UTC') + toIntervalMinute(10 * toUInt32(slot)) AS slot_at,
    machine, user, session, reported_product, reported_country
FROM usage
ARRAY JOIN used_slots AS slot;

CREATE VIEW slot_counts AS
WITH sessions AS
(
    SELECT account, product, country, reported_product, reported_country, machine, user, session,
        toUnixTimestamp64Milli(min(opened_at)) AS opened_ms,
        toUnixTimestamp64Milli(max(last_at)) AS last_ms,
        groupUniqArrayArray(arrayMap(slot -> toInt64(toUInt16(day)) * 86400000 + toInt64(slot) * 600000, used_slots)) AS used_ms
    FROM usage
    WHERE usage = 'production'
    GROUP BY account, product, country, reported_product, reported_country, machine, user, session
)
SELECT
    account, product, country, policy,
    fromUnixTimestamp64Milli(intDiv(at_ms, slot_ms) * slot_ms, 'UTC') AS slot_at,
    uniqExact(if(unit = 'machine', (machine, '', '', '', ''), (machine, user, session, reported_product, reported_country))) AS units
FROM sessions
CROSS JOIN (SELECT * FROM policies FINAL) AS rules
ARRAY JOIN used_ms AS at_ms
WHERE last_ms - opened_ms >= min_use_ms
    AND toDate32(slot_at) >= from_day
    AND toDate32(slot_at) < until_day
    AND (opening_slot_counts OR intDiv(at_ms, slot_ms) != intDiv(opened_ms, slot_ms))
GROUP BY account, product, country, policy, slot_at;
