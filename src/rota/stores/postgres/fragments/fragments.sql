-- Pieces that several statements share; each stands in them as {name}. By convention $1 is the given moment, or null for
-- the server's own.

-- name: now
-- The moment of a statement: the clock's that was injected, else the server's.
coalesce($1::timestamptz, statement_timestamp())

-- name: kept
-- The columns that a job takes along when it leaves the live jobs.
id, seq, queue, executor, task, payload, codec, rank, share, attempt, crashes, crashes_alone, max_attempts,
cancel_requested, key, tags, unique_key, headers, options, parent, root, batch, ordinal, schedule, due, trust, external_id, progress_done,
progress_total, run_at, expires_at, submitted_at, ready_at, claimed_at

-- name: record
-- The columns of a job as they are shown, but for the last two, which live jobs do not have.
id, state, queue, executor, task, payload, codec, rank, share, attempt, crashes, crashes_alone, max_attempts, key, tags,
unique_key, held, owner, token, cancel_requested, headers, parent, root, batch, ordinal, schedule, due, wake_key, wake_at, children,
external_id, trust, options, slots, progress_done, progress_total, fault, run_at, expires_at, lease_until, submitted_at,
ready_at, claimed_at, started_at

-- name: inspected
-- The columns of a job that `rota verify` looks at.
id, state, queue, task, attempt, crashes, token, owner, held, slots, wake_key, wake_at, children, external_id, schedule,
due, run_at, lease_until, submitted_at, claimed_at

-- name: filter
-- Which jobs a `JobFilter` means: one parameter per condition, null where it says nothing.
($2::uuid[] is null or id = any ($2)) and ($3::text[] is null or state = any ($3))
and ($4::text is null or queue = $4) and ($5::text is null or task = $5) and ($6::text[] is null or key = any ($6))
and ($7::text is null or tags @> $7::jsonb) and ($8::text is null or schedule = $8)
and ($9::uuid is null or parent = $9) and ($10::text is null or fault ->> 'kind' = $10
    or right(fault ->> 'kind', length($10) + 1) = '.' || $10)
and ($11::timestamptz is null or submitted_at >= $11) and ($12::timestamptz is null or submitted_at < $12)

-- name: ring
-- Tell the idle workers of the queues in `moved (queue)`, one notice each; a queue that nobody waits for costs nothing.
select pg_notify({channel}, 'ready:' || left(m.queue, 1900)) from (select distinct queue from moved) m
where {pushes} and exists (select from {schema}.workers w where w.idle and m.queue = any (w.queues))

-- name: alarm
-- Tell the promoters, by one notice, of jobs in `near (queue)`, which are due before a promoter has slept its longest.
select pg_notify({channel}, 'scheduled:' || left(n.queue, 1900)) from (select min(queue) as queue from near) n
where {pushes} and n.queue is not null

-- name: tick
-- What spans of time are counted in.
interval '1 microsecond'

-- name: soon
-- How near is near: the longest sleep of a promoter.
interval '5 seconds'
