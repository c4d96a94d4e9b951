-- name: forget_tokens
-- Delete what opens nothing any more.
delete from tokens where expires_at <= :now;

-- name: add_token
-- Store a token, unless a bearer token has its name.
insert into tokens (id, kind, name, role, keys, digest, created_at, expires_at, parent)
values (:id, :kind, :name, :role, :keys, :digest, :now, :expires_at, :parent)
on conflict do nothing;

-- name: find_token
-- Read the token of a digest.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent from tokens
where digest = :digest and (expires_at is null or expires_at > :now)
    and kind in (select value from json_each(:kinds));

-- name: redeem_token
-- Take a link away.
delete from tokens where digest = :digest and kind = 'link' and (expires_at is null or expires_at > :now)
returning id, kind, name, role, keys, created_at, expires_at, used_at, parent;

-- name: touch_token
-- Note that a token was used.
update tokens set used_at = :now where id = :token;

-- name: list_tokens
-- Read all tokens that open something.
select id, kind, name, role, keys, created_at, expires_at, used_at, parent from tokens
where expires_at is null or expires_at > :now
order by created_at, id;

-- name: revoke_token
-- Delete a token.
delete from tokens where id = :token;

-- name: forget_sessions
-- Delete the sessions of a token.
delete from tokens where parent = :token;

-- name: add_audit
-- Write down what somebody did.
insert into audit (at, actor, action, subject, data) values (:now, :actor, :action, :subject, :data);

-- name: list_audit
-- Read what was done, newest first.
select place, at, actor, action, subject, data from audit
where :before is null or place < :before
order by place desc
limit :limit;
