-- What happens to jobs that do not run: time, cancel, redrive, edit, wake-up.

-- name: due
-- Read the present moment and when the next job is due, wakes and expires.
select
    {now},
    (select min(run_at) from {schema}.jobs where state = 'scheduled'),
    (select min(wake_at) from {schema}.jobs where wake_at is not null and state = 'waiting'),
    (select min(expires_at) from {schema}.jobs where state in ('ready', 'scheduled') and expires_at is not null);

-- name: promote
-- Make due scheduled jobs ready, the earliest first.
with moved as (
    update {schema}.jobs j
    set state = 'ready', ready_at = {now}
    where j.id = any (array(
        select d.id from {schema}.jobs d
        where d.state = 'scheduled' and d.run_at <= {now}
        order by d.run_at, d.seq
        limit $2
        for update skip locked
    ))
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: awaken
-- Make waiting jobs ready whose moment has come.
with moved as (
    update {schema}.jobs j
    set state = 'ready', ready_at = {now}, wake_key = null, wake_at = null, children = 0
    where j.id = any (array(
        select d.id from {schema}.jobs d
        where d.wake_at <= {now} and d.state = 'waiting'
        order by d.wake_at
        limit $2
        for update skip locked
    ))
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: expire_lock
-- Lock jobs that did not start before their deadline.
select j.id, j.parent
from {schema}.jobs j
where j.expires_at <= {now} and j.state in ('ready', 'scheduled') and j.expires_at is not null
order by j.expires_at
limit $2
for update skip locked;

-- name: cancel_lock
-- Lock the live jobs that a filter means.
select id, state, attempt, parent, cancel_requested, {now} as now
from {schema}.jobs
where {filter}
order by id
for update;

-- name: request_cancel
-- Ask the owners of locked jobs to stop, and tell them.
with asked as (
    update {schema}.jobs j set cancel_requested = true where j.id = any ($1::uuid[]) returning j.id
)
select pg_notify({channel}, 'cancel:' || a.id) from (select id from asked limit 100) a where {pushes};

-- name: redrive
-- Make failed, cancelled and expired jobs ready again at the end of their line; not where a live job has the unique key.
with failed as materialized (
    select * from {schema}.dead where {filter} order by id for update
), ended as materialized (
    select * from {schema}.history where state in ('cancelled', 'expired') and {filter} order by id for update
), found as (
    select {kept}, fault from failed
    union all
    select {kept}, fault from ended
), placed as (
    insert into {schema}.jobs (
        id, queue, executor, task, payload, codec, rank, share, key, tags, unique_key, headers, options, parent, root,
        batch, ordinal, schedule, due, trust, run_at, expires_at, max_attempts, fault, state, submitted_at, ready_at
    )
    select
        id, queue, executor, task, payload, codec, rank, share, key, tags, unique_key, headers, options, parent, root,
        batch, ordinal, schedule, due, trust, run_at, case when expires_at > {now} then expires_at end, max_attempts,
        fault, 'ready', submitted_at, {now}
    from found
    order by seq
    on conflict do nothing
    returning id, queue, parent
), raised as (
    -- A parent that still waits for children waits for these too.
    update {schema}.jobs j
    set children = j.children + again.number
    from (select parent, count(*)::integer as number from placed group by parent) as again
    where j.id = again.parent and j.state = 'waiting' and j.children > 0
), gone_dead as (
    delete from {schema}.dead d using placed p where d.id = p.id
), gone_history as (
    delete from {schema}.history h using placed p where h.id = p.id
), gone_results as (
    delete from {schema}.results r using placed p where r.job = p.id
), told as (
    insert into {schema}.events (job, kind, at, attempt)
    select p.id, 'redrive', {now}, f.attempt from placed p join found f on f.id = p.id
), moved as (
    select queue from placed
), rung as materialized (
    {ring}
)
select array_agg(id), (select count(*) from rung) from placed;

-- name: edit
-- Change a scheduled job in place: $3, $5, $7, $9, $11 say which of the values that follow them count.
with edited as (
    update {schema}.jobs j
    set run_at = case when $3::boolean then $4::timestamptz else j.run_at end,
        rank = case when $5::boolean then $6::bigint else j.rank end,
        queue = case when $7::boolean then $8::text else j.queue end,
        payload = case when $9::boolean then $10::bytea else j.payload end,
        expires_at = case when $11::boolean then $12::timestamptz else j.expires_at end,
        state = case when $3::boolean and $4::timestamptz <= {now} then 'ready' else 'scheduled' end,
        ready_at = case when $3::boolean and $4::timestamptz <= {now} then {now} end
    where j.id = $2 and j.state = 'scheduled'
    returning j.id, j.queue, j.state, j.run_at, j.attempt
), told as (
    insert into {schema}.events (job, kind, at, attempt, data)
    select id, 'edit', {now}, attempt, $13::text::jsonb from edited
), moved as (
    select queue from edited where state = 'ready'
), near as (
    select queue from edited where state = 'scheduled' and run_at <= {now} + {soon}
), rung as materialized (
    {ring}
    union all
    {alarm}
)
select count(*), (select count(*) from rung) from edited;

-- name: resume
-- Make waiting jobs ready: those of these ids, and those that wait for a key.
with moved as (
    update {schema}.jobs j
    set state = 'ready', ready_at = {now}, wake_key = null, wake_at = null, children = 0
    where j.state = 'waiting' and j.id = any (array(
        select w.id from {schema}.jobs w
        where w.id = any ($2::uuid[]) or w.wake_key = $3
        order by w.id
        for update
    ))
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;
