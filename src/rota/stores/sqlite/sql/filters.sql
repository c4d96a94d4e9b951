-- The conditions of a filter; those that it names are joined with `and`.

-- name: where_any
-- Every job.
true;

-- name: where_ids
-- Jobs of these ids.
id in (select substr(:ids, 16 * key + 1, 16) from json_each(:places));

-- name: where_states
-- Jobs in one of these states.
state in (select value from json_each(:states));

-- name: where_queue
-- Jobs of one queue.
queue = :queue;

-- name: where_task
-- Jobs of one task.
task = :task;

-- name: where_key
-- Jobs of one key.
key = :key;

-- name: where_keys
-- Jobs of one of these keys.
key in (select value from json_each(:keys));

-- name: where_tag
-- Jobs with one tag. The column's name is written out: `json_each` has a `key` of its own.
exists (select 1 from json_each(tags) as tag where tag.key = :tag_name and tag.value = :tag_value);

-- name: where_schedule
-- Jobs of one schedule.
schedule = :schedule;

-- name: where_parent
-- Children of one job.
parent = :parent;

-- name: where_fault
-- Jobs whose last error has this class name, with or without its module.
(
    fault ->> '$.kind' = :fault
    or substr(fault ->> '$.kind', -length(:fault) - 1) = '.' || :fault
);

-- name: where_since
-- Jobs submitted at or after a moment.
submitted_at >= :since;

-- name: where_until
-- Jobs submitted before a moment.
submitted_at < :until;

-- name: where_before
-- Jobs older than one, by id.
id < :before;
