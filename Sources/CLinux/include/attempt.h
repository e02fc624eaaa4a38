// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The fork server's calls: clone3 into a cgroup, the confinement of one attempt, messages with
// descriptors, the seccomp notifier. Between clone3 and the task's code nothing but C runs.
#ifndef AICO_ATTEMPT_H
#define AICO_ATTEMPT_H

#include "layers.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A mount that each attempt makes for itself.
struct aico_attempt_mount {
    const char *type;  // "tmpfs" or "proc"
    const char *target;
    const char *options;
    uint64_t flags;
};

// A Landlock rule; `fd` is -1 where the path belongs to the attempt's own mounts.
struct aico_attempt_rule {
    int32_t fd;
    uint32_t if_exists;
    uint32_t is_temporary;  // 1: the attempt's own directory instead of the path
    uint64_t access;  // with the rights that only directories can have
    const char *path;
};

// All that is the same for every attempt; made once by the fork server.
struct aico_attempt_plan {
    uint32_t uid;
    uint32_t gid;
    uint32_t groups[8];
    uint32_t group_count;
    uint32_t own_namespaces;  // attempts get pid, mount and ipc namespaces
    uint32_t class_namespaces;  // the worker was seen to be the first of its pid namespace
    uint32_t root_read_only;  // the root was seen to be read-only
    uint32_t optional;  // bits by layer
    uint64_t host_capabilities;
    const struct aico_attempt_mount *mounts;
    size_t mount_count;
    uint64_t open_files;  // 0: none of its own
    uint64_t file_size;  // 0: none
    uint32_t file_mask;  // the umask
    int32_t landlock_error;  // errno of asking for the ABI, or 0
    uint32_t landlock_abi;
    uint64_t landlock_files;  // handled rights
    const struct aico_attempt_rule *rules;
    size_t rule_count;
    const void *filter;  // struct sock_filter array
    uint16_t filter_count;
    int32_t null_fd;
};

// What differs from attempt to attempt.
struct aico_attempt {
    uint64_t capabilities;
    int32_t task_fd;  // -1: it comes later by the set-up socket, as a message of one byte
    int32_t setup_fd;
    int32_t temporary_fd;  // its own directory of a /tmp that it shares, or -1
    uint32_t own_namespaces;  // clone3 made them
    uint32_t own_cgroup;  // clone3 put it into its leaf
    const int32_t *join_fds;
    size_t join_count;
};

// What the child says once, before the task's code runs or instead of it.
struct aico_setup_report {
    uint32_t refused;  // 1: `layer` did not hold and the child is gone
    uint32_t layer;
    int32_t error;
    uint32_t step;
    uint32_t index;
    uint32_t held;  // bits by layer
    uint32_t missing;  // bits by layer
    uint32_t passes_namespace;  // its mount namespace comes with it, behind the notifier
    int32_t missing_error[AICO_LAYER_COUNT];
    uint32_t missing_step[AICO_LAYER_COUNT];
    uint32_t missing_index[AICO_LAYER_COUNT];
};

enum aico_fork_order_kind { AICO_ORDER_SPAWN = 1, AICO_ORDER_KILL = 2 };

// Worker to fork server; SPAWN carries the task's socket.
struct aico_fork_order {
    uint32_t kind;
    uint32_t lenient;  // 1: begins although nobody knows what its class is shown
    uint64_t attempt;
    uint64_t capabilities;  // 0 for KILL
};

enum aico_fork_report_kind {
    AICO_REPORT_READY = 1,
    AICO_REPORT_FAILED,
    AICO_REPORT_CONFINED,
    AICO_REPORT_REFUSED,
    AICO_REPORT_DENIED,
    AICO_REPORT_ENDED,
};

// Fork server to worker. Both are one program, so the layout needs no codec.
struct aico_fork_report {
    uint32_t kind;
    int32_t wait_status;
    uint64_t attempt;
    struct aico_setup_report setup;
    int32_t number;
    uint32_t architecture;
    uint64_t arguments[6];
    uint64_t wall_nanoseconds;
    uint32_t has_peak_memory;
    uint32_t has_peak_processes;
    uint64_t peak_memory;
    uint64_t peak_processes;
    uint64_t user_microseconds;
    uint64_t system_microseconds;
    uint64_t out_of_memory_kills;
    uint64_t process_limit_hits;
    uint64_t code_memory_refusals;
};

// In the child: applies every layer and reports with the notifier's descriptor. Returns confined, or
// does not return.
void aico_attempt_confine(const struct aico_attempt_plan *plan, const struct aico_attempt *attempt);

// In the confined child: waits for the task's socket where it has none. Returns with it at 3 and
// without the set-up socket, or does not return.
void aico_attempt_await_order(const struct aico_attempt *attempt);

// fork(2) of a single-threaded process.
pid_t aico_fork(void);

// Forks a single-threaded process: into a v2 cgroup (or -1), into new pid, mount and ipc
// namespaces where asked. 0 in the child; in the parent the pid with a pidfd, or -1 with errno.
pid_t aico_attempt_clone(int cgroup_fd, int own_namespaces, int *pidfd);

// The number of threads of this process, or -1 with errno.
int aico_thread_count(void);

// PR_SET_DUMPABLE off: no process of the same uid can trace this one or read its memory, and it
// leaves no core. 0, or -1 with errno.
int aico_forbid_inspection(void);

// PR_SET_PDEATHSIG with SIGKILL. 0, or -1 with errno.
int aico_die_with_parent(void);

// Landlock's ABI, or -1 with errno.
int aico_landlock_abi(void);

// Rights that Landlock handles from an ABI on; bits as <linux/landlock.h>.
uint64_t aico_landlock_files(int abi);

// Of these alone a rule on something that is no directory may consist.
uint64_t aico_landlock_plain_files(void);

// Opens a rule's path. The descriptor (O_PATH) with *is_directory set, or -1 with errno.
int aico_landlock_open(const char *path, int *is_directory);

// The rights of a rule: bit 0 read, 1 write, 2 execute, 3 list; not yet masked by ABI or file type.
uint64_t aico_landlock_access(uint8_t access);

// Whether a mount's root is read-only. 1, 0, or -1 with errno.
int aico_root_is_read_only(void);

// A system call by number, as syscall(2), which is variadic.
long aico_system_call(long number, long a, long b, long c, long d, long e, long f);

// Names this process for ps(1).
void aico_set_name(const char *name);

// Takes a notification of a denied call from a listener. 1, or 0 where there is none any more,
// or -1 with errno.
int aico_notification(
    int listener, uint64_t *id, int32_t *number, uint32_t *architecture, uint64_t arguments[6]);

// Answers a notification with an errno. 0, or -1 with errno: ENOENT where the caller is gone.
int aico_answer(int listener, uint64_t id, int error);

#endif
