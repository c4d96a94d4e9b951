-- name: plan_anew
-- Plan the statements of this transaction for their parameters, and by whatever way is the cheapest: a filter that says
-- little, or a count of everything, wants another plan than a look-up.
select set_config(name, case name when 'plan_cache_mode' then 'force_custom_plan' else 'on' end, true)
from unnest(array['plan_cache_mode', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as name;

-- name: moment
-- Read the present moment.
select {now};

-- name: job
-- Read one job, wherever it is.
select {record}, null::timestamptz as finished_at, null::boolean as result_kept from {schema}.jobs where id = $1
union all
select {record}, finished_at, result_kept from {schema}.dead where id = $1
union all
select {record}, finished_at, result_kept from {schema}.history where id = $1
limit 1;

-- name: jobs
-- List the jobs that a filter means, newest id first. Each table gives at most a page, by its index; one that cannot hold
-- a state that is asked for is not read at all.
(
    select {record}, null::timestamptz as finished_at, null::boolean as result_kept
    from {schema}.jobs
    where {filter} and ($13::uuid is null or id < $13)
        and ($3::text[] is null or $3 && array['scheduled', 'ready', 'running', 'handed', 'waiting'])
    order by id desc limit $1
)
union all
(
    select {record}, finished_at, result_kept
    from {schema}.dead
    where {filter} and ($13::uuid is null or id < $13) and ($3::text[] is null or $3 && array['failed'])
    order by id desc limit $1
)
union all
(
    select {record}, finished_at, result_kept
    from {schema}.history
    where {filter} and ($13::uuid is null or id < $13)
        and ($3::text[] is null or $3 && array['succeeded', 'cancelled', 'expired'])
    order by id desc limit $1
)
order by id desc
limit $1;

-- name: results
-- Read the state and the result of jobs.
select
    f.id, f.state, r.value, r.job is not null as stored, f.result_kept, f.fault ->> 'kind', f.fault ->> 'message',
    f.fault ->> 'traceback', f.fault ->> 'crash'
from (
    select id, state, fault, null::boolean as result_kept from {schema}.jobs where id = any ($2::uuid[])
    union all
    select id, state, fault, result_kept from {schema}.dead where id = any ($2::uuid[])
    union all
    select id, state, fault, result_kept from {schema}.history where id = any ($2::uuid[])
) f
left join {schema}.results r on r.job = f.id and (r.until is null or r.until > {now});

-- name: logs
-- Read log lines of a job, in order.
select job, attempt, seq, at, level, message, fields
from {schema}.logs where job = $1 order by attempt, at, seq offset $2 limit $3;

-- name: events
-- Read the events of a job, in order.
select job, kind, at, attempt, data from {schema}.events where job = $1 order by id;

-- name: counts
-- Count jobs by queue, task and state.
select queue, task, state, count(*) from {schema}.jobs group by queue, task, state
union all
select queue, task, state, count(*) from {schema}.dead group by queue, task, state
union all
select queue, task, state, count(*) from {schema}.history group by queue, task, state;

-- name: faults
-- Group dead jobs by task and error, the largest group first.
select task, fault ->> 'kind', fault ->> 'message', count(*), max(finished_at)
from {schema}.dead
where {filter}
group by 1, 2, 3
order by 4 desc, 5 desc, 1, 2, 3
limit $1;

-- name: queues
-- List queues that hold jobs or are paused, and what is in them.
select
    coalesce(j.queue, q.name) as name, q.paused_at, q.paused_by, coalesce(j.ready, 0) as ready,
    coalesce(j.held, 0) as held, coalesce(j.scheduled, 0) as scheduled, coalesce(j.running, 0) as running,
    coalesce(j.waiting, 0) as waiting, j.oldest
from (
    select
        queue,
        count(*) filter (where state = 'ready' and held is null) as ready,
        count(*) filter (where state = 'ready' and held is not null) as held,
        count(*) filter (where state = 'scheduled') as scheduled,
        count(*) filter (where state in ('running', 'handed')) as running,
        count(*) filter (where state = 'waiting') as waiting,
        min(ready_at) filter (where state = 'ready') as oldest
    from {schema}.jobs
    group by queue
) j
full join {schema}.queues q on q.name = j.queue
order by 1;

-- name: workers
-- List registered workers.
select id, host, pid, version, queues, tasks, slots, sandboxes, idle, draining, running, memory, started_at, beat_at,
    lease_until
from {schema}.workers order by started_at, id;

-- name: tasks
-- List the catalogue of tasks.
select name, kind, executor, queue, schema from {schema}.tasks order by name;
