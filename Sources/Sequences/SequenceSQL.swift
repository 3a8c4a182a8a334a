internal import Postgres

/// The statements that ask the catalogue about sequences.
package enum SequenceSQL {
  /// How many pages a relation has.
  package static func pages(of relation: String) -> String {
    """
    (pg_catalog.pg_relation_size(\(relation))
      / pg_catalog.current_setting('block_size')::bigint)
    """
  }

  /// True for a row on one of the newest of a table's pages.
  ///
  /// The first page is asked for once, in a query of its own: a table's size may change while it is
  /// read, so the server would look at every row of the table otherwise.
  package static func isNewest(_ row: String, _ newest: Int, of pages: String) -> String {
    """
    \(row).ctid >=
      (select pg_catalog.format('(%s,0)', greatest(\(pages) - \(newest), 0))::tid)
    """
  }

  /// The sequences that are looked at, and every default of a table, as common expressions.
  ///
  /// `$1` is the schema whose sequences only its own columns count for, `$2` whether nothing but
  /// that schema is looked at. A session's own tables are its own business.
  private static let found = """
    with locked as materialized (
      select k.relation from pg_catalog.pg_locks k
      -- Also one that is only asked for: whoever comes after it waits behind it.
      where k.locktype = 'relation' and k.mode = 'AccessExclusiveLock'
        -- That of a prepared transaction is nobody's.
        and k.pid is distinct from pg_catalog.pg_backend_pid()
        and k.database = (select d.oid from pg_catalog.pg_database d
          where d.datname = pg_catalog.current_database())
    ), sequence as materialized (
      select c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
        s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
        pg_catalog.pg_has_role(c.relowner, 'usage') as is_ours,
        pg_catalog.has_schema_privilege(n.oid, 'usage')
          and pg_catalog.has_sequence_privilege(c.oid, 'select') as may_read,
        \(TrustedRoles.objection) as objection
      from pg_catalog.pg_sequence s join pg_catalog.pg_class c on c.oid = s.seqrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and (not $2::boolean or n.nspname = $1::text)
    ), expression as materialized (
      -- The function opens the table: of one that is locked the text stays unknown.
      select d.oid, d.adrelid, d.adnum,
        case when not exists (select from locked l where l.relation = d.adrelid)
          then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end as text
      from pg_catalog.pg_attrdef d join pg_catalog.pg_class c on c.oid = d.adrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where d.adrelid >= 16384 and c.relpersistence <> 't'
        and (not $2::boolean or n.nspname = $1::text)
    ), lookup as materialized (
      select l.*, case when l.literal ~ \(qualifiedName)
        -- What is no name would end the statement.
        then pg_catalog.parse_ident(l.literal) end as parts
      from (select e.adrelid, e.adnum, pg_catalog.replace(
          pg_catalog.substring(e.text, \(namedSequence)), '''''', '''') as literal
        from expression e where e.text ~ \(namedSequence)) l
    ), named as materialized (
      select l.adrelid, l.adnum, l.literal, s.oid as sequence
      from lookup l left join sequence s
        on s.relname = l.parts[pg_catalog.cardinality(l.parts)]::name
        and s.nspname = l.parts[pg_catalog.cardinality(l.parts) - 1]::name
        and (pg_catalog.cardinality(l.parts) = 2
          or l.parts[1]::name = pg_catalog.current_database())
    )
    """

  /// Columns whose default looks for a sequence that is not there.
  static let unresolved = Statement.once(
    "sequences-unresolved",
    """
    \(found)
    select coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid)::bigint,
      pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
      pg_catalog.quote_ident(a.attname), d.literal
    from named d join pg_catalog.pg_class c on c.oid = d.adrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.sequence is null
    order by 2, 3
    """)

  /// One row a sequence and column, ordered by sequence; one without columns has one row.
  ///
  /// Columns come from three places: dependencies that identity and `owned by` leave, those that a
  /// default leaves, and the text of defaults that look a sequence up by name. A partition inherits
  /// its table's default and is read with it.
  static let discover = Statement.once(
    "sequences-discover",
    """
    \(found), drawn as materialized (
      select d.refobjid as sequence, e.adrelid, e.adnum
      from pg_catalog.pg_depend d join expression e on e.oid = d.objid
      where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.refobjid in (select oid from sequence)
        and coalesce(e.text ~ '\\mnextval\\(', true)
    ), claim (sequence, relation, attribute, origin) as (
      select d.objid, d.refobjid, d.refobjsubid,
        case d.deptype when 'i' then 'identity' else 'owned' end
      from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.refobjsubid > 0 and d.deptype in ('a', 'i')
        and d.objid in (select oid from sequence)
        -- An owned sequence whose column takes its default from elsewhere gives no ids.
        and (not exists (select from expression e
              where e.adrelid = d.refobjid and e.adnum = d.refobjsubid)
          or exists (select from drawn w where w.sequence = d.objid
              and w.adrelid = d.refobjid and w.adnum = d.refobjsubid))
      union all
      select w.sequence, w.adrelid, w.adnum, 'default' from drawn w
      union all
      select d.sequence, d.adrelid, d.adnum, 'name' from named d
    ), usage as materialized (
      select distinct on (u.sequence, u.relation, u.attribute) u.*,
        e.text is null or e.text ~ \(plainDefault) as is_plain
      from claim u left join expression e on e.adrelid = u.relation and e.adnum = u.attribute
      where u.sequence is not null
      order by u.sequence, u.relation, u.attribute,
        pg_catalog.array_position(array['identity', 'owned', 'default', 'name'], u.origin)
    ), used as (
      select u.*, coalesce(pg_catalog.pg_partition_root(u.relation)::oid, u.relation) as root
      from usage u
    )
    select s.oid::bigint, s.name, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
      s.is_ours, s.may_read, s.objection,
      u.relation::bigint, u.root::bigint,
      pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
      pg_catalog.quote_ident(a.attname), u.attribute::integer, u.origin, c.relkind::text,
      c.relispartition, coalesce(nullif(t.typbasetype, 0), t.oid)::bigint, u.is_plain,
      pg_catalog.has_schema_privilege(n.oid, 'usage')
        and pg_catalog.has_table_privilege(c.oid, 'select'),
      pg_catalog.row_security_active(c.oid),
      exists (select from pg_catalog.pg_index i
        join pg_catalog.pg_class x on x.oid = i.indexrelid
        join pg_catalog.pg_am m on m.oid = x.relam
        where i.indrelid = c.oid and i.indisvalid and i.indpred is null and m.amname = 'btree'
          and i.indkey[0] = a.attnum),
      exists (select from pg_catalog.pg_am m where m.oid = c.relam and m.amname = 'heap'),
      exists (select from locked l where l.relation in (c.oid, s.oid)),
      \(TrustedRoles.objection)
    from sequence s
    left join (used u
      join pg_catalog.pg_class c on c.oid = u.relation and c.relpersistence <> 't'
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a
        on a.attrelid = u.relation and a.attnum = u.attribute and not a.attisdropped
      join pg_catalog.pg_type t on t.oid = a.atttypid)
    on u.sequence = s.oid and not (c.relispartition
      and exists (select from usage r where r.sequence = u.sequence and r.relation = u.root))
      and (s.nspname is distinct from $1::text or n.nspname = s.nspname)
    order by s.name, s.oid, 13, 14
    """)

  /// A default that holds just what the sequence gives, perhaps cast to another type.
  private static let plainDefault =
    #"'^\(?nextval\(\(?''([^'']|'''')+''(::text\))?::regclass\)\)?(::[a-z]+)?$'"#

  /// A default that looks its sequence up at every insert, as dumps of old servers have it.
  private static let namedSequence = #"'^nextval\(\(''((?:[^'']|'''')+)''::text\)::regclass\)$'"#

  /// A sequence's name with its schema, and perhaps the database before that.
  private static let qualifiedName =
    #"'^(?:(?:[[:alpha:]_][[:alnum:]_$]*|"(?:[^"]|"")+")(?:\.(?!$)|$)){2,3}$'"#

  /// Tables and sequences of a name, in its schema or in any, and a partition's table.
  static let relations = Statement.once(
    "sequences-relations",
    """
    select coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid)::bigint
    from (select pg_catalog.parse_ident($1::text) as parts) p
    join pg_catalog.pg_class c
      on c.relname = p.parts[pg_catalog.cardinality(p.parts)] and c.relkind <> 'i'
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where case pg_catalog.cardinality(p.parts)
        when 1 then n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        when 2 then n.nspname = p.parts[1]
        else n.nspname = p.parts[2] and p.parts[1] = pg_catalog.current_database() end
    union
    select c.oid::bigint
    from (select pg_catalog.parse_ident($1::text) as parts) p
    join pg_catalog.pg_class c
      on c.relname = p.parts[pg_catalog.cardinality(p.parts)] and c.relispartition
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where pg_catalog.cardinality(p.parts) = 1 or n.nspname = p.parts[1]
    """)
}
