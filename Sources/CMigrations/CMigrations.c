#include "CMigrations.h"

// One block a file: #embed keeps the SQL in .sql files and costs no build step.
#define TEXT(name) static const char name[]

TEXT(up_0001) = {
#embed "sql/0001_reference.up.sql" suffix(, )
  0};
TEXT(down_0001) = {
#embed "sql/0001_reference.down.sql" suffix(, )
  0};
TEXT(up_0002) = {
#embed "sql/0002_activities.up.sql" suffix(, )
  0};
TEXT(down_0002) = {
#embed "sql/0002_activities.down.sql" suffix(, )
  0};
TEXT(up_0003) = {
#embed "sql/0003_results.up.sql" suffix(, )
  0};
TEXT(down_0003) = {
#embed "sql/0003_results.down.sql" suffix(, )
  0};
TEXT(up_0004) = {
#embed "sql/0004_runs.up.sql" suffix(, )
  0};
TEXT(down_0004) = {
#embed "sql/0004_runs.down.sql" suffix(, )
  0};
TEXT(up_0005) = {
#embed "sql/0005_imports.up.sql" suffix(, )
  0};
TEXT(down_0005) = {
#embed "sql/0005_imports.down.sql" suffix(, )
  0};
TEXT(up_0006) = {
#embed "sql/0006_provenance.up.sql" suffix(, )
  0};
TEXT(down_0006) = {
#embed "sql/0006_provenance.down.sql" suffix(, )
  0};
TEXT(up_0007) = {
#embed "sql/0007_locks.up.sql" suffix(, )
  0};
TEXT(down_0007) = {
#embed "sql/0007_locks.down.sql" suffix(, )
  0};
TEXT(up_0008) = {
#embed "sql/0008_flow_timing.up.sql" suffix(, )
  0};
TEXT(down_0008) = {
#embed "sql/0008_flow_timing.down.sql" suffix(, )
  0};
TEXT(up_0009) = {
#embed "sql/0009_repair.up.sql" suffix(, )
  0};
TEXT(down_0009) = {
#embed "sql/0009_repair.down.sql" suffix(, )
  0};
TEXT(up_0010) = {
#embed "sql/0010_import_jobs.up.sql" suffix(, )
  0};
TEXT(down_0010) = {
#embed "sql/0010_import_jobs.down.sql" suffix(, )
  0};
TEXT(up_0011) = {
#embed "sql/0011_night.up.sql" suffix(, )
  0};
TEXT(down_0011) = {
#embed "sql/0011_night.down.sql" suffix(, )
  0};
TEXT(up_0012) = {
#embed "sql/0012_fees.up.sql" suffix(, )
  0};
TEXT(down_0012) = {
#embed "sql/0012_fees.down.sql" suffix(, )
  0};
TEXT(up_0013) = {
#embed "sql/0013_activities_by_day.up.sql" suffix(, )
  0};
TEXT(down_0013) = {
#embed "sql/0013_activities_by_day.down.sql" suffix(, )
  0};
TEXT(up_0014) = {
#embed "sql/0014_policy.up.sql" suffix(, )
  0};
TEXT(down_0014) = {
#embed "sql/0014_policy.down.sql" suffix(, )
  0};
TEXT(up_0015) = {
#embed "sql/0015_servers.up.sql" suffix(, )
  0};
TEXT(down_0015) = {
#embed "sql/0015_servers.down.sql" suffix(, )
  0};
TEXT(up_0016) = {
#embed "sql/0016_replacements.up.sql" suffix(, )
  0};
TEXT(down_0016) = {
#embed "sql/0016_replacements.down.sql" suffix(, )
  0};
TEXT(up_0017) = {
#embed "sql/0017_requests.up.sql" suffix(, )
  0};
TEXT(down_0017) = {
#embed "sql/0017_requests.down.sql" suffix(, )
  0};
TEXT(up_0018) = {
#embed "sql/0018_numbers.up.sql" suffix(, )
  0};
TEXT(down_0018) = {
#embed "sql/0018_numbers.down.sql" suffix(, )
  0};
TEXT(up_0019) = {
#embed "sql/0019_row_names.up.sql" suffix(, )
  0};
TEXT(down_0019) = {
#embed "sql/0019_row_names.down.sql" suffix(, )
  0};
TEXT(up_0020) = {
#embed "sql/0020_events.up.sql" suffix(, )
  0};
TEXT(down_0020) = {
#embed "sql/0020_events.down.sql" suffix(, )
  0};

static const closebell_migration closebell_migrations[] = {
  {1, "reference", up_0001, down_0001},
  {2, "activities", up_0002, down_0002},
  {3, "results", up_0003, down_0003},
  {4, "runs", up_0004, down_0004},
  {5, "imports", up_0005, down_0005},
  {6, "provenance", up_0006, down_0006},
  {7, "locks", up_0007, down_0007},
  {8, "flow_timing", up_0008, down_0008},
  {9, "repair", up_0009, down_0009},
  {10, "import_jobs", up_0010, down_0010},
  {11, "night", up_0011, down_0011},
  {12, "fees", up_0012, down_0012},
  {13, "activities_by_day", up_0013, down_0013},
  {14, "policy", up_0014, down_0014},
  {15, "servers", up_0015, down_0015},
  {16, "replacements", up_0016, down_0016},
  {17, "requests", up_0017, down_0017},
  {18, "numbers", up_0018, down_0018},
  {19, "row_names", up_0019, down_0019},
  {20, "events", up_0020, down_0020},
};
const size_t closebell_migrations_count =
  sizeof closebell_migrations / sizeof closebell_migrations[0];

const closebell_migration *closebell_migration_at(size_t index) {
  return &closebell_migrations[index];
}
