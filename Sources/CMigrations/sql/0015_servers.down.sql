-- The way back from 0015.
delete from closebell.worker_lease;
alter table closebell.worker_lease
  drop column token, drop column backend_pid, drop column backend_start,
  drop column system_identifier, drop column timeline, drop column epoch;
alter table closebell.incarnation
  drop column database_oid, drop column table_oid, drop column timeline, drop column written_by;
drop function closebell.this_server();
