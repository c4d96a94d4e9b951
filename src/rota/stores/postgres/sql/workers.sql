-- name: register
-- Add a worker, or bring it back after it was presumed dead.
insert into {schema}.workers (
    id, host, pid, version, queues, tasks, slots, sandboxes, started_at, beat_at, lease_until
)
values ($2, $3, $4, $5, $6, $7, $8, $9, {now}, {now}, {now} + $10::interval)
on conflict (id) do update set
    host = excluded.host, pid = excluded.pid, version = excluded.version, queues = excluded.queues,
    tasks = excluded.tasks, slots = excluded.slots, sandboxes = excluded.sandboxes, beat_at = excluded.beat_at,
    lease_until = excluded.lease_until;

-- name: register_tasks
-- Keep the catalogue of tasks. They come sorted, so that workers that start together do not deadlock.
insert into {schema}.tasks (name, kind, executor, queue, schema, seen_at)
select u.name, u.kind, u.executor, u.queue, u.schema::jsonb, {now}
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as u (name, kind, executor, queue, schema)
on conflict (name) do update set
    kind = excluded.kind, executor = excluded.executor, queue = excluded.queue, schema = excluded.schema,
    seen_at = excluded.seen_at;

-- name: beat
-- Extend a worker's presence and claims, and tell it what it must know. Rows that somebody locks just now (mostly its
-- own settle) are passed by: waiting for them could deadlock, and the next beat comes long before the lease ends.
with me as (
    update {schema}.workers w
    set beat_at = {now}, lease_until = {now} + $3::interval, memory = $4, running = cardinality($5::uuid[])
    where w.id = $2
    returning w.draining
), claims as materialized (
    select u.id, u.token, true as begun from unnest($5::uuid[], $6::bigint[]) as u (id, token)
    union all
    select u.id, u.token, false from unnest($7::uuid[], $8::bigint[]) as u (id, token)
), mine as materialized (
    select j.id, j.cancel_requested from claims c join {schema}.jobs j on j.id = c.id and j.token = c.token
    where j.state = 'running'
), locked as materialized (
    select l.id, c.begun from claims c join {schema}.jobs l on l.id = c.id and l.token = c.token
    where l.state = 'running'
    order by l.id
    for update of l skip locked
), extended as (
    update {schema}.jobs j
    set lease_until = {now} + $3::interval,
        started_at = case when l.begun then coalesce(j.started_at, {now}) else j.started_at end
    from locked l
    where j.id = l.id
)
select
    array(select c.id from claims c where c.id not in (select id from mine)),
    array(select id from mine where cancel_requested),
    coalesce((select draining from me), false),
    exists (select from me);

-- name: idle
-- Say whether a worker waits for a notice.
update {schema}.workers set idle = $2 where id = $1 and idle <> $2;

-- name: drain
-- Ask a worker to finish and leave, and tell it.
with asked as (
    update {schema}.workers set draining = true where id = $1 returning id
), rung as materialized (
    select pg_notify({channel}, 'workers:' || id) from asked where {pushes}
)
select count(*), (select count(*) from rung) from asked;

-- name: leave
-- Remove a worker.
delete from {schema}.workers where id = $1;

-- name: bury_workers
-- Remove workers that have not extended their own lease.
delete from {schema}.workers where lease_until <= {now};
