// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// The words for a step of confinement that failed.
///
/// A task process says which step and an index; the words are made here, from the plan, so that no
/// text crosses from a process under confinement.
struct SandboxStep {
    let step: aico_step
    let index: Int

    init(step: UInt32, index: UInt32) {
        self.step = aico_step(rawValue: step)
        self.index = Int(index)
    }

    /// What was tried, as `mount '/tmp'`.
    func detail(plan: Plan) -> String {
        switch step {
        case AICO_STEP_SETSID: "setsid"
        case AICO_STEP_LEAF: "make the attempt's cgroup"
        case AICO_STEP_JOIN_CGROUP: "join the \(controller) cgroup"
        case AICO_STEP_CHECK_NAMESPACE: "own pid and mount namespaces"
        case AICO_STEP_CGROUP_NAMESPACE: "unshare the cgroup namespace"
        case AICO_STEP_CHECK_ROOT: "read-only root"
        case AICO_STEP_PRIVATE_PROPAGATION: "make mounts private"
        case AICO_STEP_MOUNT: "mount '\(mountTarget(plan))'"
        case AICO_STEP_CHANGE_DIRECTORY: "chdir '/'"
        case AICO_STEP_RLIMIT: "setrlimit \(index)"
        case AICO_STEP_JOIN_KEYRING: "join a new session keyring"
        case AICO_STEP_CHECK_USER: "user ids are the class's"
        case AICO_STEP_CHECK_GROUP: "group ids are the class's"
        case AICO_STEP_CHECK_GROUPS: "supplementary groups are the class's"
        case AICO_STEP_CLEAR_AMBIENT: "clear the ambient set"
        case AICO_STEP_DROP_BOUNDING: "drop capability \(index) from the bounding set"
        case AICO_STEP_LOCK_SECUREBITS: "lock the securebits"
        case AICO_STEP_SET_CAPABILITIES: "capset"
        case AICO_STEP_CHECK_CAPABILITIES: "capabilities are those declared"
        case AICO_STEP_NO_NEW_PRIVS: "set no_new_privs"
        case AICO_STEP_PARENT_DEATH: "set the parent death signal"
        case AICO_STEP_PLACE: "place descriptors"
        case AICO_STEP_CLOSE_REST: "close_range"
        case AICO_STEP_RULESET: "create a Landlock ruleset"
        case AICO_STEP_RULE_PATH: "open '\(rulePath(plan))' for Landlock"
        case AICO_STEP_RULE: "add the Landlock rule of '\(rulePath(plan))'"
        case AICO_STEP_RESTRICT: "landlock_restrict_self"
        case AICO_STEP_FILTER: "install the filter with a notifier"
        case AICO_STEP_CLONE: "clone3"
        case AICO_STEP_SLOTS: "\(plan.concurrency) attempts run already"
        case AICO_STEP_SETUP_SOCKET: "make the set-up socket"
        case AICO_STEP_SETUP_TIME: "set-up took too long"
        case AICO_STEP_TASK_SOCKET: "receive the task's socket"
        case AICO_STEP_TEMPORARY: "make the attempt's directory in '/tmp'"
        case AICO_STEP_GRANT: "show '\(grantPath(plan))'"
        case AICO_STEP_GRANT_LINK:
            "follow a link of '\(grantPath(plan))' that others than root can change"
        case AICO_STEP_GRANT_CEILING:
            "show '\(grantPath(plan))', whose links lead to what the class may not see"
        case AICO_STEP_GRANT_SILENT: "look at '\(grantPath(plan))'"
        case AICO_STEP_OOM_SCORE: "offer itself to the OOM killer"
        default: "step \(step.rawValue)"
        }
    }

    private var controller: String {
        let names = CgroupLayout.controllerNames
        return names.indices.contains(index) ? names[index] : "\(index)"
    }

    private func mountTarget(_ plan: Plan) -> String {
        let own = plan.attemptMounts
        return own.indices.contains(index) ? own[index].target : "\(index)"
    }

    private func grantPath(_ plan: Plan) -> String {
        plan.mounts.indices.contains(index) ? plan.mounts[index].source : "a granted path"
    }

    private func rulePath(_ plan: Plan) -> String {
        let rules = plan.landlockRules
        return rules.indices.contains(index) ? rules[index].path : "\(index)"
    }
}

extension Plan {
    /// The mounts that each attempt makes anew in its own namespaces.
    var attemptMounts: [PlanMount] {
        guard hasUserNamespace else { return [] }
        return mounts.filter { $0.kind == .temporary || $0.kind == .proc }
    }
}
