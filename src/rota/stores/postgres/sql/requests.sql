-- name: drop_request
-- Forget a request that is older than requests are kept.
delete from {schema}.requests where scope = $2 and key = $3 and at <= {now} - $4::interval;

-- name: begin_request
-- Take note of a request; one row when it is the caller's to do: nobody had it, or who had it is presumed dead.
insert into {schema}.requests as r (scope, key, digest, seed, at, until)
values ($2, $3, $4, $5, {now}, {now} + $6::interval)
on conflict (scope, key) do update set until = excluded.until
    where r.status is null and r.until <= {now} and r.digest = excluded.digest
returning seed;

-- name: known_request
-- Read what is known of a request.
select digest, seed, status, body from {schema}.requests where scope = $1 and key = $2;

-- name: finish_request
-- Keep a request's answer; without one it is free again.
update {schema}.requests set status = $4, body = $5, until = {now}
where scope = $2 and key = $3 and status is null;
