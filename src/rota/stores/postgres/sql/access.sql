-- name: add_token
-- Forget what opens nothing any more, and store a token; one row unless a bearer token has its name.
with forgotten as (
    delete from {schema}.tokens where expires_at <= {now}
)
insert into {schema}.tokens (id, kind, name, role, digest, keys, created_at, expires_at, parent)
values ($2, $3, $4, $5, $6, $7, {now}, {now} + $8::interval, $9)
on conflict do nothing
returning id;

-- name: find_token
-- Read the token of a digest.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent from {schema}.tokens
where digest = $2 and (expires_at is null or expires_at > {now}) and kind = any($3::text[]);

-- name: redeem_token
-- Take a link away.
delete from {schema}.tokens where digest = $2 and kind = 'link' and (expires_at is null or expires_at > {now})
returning id, kind, name, role, keys, created_at, expires_at, used_at, parent;

-- name: touch_token
-- Note that a token was used.
update {schema}.tokens set used_at = {now} where id = $2;

-- name: list_tokens
-- Read all tokens that open something.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent from {schema}.tokens
where expires_at is null or expires_at > {now}
order by created_at, id;

-- name: revoke_token
-- Delete a token and its sessions; a row for the token itself.
with ended as (
    delete from {schema}.tokens where parent = $1
)
delete from {schema}.tokens where id = $1 returning id;

-- name: add_audit
-- Write down what somebody did.
insert into {schema}.audit (at, actor, action, subject, data)
select {now}, u.actor, u.action, u.subject, u.data::jsonb
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality as u (actor, action, subject, data, place)
order by u.place;

-- name: list_audit
-- Read what was done, newest first.
select place, at, actor, action, subject, data from {schema}.audit
where $1::bigint is null or place < $1
order by place desc
limit $2::bigint;
