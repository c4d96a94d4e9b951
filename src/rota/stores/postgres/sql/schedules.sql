-- name: put_schedule_new
-- Insert a schedule and keep its definition; one row when its id was free.
with made as (
    insert into {schema}.schedules (
        id, version, task, queue, executor, trigger, payload, options, source, catch_up, overlap, next_at, last_at,
        paused_at, paused_by, paused_why
    )
    values ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    on conflict do nothing
    returning id, version
), kept as (
    insert into {schema}.schedule_versions (schedule, version, since, definition)
    select id, version, {now}, $18::text::jsonb from made
    on conflict do nothing
)
select id from made;

-- name: put_schedule
-- Replace the definition of a schedule that still has version $18; one row when it had.
with made as (
    update {schema}.schedules
    set version = $3, task = $4, queue = $5, executor = $6, trigger = $7, payload = $8, options = $9, source = $10,
        catch_up = $11, overlap = $12, next_at = $13, last_at = $14, paused_at = $15, paused_by = $16, paused_why = $17
    where id = $2 and version = $18
    returning id, version
), kept as (
    insert into {schema}.schedule_versions (schedule, version, since, definition)
    select id, version, {now}, $19::text::jsonb from made
    on conflict do nothing
)
select id from made;

-- name: get_schedule
-- Read one schedule.
select * from {schema}.schedules where id = $1;

-- name: list_schedules
-- Read all schedules.
select * from {schema}.schedules order by id;

-- name: remove_schedule
-- Delete a schedule; its jobs and ticks stay.
delete from {schema}.schedules where id = $1 returning id;

-- name: pause_schedule
-- Stop the ticks of a schedule.
update {schema}.schedules set paused_at = {now}, paused_by = $3, paused_why = $4
where id = $2 and paused_at is null
returning id;

-- name: resume_schedule
-- Let a paused schedule tick again.
update {schema}.schedules set paused_at = null, paused_by = null, paused_why = null, next_at = $2
where id = $1 and paused_at is not null
returning id;

-- name: due_schedules
-- Read the schedules whose moment has come.
select * from {schema}.schedules
where next_at <= {now} and next_at is not null and paused_at is null
order by next_at, id
limit $2;

-- name: next_schedule
-- Read the present moment, and when the next schedule is due that is not due now.
select {now}, (
    select min(next_at) from {schema}.schedules where next_at > {now} and next_at is not null and paused_at is null
);

-- name: fire_lock
-- Lock the schedules that have not moved on from their due moment, by id; returns the places of their ticks.
select u.place
from unnest($1::text[], $2::integer[], $3::timestamptz[]) with ordinality as u (schedule, version, due, place)
join {schema}.schedules s
    on s.id = u.schedule and s.version = u.version and s.next_at = u.due and s.paused_at is null
order by s.id
for update of s;

-- name: advance
-- Set the next moments of locked schedules.
update {schema}.schedules s
set next_at = u.next_at, last_at = u.at
from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as u (schedule, next_at, at)
where s.id = u.schedule;

-- name: write_ticks
-- Record ticks; returns those that were not there.
insert into {schema}.ticks (schedule, due, state, job, missed, missed_from, fired_at)
select u.schedule, u.due, u.state, u.job, u.missed, u.missed_from, {now}
from unnest($2::text[], $3::timestamptz[], $4::text[], $5::uuid[], $6::integer[], $7::timestamptz[])
    as u (schedule, due, state, job, missed, missed_from)
on conflict do nothing
returning schedule, due;

-- name: ticks
-- Read the latest ticks of a schedule.
select schedule, due, state, job, missed, missed_from, fired_at
from {schema}.ticks where schedule = $1 order by due desc limit $2;
