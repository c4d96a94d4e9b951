-- All that a store holds, out of it and into another. Columns are named as the fields of `rota.model.transfer`.

-- name: export_counts
-- Count what an export will bring, by kind.
select 'scope' as kind, count(*) as number from slots
union all
select 'queue', count(*) from queues
union all
select 'task', count(*) from tasks
union all
select 'schedule', count(*) from schedules
union all
select 'definition', count(*) from schedule_versions
union all
select 'tick', count(*) from ticks
union all
select 'job', (select count(*) from jobs) + (select count(*) from dead) + (select count(*) from history)
union all
select 'result', count(*) from results
union all
select 'window', count(*) from unique_windows
union all
select 'event', count(*) from events
union all
select 'log', count(*) from logs
union all
select 'audit', count(*) from audit
union all
select 'token', count(*) from tokens where kind = 'token';

-- name: export_scopes
-- Read the limits of scopes.
select scope, capacity from slots order by scope;

-- name: export_queues
-- Read the queues that were paused.
select name, paused_at, paused_by from queues order by name;

-- name: export_tasks
-- Read the catalogue of tasks.
select name, kind, executor, queue, schema, seen_at from tasks order by name;

-- name: export_schedules
-- Read the schedules.
select {schedule} from schedules order by id;

-- name: export_definitions
-- Read the past definitions of schedules.
select schedule, version, since, next_at, closed_at, definition from schedule_versions order by schedule, version;

-- name: export_ticks
-- Read the ticks.
select schedule, due, source, version, state, job, missed, missed_from, reason, fired_at
from ticks order by schedule, due, source;

-- name: export_live
-- Read the live jobs in their order.
select {record}, null as finished_at, null as result_kept from jobs order by seq;

-- name: export_dead
-- Read the dead jobs. Only their places are sorted, and spill to the disk.
select {record}, finished_at, result_kept
from (select place as its from dead order by finished_at, id) cross join dead on place = its;

-- name: export_history
-- Read the finished jobs (see `export_dead`).
select {record}, finished_at, result_kept
from (select place as its from history order by finished_at, id) cross join history on place = its;

-- name: export_results
-- Read the results.
select id as job, value, expires_at as until from results order by id;

-- name: export_windows
-- Read the unique keys that are taken for a while.
select unique_key, job, until from unique_windows order by unique_key;

-- name: export_events
-- Read the events in the order in which they were written.
select job, kind, at, attempt, data from events order by place;

-- name: export_logs
-- Read the log lines, job by job.
select job, attempt, seq, at, level, message, fields, token from logs order by job, attempt, at, seq, token;

-- name: export_audit
-- Read who changed what, in the order in which it happened.
select at, actor, action, subject, data from audit order by place;

-- name: export_tokens
-- Read the bearer tokens; sessions and links stay behind.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent, digest from tokens
where kind = 'token' order by id;

-- name: count_slots
-- Count the slots that jobs hold, once all jobs are there.
update slots set used = (
    select count(*) from jobs, json_each(jobs.slots) as held where jobs.slots is not null and held.value = scope
)
where scope in (select held.value from jobs, json_each(jobs.slots) as held where jobs.slots is not null);

-- name: import_scope
-- Store the limit of a scope; nothing is used of it yet.
insert into slots (scope, capacity, used)
values (:scope, :capacity, 0);

-- name: import_queue
-- Store a queue that was paused.
insert into queues (name, paused_at, paused_by)
values (:name, :paused_at, :paused_by);

-- name: import_task
-- Store a line of the catalogue.
insert into tasks (name, kind, executor, queue, schema, seen_at)
values (:name, :kind, :executor, :queue, :schema, :seen_at);

-- name: import_schedule
-- Store a schedule.
insert into schedules (
    id, task, queue, executor, "trigger", payload, options, source, app, name, version, catch_up, overlap, grace,
    next_at, last_at, last_job, paused_at, paused_by, paused_why
)
values (
    :id, :task, :queue, :executor, :trigger, :payload, :options, :source, :app, :name, :version, :catch_up,
    :overlap, :grace, :next_at, :last_at, :last_job, :paused_at, :paused_by, :paused_why
);

-- name: import_definition
-- Store a past definition of a schedule.
insert into schedule_versions (schedule, version, since, next_at, closed_at, definition)
values (:schedule, :version, :since, :next_at, :closed_at, :definition);

-- name: import_tick
-- Store a tick.
insert into ticks (schedule, due, source, version, state, job, missed, missed_from, reason, fired_at)
values (:schedule, :due, :source, :version, :state, :job, :missed, :missed_from, :reason, :fired_at);

-- name: import_live
-- Store a live job behind those that are there.
insert into jobs ({record}) values ({values});

-- name: import_dead
-- Store a dead job.
insert into dead ({record}, finished_at, result_kept) values ({values}, :finished_at, :result_kept);

-- name: import_history
-- Store a finished job.
insert into history ({record}, finished_at, result_kept) values ({values}, :finished_at, :result_kept);

-- name: import_result
-- Store a result.
insert into results (id, value, expires_at)
values (:job, :value, :until);

-- name: import_window
-- Store a unique key that is taken for a while.
insert into unique_windows (unique_key, job, until)
values (:unique_key, :job, :until);

-- name: import_event
-- Store an event.
insert into events (job, kind, at, attempt, data)
values (:job, :kind, :at, :attempt, :data);

-- name: import_log
-- Store a log line.
insert into logs (job, attempt, token, seq, at, level, message, fields)
values (:job, :attempt, :token, :seq, :at, :level, :message, :fields);

-- name: import_audit
-- Store who changed what.
insert into audit (at, actor, action, subject, data)
values (:at, :actor, :action, :subject, :data);

-- name: import_token
-- Store a bearer token.
insert into tokens (id, kind, name, role, keys, created_at, expires_at, used_at, parent, digest)
values (:id, :kind, :name, :role, :keys, :created_at, :expires_at, :used_at, :parent, :digest);
