-- Imports that can be stopped anywhere, watched, resumed and queued.

alter table closebell.import_jobs
  -- What the import was asked to do, as words `name=value`: enough to do it again.
  add column options text[] not null default '{}',
  add column is_background boolean not null default false,
  add column queued_at timestamptz,
  -- Who is at it; every chunk is fenced by the claim, and prolongs its lease.
  add column claim_id bigint,
  add column claimed_by text,
  add column lease_until timestamptz,
  -- The checkpoint: it commits with its chunk, beside byte_offset and the counts.
  add column replaced_count bigint not null default 0,
  add column row_number bigint not null default 0,
  add column line_number bigint not null default 1,
  add column prefix_digest bytea,
  add column header_row bytea,
  add column can_resume boolean not null default true,
  -- Progress, as another process reads it.
  add column source_size bigint,
  add column source_read bigint not null default 0,
  add column checkpoint_at timestamptz,
  add column session_at timestamptz,
  add column session_rows bigint not null default 0,
  add column session_read bigint not null default 0;
-- A queued import has not started.
alter table closebell.import_jobs alter column started_at drop not null;
comment on column closebell.import_jobs.byte_offset is
  'Where the next row begins, in the text: of a compressed file, after decompression.';
comment on column closebell.import_jobs.replaced_count is
  'Rows skipped, since a later row of the same chunk has their key.';

-- The row's bytes where text cannot hold them: a NUL byte, or no UTF-8.
alter table closebell.import_results add column row_bytes bytea;

create index import_jobs_waiting on closebell.import_jobs (id)
  where status in ('queued', 'processing');
create index import_jobs_by_digest on closebell.import_jobs (kind, digest)
  where status = 'completed';
