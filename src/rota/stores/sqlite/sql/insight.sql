-- name: live
-- List live jobs, newest id first.
select {record}, null as finished_at, null as result_kept
from jobs
where {where}
order by id desc
limit :limit;

-- name: dead
-- List dead jobs, newest id first.
select {record}, finished_at, result_kept from dead where {where} order by id desc limit :limit;

-- name: history
-- List succeeded, cancelled and expired jobs, newest id first.
select {record}, finished_at, result_kept from history where {where} order by id desc limit :limit;

-- name: results
-- Read the state and the result of jobs.
with wanted (job) as (select substr(:ids, 16 * key + 1, 16) from json_each(:places))
select id, state, fault, null as result_kept, null as kept_value
from wanted cross join jobs on id = job
union all
select id, state, fault, null, null from wanted cross join dead on id = job
union all
select history.id, state, fault, result_kept, results.value
from wanted
cross join history on history.id = job
left join results on results.id = job and (results.expires_at is null or results.expires_at > :now);

-- name: logs
-- Read log lines of a job, in order.
select job, attempt, seq, at, level, message, fields
from logs
where job = :job
order by place
limit :limit offset :after;

-- name: events
-- Read the events of a job, in order.
select job, kind, at, attempt, data from events where job = :job order by place;

-- name: counts
-- Count jobs by queue, task and state.
select queue, task, state, count(*) from jobs group by queue, task, state
union all
select queue, task, state, count(*) from dead group by queue, task, state
union all
select queue, task, state, count(*) from history group by queue, task, state;

-- name: faults
-- Group dead jobs by task and error, the largest group first.
select
    task, fault ->> '$.kind' as kind, fault ->> '$.message' as message, count(*) as number, max(finished_at)
from dead
where {where}
group by task, kind, message
order by number desc, task, kind, message
limit :limit;

-- name: queues
-- List queues that hold jobs or are paused, and what is in them.
select
    coalesce(holding.queue, queues.name) as name, paused_at, paused_by,
    coalesce(ready, 0), coalesce(held, 0), coalesce(scheduled, 0), coalesce(running, 0), coalesce(waiting, 0),
    oldest
from (
    select
        queue,
        count(*) filter (where state = 'ready' and held is null) as ready,
        count(*) filter (where state = 'ready' and held is not null) as held,
        count(*) filter (where state = 'scheduled') as scheduled,
        count(*) filter (where state in ('running', 'handed')) as running,
        count(*) filter (where state = 'waiting') as waiting,
        min(ready_at) filter (where state = 'ready') as oldest
    from jobs
    group by queue
    union all
    select name, 0, 0, 0, 0, 0, null from queues
    where paused_at is not null and not exists (select 1 from jobs where queue = name)
) as holding
left join queues on queues.name = holding.queue
order by 1;

-- name: workers
-- List registered workers.
select
    id, host, pid, version, queues, tasks, slots, sandboxes, idle, draining,
    (
        select count(*) from jobs
        where lease_until is not null and owner = workers.id and state = 'running' and started_at is not null
    ),
    memory, started_at, beat_at, lease_until
from workers
order by started_at, id;

-- name: tasks
-- List the catalogue of tasks.
select name, kind, executor, queue, schema from tasks order by name;
