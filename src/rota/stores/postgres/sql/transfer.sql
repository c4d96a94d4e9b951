-- All that a store holds, out of it and into another. Columns are named as the fields of `rota.model.transfer`.

-- name: export_counts
-- Count what an export will bring, by kind.
select 'scope' as kind, count(*) as number from {schema}.slots
union all
select 'queue', count(*) from {schema}.queues
union all
select 'task', count(*) from {schema}.tasks
union all
select 'schedule', count(*) from {schema}.schedules
union all
select 'definition', count(*) from {schema}.schedule_versions
union all
select 'tick', count(*) from {schema}.ticks
union all
select
    'job',
    (select count(*) from {schema}.jobs) + (select count(*) from {schema}.dead) + (select count(*) from {schema}.history)
union all
select 'result', count(*) from {schema}.results
union all
select 'window', count(*) from {schema}.unique_windows
union all
select 'event', count(*) from {schema}.events
union all
select 'log', count(*) from {schema}.logs
union all
select 'audit', count(*) from {schema}.audit
union all
select 'token', count(*) from {schema}.tokens where kind = 'token';

-- name: export_scopes
-- Read the limits of scopes.
select scope, capacity from {schema}.slots order by scope;

-- name: export_queues
-- Read the queues that were paused.
select name, paused_at, paused_by from {schema}.queues order by name;

-- name: export_tasks
-- Read the catalogue of tasks.
select name, kind, executor, queue, schema, seen_at from {schema}.tasks order by name;

-- name: export_schedules
-- Read the schedules.
select * from {schema}.schedules order by id;

-- name: export_definitions
-- Read the past definitions of schedules.
select schedule, version, since, next_at, closed_at, definition
from {schema}.schedule_versions order by schedule, version;

-- name: export_ticks
-- Read the ticks.
select schedule, due, source, version, state, job, missed, missed_from, reason, fired_at
from {schema}.ticks order by schedule, due, source;

-- name: export_live
-- Read the live jobs in their order.
select {record}, null::timestamptz as finished_at, null::boolean as result_kept from {schema}.jobs order by seq;

-- name: export_dead
-- Read the dead jobs.
select {record}, finished_at, result_kept from {schema}.dead order by finished_at, id;

-- name: export_history
-- Read the finished jobs.
select {record}, finished_at, result_kept from {schema}.history order by finished_at, id;

-- name: export_results
-- Read the results.
select job, value, until from {schema}.results order by job;

-- name: export_windows
-- Read the unique keys that are taken for a while.
select unique_key, job, until from {schema}.unique_windows order by unique_key;

-- name: export_events
-- Read the events in the order in which they were written.
select job, kind, at, attempt, data from {schema}.events order by id;

-- name: export_logs
-- Read the log lines, job by job.
select job, attempt, seq, at, level, message, fields, token from {schema}.logs order by job, attempt, at, seq, token;

-- name: export_audit
-- Read who changed what, in the order in which it happened.
select at, actor, action, subject, data from {schema}.audit order by place;

-- name: export_tokens
-- Read the bearer tokens; sessions and links stay behind.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent, digest from {schema}.tokens
where kind = 'token' order by id;

-- name: count_slots
-- Count the slots that jobs hold, once all jobs are there.
update {schema}.slots s set used = h.used
from (
    select u.scope, count(*) as used from {schema}.jobs j cross join unnest(j.slots) as u (scope)
    where j.slots <> '{}' group by u.scope
) h
where h.scope = s.scope;
