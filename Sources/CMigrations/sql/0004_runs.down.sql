-- The way back from 0004: run history may go, the history of replaced values may not.
do $$
begin
  if exists (select from closebell.snapshot_history) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 4 would lose the values that replays replaced',
      hint = 'copy closebell.snapshot_history away and empty it first';
  end if;
end $$;
drop table closebell.snapshot_history, closebell.input_changes, closebell.pause,
  closebell.batch_runs, closebell.worker_lease;
drop sequence closebell.claim_id_seq;
