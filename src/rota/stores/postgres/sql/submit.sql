-- The submit plan: `submit` alone in the usual case. The connection may be a user's: parameters are of plain types only
-- (JSON travels as text), since it may have codecs of its own, and spans of time are microseconds, since it may live in
-- a zone where a day has 23 hours.

-- name: submit
-- Store jobs, wake idle workers; null when all are new, else the ids of those that are.
-- Arrays may be shorter than the first: the columns of $4 to $9 are then filled up with their first element, the
-- others with null.
with sent as (
    select
        s.id, s.payload, coalesce(s.queue, ($4::text[])[1]) as queue, coalesce(s.executor, ($5::text[])[1]) as executor,
        coalesce(s.task, ($6::text[])[1]) as task, coalesce(s.codec, ($7::text[])[1]) as codec,
        coalesce(s.rank, ($8::bigint[])[1]) as rank, coalesce(s.share, ($9::bigint[])[1]) as share, s.key, s.unique_key,
        coalesce(s.run_at, m.now + s.delay * {tick}) as run_at,
        coalesce(s.expires_at, m.now + s.expires_in * {tick}) as expires_at,
        s.max_attempts, s.headers, s.options, s.rest, m.now
    from (select {now} as now) m, unnest(
        $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
        $10::text[], $11::text[], $12::timestamptz[], $13::bigint[], $14::timestamptz[], $15::bigint[],
        $16::integer[], $17::text[]::jsonb[], $18::text[]::jsonb[], $19::text[]::jsonb[]
    ) as s (
        id, payload, queue, executor, task, codec, rank, share,
        key, unique_key, run_at, delay, expires_at, expires_in,
        max_attempts, headers, options, rest
    )
), fresh as (
    insert into {schema}.jobs (
        id, queue, executor, task, payload, codec, rank, share, key, unique_key, run_at, expires_at, max_attempts,
        headers, options, tags, parent, root, batch, ordinal, schedule, due, trust, state, submitted_at, ready_at
    )
    select
        id, queue, executor, task, payload, codec, rank, share, key, unique_key, run_at, expires_at, max_attempts,
        headers, options, rest -> 'tags', (rest ->> 'parent')::uuid, (rest ->> 'root')::uuid,
        (rest ->> 'batch')::uuid, (rest ->> 'ordinal')::bigint, rest ->> 'schedule', (rest ->> 'due')::timestamptz,
        rest ->> 'trust', case when run_at > now then 'scheduled' else 'ready' end, now,
        case when run_at > now then null else now end
    from sent
    on conflict do nothing
    returning id, queue, state, run_at, submitted_at
), rung as materialized (
    select pg_notify({channel}, n.state || ':' || left(n.queue, 1900))
    from (select distinct state, queue from fresh where state = 'ready' or run_at <= submitted_at + {soon}) n
    where {pushes} and (
        n.state = 'scheduled' or exists (select from {schema}.workers w where w.idle and n.queue = any (w.queues))
    )
)
select
    case
        when (select count(*) from fresh) < cardinality($2::uuid[])
        then (select coalesce(array_agg(id::text), '{}') from fresh)
    end,
    (select count(*) from rung);

-- name: submit_one
-- Store one job without rare columns, and wake an idle worker; one row when it is new. Half the work of `submit`.
insert into {schema}.jobs as j (
    id, payload, queue, executor, task, codec, rank, share, key, unique_key, run_at, expires_at, max_attempts, headers,
    options, state, submitted_at, ready_at
)
values (
    $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12::timestamptz, {now} + $13::bigint * {tick}),
    coalesce($14::timestamptz, {now} + $15::bigint * {tick}), $16, $17::text::jsonb, $18::text::jsonb,
    case when coalesce($12::timestamptz, {now} + $13::bigint * {tick}) > {now} then 'scheduled' else 'ready' end, {now},
    case when coalesce($12::timestamptz, {now} + $13::bigint * {tick}) > {now} then null else {now} end
)
on conflict do nothing
returning (
    select pg_notify({channel}, j.state || ':' || left(j.queue, 1900))
    where {pushes} and case j.state
        when 'scheduled' then j.run_at <= j.submitted_at + {soon}
        else exists (select from {schema}.workers w where w.idle and j.queue = any (w.queues))
    end
)::text;

-- name: submit_known
-- Find which of these ids are live, finished or dead: a submit that is sent again leaves them alone.
select u.id::text from unnest($1::uuid[]) as u (id)
where exists (select from {schema}.jobs j where j.id = u.id)
    or exists (select from {schema}.dead d where d.id = u.id)
    or exists (select from {schema}.history h where h.id = u.id);

-- name: submit_twins
-- Find the live jobs that stand in the way of a submit: by unique key, or by the id itself.
select unique_key, id::text from {schema}.jobs where unique_key = any ($1::text[])
union all
select null, id::text from {schema}.jobs where id = any ($2::uuid[]);

-- name: submit_windows
-- Take unique keys for a span of time; returns those that were free. The keys come sorted, so that nobody deadlocks.
insert into {schema}.unique_windows as w (unique_key, job, until)
select u.unique_key, u.job, {now} + u.span * {tick}
from unnest($2::text[], $3::uuid[], $4::bigint[]) as u (unique_key, job, span)
on conflict (unique_key) do update set job = excluded.job, until = excluded.until where w.until <= {now}
returning unique_key;

-- name: submit_holders
-- Find the jobs that hold unique keys for a span of time.
select unique_key, job::text from {schema}.unique_windows where unique_key = any ($1::text[]);

-- name: submit_withdraw
-- Give back the keys taken for jobs that were not made after all.
delete from {schema}.unique_windows where job = any ($1::uuid[]);
