/// The schema's numbered SQL files, embedded as they stand; see MigrationFiles in Storage.
#pragma once
#include <stddef.h>

typedef struct {
  int version;
  const char *name;
  const char *up;
  const char *down;
} closebell_migration;

/// The step at `index`, below `closebell_migrations_count`.
const closebell_migration *closebell_migration_at(size_t index);
extern const size_t closebell_migrations_count;
