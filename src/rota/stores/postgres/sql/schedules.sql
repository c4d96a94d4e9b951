-- name: put_schedules
-- Insert schedules whose ids are free, and keep their definitions; returns the ids. The versions of one that was
-- removed are counted on. (`or`: a semi-join would loop over all pairs.)
with given as materialized (
    select u.*, greatest(
        version, (select max(v.version) + 1 from {schema}.schedule_versions v where v.schedule = u.id)
    ) as number
    from unnest(
        $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[]::jsonb[], $8::bytea[],
        $9::text[]::jsonb[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[],
        $16::timestamptz[], $17::timestamptz[], $18::uuid[], $19::timestamptz[], $20::text[], $21::text[],
        $22::text[]::jsonb[]
    ) as u (
        id, version, task, queue, executor, trigger, payload, options, source, app, name, catch_up, overlap, grace,
        next_at, last_at, last_job, paused_at, paused_by, paused_why, definition
    )
), made as (
    insert into {schema}.schedules (
        id, version, task, queue, executor, trigger, payload, options, source, app, name, catch_up, overlap, grace,
        next_at, last_at, last_job, paused_at, paused_by, paused_why
    )
    select
        id, number, task, queue, executor, trigger, payload, options, source, app, name, catch_up, overlap, grace,
        next_at, last_at, last_job, paused_at, paused_by, paused_why
    from given
    order by id
    on conflict do nothing
    returning id
), kept as (
    insert into {schema}.schedule_versions (schedule, version, since, next_at, definition)
    select id, number, {now}, next_at, definition from given
    where (select count(*) from made) = cardinality($2::text[]) or id in (select id from made)
    on conflict do nothing
)
select id from made;

-- name: put_schedule
-- Replace the definition of a schedule that still looks as it was seen, and keep the new one; one row when it did.
with made as (
    update {schema}.schedules
    set version = $3, task = $4, queue = $5, executor = $6, trigger = $7::text::jsonb, payload = $8,
        options = $9::text::jsonb, source = $10, app = $11, name = $12, catch_up = $13, overlap = $14, grace = $15,
        next_at = $16
    where id = $2 and version = $17 and next_at is not distinct from $18
    returning id, version, next_at
), kept as (
    insert into {schema}.schedule_versions (schedule, version, since, next_at, closed_at, definition)
    select id, version, {now}, next_at, $18, $19::text::jsonb from made
    on conflict do nothing
)
select id from made;

-- name: get_schedule
-- Read one schedule.
select * from {schema}.schedules where id = $1;

-- name: list_schedules
-- Read all schedules.
select * from {schema}.schedules order by id;

-- name: some_schedules
-- Read the schedules of these ids. Apart from `list_schedules`: an `or` would compare all ids with all rows.
select * from {schema}.schedules where id = any ($1::text[]) order by id;

-- name: remove_schedule
-- Delete a schedule and note that in its versions; its jobs and ticks stay.
with gone as (
    delete from {schema}.schedules where id = $2 returning id, version, next_at
), kept as (
    insert into {schema}.schedule_versions (schedule, version, since, closed_at)
    select id, version + 1, {now}, next_at from gone
)
select id from gone;

-- name: pause_schedule
-- Stop the ticks of a schedule.
update {schema}.schedules set paused_at = {now}, paused_by = $3, paused_why = $4
where id = $2 and paused_at is null
returning id;

-- name: resume_schedule
-- Let a paused schedule tick again, if its next moment still is as it was seen.
update {schema}.schedules
set paused_at = null, paused_by = null, paused_why = null, next_at = $3, last_at = coalesce($4, last_at)
where id = $1 and paused_at is not null and next_at is not distinct from $2
returning id;

-- name: due_schedules
-- Read the schedules whose moment has come or comes within a span.
select * from {schema}.schedules
where next_at <= {now} + $3::interval and next_at is not null and paused_at is null
order by next_at, id
limit $2;

-- name: next_schedule
-- Read the present moment, and when the next schedule is due after a span.
select {now}, (
    select min(next_at) from {schema}.schedules
    where next_at > {now} + $2::interval and next_at is not null and paused_at is null
);

-- name: fire_lock
-- Lock the schedules that have not moved on from their due moment, which has come; returns the places of their ticks.
-- Who finds one locked leaves it: whoever locked it fires it, or it is found due again. `lateral`, and no `=` on the
-- moment: a join would run over all pairs of those that are due at one instant.
select u.place
from (
    select * from unnest($2::text[], $3::integer[], $4::timestamptz[])
        with ordinality as g (schedule, version, due, place)
    order by schedule
) u
cross join lateral (
    select from {schema}.schedules s
    where s.id = u.schedule and s.version = u.version and s.next_at is not distinct from u.due and s.paused_at is null
    for update skip locked
) l
where u.due <= {now};

-- name: fire
-- Record ticks of locked schedules and move these on. $10: at how many unfinished jobs a tick is skipped, null: it asks
-- for none. Returns the schedules whose tick was not there, those skipped, and those that have unfinished jobs. A
-- statement after the lock: it has to see the jobs of whoever had it before.
with judged as materialized (
    select t.*, b.number as busy, t.job is not null and b.number >= t.room as crowded, b.first
    from unnest(
        $2::text[], $3::integer[], $4::timestamptz[], $5::text[], $6::uuid[], $7::integer[], $8::timestamptz[],
        $9::timestamptz[], $10::integer[]
    ) as t (schedule, version, due, state, job, missed, missed_from, next_at, room)
    cross join lateral (
        select count(*)::integer as number, min(l.id::text) as first
        from (select j.id from {schema}.jobs j where j.schedule = t.schedule limit t.room) l
        where t.room is not null and t.job is not null
    ) b
), advanced as (
    update {schema}.schedules s
    set next_at = v.next_at, last_at = v.due, last_job = case when v.crowded or v.job is null then s.last_job else v.job end
    from judged v
    where s.id = v.schedule
), written as (
    insert into {schema}.ticks (schedule, due, version, state, job, missed, missed_from, reason, fired_at)
    select schedule, due, version, case when crowded then 'skipped' else state end, case when crowded then null else job end,
        missed, missed_from, case when crowded then 'overlap: job ' || first || ' has not finished' end, {now}
    from judged
    on conflict do nothing
    returning schedule
)
select
    (select array_agg(schedule) from written),
    (select array_agg(schedule) from judged where crowded),
    (select array_agg(schedule) from judged where busy > 0 and not crowded);

-- name: drop_ticks
-- Record moments that nobody will run: dropped by a pause or a change.
insert into {schema}.ticks (schedule, due, version, state, missed, missed_from, reason, fired_at)
select u.schedule, u.due, u.version, u.state, u.missed, u.missed_from, u.state, {now}
from unnest($2::text[], $3::timestamptz[], $4::integer[], $5::text[], $6::integer[], $7::timestamptz[])
    as u (schedule, due, version, state, missed, missed_from)
on conflict do nothing;

-- name: lock_schedules
-- Lock schedules, by id, so that a tick and the end of a job see each other.
select from {schema}.schedules where id = any ($1::text[]) order by id for update;

-- name: overlapping
-- Lock the unfinished jobs of schedules, but for those that somebody ends just now.
select id, state, attempt, parent, cancel_requested, {now} as now
from {schema}.jobs
where schedule = any ($2::text[])
order by id
for update skip locked;

-- name: hold_overlap
-- Let jobs wait for those of their schedule before them.
update {schema}.jobs set held = 'overlap:' || schedule where id = any ($1::uuid[]);

-- name: release_overlap
-- Let the next job run of each locked schedule that has no other unfinished one. A statement after the lock.
with moved as (
    update {schema}.jobs j
    set held = null
    where j.id = any (array(
        select h.id
        from unnest($1::text[]) as u (schedule)
        cross join lateral (
            select p.id from {schema}.jobs p
            where p.held = 'overlap:' || u.schedule
            order by p.rank, p.share, p.seq
            limit 1
        ) h
        where not exists (
            select from {schema}.jobs o
            where o.schedule = u.schedule and o.held is distinct from 'overlap:' || u.schedule
        )
    ))
    returning j.queue
), rung as materialized (
    {ring}
)
select count(*), (select count(*) from rung) from moved;

-- name: backfill
-- Record moments that are run afterwards, but for those that have had a job; returns them.
insert into {schema}.ticks (schedule, due, source, version, state, job, fired_at)
select u.schedule, u.due, 'backfill', u.version, u.state, u.job, {now}
from unnest($2::text[], $3::timestamptz[], $4::integer[], $5::text[], $6::uuid[])
    as u (schedule, due, version, state, job)
where not exists (
    select from {schema}.ticks t where t.schedule = u.schedule and t.due = u.due and t.job is not null
)
on conflict do nothing
returning schedule, due;

-- name: busy_schedules
-- Find which of these schedules have unfinished jobs.
select u.schedule from unnest($1::text[]) as u (schedule)
where exists (select from {schema}.jobs j where j.schedule = u.schedule);

-- name: ticks
-- Read the latest ticks of a schedule.
select schedule, due, source, version, state, job, missed, missed_from, reason, fired_at
from {schema}.ticks where schedule = $1 and ($3::timestamptz is null or due < $3)
order by due desc, source limit $2;

-- name: schedule_versions
-- Read the definitions that a schedule has had.
select schedule, version, since, next_at, closed_at, definition
from {schema}.schedule_versions where schedule = $1 order by version;

-- name: stray_jobs
-- Find jobs that stand for a due moment whose tick does not know them.
select a.id, a.due
from (
    select id, due, submitted_at from {schema}.jobs where schedule = $1 and due is not null
    union all
    select id, due, submitted_at from {schema}.history where schedule = $1 and due is not null
    union all
    select id, due, submitted_at from {schema}.dead where schedule = $1 and due is not null
) a
where a.submitted_at >= $2
    and not exists (select from {schema}.ticks t where t.schedule = $1 and t.due = a.due and t.job = a.id)
order by a.due, a.id;

-- name: lost_jobs
-- Find ticks whose jobs are nowhere.
select t.due
from {schema}.ticks t
where t.schedule = $1 and t.job is not null and t.fired_at >= $2
    and not exists (select from {schema}.jobs j where j.id = t.job)
    and not exists (select from {schema}.history h where h.id = t.job)
    and not exists (select from {schema}.dead d where d.id = t.job)
order by t.due;
