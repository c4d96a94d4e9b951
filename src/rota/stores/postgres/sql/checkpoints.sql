-- name: write_logs
-- Store log lines of attempts whose claim still holds; lines sent twice are stored once.
insert into {schema}.logs (job, attempt, token, seq, at, level, message, fields)
select u.id, j.attempt, u.token, u.seq, u.at, u.level, u.message, u.fields::jsonb
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
    as u (id, token, seq, at, level, message, fields)
join {schema}.jobs j on j.id = u.id and j.token = u.token
on conflict do nothing;

-- name: write_progress
-- Store the latest progress of attempts whose claim still holds. Jobs that are just being settled are passed by.
with locked as materialized (
    select l.id, u.done, u.total
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (id, token, done, total)
    join {schema}.jobs l on l.id = u.id and l.token = u.token
    order by l.id
    for update of l skip locked
)
update {schema}.jobs j set progress_done = l.done, progress_total = l.total from locked l where j.id = l.id;
