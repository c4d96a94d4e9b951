-- What a check of the whole store reads.

-- name: inspect_jobs
-- Read the next jobs of all tables by id, with what else the store says of them.
select page.*,
    iif(page.children > 0, (select count(*) from jobs where parent = page.id), 0) as children_live,
    page.due is not null and exists (
        select 1 from ticks where schedule = page.schedule and due = page.due and job = page.id
    ) as ticked,
    (select json_group_array(kind) from (select kind from events where job = page.id order by place)) as events,
    (select json_group_array(at) from (select at from events where job = page.id order by place)) as events_at
from (
    select * from (
        select 'live' as place, {inspected}, null as finished_at from jobs where id > :after order by id limit :limit
    )
    union all
    select * from (
        select 'dead', {inspected}, finished_at from dead where id > :after order by id limit :limit
    )
    union all
    select * from (
        select 'history', {inspected}, finished_at from history where id > :after order by id limit :limit
    )
) as page
order by page.id;

-- name: inspect_slots
-- Read the counters of limited scopes beside the number of live jobs that hold a slot of each.
select scope, max(used), max(capacity), max(holders) from (
    select scope, used, capacity, 0 as holders from slots
    union all
    select value, 0, 0, count(*) from jobs, json_each(jobs.slots) where slots is not null group by value
)
group by scope
order by scope;

-- name: inspect_ticks
-- Read the next ticks, and what their jobs say of themselves.
select t.schedule, t.due, t.state, t.job, t.fired_at, coalesce(j.id, d.id, h.id) is not null,
    coalesce(j.schedule, d.schedule, h.schedule), coalesce(j.due, d.due, h.due)
from (
    select * from ticks where (schedule, due) > (:schedule, :due) order by schedule, due limit :limit
) as t
left join jobs as j on j.id = t.job
left join dead as d on d.id = t.job
left join history as h on h.id = t.job
order by t.schedule, t.due;

-- name: inspect_twins
-- Find unique keys that several live jobs have. The table itself is read, so that no index is believed.
select unique_key, count(*) from jobs not indexed
where unique_key is not null group by unique_key having count(*) > 1 order by unique_key;
