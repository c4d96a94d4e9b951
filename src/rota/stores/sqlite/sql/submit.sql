-- Parameters of these are positional: they also run on connections of users, by whatever driver.

-- name: submit
-- Store one job; no row comes back when its id or its unique key is taken.
insert into jobs (
    id, payload, queue, executor, task, codec, state, rank, share, key, tags, unique_key, run_at, expires_at,
    max_attempts, headers, parent, root, batch, ordinal, schedule, due, trust, options, submitted_at, ready_at
)
values (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
    ?15, ?16, ?17, ?18, ?19, ?20, ?25, ?26, ?21, ?22, ?23, ?24
)
on conflict do nothing
returning id;

-- name: submit_alike
-- Store jobs that differ only in id and payload, both given end to end, and in schedule and due moment; twice as fast
-- as one by one.
insert into jobs (
    id, payload, queue, executor, task, codec, state, rank, share, key, tags, unique_key, run_at, expires_at,
    max_attempts, headers, parent, root, batch, ordinal, schedule, due, trust, options, submitted_at, ready_at
)
select
    substr(?1, 16 * key + 1, 16), substr(?2, (value ->> 0) + 1, value ->> 1),
    ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
    ?15, ?16, ?17, ?18, ?19, ?20, value ->> 2, value ->> 3, ?21, ?22, ?23, ?24
from json_each(?25)
where true
on conflict do nothing
returning id;

-- name: submit_known
-- Look for an id among live, finished and dead jobs.
select 1
where
    exists (select 1 from jobs where id = ?1)
    or exists (select 1 from history where id = ?1)
    or exists (select 1 from dead where id = ?1);

-- name: submit_twins
-- Find the live job that has this id or this unique key.
select id from jobs where id = ?1
union all
select id from jobs where unique_key = ?2
limit 1;

-- name: submit_holders
-- Find the job for which a unique key is still taken.
select job from unique_windows where unique_key = ?1 and until > ?2;

-- name: submit_windows
-- Keep a unique key taken for a while.
insert or replace into unique_windows (unique_key, job, until) values (?1, ?2, ?3);

-- name: idle_queues
-- Of these queues, find those for which an idle worker waits.
select distinct value from workers, json_each(workers.queues)
where workers.idle = 1 and value in (select value from json_each(?1));

-- name: main_file
-- Which file a user's connection is on.
select file from pragma_database_list where name = 'main';
