-- What a check of the whole store reads.

-- name: inspect_jobs
-- Read the next jobs of all tables by id, with what else the store says of them.
with page as materialized (
    select 'live' as place, {inspected}, null::timestamptz as finished_at from (
        select * from {schema}.jobs where id > $1 order by id limit $2
    ) j
    union all
    select 'dead', {inspected}, finished_at from (
        select * from {schema}.dead where id > $1 order by id limit $2
    ) d
    union all
    select 'history', {inspected}, finished_at from (
        select * from {schema}.history where id > $1 order by id limit $2
    ) h
    order by id
    fetch first $2 rows with ties
)
select p.*,
    case when p.children > 0 then (select count(*) from {schema}.jobs c where c.parent = p.id) else 0 end
        as children_live,
    p.due is not null and exists (
        select from {schema}.ticks t where t.schedule = p.schedule and t.due = p.due and t.job = p.id
    ) as ticked,
    coalesce(e.kinds, '{}') as events, coalesce(e.moments, '{}') as events_at
from page p
cross join lateral (
    select array_agg(kind order by id) as kinds, array_agg(at order by id) as moments
    from {schema}.events where job = p.id
) e
order by p.id;

-- name: inspect_slots
-- Read the counters of limited scopes beside the number of live jobs that hold a slot of each.
select scope, coalesce(s.used, 0) as used, coalesce(s.capacity, 0) as capacity, coalesce(h.holders, 0) as holders
from {schema}.slots s
full join (
    select scope, count(*)::integer as holders
    from {schema}.jobs j, unnest(j.slots) as scope
    where j.slots <> '{}'
    group by scope
) h using (scope)
order by scope;

-- name: inspect_ticks
-- Read the next ticks, and what their jobs say of themselves.
select t.schedule, t.due, t.state, t.job, t.fired_at, f.id is not null as job_found, f.schedule as job_schedule,
    f.due as job_due
from (
    select * from {schema}.ticks where (schedule, due) > ($1, $2) order by schedule, due limit $3
) t
left join lateral (
    select id, schedule, due from {schema}.jobs where id = t.job
    union all
    select id, schedule, due from {schema}.dead where id = t.job
    union all
    select id, schedule, due from {schema}.history where id = t.job
    limit 1
) f on true
order by t.schedule, t.due;

-- name: inspect_twins
-- Find unique keys that several live jobs have. Joined to nothing, so that no index is believed.
select unique_key, count(*)::integer from (select unique_key || '' as unique_key from {schema}.jobs) j
where unique_key is not null group by unique_key having count(*) > 1 order by unique_key;
