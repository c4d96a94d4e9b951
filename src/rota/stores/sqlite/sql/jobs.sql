-- Jobs come as a JSON array of [seq, ...]; ids come end to end.

-- name: give_back
-- Put claimed jobs back in their place, uncounted.
update jobs set
    state = 'ready', attempt = attempt - 1, token = null, owner = null, lease_until = null, claimed_at = null,
    started_at = null, slots = null, external_id = null
where seq in (select value ->> 0 from json_each(:jobs));

-- name: lapsed
-- Find running and handed jobs whose lease or deadline has passed, the longest silent first.
select id, owner, seq, attempt, cancel_requested, parent, slots, queue
from jobs
where lease_until <= :now
order by lease_until
limit :limit;

-- name: rescue
-- Put jobs that were taken back from a silent owner in their place; each counts a crash. With :isolate, who ran in a
-- worker runs alone from now on.
update jobs set
    executor = iif(:isolate and state = 'running' and executor in ('async', 'thread', 'process'), 'isolated', executor),
    state = 'ready', crashes = crashes + 1, ready_at = :now, token = null, owner = null, lease_until = null,
    started_at = null, slots = null, external_id = null
where seq in (select value ->> 0 from json_each(:jobs));

-- name: overdue
-- Find jobs that did not start before their deadline.
select seq, parent from jobs
where expires_at <= :now and state in ('ready', 'scheduled')
order by expires_at
limit :limit;

-- name: promote
-- Make due scheduled jobs ready, the earliest first.
update jobs set state = 'ready', ready_at = :now
where seq in (select seq from jobs where state = 'scheduled' and run_at <= :now order by run_at limit :limit)
returning queue;

-- name: awaken
-- Make waiting jobs ready whose moment has come.
update jobs set state = 'ready', ready_at = :now, wake_key = null, wake_at = null, children = 0
where seq in (select seq from jobs where wake_at <= :now order by wake_at limit :limit)
returning queue;

-- name: due
-- Find when the next job is due or wakes; one that should have expired is due now.
select min(moment) from (
    select min(run_at) as moment from jobs where state = 'scheduled'
    union all
    select min(wake_at) from jobs where wake_at is not null
    union all
    select min(expires_at) from jobs where expires_at <= :now and state in ('ready', 'scheduled')
);

-- name: live_jobs
-- Find the live jobs that a filter means.
select seq, id, state, attempt, parent, cancel_requested from jobs where {where};

-- name: request_cancel
-- Ask the owners of jobs to stop.
update jobs set cancel_requested = 1 where seq in (select value ->> 0 from json_each(:jobs));

-- name: redrive_dead
-- Make dead jobs ready again at the end of their line; not where a live job has the unique key.
insert into jobs ({kept}, state, fault, settled_token)
select {revived}, 'ready', fault, token from dead where {where} order by place
on conflict do nothing
returning id, parent, queue;

-- name: redrive_history
-- Make cancelled and expired jobs ready again, as `redrive_dead` does.
insert into jobs ({kept}, state, fault, settled_token)
select {revived}, 'ready', fault, token from history
where {where} and state in ('cancelled', 'expired')
order by place
on conflict do nothing
returning id, parent, queue;

-- name: forget_dead
-- Remove rows of dead jobs that are live again.
delete from dead where id in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: forget_history
-- Remove rows of finished jobs that are live again.
delete from history where id in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: forget_results
-- Remove results of jobs.
delete from results where id in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: edit
-- Change a scheduled job in place; a new moment that has come makes it ready.
update jobs set
    run_at = coalesce(:run_at, run_at), rank = coalesce(:rank, rank), queue = coalesce(:queue, queue),
    payload = coalesce(:payload, payload), expires_at = iif(:expires, :expires_at, expires_at),
    state = iif(:run_at <= :now, 'ready', state),
    ready_at = iif(:run_at <= :now, :now, ready_at)
where id = :job and state = 'scheduled'
returning state, queue, attempt, run_at;

-- name: resume
-- Make waiting jobs of these ids ready.
update jobs set state = 'ready', ready_at = :now, wake_key = null, wake_at = null, children = 0
where id in (select substr(:ids, 16 * key + 1, 16) from json_each(:places)) and state = 'waiting'
returning queue;

-- name: resume_by_key
-- Make jobs ready that wait for a key.
update jobs set state = 'ready', ready_at = :now, wake_key = null, wake_at = null, children = 0
where wake_key = :wake_key and state = 'waiting'
returning queue;
