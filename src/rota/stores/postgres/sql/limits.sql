-- name: acquire
-- Give slots in the order of the requests; who is refused is parked under the first of its scopes that is full.
-- A job is granted when every scope has room for it and for all that ask before it; it is refused when a scope is full
-- for certain. One that is neither (somebody before it was refused elsewhere), and one whose scope has no row yet, is
-- not touched, and asks again. One that is refused and whose cancel was asked for is not parked either. The row locks re-read the counters, so that the sums are exact.
with asked as materialized (
    select * from unnest($2::integer[], $3::uuid[], $4::bigint[], $5::text[], $6::integer[])
        as a (place, id, token, scope, capacity)
), mine as materialized (
    select j.id, j.token, j.slots, j.cancel_requested
    from {schema}.jobs j
    where j.id = any (array(select id from asked)) and j.state = 'running'
    order by j.id
    for update
), wanted as materialized (
    select a.* from asked a join mine m on m.id = a.id and m.token = a.token where m.slots = '{}'
), counters as materialized (
    select s.scope, s.used from {schema}.slots s
    where s.scope = any (array(select scope from wanted)) order by s.scope for update
), ranked as (
    select w.id, w.place, w.scope, w.capacity, c.used,
        row_number() over (partition by w.scope order by w.place) as nth
    from wanted w left join counters c on c.scope = w.scope
), fits as (
    select id from ranked group by id having bool_and(coalesce(used + nth <= capacity, false))
), taken as (
    select r.scope, count(*)::integer as number from ranked r join fits f on f.id = r.id group by r.scope
), full_for as (
    select r.id, (array_agg(r.scope order by r.place))[1] as scope
    from ranked r left join taken t on t.scope = r.scope
    where r.used + coalesce(t.number, 0) >= r.capacity and r.id not in (select id from fits)
    group by r.id
), counted as (
    update {schema}.slots s
    set used = s.used + coalesce(t.number, 0), capacity = w.capacity
    from (select scope, max(capacity) as capacity from wanted group by scope) w
    left join taken t on t.scope = w.scope
    where s.scope = w.scope and (t.number > 0 or s.capacity <> w.capacity)
), granted as (
    update {schema}.jobs j
    set slots = r.scopes
    from (select r.id, array_agg(r.scope order by r.place) as scopes
          from ranked r join fits f on f.id = r.id group by r.id) r
    where j.id = r.id
), parked as (
    update {schema}.jobs j
    set state = 'ready', held = 'limit:' || f.scope, attempt = j.attempt - 1, token = null, owner = null,
        lease_until = null, started_at = null
    from full_for f
    where j.id = f.id and not j.cancel_requested
    returning j.id, j.attempt, f.scope
), told as (
    insert into {schema}.events (job, kind, at, attempt, data)
    select id, 'hold', {now}, attempt, jsonb_build_object('scope', scope) from parked
)
select m.id,
    case
        when m.slots <> '{}' or m.id in (select id from fits) then 'granted'
        when m.id not in (select id from full_for) then 'again'
        when m.cancel_requested then 'cancel'
        else 'parked'
    end
from mine m join (select distinct id, token from asked) a on a.id = m.id and a.token = m.token;

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

-- name: held_scopes
-- List the scopes under which jobs are parked, by one index probe each.
with recursive held as (
    (select held from {schema}.jobs where held is not null order by held limit 1)
    union all
    select (select j.held from {schema}.jobs j where j.held > h.held order by j.held limit 1)
    from held h where h.held is not null
)
select substr(h.held, 7) from held h where h.held is not null;

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
