// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import LinuxSystem

/// All that is in place before the first process of a system is started.
struct PreparedSystem: ~Copyable {
    /// Held to the end: one supervisor for one root.
    let lock: Descriptor
    /// With the places where all users see executables and profiles.
    let compiler: Compiler
    let identities: Identities
    let compiled: Compiler.Compiled
    let runtime: RuntimeDirectories
    let tree: CgroupTree
    /// What the workers' executables say of their types.
    let descriptions: Descriptor

    /// Prepares it in the one order that is right, by the compiler's rights.
    init(_ given: Compiler) throws {
        let privilege = given.privilege
        let directory = try TrustedDirectory.root(given.root, by: privilege)
        try directory.makeRuntime()
        let lock = try directory.lock(Layout.lockFile)
        var compiler = given
        (compiler.binaries, compiler.profiles) = try privilege.show(
            executables: given.binaries, profiles: given.profiles, root: given.root)
        let identities = try privilege.identities(from: compiler)
        let compiled = try compiler.compile(identities)
        let entries = Layout.entries(identities, workers: compiled.workers)
        try directory.makeLayout(entries, parents: Layout.parents)
        try directory.writeClassFiles(identities)
        let runtime = try RuntimeDirectories.note(root: given.root, entries: entries)
        let tree = try privilege.takeCgroups(
            root: given.root, instance: try directory.instanceID())
        descriptions = try Describer(
            compiler, identities: identities, plans: compiled.plans
        ).ask(compiled.workers, below: tree)
        self.lock = lock
        self.compiler = compiler
        self.identities = identities
        self.compiled = compiled
        self.runtime = runtime
        self.tree = tree
    }

    /// What profiles ask for and this machine cannot do, each as one line.
    func lacks() -> [String] {
        TaskClass.allCases.flatMap { taskClass in
            let limits = compiled.plans[taskClass]?.plan.classLimits ?? PlanLimits()
            return tree.lacks(of: limits).map {
                "class \(taskClass.name): '\($0)' does nothing here: this kernel has no file for it"
            }
        }
    }
}
