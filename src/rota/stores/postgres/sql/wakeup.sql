-- name: notify
-- Send a notice.
select pg_notify({channel}, $1) where {pushes};
