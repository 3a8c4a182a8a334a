-- Rows to which their source gave no id are told by what they say, and every row says which import
-- brought it: so that nothing counts twice, and what an import brought can be taken back.

alter table closebell.holding_activity_log
  -- The account within a portfolio; two rows of two accounts are two, whatever else they say.
  add column account text,
  -- The import that brought the row, or that took it up again after it was undone; null for rows
  -- from before this was kept, and for those that no import brought.
  add column import_id bigint,
  -- The last import that changed it.
  add column updated_import_id bigint,
  -- When the import that brought it was undone; null for all others, cancelled ones among them.
  add column undone_at timestamptz,
  add constraint holding_activity_log_undone_is_cancelled
    check (undone_at is null or status = 'cancelled') not valid;

-- Files imported before named such rows after their digest.
update closebell.holding_activity_log l set import_id = j.id
from (
  select min(f.id) as id, pg_catalog.encode(pg_catalog.substr(f.digest, 1, 16), 'hex') as digest
  from closebell.import_jobs f where f.kind = 'activities' and f.digest is not null
  group by 2) j
where l.external_id like 'file:%' and pg_catalog.substr(l.external_id, 6, 32) = j.digest;

-- Portfolios whose log has, or once had, rows without ids of their source: only there a row with an
-- id may be one of them.
create table closebell.unnamed_portfolios (
  portfolio_id bigint constraint unnamed_portfolios_key primary key
);
insert into closebell.unnamed_portfolios
select distinct l.portfolio_id from closebell.holding_activity_log l
where l.external_id like 'file:%';

-- Stored rows that an import under way has found again, 1024 ids a row: each is found once a file.
create table closebell.import_matches (
  job_id bigint not null,
  page bigint not null,
  ids bit(1024) not null,
  constraint import_matches_key primary key (job_id, page)
);
-- How many rows of an import said what rows of another said before; 0: of no import known.
create table closebell.import_overlaps (
  job_id bigint not null,
  earlier_id bigint not null,
  row_count bigint not null,
  constraint import_overlaps_key primary key (job_id, earlier_id)
);

-- What was booked late, by the date on which it happened. With the sum no other index does, so that
-- no statistics choose one that begins elsewhere.
drop index closebell.holding_activity_log_late;
create index holding_activity_log_late on closebell.holding_activity_log
  ((portfolio_id + 0), activity_date) where booked_on is not null;
