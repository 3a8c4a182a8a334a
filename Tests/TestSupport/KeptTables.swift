/// Brings a database back to how it was, in place: quicker than making another.
public enum KeptTables {
  /// From now on a reset means how things are now.
  public static let keep = """
    drop schema if exists kept cascade;
    create schema kept;
    do $$ declare t text; begin
      for t in select tablename from pg_catalog.pg_tables where schemaname = 'closebell' loop
        execute pg_catalog.format('create table kept.%I as table closebell.%I', t, t);
      end loop;
    end $$
    """

  /// Every table as it was kept; sequences go on.
  ///
  /// Triggers of foreign keys would look at one table while another is still empty.
  public static let bringBack = """
    do $$ declare t text; begin
      set local session_replication_role = replica;
      for t in select tablename from pg_catalog.pg_tables where schemaname = 'kept' loop
        execute pg_catalog.format('delete from closebell.%I', t);
        execute pg_catalog.format(
          'insert into closebell.%I overriding system value table kept.%I', t, t);
      end loop;
    end $$
    """
}
