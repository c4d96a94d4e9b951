-- name: taken_ids
-- Find those of these ids that are taken.
select id from schedules where id in (select value from json_each(:ids));

-- name: put_schedule_new
-- Insert a schedule, whose id is free. The versions of one that was removed are counted on.
insert into schedules (
    id, version, task, queue, executor, "trigger", payload, options, source, app, name, catch_up, overlap, grace,
    next_at, last_at, last_job, paused_at, paused_by, paused_why
)
values (
    :id, max(:version, coalesce((select max(version) + 1 from schedule_versions where schedule = :id), 0)),
    :task, :queue, :executor, :trigger, :payload, :options, :source, :app, :name, :catch_up, :overlap,
    :grace, :next_at, :last_at, :last_job, :paused_at, :paused_by, :paused_why
);

-- name: put_schedule
-- Replace the definition of a schedule that still looks as it was seen; what happened to it stays.
update schedules set
    version = :version, task = :task, queue = :queue, executor = :executor, "trigger" = :trigger,
    payload = :payload, options = :options, source = :source, app = :app, name = :name, catch_up = :catch_up,
    overlap = :overlap, grace = :grace, next_at = :next_at
where id = :id and version = :expected and next_at is :closed_at;

-- name: keep_version
-- Keep a definition, so that what should have happened can be computed again.
insert into schedule_versions (schedule, version, since, next_at, closed_at, definition)
select id, version, :now, next_at, :closed_at, :definition from schedules where id = :id;

-- name: note_removal
-- Note that a schedule is gone.
insert into schedule_versions (schedule, version, since, closed_at) values (:id, :version, :now, :closed_at);

-- name: get_schedule
-- Read one schedule.
select {schedule} from schedules where id = :schedule;

-- name: list_schedules
-- Read all schedules.
select {schedule} from schedules order by id;

-- name: some_schedules
-- Read the schedules of these ids.
select {schedule} from schedules where id in (select value from json_each(:ids)) order by id;

-- name: remove_schedule
-- Delete a schedule; its jobs and ticks stay.
delete from schedules where id = :schedule
returning id, version + 1, next_at;

-- name: pause_schedule
-- Stop the ticks of a schedule.
update schedules set paused_at = :now, paused_by = :by, paused_why = :why
where id = :schedule and paused_at is null;

-- name: resume_schedule
-- Let a paused schedule tick again, if its next moment still is as it was seen.
update schedules set
    paused_at = null, paused_by = null, paused_why = null, next_at = :next_at, last_at = coalesce(:at, last_at)
where id = :schedule and paused_at is not null and next_at is :seen;

-- name: due_schedules
-- Read the schedules whose moment has come or comes within a span.
select {schedule} from schedules
where next_at <= :now + :ahead and paused_at is null
order by next_at, id
limit :limit;

-- name: next_schedule
-- Find when the next schedule is due, those left out that come first.
select next_at from schedules
where next_at is not null and paused_at is null
order by next_at, id
limit 1 offset :offset;

-- name: ripe_ticks
-- Find the places of those ticks, each as [schedule, version, due, at], whose moment has come, and whose schedule still
-- is where they saw it; and whether such a tick was written before.
select
    key,
    exists (
        select 1 from ticks where ticks.schedule = value ->> 0 and ticks.due = value ->> 3 and source = 'tick'
    )
from json_each(:ticks)
cross join schedules on schedules.id = value ->> 0
where version = value ->> 1 and next_at = value ->> 2 and paused_at is null and next_at <= :now
order by key;

-- name: advance
-- Move schedules on, each as [schedule, next_at, at, the place of its job or null].
update schedules set
    next_at = moved.next_at, last_at = moved.at,
    last_job = coalesce(substr(:jobs, 16 * moved.job + 1, 16), last_job)
from (
    select value ->> 0 as schedule, value ->> 1 as next_at, value ->> 2 as at, value ->> 3 as job
    from json_each(:moved)
) as moved
where id = moved.schedule;

-- name: moment_run
-- Look for a moment that has had a job.
select 1 from ticks where schedule = :schedule and due = :at and job is not null;

-- name: write_ticks
-- Record ticks, unless they are there; each comes as [schedule, due, source, version, state, the place of its job or
-- null, missed, missed_from, reason].
insert or ignore into ticks (schedule, due, source, version, state, job, missed, missed_from, reason, fired_at)
select
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, substr(:jobs, 16 * (value ->> 5) + 1, 16),
    value ->> 6, value ->> 7, value ->> 8, :now
from json_each(:ticks);

-- name: unfinished
-- Look for unfinished jobs of schedules: how many there are, up to a limit, and one of them.
select
    asked.value,
    (select count(*) from (select 1 from jobs where schedule = asked.value limit :most)) as number,
    (select id from jobs where schedule = asked.value limit 1)
from json_each(:schedules) as asked
where number > 0;

-- name: hold_overlap
-- Let a job wait for those of its schedule before it.
update jobs set held = 'overlap:' || schedule where id = :job;

-- name: overlapped
-- Of jobs that end, each as [seq, ...], find the schedules whose next job may wait for one of them.
select distinct schedule from jobs
where
    seq in (select value ->> 0 from json_each(:jobs)) and schedule is not null
    and options ->> 'overlap' is not null;

-- name: release_overlap
-- Let the next job of a schedule run that has no other unfinished one.
update jobs set held = null
where
    seq in (
        select seq from jobs where held = 'overlap:' || :schedule order by rank, share, seq limit 1
    )
    and not exists (
        select 1 from jobs as other
        where other.schedule = :schedule and other.held is not 'overlap:' || :schedule
    )
returning queue;

-- name: ticks
-- Read the latest ticks of a schedule.
select schedule, due, source, version, state, job, missed, missed_from, reason, fired_at
from ticks
where schedule = :schedule and (:before is null or due < :before)
order by due desc, source
limit :limit;

-- name: schedule_versions
-- Read the definitions that a schedule has had.
select schedule, version, since, next_at, closed_at, definition
from schedule_versions
where schedule = :schedule
order by version;

-- name: stray_jobs
-- Find jobs that stand for a due moment whose tick does not know them.
select id, due
from (
    select id, due, submitted_at from jobs where schedule = :schedule and due is not null
    union all
    select id, due, submitted_at from history where schedule = :schedule and due is not null
    union all
    select id, due, submitted_at from dead where schedule = :schedule and due is not null
) as made
where
    submitted_at >= :since
    and not exists (
        select 1 from ticks where ticks.schedule = :schedule and ticks.due = made.due and ticks.job = made.id
    )
order by due, id;

-- name: lost_jobs
-- Find ticks whose jobs are nowhere.
select due
from ticks
where
    schedule = :schedule and job is not null and fired_at >= :since
    and not exists (select 1 from jobs where jobs.id = ticks.job)
    and not exists (select 1 from history where history.id = ticks.job)
    and not exists (select 1 from dead where dead.id = ticks.job)
order by due;
