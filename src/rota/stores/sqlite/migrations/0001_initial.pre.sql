-- The first schema. Moments are microseconds since 1970 UTC, ids are 16 bytes, JSON is text.
-- oldest: 1

create table schema_version (
    version integer primary key,
    oldest integer not null,
    store_id text not null
) strict;

-- Live jobs. What may be large stands last, so that the rest of a row is read without its overflow pages.
create table jobs (
    seq integer primary key autoincrement,
    id blob not null unique,
    queue text not null,
    executor text not null,
    task text not null,
    state text not null,
    held text,
    rank integer not null,
    share integer not null,
    attempt integer not null default 0,
    crashes integer not null default 0,
    crashes_alone integer not null default 0,
    max_attempts integer,
    token integer,
    settled_token integer,
    owner blob,
    lease_until integer,
    cancel_requested integer not null default 0,
    run_at integer,
    expires_at integer,
    submitted_at integer not null,
    ready_at integer,
    claimed_at integer,
    started_at integer,
    key text,
    unique_key text,
    parent blob,
    root blob,
    batch blob,
    ordinal integer,
    schedule text,
    due integer,
    wake_key text,
    wake_at integer,
    children integer not null default 0,
    external_id text,
    trust text,
    slots text,
    progress_done integer,
    progress_total integer,
    codec text not null,
    tags text,
    headers text,
    options text,
    fault text,
    payload blob not null
) strict;

-- Every index besides the id is partial: a job is in those few that its state needs. An index ends with the
-- row's `seq` by itself.
create index jobs_ready on jobs (queue, executor, rank, share) where state = 'ready' and held is null;
create index jobs_held on jobs (held, rank, share) where held is not null;
create index jobs_scheduled on jobs (run_at) where state = 'scheduled';
create index jobs_lease on jobs (lease_until) where lease_until is not null;
create unique index jobs_unique on jobs (unique_key) where unique_key is not null;
create index jobs_expires on jobs (expires_at) where expires_at is not null and state in ('ready', 'scheduled');
create index jobs_wake_key on jobs (wake_key) where wake_key is not null;
create index jobs_wake_at on jobs (wake_at) where wake_at is not null;
create index jobs_schedule on jobs (schedule) where schedule is not null;
create index jobs_parent on jobs (parent) where parent is not null;

-- Failed jobs. `place` is the order in which they failed, by which they are pruned without another index.
create table dead (
    place integer primary key,
    id blob not null unique,
    queue text not null,
    executor text not null,
    task text not null,
    state text not null,
    held text,
    rank integer not null,
    share integer not null,
    attempt integer not null,
    crashes integer not null,
    crashes_alone integer not null default 0,
    max_attempts integer,
    token integer,
    owner blob,
    lease_until integer,
    cancel_requested integer not null,
    run_at integer,
    expires_at integer,
    submitted_at integer not null,
    ready_at integer,
    claimed_at integer,
    started_at integer,
    finished_at integer not null,
    result_kept integer,
    key text,
    unique_key text,
    parent blob,
    root blob,
    batch blob,
    ordinal integer,
    schedule text,
    due integer,
    wake_key text,
    wake_at integer,
    children integer not null default 0,
    external_id text,
    trust text,
    slots text,
    progress_done integer,
    progress_total integer,
    codec text not null,
    tags text,
    headers text,
    options text,
    fault text,
    payload blob not null
) strict;

-- Succeeded, cancelled and expired jobs; `place` as in `dead`.
create table history (
    place integer primary key,
    id blob not null unique,
    queue text not null,
    executor text not null,
    task text not null,
    state text not null,
    held text,
    rank integer not null,
    share integer not null,
    attempt integer not null,
    crashes integer not null,
    crashes_alone integer not null default 0,
    max_attempts integer,
    token integer,
    owner blob,
    lease_until integer,
    cancel_requested integer not null,
    run_at integer,
    expires_at integer,
    submitted_at integer not null,
    ready_at integer,
    claimed_at integer,
    started_at integer,
    finished_at integer not null,
    result_kept integer,
    key text,
    unique_key text,
    parent blob,
    root blob,
    batch blob,
    ordinal integer,
    schedule text,
    due integer,
    wake_key text,
    wake_at integer,
    children integer not null default 0,
    external_id text,
    trust text,
    slots text,
    progress_done integer,
    progress_total integer,
    codec text not null,
    tags text,
    headers text,
    options text,
    fault text,
    payload blob not null
) strict;

