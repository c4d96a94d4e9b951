-- name: write_logs
-- Store a log line of an attempt whose claim still holds; a line sent twice is stored once.
insert or ignore into logs (job, attempt, token, seq, at, level, message, fields)
select id, attempt, token, :seq, :at, :level, :message, :fields from jobs where id = :id and token = :token;

-- name: write_progress
-- Store the latest progress of an attempt whose claim still holds.
update jobs set progress_done = :done, progress_total = :total where id = :id and token = :token;
