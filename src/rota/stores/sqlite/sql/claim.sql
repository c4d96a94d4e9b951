-- name: claim
-- Take the first free jobs of one queue and executor. The subselect reads `jobs_ready` in its own order and
-- stops at the limit; a paused queue costs one look-up.
update jobs set
    state = 'running', attempt = attempt + 1, token = :token, owner = :owner, lease_until = :lease_until,
    claimed_at = :now, started_at = null, progress_done = null, progress_total = null
where seq in (
    select seq from jobs
    where
        queue = :queue and executor = :executor and state = 'ready' and held is null
        and coalesce(expires_at > :now, 1)
        and not exists (select 1 from queues where name = :queue and paused_at is not null)
    order by rank, share, seq
    limit :limit
)
returning
    rank, share, seq, id, token, queue, executor, task, payload, codec, attempt, crashes, crashes_alone,
    max_attempts, rank, key, headers, parent, root, schedule, due, options, submitted_at,
    ready_at;
