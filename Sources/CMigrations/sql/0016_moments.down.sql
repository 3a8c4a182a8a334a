-- Nothing to undo: nights keep again what they need.
select;
