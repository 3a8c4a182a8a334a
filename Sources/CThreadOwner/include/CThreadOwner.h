/// The user that one thread is for the file system; see Owner in PrivateCluster.
#pragma once
#include <sys/types.h>

/// The calling thread, and no other, reaches files as this user and this group, with none of the
/// caller's further groups and none of root's powers over files.
///
/// Returns 0, or the error (errno) for which everything stays as it was.
int closebell_thread_become(uid_t user, gid_t group);

/// The calling thread is again what its process is. Ends the process where that cannot be.
void closebell_thread_revert(void);
