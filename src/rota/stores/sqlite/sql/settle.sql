-- Claims come as ids end to end and a JSON array of [token, ...] beside them: one statement for any number.

-- name: entangled_claims
-- Of these claims, find the jobs whose end concerns others: children, holders of slots, and those that the next
-- job of their schedule may wait for.
select parent, slots, iif(options ->> 'overlap' is not null, schedule, null)
from (select substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token from json_each(:claims))
cross join jobs on id = its_id and token = its_token
where parent is not null or slots is not null or (schedule is not null and options is not null);

-- name: keep_result
-- Store what a task returned, if its claim still holds.
insert or replace into results (id, value, expires_at)
select :id, :value, :expires_at from jobs where id = :id and token = :token;

-- name: settle
-- Copy jobs that succeeded to the history, if their claims still hold.
insert or replace into history ({kept}, token, state, started_at, finished_at, result_kept)
select {kept}, token, 'succeeded', :now - duration, :now, result_kept
from (
    select
        substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token,
        value ->> 1 as duration, value ->> 2 as result_kept
    from json_each(:claims)
)
cross join jobs on id = its_id and token = its_token;

-- name: delete_claims
-- Remove live jobs by their claims.
delete from jobs where seq in (
    select seq
    from (select substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token from json_each(:claims))
    cross join jobs on id = its_id and token = its_token
);

-- name: claimed_jobs
-- Find the jobs of those claims that still hold; `place` is a claim's place among those given.
select place, seq, attempt, cancel_requested, parent, slots, queue, started_at
from (
    select key as place, substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token
    from json_each(:claims)
)
cross join jobs on id = its_id and token = its_token;

-- name: settled_before
-- Find the places of those claims that were settled with this very token: they were sent twice.
select place
from (
    select key as place, substr(:ids, 16 * key + 1, 16) as its_id, value ->> 0 as its_token
    from json_each(:claims)
) as claim
where
    exists (select 1 from history where id = its_id and token = its_token)
    or exists (select 1 from dead where id = its_id and token = its_token)
    or exists (select 1 from jobs where id = its_id and settled_token = its_token);

-- name: bury
-- Copy a failed job to the dead ones.
insert or replace into dead ({kept}, token, state, started_at, fault, finished_at)
select {kept}, token, 'failed', :started_at, :fault, :now from jobs where seq = :seq;

-- name: finish
-- Copy jobs that ended without a success or a failure to the history, each as [seq, started_at or null].
-- Only one that its owner settled keeps its token: by it the same settle is known when it comes again.
insert or replace into history ({kept}, token, state, started_at, fault, finished_at)
select {kept}, iif(:settled, token, null), :state, coalesce(began, started_at), fault, :now
from (select value ->> 0 as its_seq, value ->> 1 as began from json_each(:jobs))
cross join jobs on seq = its_seq;

-- name: delete_jobs
-- Remove live jobs; each comes as [seq, ...].
delete from jobs where seq in (select value ->> 0 from json_each(:jobs));

-- name: count_crashes
-- Count the deaths of processes in which jobs ran; each runs alone from now on.
update jobs set crashes = crashes + 1, crashes_alone = crashes_alone + 1, executor = 'isolated'
where seq in (select value ->> 0 from json_each(:jobs));

-- name: put_off
-- Put a job that ran back in line, now or for later; `uncounted` takes the attempt back.
update jobs set
    state = :state, run_at = :run_at, ready_at = case when :state = 'ready' then :now end,
    started_at = :started_at, attempt = attempt - :uncounted, fault = coalesce(:fault, fault),
    token = null, settled_token = token, owner = null, lease_until = null, slots = null, external_id = null
where seq = :seq;

-- name: suspend
-- Let a job wait for an event, a moment or its children; without any left it is ready.
update jobs set
    state = :state, ready_at = case when :state = 'ready' then :now end, started_at = :started_at,
    wake_key = :wake_key, wake_at = :wake_at, children = :children,
    token = null, settled_token = token, owner = null, lease_until = null, slots = null, external_id = null
where seq = :seq;

-- name: hand_over
-- Note that someone else runs a job, under a new token for whoever brings its outcome.
update jobs set
    state = 'handed', external_id = :external_id, lease_until = :deadline, started_at = :started_at,
    settled_token = token, token = :token
where seq = :seq;

-- name: count_children
-- Count the children of a job that have not finished.
select count(*) from jobs where parent = :parent;

-- name: wake_parents
-- Tell a waiting parent that children of it ended; the last one makes it ready.
update jobs set
    children = max(children - :ended, 0),
    state = case when children > :ended then state else 'ready' end,
    ready_at = case when children > :ended then ready_at else :now end,
    wake_key = case when children > :ended then wake_key end,
    wake_at = case when children > :ended then wake_at end
where id = :parent and state = 'waiting' and children > 0
returning state, queue;

-- name: raise_parent
-- Tell a waiting parent that a child of it runs again.
update jobs set children = children + 1 where id = :parent and state = 'waiting' and children > 0;

-- name: tell
-- Remember what a job's columns cannot show.
insert into events (job, kind, at, attempt, data) values (:job, :kind, :now, :attempt, :data);
