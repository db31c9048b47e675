-- A posting counts when it is the first in log order with the next sequence number of its account, as the rules have it.
-- So one whose predecessor is not there before it is void, though it be the first of its number.

CREATE OR REPLACE VIEW ledger SQL SECURITY INVOKER AS
SELECT account, sequence, `index`, id, at, kind, team, product, country, user, end_at, tokens, uncovered, fact
FROM (SELECT * FROM ledger_log FINAL)
WHERE (account, log, partition, offset) NOT IN
(
    SELECT account, place.1, place.2, place.3
    FROM
    (
        SELECT account,
            arraySort(groupUniqArray(((log, partition, offset), sequence))) AS postings,
            arrayAll((posting, number) -> posting.2 = number, postings, arrayEnumerate(postings)) AS all_count,
            arrayFold(
                (read, posting) -> if(posting.2 = read.1 + 1, (posting.2, read.2), (read.1, arrayPushBack(read.2, posting.1))),
                if(all_count, [], postings),
                CAST((0, []), 'Tuple(UInt64, Array(Tuple(String, UInt32, UInt64)))')
            ).2 AS voids
        FROM ledger_log
        GROUP BY account
    )
    ARRAY JOIN voids AS place
);
