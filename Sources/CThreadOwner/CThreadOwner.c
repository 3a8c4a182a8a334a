// The system calls themselves: glibc's setgroups asks every thread of the process along.
#define _GNU_SOURCE
#include "CThreadOwner.h"
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// What the thread comes back to; one level is enough, since nobody becomes twice.
static _Thread_local gid_t *groups_before;
static _Thread_local int groups_before_count;

static int set_groups(size_t count, const gid_t *groups) {
  return (int)syscall(SYS_setgroups, count, groups);
}

static int is_now(uid_t user, gid_t group) {
  // An impossible number changes nothing and gives the present one.
  return (uid_t)setfsuid((uid_t)-1) == user && (gid_t)setfsgid((gid_t)-1) == group;
}

static int keep_groups(void) {
  int count = getgroups(0, NULL);
  if (count < 0) return errno;
  gid_t *groups = malloc(sizeof(gid_t) * (size_t)(count + 1));
  if (!groups) return ENOMEM;
  count = getgroups(count, groups);
  if (count < 0) {
    int error = errno;
    free(groups);
    return error;
  }
  groups_before = groups;
  groups_before_count = count;
  return 0;
}

int closebell_thread_become(uid_t user, gid_t group) {
  int error = keep_groups();
  if (error) return error;
  if (set_groups(0, NULL) != 0) {
    error = errno;
    free(groups_before);
    groups_before = NULL;
    return error;
  }
  setfsgid(group);
  // The kernel takes root's powers over files away with the user, and gives them back with root.
  setfsuid(user);
  if (is_now(user, group)) return 0;
  closebell_thread_revert();
  return EPERM;
}

void closebell_thread_revert(void) {
  uid_t user = geteuid();
  gid_t group = getegid();
  setfsuid(user);
  setfsgid(group);
  if (!is_now(user, group) || set_groups((size_t)groups_before_count, groups_before) != 0) abort();
  free(groups_before);
  groups_before = NULL;
}
