-- name: old_history
-- Find the oldest finished jobs, in the order in which they finished, as far as their time is over.
select place, id from (select place, id, finished_at from history order by place limit :limit)
where finished_at <= :before;

-- name: old_dead
-- Find the oldest dead jobs, in the order in which they failed, as far as their time is over.
select place, id from (select place, id, finished_at from dead order by place limit :limit)
where finished_at <= :before;

-- name: prune_history
-- Forget finished jobs.
delete from history where place in (select value from json_each(:rows));

-- name: prune_dead
-- Forget dead jobs.
delete from dead where place in (select value from json_each(:rows));

-- name: forget_logs
-- Remove the log lines of jobs.
delete from logs where job in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: forget_events
-- Remove the events of jobs.
delete from events where job in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: prune_results
-- Forget results whose time to live has passed.
delete from results
where place in (select place from results where expires_at <= :now order by expires_at limit :limit);

-- name: prune_windows
-- Forget unique keys that are free again.
delete from unique_windows
where unique_key in (select unique_key from unique_windows where until <= :now order by until limit :limit);

-- name: prune_ticks
-- Forget ticks whose retention has passed.
delete from ticks
where (schedule, due, source) in (
    select schedule, due, source from ticks where fired_at <= :before order by fired_at limit :limit
);

-- name: prune_events
-- Forget events that outlived their jobs: late finishes of jobs that are gone.
delete from events
where place in (
    select place from (select place, at from events order by place limit :limit) where at <= :before
);

-- name: prune_slots
-- Forget the counters of scopes that nobody holds or waits for.
delete from slots
where scope in (
    select scope from slots
    where used = 0 and not exists (select 1 from jobs where held = 'limit:' || scope)
    limit :limit
);
