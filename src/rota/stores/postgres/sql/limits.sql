-- name: acquire
-- Give slots in the order of the requests; who is refused is parked under the first of its scopes that is full.
-- A job is granted when every scope has room for it and for all that ask before it; it is refused when a scope is full
-- for certain. One that is neither (somebody before it was refused elsewhere), and one whose scope has no counter yet,
-- is not touched, and asks again. One that is refused and whose cancel was asked for is not parked either. The row
-- locks re-read the counters, so that the sums are exact. Windows and a map instead of joins: the planner takes
-- every one of these sets for small, and would join them by nested loops.
with mine as materialized (
    -- $4 and $5: where the scopes of a job begin and end in $6 (and their limits in $7).
    select j.id, j.slots, j.cancel_requested, a.place, ($6::text[])[a.first:a.last] as scopes,
        ($7::integer[])[a.first:a.last] as capacities
    from unnest($2::uuid[], $3::bigint[], $4::integer[], $5::integer[]) with ordinality
        as a (id, token, first, last, place)
    join {schema}.jobs j on j.id = a.id and j.token = a.token
    where j.state = 'running'
    order by j.id
    for update of j
), wanted as materialized (
    select m.id, m.cancel_requested, m.place, w.scope, w.capacity, w.nth as turn
    from mine m, unnest(m.scopes, m.capacities) with ordinality as w (scope, capacity, nth)
    where m.slots = '{}'
), counters as materialized (
    select s.scope, s.used from {schema}.slots s
    where s.scope = any (array(select distinct scope from wanted)) order by s.scope for update
), used as materialized (
    select coalesce(jsonb_object_agg(scope, used), '{}') as of from counters
), counted as (
    select w.*, (u.of -> w.scope)::integer as used, row_number() over (partition by w.scope order by w.place) as nth
    from wanted w, used u
), fitted as (
    select c.*, bool_and(coalesce(c.used + c.nth <= c.capacity, false)) over (partition by c.id) as fits
    from counted c
), judged as materialized (
    select f.*, count(*) filter (where f.fits) over (partition by f.scope) as taken from fitted f
), verdicts as materialized (
    select id, fits, cancel_requested, array_agg(scope order by turn) as scopes,
        (array_agg(scope order by turn) filter (where used + taken >= capacity))[1] as full_scope
    from judged
    group by id, fits, cancel_requested
), charged as (
    update {schema}.slots s
    set used = s.used + t.taken, capacity = t.capacity
    from (select scope, max(taken)::integer as taken, max(capacity) as capacity from judged group by scope) t
    where s.scope = t.scope and (t.taken > 0 or s.capacity <> t.capacity)
), granted as (
    update {schema}.jobs j set slots = v.scopes from verdicts v where j.id = v.id and v.fits
), parked as (
    update {schema}.jobs j
    set state = 'ready', held = 'limit:' || v.full_scope, attempt = j.attempt - 1, token = null, owner = null,
        lease_until = null, started_at = null
    from verdicts v
    where j.id = v.id and not v.fits and v.full_scope is not null and not v.cancel_requested
    returning j.id, j.attempt, v.full_scope
), told as (
    insert into {schema}.events (job, kind, at, attempt, data)
    select id, 'hold', {now}, attempt, jsonb_build_object('scope', full_scope) from parked
)
select id, 'granted' from mine where slots <> '{}'
union all
select id,
    case
        when fits then 'granted'
        when full_scope is null then 'again'
        when cancel_requested then 'cancel'
        else 'parked'
    end
from verdicts;

-- name: open_slots
-- Make the counters of scopes that are new.
insert into {schema}.slots (scope, capacity)
select u.scope, u.capacity from unnest($1::text[], $2::integer[]) as u (scope, capacity)
on conflict (scope) do nothing;

-- name: free_slots
-- Count down the slots that jobs held, one entry each; takes the row locks by scope.
with locked as materialized (
    select s.scope from {schema}.slots s where s.scope = any ($1::text[]) order by s.scope for update
), freed as (
    select f.scope, count(*)::integer as number
    from unnest($1::text[]) as f (scope) join locked l on l.scope = f.scope
    group by f.scope
)
update {schema}.slots s set used = s.used - f.number from freed f where s.scope = f.scope;

-- name: release
-- Let parked jobs of these locked scopes run, as many as there is room for. A statement of its own, after the lock: it
-- has to see the jobs that were parked meanwhile.
with moved as (
    update {schema}.jobs j
    set held = null
    where j.id = any (array(
        select h.id
        from unnest($1::text[]) as u (scope)
        left join {schema}.slots s on s.scope = u.scope
        cross join lateral (
            select p.id
            from {schema}.jobs p
            where p.held = 'limit:' || u.scope and p.state = 'ready'
            order by p.rank, p.share, p.seq
            limit greatest(coalesce(s.capacity - s.used, 1000), 0)
            for update skip locked
        ) h
    ))
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: held_reasons
-- List why jobs are held, by one index probe each.
with recursive held as (
    (select held from {schema}.jobs where held is not null order by held limit 1)
    union all
    select (select j.held from {schema}.jobs j where j.held > h.held order by j.held limit 1)
    from held h where h.held is not null
)
select h.held from held h where h.held is not null;

-- name: lock_slots
-- Lock the counters of scopes.
select from {schema}.slots where scope = any ($1::text[]) order by scope for update;

-- name: pause_queue
-- Stop claims from a queue; one row when it was not paused before.
insert into {schema}.queues as q (name, paused_at, paused_by) values ($2, {now}, $3)
on conflict (name) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by
    where q.paused_at is null
returning name;

-- name: resume_queue
-- Allow claims from a queue; one row when it was paused.
delete from {schema}.queues where name = $1 and paused_at is not null returning name;
