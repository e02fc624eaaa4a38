// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The layers of a sandbox and the steps of its set-up: one list for C and for Swift, which both see
// as a closed enumeration.
#ifndef AICO_LAYERS_H
#define AICO_LAYERS_H

#include <stdint.h>

// In the order in which an attempt applies them: C's name, Swift's, and that of profiles and records.
#define AICO_LAYERS(LAYER) \
    LAYER(SESSION, session, "session") \
    LAYER(CGROUP, cgroup, "cgroup") \
    LAYER(NAMESPACES, namespaces, "namespaces") \
    LAYER(MOUNTS, mounts, "mounts") \
    LAYER(RLIMITS, rlimits, "rlimits") \
    LAYER(KEYRING, keyring, "keyring") \
    LAYER(IDENTITY, identity, "identity") \
    LAYER(CAPABILITIES, capabilities, "capabilities") \
    LAYER(NO_NEW_PRIVS, noNewPrivileges, "no_new_privs") \
    LAYER(PARENT_DEATH, parentDeathSignal, "parent_death_signal") \
    LAYER(DESCRIPTORS, descriptors, "descriptors") \
    LAYER(LANDLOCK, landlock, "landlock") \
    LAYER(SECCOMP, seccomp, "seccomp")

// The call of a layer that failed; SandboxStep has the words.
#define AICO_STEPS(STEP) \
    STEP(NONE, none) \
    STEP(SETSID, setsid) \
    STEP(OOM_SCORE, oomScore) \
    STEP(JOIN_CGROUP, joinCgroup) \
    STEP(CHECK_NAMESPACE, checkNamespace) \
    STEP(CGROUP_NAMESPACE, cgroupNamespace) \
    STEP(CHECK_ROOT, checkRoot) \
    STEP(PRIVATE_PROPAGATION, privatePropagation) \
    STEP(MOUNT, mount) \
    STEP(CHANGE_DIRECTORY, changeDirectory) \
    STEP(RLIMIT, rlimit) \
    STEP(JOIN_KEYRING, joinKeyring) \
    STEP(CHECK_USER, checkUser) \
    STEP(CHECK_GROUP, checkGroup) \
    STEP(CHECK_GROUPS, checkGroups) \
    STEP(CLEAR_AMBIENT, clearAmbient) \
    STEP(DROP_BOUNDING, dropBounding) \
    STEP(LOCK_SECUREBITS, lockSecurebits) \
    STEP(SET_CAPABILITIES, setCapabilities) \
    STEP(CHECK_CAPABILITIES, checkCapabilities) \
    STEP(NO_NEW_PRIVS, noNewPrivileges) \
    STEP(PARENT_DEATH, parentDeath) \
    STEP(PLACE, place) \
    STEP(CLOSE_REST, closeRest) \
    STEP(RULESET, ruleset) \
    STEP(RULE_PATH, rulePath) \
    STEP(RULE, rule) \
    STEP(RESTRICT, restrict) \
    STEP(FILTER, filter) \
    /* Of the fork server, which finds them and not the child. */ \
    STEP(LEAF, leaf) \
    STEP(CLONE, clone) \
    STEP(SLOTS, slots) \
    STEP(SETUP_SOCKET, setupSocket) \
    STEP(SETUP_TIME, setupTime) \
    STEP(TASK_SOCKET, taskSocket) \
    STEP(TEMPORARY, temporary) \
    /* What a class is granted of the host, by the plan's mounts. */ \
    STEP(GRANT, grant) \
    STEP(GRANT_LINK, grantLink) \
    STEP(GRANT_CEILING, grantCeiling) \
    STEP(GRANT_SILENT, grantSilent)

#define AICO_NAMED(swift) __attribute__((swift_name(#swift)))
#define AICO_LAYER_CASE(c, swift, name) AICO_LAYER_##c AICO_NAMED(swift),
#define AICO_STEP_CASE(c, swift) AICO_STEP_##c AICO_NAMED(swift),
#define AICO_ONE(c, swift, name) +1

enum __attribute__((enum_extensibility(closed))) aico_layer : uint8_t {
    AICO_LAYERS(AICO_LAYER_CASE)
};

enum __attribute__((enum_extensibility(closed))) aico_step : uint8_t {
    AICO_STEPS(AICO_STEP_CASE)
};

enum { AICO_LAYER_COUNT = AICO_LAYERS(AICO_ONE) };

// Sets of layers are 32 bits.
_Static_assert(AICO_LAYER_COUNT <= 32, "too many layers for their bits");

// The name of a layer in profiles, records and messages.
const char *aico_layer_name(enum aico_layer layer);

#endif
