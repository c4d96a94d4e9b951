-- name: register
-- Add a worker, or bring it back after it was presumed dead.
insert or replace into workers (
    id, host, pid, version, queues, tasks, slots, sandboxes, started_at, beat_at, lease_until
)
values (:id, :host, :pid, :version, :queues, :tasks, :slots, :sandboxes, :now, :now, :lease_until);

-- name: register_tasks
-- Keep the catalogue of tasks.
insert or replace into tasks (name, kind, executor, queue, schema, seen_at)
values (:name, :kind, :executor, :queue, :schema, :now);

-- name: beat
-- Extend a worker's presence.
update workers set beat_at = :now, lease_until = :lease_until, memory = :memory where id = :owner
returning draining;

-- name: extend
-- Extend claims, each given as [token, started]; a job that its owner has started says so from now on.
update jobs set lease_until = :lease_until, started_at = coalesce(started_at, iif(claim.started, :now, null))
from (
    select
        substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token, value ->> 1 as started
    from json_each(:claims)
) as claim
where jobs.id = claim.its_id and jobs.token = claim.its_token and jobs.state = 'running';

-- name: orders
-- Find which claims an owner still has, and whether their cancel was asked for.
select place, cancel_requested
from (
    select key as place, substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token
    from json_each(:claims)
)
cross join jobs on id = its_id and token = its_token;

-- name: idle
-- Say whether a worker waits for a notice.
update workers set idle = :idle where id = :owner and idle <> :idle;

-- name: drain
-- Ask a worker to finish and leave.
update workers set draining = 1 where id = :worker;

-- name: leave
-- Remove a worker.
delete from workers where id = :owner;

-- name: bury_workers
-- Remove workers that have not extended their own lease.
delete from workers where lease_until <= :now;
