-- The figures of customers, from a file of events alone.
--
-- Written from what the figures mean (docs/glossary.md, the docstrings of stream/families/customers/counts.py), and not from
-- how the code counts them: it asks all events at once. Days are those of UTC, each queue is a matter of its own, and all
-- else is as where no policy says otherwise. Parameters: $file, and $at, the instant of the board in ms since 1970.

CREATE MACRO day_of(moment) AS moment // 86400000;
CREATE MACRO days(number) AS number::BIGINT * 86400000;
CREATE MACRO cents(amount) AS round(amount * 100)::BIGINT;

CREATE TABLE raw AS
SELECT type AS kind, subject, epoch_ms(time::TIMESTAMPTZ) AS moment, data.*
FROM read_json($file, format = 'newline_delimited', columns = {
    type: 'VARCHAR', time: 'VARCHAR', subject: 'VARCHAR',
    data: 'STRUCT(contact VARCHAR, queue VARCHAR, channel VARCHAR, served BOOLEAN, message BOOLEAN, survey VARCHAR,
        what VARCHAR, "order" VARCHAR, amount DOUBLE, plan VARCHAR, "group" VARCHAR, monthly DOUBLE, referred BOOLEAN,
        revenue_before DOUBLE, value DOUBLE, customer VARCHAR)'})
WHERE epoch_ms(time::TIMESTAMPTZ) <= $at;

-- An order of a cart that says whose, how much and which is a purchase.
CREATE TABLE told AS
SELECT * FROM raw WHERE kind LIKE 'customer.%'
UNION ALL BY NAME
SELECT 'customer.purchased' AS kind, customer AS subject, moment, "order", value AS amount FROM raw
WHERE kind = 'cart.ordered' AND customer IS NOT NULL AND "order" IS NOT NULL AND value IS NOT NULL;

CREATE TABLE member AS
WITH latest AS (
    SELECT subject, coalesce(arg_max(plan, moment) FILTER (plan IS NOT NULL), '') AS plan,
        coalesce(arg_max("group", moment) FILTER ("group" IS NOT NULL), '') AS grp
    FROM told GROUP BY subject
)
SELECT subject, '' AS plan, '' AS grp FROM latest
UNION ALL SELECT subject, plan, '' FROM latest WHERE plan <> ''
UNION ALL SELECT subject, '', grp FROM latest WHERE grp <> '';

-- Contacts, and the runs of those that follow each other within a week.

CREATE TABLE contact AS
WITH one AS (
    SELECT subject, contact, min(moment) AS moment,
        arg_min(queue, moment) FILTER (queue IS NOT NULL AND kind <> 'customer.handed_over') AS queue,
        arg_min(coalesce(channel, 'voice'), moment) FILTER (queue IS NOT NULL AND kind <> 'customer.handed_over') AS channel,
        min(moment) FILTER (kind = 'customer.solved' OR (served AND NOT coalesce(message, false))) AS served_at
    FROM told WHERE kind IN ('customer.contacted', 'customer.handed_over', 'customer.solved') GROUP BY ALL
), followed AS (
    SELECT *, coalesce(moment - lag(moment) OVER matter <= days(7), false) AS repeats,
        coalesce(lead(moment) OVER matter - moment <= days(7), false) AS comes_again
    FROM one WHERE queue IS NOT NULL
    WINDOW matter AS (PARTITION BY subject, queue ORDER BY moment)
)
SELECT *, count(*) FILTER (NOT repeats) OVER (PARTITION BY subject, queue ORDER BY moment) AS run FROM followed;

-- Of what is said to be solved again and again, the first time counts after each message.
CREATE TABLE solution AS
WITH saying AS (
    SELECT subject, contact, moment, kind = 'customer.solved' AS solves,
        coalesce(lag(kind = 'customer.solved') OVER (PARTITION BY subject, contact ORDER BY moment), false) AS again
    FROM told WHERE kind = 'customer.solved' OR message
), each AS (
    SELECT saying.subject, contact.queue, contact.channel, contact.run, saying.moment
    FROM saying JOIN contact USING (subject, contact) WHERE solves AND NOT again
)
SELECT *, coalesce(lead(moment) OVER (PARTITION BY subject, queue, run ORDER BY moment) - moment <= days(60), false)
    AS superseded
FROM each;

CREATE TABLE effort AS
SELECT s.queue, s.channel, s.moment,
    s.moment - (SELECT min(c.moment) FROM contact c
        WHERE (c.subject, c.queue, c.run) = (s.subject, s.queue, s.run) AND c.moment BETWEEN s.moment - days(60) AND s.moment
    ) AS took,
    (SELECT count(*) FROM contact c
        WHERE (c.subject, c.queue, c.run) = (s.subject, s.queue, s.run) AND c.moment BETWEEN s.moment - days(60) AND s.moment
    ) + (SELECT count(*) FROM told t JOIN contact c USING (subject, contact)
        WHERE (c.subject, c.queue, c.run) = (s.subject, s.queue, s.run) AND t.message AND t.moment > c.moment
        AND t.moment BETWEEN s.moment - days(60) AND s.moment) AS contacts,
    (SELECT count(*) FROM told t JOIN contact c USING (subject, contact)
        WHERE (c.subject, c.queue, c.run) = (s.subject, s.queue, s.run) AND t.kind = 'customer.handed_over'
        AND t.moment BETWEEN s.moment - days(60) AND s.moment) AS handovers,
    (SELECT count(*) FROM solution o
        WHERE (o.subject, o.queue, o.run) = (s.subject, s.queue, s.run)
        AND o.moment BETWEEN s.moment - days(60) AND s.moment) AS solutions
FROM solution s WHERE NOT superseded;

CREATE TABLE invitation AS
WITH first_of AS (
    SELECT subject, survey, min(moment) AS moment, arg_min(queue, moment) AS queue, arg_min(channel, moment) AS channel
    FROM told WHERE kind = 'customer.asked' AND coalesce(what, 'invited') = 'invited' GROUP BY ALL
)
SELECT *, coalesce(moment - lag(moment, 3) OVER (PARTITION BY subject ORDER BY moment) < days(30), false) AS too_often
FROM first_of;

-- The account: how a customer stood after each event, and what changed by it.

CREATE TABLE bought AS
SELECT subject, "order", min(moment) AS moment, cents(arg_min(amount, moment)) AS amount
FROM told WHERE kind = 'customer.purchased' GROUP BY ALL;

CREATE TABLE state AS
WITH joined AS (SELECT DISTINCT subject FROM told WHERE kind = 'customer.joined'),
turn AS (
    SELECT subject, moment, kind = 'customer.joined' AS present, NULL::BIGINT AS monthly
    FROM told WHERE kind IN ('customer.joined', 'customer.left')
    UNION ALL SELECT subject, moment, true, NULL FROM bought WHERE subject NOT IN (FROM joined)
    UNION ALL SELECT subject, moment, NULL, cents(monthly) FROM told WHERE monthly IS NOT NULL
), known AS (
    SELECT subject, moment, bool_or(present) AS present, max(monthly) AS monthly FROM turn GROUP BY ALL
), after AS (
    SELECT subject, moment, coalesce(last_value(present IGNORE NULLS) OVER life, false) AS present,
        coalesce(last_value(monthly IGNORE NULLS) OVER life, 0) AS pays
    FROM known WINDOW life AS (PARTITION BY subject ORDER BY moment)
)
SELECT subject, moment, present, CASE WHEN present THEN pays ELSE 0 END AS pays,
    present::INT - coalesce(lag(present::INT) OVER life, 0) AS turn,
    (CASE WHEN present THEN pays ELSE 0 END)
        - coalesce(lag(CASE WHEN present THEN pays ELSE 0 END) OVER life, 0) AS change
FROM after WINDOW life AS (PARTITION BY subject ORDER BY moment);

CREATE TABLE stands AS
SELECT subject, arg_max(present, moment) AS present, arg_max(pays, moment) AS monthly,
    coalesce((SELECT sum(amount) FROM bought WHERE bought.subject = state.subject), 0)
    - coalesce((SELECT sum(cents(amount)) FROM told WHERE kind = 'customer.refunded' AND told.subject = state.subject), 0)
    + coalesce((SELECT arg_max(cents(revenue_before), moment) FROM told
        WHERE revenue_before > 0 AND told.subject = state.subject), 0) AS revenue
FROM state GROUP BY subject;

-- Carts: what happened until the order, and the first gap of more than an hour.

CREATE TABLE cart AS
WITH ordered AS (SELECT subject, min(moment) AS moment FROM raw WHERE kind = 'cart.ordered' GROUP BY ALL),
known AS (
    SELECT raw.*, ordered.moment AS ordered_at FROM raw LEFT JOIN ordered USING (subject)
    WHERE raw.kind LIKE 'cart.%' AND raw.moment <= coalesce(ordered.moment, raw.moment)
), spaced AS (
    SELECT *, lead(moment) OVER (PARTITION BY subject ORDER BY moment) AS next_at FROM known
), one AS (
    SELECT subject, min(moment) AS created_at, any_value(ordered_at) AS ordered_at,
        min(moment) FILTER (kind = 'cart.checked_out') AS checked_out_at,
        min(moment) FILTER (next_at - moment > 3600000 OR (next_at IS NULL AND ordered_at IS NULL)) AS left_at,
        coalesce(arg_max(plan, moment) FILTER (plan IS NOT NULL), '') AS plan,
        coalesce(arg_max("group", moment) FILTER ("group" IS NOT NULL), '') AS grp,
        coalesce(arg_max(cents(value), moment) FILTER (value IS NOT NULL), 0) AS value
    FROM spaced GROUP BY subject
)
SELECT *, coalesce((SELECT arg_max(cents(value), moment) FROM known
    WHERE known.subject = one.subject AND value IS NOT NULL AND moment <= left_at), 0) AS value_left
FROM one;

CREATE TABLE cart_part AS
SELECT *, '' AS of_plan, '' AS of_grp FROM cart
UNION ALL SELECT *, plan, '' FROM cart WHERE plan <> ''
UNION ALL SELECT *, '', grp FROM cart WHERE grp <> '';

-- What counts, of what, when, in which field and (of a list) at which place of it, and how much.

CREATE TABLE fact AS
WITH of_queue AS (
    SELECT queue, channel, moment, 'contacts' AS name, '' AS place, 1 AS number FROM contact
    UNION ALL SELECT queue, channel, moment, 'repeats', '', 1 FROM contact WHERE repeats
    UNION ALL SELECT queue, channel, moment, 'first_served', '', 1 FROM contact WHERE NOT repeats AND served_at IS NOT NULL
    UNION ALL SELECT queue, channel, moment, 'first_not_repeated', '', 1 FROM contact
        WHERE NOT repeats AND served_at IS NOT NULL AND NOT comes_again
    UNION ALL SELECT queue, channel, days(day_of(greatest(moment + days(7), served_at)) + 1), 'first_decided', '', 1
        FROM contact WHERE NOT repeats AND served_at IS NOT NULL
    UNION ALL SELECT queue, channel, days(day_of(greatest(moment + days(7), served_at)) + 1), 'first_resolved', '', 1
        FROM contact WHERE NOT repeats AND served_at IS NOT NULL AND NOT comes_again
    UNION ALL SELECT queue, channel, moment, unnest(['efforts', 'effort_ms', 'effort_contacts', 'effort_handovers',
        'effort_solutions']), '', unnest([1, took, contacts, handovers, solutions]) FROM effort
    UNION ALL SELECT queue, channel, moment, 'effort_in',
        len([hours FOR hours IN [1, 4, 8, 24, 48, 72, 120, 168, 336, 720] IF took > hours::BIGINT * 3600000])::VARCHAR, 1 FROM effort
    UNION ALL SELECT queue, channel, moment, 'effort_contacts_in',
        len([bound FOR bound IN [1, 2, 3, 4, 5, 7, 10] IF contacts > bound])::VARCHAR, 1 FROM effort
    UNION ALL SELECT coalesce(queue, '(none)'), coalesce(channel, ''), moment, 'asked', '', 1 FROM invitation
    UNION ALL SELECT coalesce(queue, '(none)'), coalesce(channel, ''), moment, 'asked_too_often', '', 1 FROM invitation
        WHERE too_often
), of_customer AS (
    SELECT subject, moment, 'came_by' AS name, channel AS place, 1 AS number FROM contact
        WHERE subject IN (SELECT subject FROM told WHERE kind IN ('customer.joined', 'customer.left',
            'customer.purchased', 'customer.refunded') OR plan IS NOT NULL OR "group" IS NOT NULL OR monthly IS NOT NULL)
    UNION ALL SELECT subject, moment, CASE WHEN turn > 0 THEN 'joined' ELSE 'left' END, '', 1 FROM state WHERE turn <> 0
    UNION ALL SELECT subject, moment, CASE WHEN stands.present THEN 'gained' ELSE 'lost' END, '',
        CASE WHEN stands.present THEN turn ELSE -turn END FROM state JOIN stands USING (subject) WHERE turn <> 0
    UNION ALL SELECT subject, moment, 'monthly_change', '', change FROM state
    UNION ALL SELECT subject, moment, 'monthly_gained', '', turn * stands.monthly
        FROM state JOIN stands USING (subject) WHERE stands.present
    UNION ALL SELECT subject, moment, 'monthly_lost', '', -change
        FROM state JOIN stands USING (subject) WHERE NOT stands.present
    UNION ALL SELECT subject, min(moment), 'first_joined', '', 1 FROM state WHERE present GROUP BY subject
    UNION ALL SELECT subject, min(state.moment), 'referred', '', 1 FROM state
        WHERE present AND subject IN (SELECT subject FROM told WHERE referred) GROUP BY subject
    UNION ALL SELECT subject, moment, 'purchases', '', 1 FROM bought
    UNION ALL SELECT subject, moment, 'revenue', '', amount FROM bought
    UNION ALL SELECT subject, moment, 'revenue', '', -cents(amount) FROM told WHERE kind = 'customer.refunded'
    UNION ALL SELECT subject, days(day_of(moment + days(30)) + 1), 'journeys', '', 1 FROM bought
    UNION ALL SELECT subject, days(day_of(b.moment + days(30)) + 1),
        CASE WHEN c.moment < b.moment THEN 'before_by' ELSE 'after_by' END, c.channel, 1
        FROM bought b JOIN contact c USING (subject)
        WHERE c.moment >= b.moment - days(30) AND c.moment < b.moment + days(30)
), of_cart AS (
    SELECT of_plan, of_grp, created_at AS moment, 'carts_created' AS name, 1 AS number FROM cart_part
    UNION ALL SELECT of_plan, of_grp, created_at, 'carts_created_value', value FROM cart_part
    UNION ALL SELECT of_plan, of_grp, checked_out_at, 'carts_checked_out', 1 FROM cart_part
    UNION ALL SELECT of_plan, of_grp, left_at + 3600000, 'carts_abandoned', 1 FROM cart_part
    UNION ALL SELECT of_plan, of_grp, left_at + 3600000, 'carts_abandoned_value', value_left FROM cart_part
    UNION ALL SELECT of_plan, of_grp, ordered_at, CASE WHEN left_at IS NULL THEN 'carts_completed' ELSE 'carts_recovered'
        END, 1 FROM cart_part
    UNION ALL SELECT of_plan, of_grp, ordered_at, CASE WHEN left_at IS NULL THEN 'carts_completed_value'
        ELSE 'carts_recovered_value' END, value FROM cart_part
)
SELECT queue, channel, '' AS plan, '' AS grp, moment, name, place, number::BIGINT AS number FROM of_queue
UNION ALL SELECT '', '', plan, grp, moment, name, place, number FROM of_customer JOIN member USING (subject)
UNION ALL SELECT '', '', of_plan, of_grp, moment, name, '', number FROM of_cart WHERE moment IS NOT NULL;

CREATE TABLE period AS
SELECT name, day_of($at) - before AS first_day
FROM (VALUES ('today', 0), ('7d', 7), ('30d', 30), ('90d', 90)) AS spans(name, before)
UNION ALL SELECT unnest(['month', 'quarter']), unnest([
    day_of(epoch_ms(date_trunc('month', make_timestamp($at * 1000)))),
    day_of(epoch_ms(date_trunc('quarter', make_timestamp($at * 1000))))]);

-- What is known to count on a later day does not count yet.
CREATE VIEW figure AS
SELECT queue, channel, plan, grp, period.name AS span, fact.name, place, sum(number)::BIGINT AS number
FROM fact JOIN period ON day_of(moment) >= first_day AND moment <= $at GROUP BY ALL HAVING sum(number) <> 0;

CREATE VIEW standing AS
SELECT plan, grp, count(*) FILTER (present) AS present, coalesce(sum(monthly), 0)::BIGINT AS monthly,
    coalesce(sum(revenue) FILTER (present), 0)::BIGINT AS revenue
FROM stands JOIN member USING (subject) GROUP BY ALL;

CREATE VIEW active AS
WITH seen AS (
    SELECT subject, CASE kind WHEN 'customer.contacted' THEN 'contact' WHEN 'customer.purchased' THEN 'purchase'
        WHEN 'customer.active' THEN 'visit' ELSE 'answer' END AS kind, day_of(moment) AS day
    FROM told WHERE kind IN ('customer.contacted', 'customer.purchased', 'customer.active')
        OR (kind = 'customer.asked' AND what = 'answered')
), every AS (FROM seen UNION ALL SELECT subject, 'any', day FROM seen)
SELECT plan, grp, kind,
    count(DISTINCT subject) FILTER (day >= day_of($at)),
    count(DISTINCT subject) FILTER (day > day_of($at) - 7),
    count(DISTINCT subject) FILTER (day > day_of($at) - 30)
FROM every JOIN member USING (subject) GROUP BY ALL;

-- Churn as it is defined: who was there when the window began, and who of them is there now.
CREATE VIEW kept AS
WITH at_start AS (
    SELECT subject, period.name AS span, arg_max(state.present, moment) AS present, arg_max(pays, moment) AS paid
    FROM state JOIN period ON moment < days(first_day) GROUP BY ALL
)
SELECT plan, grp, span,
    avg((NOT stands.present)::INT) AS churn,
    sum(CASE WHEN stands.present THEN 0 ELSE paid END) / sum(paid) AS revenue_churn,
    sum(stands.monthly) / sum(paid) AS net_revenue_retention
FROM at_start JOIN stands USING (subject) JOIN member USING (subject) WHERE at_start.present GROUP BY ALL;
