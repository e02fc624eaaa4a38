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
        self.step = aico_step(rawValue: UInt8(truncatingIfNeeded: step)) ?? .none
        self.index = Int(index)
    }

    /// What was tried, as `mount '/tmp'`.
    func detail(plan: Plan) -> String {
        switch step {
        case .setsid: "setsid"
        case .leaf: "make the attempt's cgroup"
        case .joinCgroup: "join the \(controller) cgroup"
        case .checkNamespace: "own pid and mount namespaces"
        case .cgroupNamespace: "unshare the cgroup namespace"
        case .checkRoot: "read-only root"
        case .privatePropagation: "make mounts private"
        case .mount: "mount '\(mountTarget(plan))'"
        case .changeDirectory: "chdir '/'"
        case .rlimit: "setrlimit \(index)"
        case .joinKeyring: "join a new session keyring"
        case .checkUser: "user ids are the class's"
        case .checkGroup: "group ids are the class's"
        case .checkGroups: "supplementary groups are the class's"
        case .clearAmbient: "clear the ambient set"
        case .dropBounding: "drop capability \(index) from the bounding set"
        case .lockSecurebits: "lock the securebits"
        case .setCapabilities: "capset"
        case .checkCapabilities: "capabilities are those declared"
        case .noNewPrivileges: "set no_new_privs"
        case .parentDeath: "set the parent death signal"
        case .place: "place descriptors"
        case .closeRest: "close_range"
        case .ruleset: "create a Landlock ruleset"
        case .rulePath: "open '\(rulePath(plan))' for Landlock"
        case .rule: "add the Landlock rule of '\(rulePath(plan))'"
        case .restrict: "landlock_restrict_self"
        case .filter: "install the filter with a notifier"
        case .clone: "clone3"
        case .slots: "\(plan.concurrency) attempts run already"
        case .setupSocket: "make the set-up socket"
        case .setupTime: "set-up took too long"
        case .taskSocket: "receive the task's socket"
        case .oomScore: "offer itself to the OOM killer"
        case .temporary: "make the attempt's directory in '/tmp'"
        case .grant: "show '\(grantPath(plan))'"
        case .grantLink:
            "follow a link of '\(grantPath(plan))' that others than root can change"
        case .grantCeiling:
            "show '\(grantPath(plan))', whose links lead to what the class may not see"
        case .grantSilent: "look at '\(grantPath(plan))'"
        case .none: "no step"
        }
    }

    private var controller: String {
        let names = CgroupController.ofAttempts.map(\.name)
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
