-- The figures of cases, from a file of events alone.
--
-- Written from what the figures mean (docs/glossary.md, the meanings in the docstrings of stream/families/cases), and not
-- from how the code counts them. Parameters: $file, and $at, the instant of the board in ms since 1970.

-- Every report, in the order in which it happened. Of reports of one instant that comes first which the other follows
-- from: a case is opened before somebody writes, an answer is sent before it solves the case.
CREATE TABLE report AS
WITH told AS (
    SELECT coalesce(tenantid, 'default') AS tenant, subject AS "case", id, epoch_ms(time::TIMESTAMPTZ) AS moment, data.*,
        CASE type
            WHEN 'message.received' THEN CASE WHEN coalesce(data.automatic, false) THEN 'automatic' ELSE 'asked' END
            WHEN 'message.sent' THEN CASE
                WHEN NOT coalesce(data.public, true) THEN 'note'
                WHEN coalesce(data.automatic, false) OR data.author = 'bot' THEN 'automatic'
                ELSE 'answered' END
            WHEN 'case.deleted' THEN coalesce(data.reason, 'deleted')
            ELSE split_part(type, '.', 2)
        END AS kind
    FROM read_json($file, format = 'newline_delimited', columns = {
        type: 'VARCHAR', id: 'VARCHAR', time: 'VARCHAR', subject: 'VARCHAR', tenantid: 'VARCHAR',
        data: 'STRUCT(queue VARCHAR, channel VARCHAR, opened_by VARCHAR, automatic BOOLEAN, public BOOLEAN,
            author VARCHAR, reason VARCHAR, status VARCHAR, priority VARCHAR)'})
), numbered AS (
SELECT *, row_number() OVER (PARTITION BY tenant, "case" ORDER BY moment, list_position(
    ['opened', 'assigned', 'status_changed', 'asked', 'answered', 'automatic', 'resolved', 'reopened', 'closed',
     'merged', 'deleted', 'spam'], kind), id) AS no
FROM told WHERE moment <= $at AND kind <> 'note'
-- Of one instant it is opened again once.
QUALIFY kind <> 'reopened' OR row_number() OVER (PARTITION BY tenant, "case", kind, moment ORDER BY id) = 1
)
-- Of a case that is deleted it says that this was a mistake when it is opened again, and nothing else.
SELECT * EXCLUDE (kind), CASE WHEN kind = 'reopened' AND coalesce(
    last_value(CASE WHEN kind IN ('deleted', 'spam', 'reopened') THEN kind END IGNORE NULLS) OVER (
        PARTITION BY tenant, "case" ORDER BY no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) IN ('deleted', 'spam'), false) THEN 'restored' ELSE kind END AS kind
FROM numbered;

-- With the queue in which the case was by then, and whether it was open before. What was merged goes on elsewhere: it is
-- not opened again.
CREATE TABLE step AS
WITH marked AS (
    SELECT *, count(*) FILTER (kind = 'merged') OVER (PARTITION BY tenant, "case" ORDER BY no
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > 0 AS was_merged
    FROM report
), placed AS (
    SELECT *,
        first_value(moment) OVER life AS opened_at,
        coalesce(first_value(channel) OVER life, 'email') AS came_by,
        last_value(queue IGNORE NULLS) OVER life AS place,
        last_value(CASE WHEN kind IN ('opened', 'resolved', 'closed', 'merged') OR (kind = 'reopened' AND NOT was_merged)
            THEN kind END IGNORE NULLS) OVER before AS state
    FROM marked
    WINDOW life AS (PARTITION BY tenant, "case" ORDER BY no ROWS UNBOUNDED PRECEDING),
        before AS (PARTITION BY tenant, "case" ORDER BY no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), judged AS (
    SELECT *,
        coalesce(state IN ('opened', 'reopened'), false) AS is_open,
        lag(place) OVER life AS place_before,
        kind = 'reopened' AND NOT was_merged AND coalesce(state IN ('resolved', 'closed'), false) AS reopens
    FROM placed WINDOW life AS (PARTITION BY tenant, "case" ORDER BY no)
)
SELECT *,
    -- The customer asks by opening the case and by writing; who reopens it says that it is still to be answered.
    (kind = 'opened' AND coalesce(opened_by, 'customer') = 'customer') OR kind = 'asked' OR reopens AS asks,
    kind IN ('resolved', 'closed') AND is_open AS solves,
    -- Nobody waits after an answer, nor when the case has come to an end.
    kind = 'answered' OR (kind IN ('resolved', 'closed', 'merged') AND is_open) AS settles
FROM judged;

-- What is asked between two answers is answered by the second: so the steps fall into turns.
CREATE TABLE turn AS
WITH numbered AS (
    SELECT *, coalesce(sum(settles::INT) OVER (PARTITION BY tenant, "case" ORDER BY no
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS turn
    FROM step
)
SELECT *, min(CASE WHEN asks THEN moment END) OVER (PARTITION BY tenant, "case", turn ORDER BY no
    ROWS UNBOUNDED PRECEDING) AS asked_since
FROM numbered;

-- How each case stands at the end.
CREATE TABLE standing AS
SELECT tenant, "case",
    arg_max(came_by, no) AS channel,
    arg_max(place, no) AS queue,
    coalesce(arg_max(kind, no) FILTER (kind IN ('deleted', 'spam', 'restored')) <> 'restored', false) AS is_gone,
    coalesce(max(no) FILTER (kind = 'restored'), 0) AS restored,
    bool_or(kind = 'merged') AS is_merged,
    arg_max(kind, no) FILTER (kind IN ('opened', 'resolved', 'closed', 'merged') OR reopens)
        IN ('opened', 'reopened') AS is_open,
    coalesce(max(no) FILTER (solves) > coalesce(max(no) FILTER (reopens), 0), false) AS is_solved,
    max(no) FILTER (solves) AS last_solution,
    CASE WHEN NOT arg_max(settles, no) THEN arg_max_null(asked_since, no) END AS waiting_since,
    min(moment) AS opened_at
FROM turn GROUP BY ALL;

-- Everything that counts: what, when, in which queue, how many, and since when it lasted.
CREATE TABLE fact AS
WITH alive AS (SELECT turn.*, is_solved, is_merged, last_solution FROM turn JOIN standing USING (tenant, "case") WHERE NOT is_gone),
response AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, "case" ORDER BY no) AS nth
    FROM alive WHERE kind = 'answered' AND is_open AND asked_since IS NOT NULL
),
-- Spam is deleted, too: it is spam, since the first of them.
removal AS (
    SELECT turn.* EXCLUDE (kind), row_number() OVER (PARTITION BY tenant, "case" ORDER BY no) AS nth,
        if(bool_or(kind = 'spam') OVER (PARTITION BY tenant, "case"), 'spam', 'deleted') AS kind
    FROM turn JOIN standing USING (tenant, "case") WHERE is_gone AND kind IN ('deleted', 'spam') AND no > restored
),
-- Whatever ended a case before it was merged was no solution, unless it was opened again.
solution AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, "case" ORDER BY no) AS nth FROM alive
    WHERE solves AND NOT (is_merged AND is_solved AND no = last_solution)
),
final AS (
    SELECT tenant, "case", no, moment, place, came_by, opened_at,
        count(*) FILTER (kind IN ('asked', 'answered')) AS messages,
        count(*) FILTER (kind = 'answered') AS answers,
        max(came_at) AS came_at
    FROM (
        SELECT s.tenant, s."case", s.no, s.moment, s.place, s.came_by, s.opened_at, b.kind,
            CASE WHEN b.kind = 'opened' OR (b.kind = 'assigned' AND b.place <> b.place_before) THEN b.moment END AS came_at
        FROM solution s JOIN alive b ON b.tenant = s.tenant AND b."case" = s."case" AND b.no <= s.no
        WHERE s.is_solved AND s.no = s.last_solution
    ) GROUP BY ALL
),
counted AS (
    SELECT tenant, place, came_by, 'opened' AS what, moment, 1 AS number, NULL::BIGINT AS since FROM alive WHERE kind = 'opened'
    UNION ALL SELECT tenant, place, came_by, 'assigned', moment, 1, NULL FROM alive
        WHERE kind = 'opened' OR (kind = 'assigned' AND place <> place_before)
    UNION ALL SELECT tenant, place_before, came_by, 'reassigned', moment, 1, NULL FROM alive
        WHERE kind = 'assigned' AND place <> place_before
    UNION ALL SELECT tenant, place, came_by, 'received', moment, 1, NULL FROM alive WHERE kind = 'asked'
    UNION ALL SELECT tenant, place, came_by, 'sent', moment, 1, NULL FROM alive WHERE kind = 'answered'
    UNION ALL SELECT tenant, place, came_by, 'automatic', moment, 1, NULL FROM alive WHERE kind = 'automatic'
    UNION ALL SELECT tenant, place, came_by, 'merged', moment, 1, NULL FROM alive
        WHERE kind = 'merged' AND NOT was_merged
    UNION ALL SELECT tenant, place, came_by, 'reopened', moment, 1, NULL FROM alive WHERE reopens
    UNION ALL SELECT tenant, place, came_by, kind, moment, 1, NULL FROM removal WHERE nth = 1
    UNION ALL SELECT tenant, place, came_by, if(nth = 1, 'first_responses', 'next_responses'), moment, 1, asked_since
        FROM response
    UNION ALL SELECT tenant, place, came_by, 'resolved', moment, 1, NULL FROM solution
    UNION ALL SELECT tenant, place, came_by, 'first_resolutions', moment, 1, opened_at FROM solution WHERE nth = 1
    UNION ALL SELECT tenant, place, came_by, 'full_resolutions', moment, 1, opened_at FROM final
    UNION ALL SELECT tenant, place, came_by, 'messages', moment, messages, NULL FROM final
    UNION ALL SELECT tenant, place, came_by, 'one_touch', moment, 1, NULL FROM final WHERE answers = 1
    UNION ALL SELECT tenant, place, came_by, 'assigned_resolved', came_at, 1, NULL FROM final
)
SELECT tenant, place AS queue, came_by AS channel, what, moment, number, since FROM counted;

-- Business time: every minute of the time in question, whether the queue is served then, and how long it was before.
CREATE TABLE business AS
SELECT minute, served, coalesce(sum(served::INT) OVER (ORDER BY minute
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) * 60000 AS served_before
FROM (
    -- `isodow` is 1 on a Monday; from Monday to Friday, 7 to 17 o'clock (UTC).
    SELECT minute, isodow(make_timestamp(minute * 60000000)) <= 5
        AND hour(make_timestamp(minute * 60000000)) BETWEEN 7 AND 16 AS served
    FROM (SELECT unnest(range((SELECT min(moment) // 60000 FROM report), $at // 60000 + 1)) AS minute)
);

CREATE MACRO served_until(moment, minute, served, served_before) AS served_before + if(served, moment - minute * 60000, 0);

CREATE TABLE lasted AS
SELECT fact.*, fact.moment - since AS ms,
    if((tenant, queue, channel) = ('fabrikam', 'claims', 'email'),
        served_until(fact.moment, e.minute, e.served, e.served_before)
            - served_until(since, b.minute, b.served, b.served_before), fact.moment - since)::BIGINT AS business_ms,
    -- Four hours of business time there, an hour where others chat, else eight hours.
    CASE WHEN (tenant, queue, channel) = ('fabrikam', 'claims', 'email') THEN 14400000
        WHEN channel = 'messaging' THEN 3600000 ELSE 28800000 END AS target_ms
FROM fact
LEFT JOIN business b ON b.minute = since // 60000
LEFT JOIN business e ON since IS NOT NULL AND e.minute = fact.moment // 60000;

-- A window is the running day (UTC) and so many whole ones before it.
CREATE TABLE figure AS
WITH span(name, days) AS (VALUES ('today', 0), ('7d', 7), ('30d', 30), ('90d', 90))
SELECT tenant, queue, channel, name AS span, what, sum(number)::BIGINT AS number, sum(ms)::BIGINT AS ms,
    sum(business_ms)::BIGINT AS business_ms, count(*) FILTER (business_ms <= target_ms) AS in_target
FROM lasted JOIN span ON moment // 86400000 >= $at // 86400000 - days
GROUP BY ALL;
