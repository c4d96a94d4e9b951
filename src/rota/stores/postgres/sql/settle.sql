-- name: settle
-- The fast path: jobs that succeeded and have no parent move to history, by id and token alone.
-- No condition on the state: with it the planner walks an index of all running jobs. $7: those with slots too.
-- Returns null when all were found, else the ids that were; the slots that are free now; and the schedules whose next
-- job may wait for one of these.
with ended as (
    delete from {schema}.jobs j
    using unnest($2::uuid[], $3::bigint[], $4::float8[], $5::bytea[], $6::interval[]) as u (job, claim, took, value, ttl)
    where j.id = u.job and j.token = u.claim and j.parent is null and ($7::boolean or j.slots = '{}')
    returning {kept}, token, slots, u.took, u.value, u.ttl, {now} as ended_at
), filed as (
    insert into {schema}.history ({kept}, state, token, started_at, finished_at, result_kept)
    select {kept}, 'succeeded', token, ended_at - make_interval(secs => took), ended_at,
        case when value is not null then ttl is null or ttl > interval '0' end
    from ended
), saved as (
    insert into {schema}.results as r (job, value, made_at, until)
    select id, value, ended_at, ended_at + ttl from ended
    where $5::bytea[] <> '{}' and value is not null and (ttl is null or ttl > interval '0')
    on conflict (job) do update set value = excluded.value, made_at = excluded.made_at, until = excluded.until
)
select
    case when count(*) < cardinality($2::uuid[]) then coalesce(array_agg(id), '{}') end,
    case when $7::boolean then (select array_agg(scope) from ended, unnest(slots) as scope) end,
    case when $7::boolean then array_agg(distinct schedule) filter (where options ? 'overlap') end
from ended;

-- name: settle_lock
-- Lock jobs and their parents, by id; the parents too, since a child that ends and a parent that suspends must see
-- each other.
select j.id, j.token, j.settled_token, j.state, j.attempt, j.slots, j.parent, j.cancel_requested, {now} as now
from {schema}.jobs j
where j.id = any (array(
    select u.id from unnest($2::uuid[]) as u (id)
    union
    select c.parent from {schema}.jobs c where c.id = any ($2::uuid[]) and c.parent is not null
))
order by j.id
for update;

-- name: locked_elsewhere
-- Find the jobs whose outcomes would have to wait, since somebody keeps them or their parents locked.
with wanted as materialized (
    select j.id, j.parent from {schema}.jobs j where j.id = any ($1::uuid[])
), there as materialized (
    select j.id from {schema}.jobs j
    where j.id = any (array(select w.id from wanted w union select w.parent from wanted w))
), free as materialized (
    select j.id from {schema}.jobs j where j.id = any (array(select t.id from there t))
    order by j.id
    for update skip locked
)
select w.id from wanted w
where exists (select from there t where t.id in (w.id, w.parent) and t.id not in (select f.id from free f));

-- name: count_crashes
-- Count the deaths of processes in which locked jobs ran; each runs alone from now on.
update {schema}.jobs
set crashes = crashes + 1, crashes_alone = crashes_alone + 1, executor = 'isolated'
where id = any ($1::uuid[]);

-- name: lock
-- Lock live jobs, by id.
select from {schema}.jobs where id = any ($1::uuid[]) order by id for update;

-- name: finish
-- Move locked jobs to history. $4: the token that stays with the job, $5: seconds it ran, null if it did not.
-- Returns the schedules whose next job may wait for one of these.
with ended as (
    delete from {schema}.jobs j
    using unnest($2::uuid[], $3::text[], $4::bigint[], $5::float8[], $6::bytea[], $7::interval[])
        as u (id, ending, proof, took, value, ttl)
    where j.id = u.id
    returning j.*, u.ending, u.proof, u.took, u.value, u.ttl, {now} as ended_at
), filed as (
    insert into {schema}.history ({kept}, state, token, fault, started_at, finished_at, result_kept)
    select {kept}, ending, proof, case when ending <> 'succeeded' then fault end,
        coalesce(ended_at - make_interval(secs => took), started_at), ended_at,
        case when value is not null then ttl is null or ttl > interval '0' end
    from ended
), saved as (
    insert into {schema}.results as r (job, value, made_at, until)
    select id, value, ended_at, ended_at + ttl from ended
    where value is not null and (ttl is null or ttl > interval '0')
    on conflict (job) do update set value = excluded.value, made_at = excluded.made_at, until = excluded.until
)
select count(*), array_agg(distinct schedule) filter (where options ? 'overlap') from ended;

