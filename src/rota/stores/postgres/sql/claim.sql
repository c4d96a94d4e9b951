-- name: claim
-- Take the first free jobs of each executor, queue after queue, in the order of the ready index.
-- `= any (array(...))` keeps the planner from joining the table with itself, and by their place (ctid) rows that are
-- locked need not be looked up again; `line` keeps the order of preference.
with line as materialized (
    select q.name
    from unnest($5::text[]) with ordinality as q (name, place)
    where not exists (select from {schema}.queues p where p.name = q.name and p.paused_at is not null)
    order by q.place
)
update {schema}.jobs j
set state = 'running', attempt = j.attempt + 1, token = $2, owner = $3, claimed_at = {now},
    lease_until = {now} + $4::interval, started_at = null, progress_done = null, progress_total = null
where j.ctid = any (array(
    select pick.ctid
    from unnest($6::text[], $7::bigint[]) as e (name, room)
    cross join lateral (
        select free.ctid
        from line
        cross join lateral (
            select r.ctid
            from {schema}.jobs r
            where r.queue = line.name and r.executor = e.name and r.state = 'ready' and r.held is null
                and coalesce(r.expires_at, 'infinity') > {now}
            order by r.rank, r.share, r.seq
            limit e.room
            for update skip locked
        ) free
        limit e.room
    ) pick
))
returning
    j.id, j.token, j.queue, j.executor, j.task, j.payload, j.codec, j.attempt, j.crashes, j.crashes_alone,
    j.max_attempts, j.rank, j.key, j.headers, j.parent, j.root, j.schedule, j.due, j.options, j.submitted_at, j.ready_at,
    j.share, j.seq;

-- name: give_back_lock
-- Lock the claims that are still held, by id.
select j.id, j.attempt, j.slots, j.parent, j.cancel_requested, j.started_at, {now} as now
from {schema}.jobs j
join unnest($2::uuid[], $3::bigint[]) as u (id, token) on j.id = u.id and j.token = u.token
where j.state in ('running', 'handed')
order by j.id
for update of j;

-- name: give_back
-- Put claimed jobs back in their place, uncounted.
with moved as (
    update {schema}.jobs j
    set state = 'ready', attempt = j.attempt - 1, token = null, owner = null, lease_until = null, slots = '{}',
        started_at = null, external_id = null
    where j.id = any ($1::uuid[])
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: rescue_lock
-- Lock running and handed jobs whose lease or deadline has passed, the longest silent first.
select j.id, j.owner, j.attempt, j.slots, j.parent, j.cancel_requested, {now} as now
from {schema}.jobs j
where j.lease_until <= {now}
order by j.lease_until
limit $2
for update skip locked;

-- name: rescue
-- Put jobs that were taken back from a silent owner in their place; each counts a crash. $3: who ran in a worker runs
-- alone from now on.
with moved as (
    update {schema}.jobs j
    set state = 'ready', crashes = j.crashes + 1,
        executor = case
            when $3::boolean and j.state = 'running' and j.executor in ('async', 'thread', 'process') then 'isolated'
            else j.executor
        end, token = null, owner = null, lease_until = null, slots = '{}',
        external_id = null, ready_at = $1::timestamptz
    where j.id = any ($2::uuid[])
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;
