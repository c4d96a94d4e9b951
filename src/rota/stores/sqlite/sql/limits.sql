-- name: slots_used
-- Read how many slots of these scopes are taken.
select scope, used from slots where scope in (select value from json_each(:scopes));

-- name: hold_slots
-- Note on a running job which slots it holds.
update jobs set slots = :slots where seq = :seq;

-- name: open_slots
-- Count slots that were taken, and remember the limit that was asked for.
insert into slots (scope, used, capacity) values (:scope, :taken, :capacity)
on conflict (scope) do update set used = used + excluded.used, capacity = excluded.capacity;

-- name: park
-- Put a job that was refused back in its place, uncounted, and hold it there.
update jobs set
    state = 'ready', held = :held, attempt = attempt - 1, token = null, owner = null, lease_until = null,
    claimed_at = null, started_at = null
where seq = :seq;

-- name: free_slots
-- Count down slots that jobs held.
update slots set used = max(used - :freed, 0) where scope = :scope;

-- name: release
-- Let parked jobs of a scope run, as many as there is room for.
update jobs set held = null
where seq in (
    select seq from jobs
    where held = 'limit:' || :scope
    order by rank, share, seq
    limit coalesce((select max(capacity - used, 0) from slots where scope = :scope), 0)
)
returning queue;

-- name: held_reasons
-- List why jobs are held, by one index probe each.
with recursive places (held) as (
    select min(held) from jobs where held is not null
    union all
    select (select min(held) from jobs where held > places.held) from places where places.held is not null
)
select held from places where held is not null;

-- name: pause_queue
-- Stop claims from a queue, unless it is paused already.
insert into queues (name, paused_at, paused_by) values (:queue, :now, :by)
on conflict (name) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by
where paused_at is null;

-- name: resume_queue
-- Allow claims from a queue again.
delete from queues where name = :queue and paused_at is not null;
