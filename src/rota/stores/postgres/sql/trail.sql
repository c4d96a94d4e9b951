-- name: add_stats
-- Add to the counts of this minute. Rows come sorted, so that workers that report together do not deadlock.
insert into {schema}.stats as s (minute, queue, task, outcome, count, wait, duration, waits, durations)
select date_trunc('minute', {now}), u.queue, u.task, u.outcome, u.count, u.wait, u.duration, u.waits::bigint[],
    u.durations::bigint[]
from unnest(
    $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[], $8::text[], $9::text[]
) as u (queue, task, outcome, count, wait, duration, waits, durations)
on conflict (minute, queue, task, outcome) do update set
    count = s.count + excluded.count, wait = s.wait + excluded.wait, duration = s.duration + excluded.duration,
    waits = array(
        select a + b from unnest(s.waits, excluded.waits) with ordinality as x (a, b, n) order by n
    ),
    durations = array(
        select a + b from unnest(s.durations, excluded.durations) with ordinality as x (a, b, n) order by n
    );

-- name: stats
-- Read the counts of some minutes.
select minute, queue, task, outcome, count, wait, duration, waits, durations
from {schema}.stats
where minute >= $1 and minute < $2 and ($3::text is null or queue = $3) and ($4::text is null or task = $4)
order by minute, queue, task, outcome;

-- name: latest_event
-- Read the place of the newest event, but for the youngest, as `events_after`.
select coalesce((
    select id from {schema}.events where at <= {now} - interval '1 second' order by id desc limit 1
), 0);

-- name: events_after
-- Read events behind a place. Places are given before commits, so that the youngest are left to settle.
select id as place, job, kind, at, attempt, data
from {schema}.events
where id > $2 and at <= {now} - interval '1 second'
order by id
limit $3;

-- name: prune_stats
-- Forget counts whose retention has passed.
with gone as (
    delete from {schema}.stats s
    where s.ctid = any (array(
        select o.ctid from {schema}.stats o
        where o.minute <= {now} - $2::interval order by o.minute limit $3 for update skip locked
    ))
    returning s.minute
)
select count(*) from gone;

-- name: prune_requests
-- Forget requests that are older than requests are kept.
with gone as (
    delete from {schema}.requests r
    where r.ctid = any (array(
        select o.ctid from {schema}.requests o
        where o.at <= {now} - $2::interval order by o.at limit $3 for update skip locked
    ))
    returning r.at
)
select count(*) from gone;
