#include <libpq-fe.h>
#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

// Swift imports no macro whose value is a character, so the fields of a server message are
// restated as constants.
static const int PQ_FIELD_SEVERITY = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int PQ_FIELD_SQLSTATE = PG_DIAG_SQLSTATE;
static const int PQ_FIELD_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
static const int PQ_FIELD_DETAIL = PG_DIAG_MESSAGE_DETAIL;
static const int PQ_FIELD_HINT = PG_DIAG_MESSAGE_HINT;
static const int PQ_FIELD_POSITION = PG_DIAG_STATEMENT_POSITION;
static const int PQ_FIELD_SCHEMA = PG_DIAG_SCHEMA_NAME;
static const int PQ_FIELD_TABLE = PG_DIAG_TABLE_NAME;
static const int PQ_FIELD_COLUMN = PG_DIAG_COLUMN_NAME;
static const int PQ_FIELD_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME;

// poll(2), shutdown(2), recv(2), kill(2) and getenv(3) as the few questions and deeds the module
// has for them; so that Swift need not import a C library whose name differs between platforms.

/// 1: something (data, or the end of the stream) can be read; 0: nothing within the time.
static inline int pq_socket_is_readable(int fd, int milliseconds) {
  struct pollfd one = {.fd = fd, .events = POLLIN, .revents = 0};
  int count;
  do count = poll(&one, 1, milliseconds); while (count < 0 && errno == EINTR);
  return count > 0 ? 1 : 0;
}

/// 1: the socket can be read or written as asked, or is broken; 0: not within the time, where -1 is
/// no limit; -1: a signal came.
static inline int pq_socket_is_ready(int fd, int writes, int milliseconds) {
  struct pollfd one = {.fd = fd, .events = writes ? POLLOUT : POLLIN, .revents = 0};
  int count = poll(&one, 1, milliseconds);
  return count > 0 ? 1 : count == 0 ? 0 : errno == EINTR ? -1 : 1;
}

/// Ends both directions of the stream; the descriptor stays open and stays libpq's.
static inline void pq_socket_cut(int fd) { (void)shutdown(fd, SHUT_RDWR); }

/// Throws away what has arrived, without waiting for more.
static inline void pq_socket_drain(int fd) {
  char scrap[512];
  while (recv(fd, scrap, sizeof scrap, MSG_DONTWAIT) > 0) {}
}

/// Dies at once, as by the power switch: no handler runs, nothing is flushed.
static inline void pq_kill_self(void) { (void)kill(getpid(), SIGKILL); }

/// Stops until somebody sends SIGCONT.
///
/// The signal goes to this very thread: another one that took it might leave this one running for
/// a call or two.
static inline void pq_stop_self(void) { (void)pthread_kill(pthread_self(), SIGSTOP); }

/// Makes malloc take memory in large steps and keep it, in a heap a processor and not one a thread,
/// where it can be told so.
static inline void pq_keep_memory(void) {
#ifdef __GLIBC__
  (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
  (void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
  (void)mallopt(M_TOP_PAD, 1 << 20);
  (void)mallopt(M_ARENA_MAX, (int)sysconf(_SC_NPROCESSORS_ONLN));
#endif
}

/// The value of an environment variable, or NULL.
static inline const char *pq_environment(const char *name) { return getenv(name); }

extern char **environ;

/// The n-th variable of the environment as `NAME=value`, or NULL after the last.
static inline const char *pq_environment_entry(long n) { return environ ? environ[n] : NULL; }
