-- The schema itself: what is there, and the one row that says which version it has.

-- name: schema_there
-- Say whether the tables are there.
select to_regclass('{schema}.schema_version') is not null;

-- name: schema_state
-- Read the version, the oldest code that can run on it, and the store's identity.
select version, oldest, store_id from {schema}.schema_version;

-- name: schema_lock
-- Let nobody else change the schema until this transaction ends.
select pg_advisory_xact_lock(hashtextextended('{schema}', 7304611));

-- name: schema_room
-- Say whether the namespace is there: making one needs a right on the database, even where it exists.
select to_regnamespace('{schema}') is not null;

-- name: schema_make
-- Make the namespace.
create schema {schema};

-- name: schema_born
-- Write the version of a new schema and its identity.
insert into {schema}.schema_version (version, oldest, store_id) values ($1, $2, $3);

-- name: schema_grown
-- Write the version of a schema that was migrated.
update {schema}.schema_version set version = $1, oldest = $2;
