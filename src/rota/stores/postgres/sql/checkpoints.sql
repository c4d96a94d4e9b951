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
update {schema}.jobs j
set progress_done = u.done, progress_total = u.total
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (id, token, done, total)
where j.id = u.id and j.token = u.token and j.id = any (array(
    select l.id from {schema}.jobs l where l.id = any ($1::uuid[]) order by l.id for update skip locked
));
