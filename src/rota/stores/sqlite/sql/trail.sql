-- name: add_stats
-- Add to the counts of this minute.
insert into stats (minute, queue, task, outcome, count, wait, duration, waits, durations)
values (:now - :now % 60000000, :queue, :task, :outcome, :count, :wait, :duration, :waits, :durations)
on conflict (minute, queue, task, outcome) do update set
    count = count + excluded.count, wait = wait + excluded.wait, duration = duration + excluded.duration,
    waits = (
        select json_group_array(a.value + (excluded.waits ->> a.key)) from json_each(stats.waits) as a
    ),
    durations = (
        select json_group_array(a.value + (excluded.durations ->> a.key)) from json_each(stats.durations) as a
    );

-- name: stats
-- Read the counts of some minutes.
select minute, queue, task, outcome, count, wait, duration, waits, durations
from stats
where minute >= :since and minute < :until and (:queue is null or queue = :queue)
    and (:task is null or task = :task)
order by minute, queue, task, outcome;

-- name: latest_event
-- Read the place of the newest event.
select coalesce(max(place), 0) from events;

-- name: events_after
-- Read events behind a place.
select place, job, kind, at, attempt, data from events where place > :place order by place limit :limit;

-- name: prune_stats
-- Forget counts whose retention has passed.
delete from stats
where (minute, queue, task, outcome) in (
    select minute, queue, task, outcome from stats where minute <= :before order by minute limit :limit
);

-- name: prune_requests
-- Forget requests that are older than requests are kept.
delete from requests
where (scope, key) in (select scope, key from requests where at <= :before order by at limit :limit);