create table results (
    place integer primary key,
    id blob not null unique,
    expires_at integer,
    value blob not null
) strict;
create index results_expires on results (expires_at) where expires_at is not null;

-- Lines that attempts logged. The token tells tries of one number apart: a job given back keeps its number.
create table logs (
    place integer primary key,
    job blob not null,
    token integer not null,
    seq integer not null,
    attempt integer not null,
    at integer not null,
    level text not null,
    message text not null,
    fields text,
    unique (job, token, seq)
) strict;

create table events (
    place integer primary key,
    job blob not null,
    kind text not null,
    at integer not null,
    attempt integer,
    data text not null
) strict;
create index events_job on events (job);

-- Unique keys that stay taken for a while, also when their job has finished.
create table unique_windows (
    unique_key text primary key,
    job blob not null,
    until integer not null
) strict, without rowid;
create index unique_windows_until on unique_windows (until);

-- Limited scopes: how many running or handed jobs hold a slot, and the limit that was last asked for.
create table slots (
    scope text primary key,
    used integer not null,
    capacity integer not null
) strict, without rowid;

create table queues (
    name text primary key,
    paused_at integer,
    paused_by text
) strict, without rowid;

create table workers (
    id blob primary key,
    host text not null,
    pid integer not null,
    version text not null,
    queues text not null,
    tasks text not null,
    slots text not null,
    sandboxes text not null,
    idle integer not null default 0,
    draining integer not null default 0,
    memory integer not null default 0,
    started_at integer not null,
    beat_at integer not null,
    lease_until integer not null
) strict, without rowid;

create table tasks (
    name text primary key,
    kind text not null,
    executor text not null,
    queue text not null,
    schema text not null,
    seen_at integer not null
) strict, without rowid;

create table schedules (
    id text primary key,
    version integer not null,
    task text not null,
    queue text not null,
    executor text not null,
    "trigger" text not null,
    payload blob not null,
    options text not null,
    source text not null,
    app text not null default '',
    name text not null default '',
    catch_up text not null,
    overlap text not null,
    grace integer,
    next_at integer,
    last_at integer,
    last_job blob,
    paused_at integer,
    paused_by text,
    paused_why text
) strict;
create index schedules_next on schedules (next_at) where next_at is not null and paused_at is null;

-- Past definitions, so that what should have happened can be computed again: from `next_at` of a version up to
-- `closed_at` of the one after it. Without a definition: the schedule was removed.
create table schedule_versions (
    schedule text not null,
    version integer not null,
    since integer not null,
    next_at integer,
    closed_at integer,
    definition text,
    primary key (schedule, version)
) strict, without rowid;

-- One row per moment that was due: its key is why a tick happens once. What is run afterwards by hand has a source
-- of its own.
create table ticks (
    schedule text not null,
    due integer not null,
    source text not null,
    version integer not null,
    state text not null,
    job blob,
    missed integer not null,
    missed_from integer,
    reason text,
    fired_at integer not null,
    primary key (schedule, due, source)
) strict, without rowid;
create index ticks_fired on ticks (fired_at);

-- Who changed what by hand.
create table audit (
    place integer primary key,
    at integer not null,
    actor text not null,
    action text not null,
    subject text not null,
    data text not null
) strict;
create index audit_at on audit (at);

-- Requests that were sent with a key, for a day: what they said (its digest), and what they were answered. From
-- `seed` the ids of the jobs it makes are made, so that doing it again makes no others; who does it is presumed
-- dead after `until`.
create table requests (
    scope text not null,
    key text not null,
    digest blob not null,
    seed blob not null,
    at integer not null,
    until integer not null,
    status integer,
    body blob,
    primary key (scope, key)
) strict, without rowid;
create index requests_at on requests (at);

-- How attempts ended, by the minute. `waits` and `durations` count them by length, in powers of two.
create table stats (
    minute integer not null,
    queue text not null,
    task text not null,
    outcome text not null,
    count integer not null,
    wait real not null,
    duration real not null,
    waits text not null,
    durations text not null,
    primary key (minute, queue, task, outcome)
) strict, without rowid;

-- What opens the API and the dashboard; only digests of secrets are kept.
create table tokens (
    id blob primary key,
    kind text not null,
    name text not null,
    role text not null,
    keys text not null,
    digest blob not null,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    parent blob
) strict, without rowid;
create unique index tokens_digest on tokens (digest);
create unique index tokens_name on tokens (name) where kind = 'token';
create index tokens_parent on tokens (parent) where parent is not null;
