-- name: put_schedule_new
-- Insert a schedule, if its id is free.
insert into schedules (
    id, version, task, queue, executor, "trigger", payload, options, source, catch_up, overlap, next_at,
    last_at, paused_at, paused_by, paused_why
)
values (
    :id, :version, :task, :queue, :executor, :trigger, :payload, :options, :source, :catch_up, :overlap,
    :next_at, :last_at, :paused_at, :paused_by, :paused_why
)
on conflict do nothing;

-- name: put_schedule
-- Replace the definition of a schedule that still has the expected version; what happened to it stays.
update schedules set
    version = :version, task = :task, queue = :queue, executor = :executor, "trigger" = :trigger,
    payload = :payload, options = :options, source = :source, catch_up = :catch_up, overlap = :overlap,
    next_at = :next_at
where id = :id and version = :expected;

-- name: keep_version
-- Keep a definition, so that what should have happened can be computed again.
insert or replace into schedule_versions (schedule, version, since, definition)
values (:id, :version, :now, :definition);

-- name: get_schedule
-- Read one schedule.
select {schedule} from schedules where id = :schedule;

-- name: list_schedules
-- Read all schedules.
select {schedule} from schedules order by id;

-- name: remove_schedule
-- Delete a schedule; its jobs and ticks stay.
delete from schedules where id = :schedule;

-- name: pause_schedule
-- Stop the ticks of a schedule.
update schedules set paused_at = :now, paused_by = :by, paused_why = :why
where id = :schedule and paused_at is null;

-- name: resume_schedule
-- Let a paused schedule tick again.
update schedules set paused_at = null, paused_by = null, paused_why = null, next_at = :next_at
where id = :schedule and paused_at is not null;

-- name: due_schedules
-- Read the schedules whose moment has come.
select {schedule} from schedules
where next_at <= :now and paused_at is null
order by next_at, id
limit :limit;

-- name: next_schedule
-- Find when the next schedule is due, those left out that come first.
select next_at from schedules
where next_at is not null and paused_at is null
order by next_at, id
limit 1 offset :offset;

-- name: advance
-- Move a schedule on, if it still is where its tick saw it.
update schedules set next_at = :next_at, last_at = :at
where id = :schedule and version = :version and next_at = :due and paused_at is null;

-- name: tick_known
-- Look for a tick that was written before.
select 1 from ticks where schedule = :schedule and due = :at;

-- name: write_ticks
-- Record a tick.
insert into ticks (schedule, due, state, job, missed, missed_from, fired_at)
values (:schedule, :at, :state, :job, :missed, :missed_from, :now);

-- name: ticks
-- Read the latest ticks of a schedule.
select schedule, due, state, job, missed, missed_from, fired_at
from ticks
where schedule = :schedule
order by due desc
limit :limit;