-- name: bury
-- Move locked jobs that failed to the dead letters; returns schedules as `finish` does.
with ended as (
    delete from {schema}.jobs j
    using unnest($2::uuid[], $3::float8[], $4::text[]) as u (id, took, fault)
    where j.id = u.id
    returning j.*, u.took, u.fault as cause, {now} as ended_at
), filed as (
    insert into {schema}.dead ({kept}, state, token, fault, started_at, finished_at)
    select {kept}, 'failed', token, cause::jsonb, ended_at - make_interval(secs => took), ended_at from ended
)
select count(*), array_agg(distinct schedule) filter (where options ? 'overlap') from ended;

-- name: put_off
-- Let locked jobs run again after a delay; $5: this attempt does not count. A promoter that sleeps is told of the near.
with moved as (
    update {schema}.jobs j
    set state = case when u.delay > interval '0' then 'scheduled' else 'ready' end,
        run_at = {now} + u.delay, ready_at = case when u.delay > interval '0' then j.ready_at else {now} end,
        attempt = j.attempt - case when u.uncounted then 1 else 0 end, fault = coalesce(u.fault::jsonb, j.fault),
        started_at = {now} - make_interval(secs => u.took), settled_token = j.token,
        token = null, owner = null, lease_until = null, slots = '{}', external_id = null
    from unnest($2::uuid[], $3::interval[], $4::text[], $5::boolean[], $6::float8[])
        as u (id, delay, fault, uncounted, took)
    where j.id = u.id
    returning j.queue, u.delay
), near as (
    select queue from moved where delay > interval '0' and delay <= {soon}
)
{alarm};

-- name: suspend
-- Let locked jobs wait; one whose awaited children have all finished is ready at once.
with asked as (
    select u.*, least(u.children, (select count(*) from {schema}.jobs c where c.parent = u.id))::integer as awaited
    from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::integer[], $6::float8[])
        as u (id, wake_key, wake_at, children, took)
)
update {schema}.jobs j
set state = case when u.children > 0 and u.awaited = 0 then 'ready' else 'waiting' end,
    ready_at = case when u.children > 0 and u.awaited = 0 then {now} else j.ready_at end,
    wake_key = case when u.children > 0 and u.awaited = 0 then null else u.wake_key end,
    wake_at = case when u.children > 0 and u.awaited = 0 then null else u.wake_at end,
    children = u.awaited, started_at = {now} - make_interval(secs => u.took), settled_token = j.token,
    token = null, owner = null, lease_until = null, slots = '{}', external_id = null
from asked u
where j.id = u.id;

-- name: hand_over
-- Leave locked jobs to someone else until a deadline, under a new token that the old owner does not know.
update {schema}.jobs j
set state = 'handed', external_id = u.external_id, lease_until = u.deadline, settled_token = j.token,
    token = u.token, started_at = {now} - make_interval(secs => u.took)
from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[], $6::float8[])
    as u (id, external_id, deadline, token, took)
where j.id = u.id;

-- name: wake_parents
-- Count finished children down in their locked parents that wait; at zero the parent is ready.
with ended as (
    select parent, count(*)::integer as number from unnest($2::uuid[]) as parent group by parent
), woken as (
    update {schema}.jobs j
    set children = greatest(j.children - e.number, 0),
        state = case when j.children <= e.number then 'ready' else 'waiting' end,
        ready_at = case when j.children <= e.number then {now} else j.ready_at end,
        wake_key = case when j.children <= e.number then null else j.wake_key end,
        wake_at = case when j.children <= e.number then null else j.wake_at end
    from ended e
    where j.id = e.parent and j.state = 'waiting' and j.children > 0
    returning j.queue, j.state
), moved as (
    select queue from woken where state = 'ready'
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: settled_before
-- Find which of these claims were settled with this very token: they were sent twice.
select u.id, u.token from unnest($1::uuid[], $2::bigint[]) as u (id, token)
where exists (select from {schema}.history h where h.id = u.id and h.token = u.token)
    or exists (select from {schema}.dead d where d.id = u.id and d.token = u.token)
    or exists (select from {schema}.jobs j where j.id = u.id and j.settled_token = u.token);

-- name: tell
-- Write events.
insert into {schema}.events (job, kind, at, attempt, data)
select u.job, u.kind, {now}, u.attempt, u.data::jsonb
from unnest($2::uuid[], $3::text[], $4::integer[], $5::text[]) as u (job, kind, attempt, data);
