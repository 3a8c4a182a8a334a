-- The way back from 0016; nights keep moments again as they need them.
alter table closebell.input_changes drop column is_replacement;
