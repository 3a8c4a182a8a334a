-- The way back from 0009: refuses while rows that a repair removed exist nowhere else.
do $$
begin
  if exists (select from closebell.repair_archive) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 9 would lose rows that repairs archived',
      hint = 'undo the repairs, or copy closebell.repair_archive and empty it';
  end if;
end $$;
drop view closebell.adopted_comparison;
drop table closebell.adopted_snapshots, closebell.adopted_tables, closebell.repair_archive,
  closebell.repair_runs;
