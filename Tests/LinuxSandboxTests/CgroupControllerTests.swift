// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import LinuxSandbox

/// The table of controllers, and what a row of it reaches.
@Suite(.serialized) struct CgroupControllerTests {
    private static func limits(_ value: UInt64) -> PlanLimits {
        var limits = PlanLimits()
        for controller in CgroupController.all { limits[keyPath: controller.limit] = value }
        return limits
    }

    @Test func everyRowHasAFieldAndAKeyOfItsOwn() {
        let all = CgroupController.all
        for controller in all {
            var limits = PlanLimits()
            limits[keyPath: controller.limit] = 1
            #expect(all.filter { limits[keyPath: $0.limit] != 0 }.map(\.name) == [controller.name])
        }
        for names in [all.map(\.name), all.map(\.tree), all.map(\.key), all.map(\.noun)] {
            #expect(Set(names).count == all.count)
        }
    }

    @Test func everyRowsLimitCrossesInAPlan() throws {
        var plan = PlanCodecTests.plan
        for (index, controller) in CgroupController.all.enumerated() {
            plan.attemptLimits[keyPath: controller.limit] = UInt64(100 + index)
            plan.classLimits[keyPath: controller.limit] = UInt64(200 + index)
        }
        #expect(try PlanCodec.decode(PlanCodec.encode(plan)) == plan)
    }

    @Test(arguments: [CgroupKind.unified, .hybrid])
    func everyRowIsWrittenToItsFilesOfAClass(kind: CgroupKind) throws {
        let mount =
            kind == .unified
            ? try FakeCgroupMount.unified() : try FakeCgroupMount.hybrid(weighsIO: true)
        let tree = try CgroupTree(
            layout: .discover(root: mount.path), parentName: "aico-x",
            stand: standIn(files: kind == .unified ? unifiedFiles : hybridFiles))
        try tree.create()
        var plan = cgroupPlan()
        plan.userID = getuid()
        plan.groupID = getgid()
        plan.classLimits = Self.limits(50)
        let cgroups = try tree.makeWorker("aico-worker-user", of: "user", plan: plan)
        for controller in CgroupController.all {
            let folder = kind == .unified ? "" : "\(controller.tree)/"
            let settings = controller.settings(plan.classLimits, on: kind)
            let written = settings.filter {
                mount.text("\(folder)aico-x/class-user/\($0.file)") == $0.text
            }
            // Each file of a limit, and of one that may be missing what the kernel has.
            #expect(
                written == (controller.isOptional ? Array(settings.prefix(1)) : settings),
                "\(controller.name)")
            #expect(!written.isEmpty)
            #expect(controller.settings(Self.limits(0), on: kind).isEmpty)
        }
        #expect(tree.lacks(of: plan.classLimits).isEmpty)
        // The worker begins in every tree; its attempts have cgroups in theirs only.
        let trees = kind == .unified ? 1 : 5
        #expect(cgroups.worker.entry.joinDescriptors.count == trees - 1)
        #expect(cgroups.descriptors.count == min(trees, 1 + CgroupController.ofAttempts.count))
    }

    @Test(arguments: [CgroupKind.unified, .hybrid])
    func aLimitThatTheHostHasNoFileForIsNamedAndNoError(kind: CgroupKind) throws {
        let mount =
            kind == .unified
            ? try FakeCgroupMount.unified(controllers: "cpu memory pids")
            : try FakeCgroupMount.hybrid()
        let files = (kind == .unified ? unifiedFiles : hybridFiles).filter {
            !["io.weight", "blkio.bfq.weight"].contains($0)
        }
        let tree = try CgroupTree(
            layout: .discover(root: mount.path), parentName: "aico-x", stand: standIn(files: files))
        try tree.create()
        var plan = cgroupPlan()
        plan.userID = getuid()
        plan.groupID = getgid()
        plan.classLimits = Self.limits(50)
        _ = try tree.makeWorker("aico-worker-user", of: "user", plan: plan)
        #expect(tree.lacks(of: plan.classLimits) == ["io_weight"])
        #expect(tree.lacks(of: PlanLimits()).isEmpty)
    }

    /// On this machine's kernel: it has a file and takes the weight, or the lack of it is named.
    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func theKernelTakesTheWeightOrItsLackIsNamed() throws {
        var plan = ClassFixture.plan()
        plan.classLimits.ioWeight = 50
        let fixture = try ClassFixture(plan: plan)
        let layout = fixture.tree.layout
        let io = try #require(CgroupController.ofClasses.first { $0.name == "io" })
        let top =
            layout.kind == .unified
            ? layout.unified : layout.controllers.first { $0.controller.name == io.name }?.path
        // Its class's, which has the limit.
        let name = fixture.cgroups.group.split(separator: "/").first ?? ""
        let group = "\(top ?? "/none")/\(fixture.tree.parentName)/\(name)"
        let taken = io.settings(plan.classLimits, on: layout.kind).filter { setting in
            guard let directory = try? CgroupDirectory.open(path: group),
                let text = try? directory.read(setting.file)
            else { return false }
            let words = text.bytes.split(separator: 0x0A).first.map {
                String(decoding: $0, as: UTF8.self)
            }
            return words == setting.text
        }
        #expect(fixture.tree.lacks(of: plan.classLimits) == (taken.isEmpty ? ["io_weight"] : []))
        if layout.kind == .hybrid, top != nil {
            // Where it is there, it counts for the worker, and for what that forks.
            let script = "cat /proc/self/cgroup"
            let shown = try fixture.shell(script)
            #expect(
                shown.contains("blkio:/\(fixture.tree.parentName)/\(fixture.cgroups.group)/worker"),
                "\(shown)")
        }
    }
}
