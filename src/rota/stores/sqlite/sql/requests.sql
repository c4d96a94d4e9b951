-- name: drop_request
-- Forget a request that is older than requests are kept.
delete from requests where scope = :scope and key = :key and at <= :before;

-- name: begin_request
-- Take note of a request; a row when it is the caller's to do: nobody had it, or who had it is presumed dead.
insert into requests (scope, key, digest, seed, at, until)
values (:scope, :key, :digest, :seed, :now, :lease_until)
on conflict (scope, key) do update set until = excluded.until
    where requests.status is null and requests.until <= :now and requests.digest = excluded.digest
returning seed;

-- name: known_request
-- Read what is known of a request.
select digest, seed, status, body from requests where scope = :scope and key = :key;

-- name: finish_request
-- Keep a request's answer; without one it is free again.
update requests set status = :status, body = :body, until = :now
where scope = :scope and key = :key and status is null;
