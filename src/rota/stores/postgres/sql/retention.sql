-- name: prune_dead
-- Forget dead jobs whose retention has passed, with all that belongs to them.
with gone as (
    delete from {schema}.dead d
    where d.id = any (array(
        select o.id from {schema}.dead o
        where o.finished_at <= {now} - $2::interval order by o.finished_at limit $3 for update skip locked
    ))
    returning d.id
), results as (
    delete from {schema}.results r using gone g where r.job = g.id
), logs as (
    delete from {schema}.logs l using gone g where l.job = g.id
), events as (
    delete from {schema}.events e using gone g where e.job = g.id
)
select count(*) from gone;

-- name: prune_history
-- Forget finished jobs that are in no day's partition.
with gone as (
    delete from {schema}.history_default h
    where h.id = any (array(
        select o.id from {schema}.history_default o where o.finished_at <= {now} - $2::interval limit $3
    )) and h.finished_at <= {now} - $2::interval
    returning h.id
)
select count(*) from gone;

-- name: prune_results
-- Forget results whose time to live, or whose job's retention, has passed.
with gone as (
    delete from {schema}.results r
    where r.job = any (array(
        select o.job from {schema}.results o where o.until <= {now} order by o.until limit $3
    )) or r.job = any (array(
        select o.job from {schema}.results o where o.made_at <= {now} - $2::interval order by o.made_at limit $3
    ))
    returning r.job
)
select count(*) from gone;

-- name: prune_logs
-- Look at the next old log lines after moment $4 and forget those whose job is neither live nor dead.
with old as materialized (
    select o.ctid as place, o.job, o.at
    from {schema}.logs o
    where o.at <= {now} - $2::interval and o.at > $4::timestamptz
    order by o.at
    limit $3
), gone as (
    delete from {schema}.logs l
    where l.ctid = any (array(
        select o.place from old o
        where not exists (select from {schema}.jobs j where j.id = o.job)
            and not exists (select from {schema}.dead d where d.id = o.job)
    ))
    returning l.job
)
select (select count(*) from gone), count(*), max(at) from old;

-- name: prune_events
-- Look at the next old events after moment $4 and forget those whose job is neither live nor dead.
with old as materialized (
    select o.ctid as place, o.job, o.at
    from {schema}.events o
    where o.at <= {now} - $2::interval and o.at > $4::timestamptz
    order by o.at
    limit $3
), gone as (
    delete from {schema}.events e
    where e.ctid = any (array(
        select o.place from old o
        where not exists (select from {schema}.jobs j where j.id = o.job)
            and not exists (select from {schema}.dead d where d.id = o.job)
    ))
    returning e.job
)
select (select count(*) from gone), count(*), max(at) from old;

-- name: prune_windows
-- Forget unique keys that are free again.
with gone as (
    delete from {schema}.unique_windows w
    where w.unique_key = any (array(
        select o.unique_key from {schema}.unique_windows o
        where o.until <= {now} order by o.until limit $2 for update skip locked
    ))
    returning w.unique_key
)
select count(*) from gone;

-- name: prune_ticks
-- Forget ticks whose retention has passed.
with gone as (
    delete from {schema}.ticks t
    where t.ctid = any (array(
        select o.ctid from {schema}.ticks o
        where o.fired_at <= {now} - $2::interval order by o.fired_at limit $3 for update skip locked
    ))
    returning t.due
)
select count(*) from gone;

-- name: prune_slots
-- Forget the counters of scopes that nobody holds or waits for.
with gone as (
    delete from {schema}.slots s
    where s.used = 0 and s.scope = any (array(
        select o.scope from {schema}.slots o
        where o.used = 0 and not exists (select from {schema}.jobs j where j.held = 'limit:' || o.scope)
        limit $1 for update skip locked
    ))
    returning s.scope
)
select count(*) from gone;

-- name: partitions
-- List the days' partitions of history by name; the name says the day.
select c.relname
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where i.inhparent = to_regclass('{schema}.history') and c.relname ~ '^history_[0-9]{8}$'
order by c.relname;

-- name: spilled
-- Say whether finished jobs of a day lie in the default partition, so that the day cannot have one of its own.
select exists (
    select from {schema}.history_default where finished_at >= $1 and finished_at < $2
);

-- name: no_long_wait
-- Let nobody wait long behind a change of partitions that itself waits for somebody.
select set_config('lock_timeout', '200ms', true);
