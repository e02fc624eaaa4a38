// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import PackageDescription

/// make and CI turn warnings into errors; another compiler's new ones must not stop anybody else.
let warnings: [SwiftSetting] =
    Context.environment["AICO_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let swiftSettings: [SwiftSetting] =
    [
        "ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault",
    ].map { .enableUpcomingFeature($0) } + warnings

/// The same for C, whose rules are in reach of every compiler that we know.
let cWarnings: [CSetting] = [
    .enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error),
]

let mutants: [SwiftSetting] =
    Context.environment["AICO_MUTANTS"] == nil ? [] : [.define("AICO_MUTANTS")]

/// The decoders under libFuzzer: only scripts/fuzz builds it, for an ordinary build has no libFuzzer.
let fuzzing: [Target] =
    Context.environment["AICO_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "aico-fuzz",
            dependencies: [
                "AicoCore", "AicoSupervisor", "AicoWire", "LinuxSandbox", "SandboxProfiles",
                "StrictYAML", "TaskKit",
            ], path: "Tests/Fuzz/Swift", swiftSettings: swiftSettings)
    ]

/// Libraries, from the bottom up: arrows run downwards only (see docs/architecture.md).
let libraries: [(name: String, dependencies: [Target.Dependency])] = [
    ("AicoCore", []),
    ("AicoWire", ["AicoCore"]),
    ("SchedulerCore", ["AicoCore", .product(name: "HeapModule", package: "swift-collections")]),
    ("ZeroMQ", ["CZeroMQ"]),
    ("LinuxSystem", ["CLinux", .product(name: "SystemPackage", package: "swift-system")]),
    (
        "TimeZones",
        ["AicoCore", "LinuxSystem", .product(name: "SystemPackage", package: "swift-system")]
    ),
    (
        "LinuxSandbox",
        ["LinuxSystem", "CLinux", .product(name: "SystemPackage", package: "swift-system")]
    ),
    ("StrictYAML", ["AicoCore", .product(name: "Yams", package: "Yams")]),
    (
        "AicoConfig",
        [
            "AicoCore", "AicoWire", "LinuxSystem", "StrictYAML", "TimeZones",
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    ("Capabilities", ["CLibcap"]),
    (
        "SandboxProfiles",
        ["AicoCore", "Capabilities", "LinuxSandbox", "CLinux", "CSeccomp", "StrictYAML"]
    ),
    (
        "AicoProfilec",
        ["SandboxProfiles", "AicoConfig", "AicoCore", "LinuxSystem", "LinuxSandbox"]
    ),
    (
        "AicoKeys",
        [
            "AicoCore", "LinuxSystem", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "AicoStore",
        [
            "AicoCore", "AicoKeys", "CLinux", .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ]
    ),
    ("BusClient", ["AicoCore", "AicoWire", "ZeroMQ"]),
    ("BusServer", ["AicoCore", "AicoWire", "AicoKeys", "ZeroMQ"]),
    (
        "FileIntegrity",
        [
            "AicoWire", "LinuxSystem", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "AicoScheduler",
        [
            "AicoCore", "AicoWire", "AicoConfig", "AicoKeys", "AicoStore", "FileIntegrity",
            "BusServer", "SchedulerCore", "LinuxSystem",
            .product(name: "SystemPackage", package: "swift-system"),
            .product(name: "Histogram", package: "hdrhistogram-swift"),
            .product(name: "HeapModule", package: "swift-collections"), "TimeZones", "ZeroMQ",
            "CLinux", .product(name: "Logging", package: "swift-log"),
        ]
    ),
    (
        "AicoSupervisor",
        [
            "AicoCore", "AicoWire", "LinuxSystem", "LinuxSandbox", "CLinux",
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "TaskKit",
        [
            "AicoCore", "AicoWire", "ZeroMQ", "LinuxSystem", "LinuxSandbox", "CLinux",
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "MaintenanceTasks",
        [
            "TaskKit", "AicoCore", "AicoWire", "BusClient", "LinuxSystem",
            .product(name: "SystemPackage", package: "swift-system"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ]
    ),
    ("SecurityTasks", ["TaskKit", "AicoCore", "AicoWire", "LinuxSystem", "FileIntegrity"]),
    (
        "AgencyTasks",
        [
            "TaskKit", "AicoCore", "AicoWire", "TimeZones", "LinuxSystem", "CLinux",
            .product(name: "SystemPackage", package: "swift-system"),
            .product(name: "GRDB", package: "GRDB.swift"),
        ]
    ),
    (
        "UserTasks",
        [
            "TaskKit", "AicoCore", "AicoWire", "LinuxSystem", "CLinux",
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "AicoCommands",
        [
            "AicoCore", "AicoWire", "BusClient", "Capabilities", "TimeZones",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]
    ),
]

let executables: [(name: String, dependencies: [Target.Dependency])] = [
    ("aico", ["AicoCommands", "LinuxSystem"]),
    ("aico-supervisor", ["AicoSupervisor"]),
    // Scheduler, compiler of profiles and the four workers; see its main.swift.
    (
        "aico-multicall",
        [
            "AicoScheduler", "AicoProfilec", "TaskKit", "MaintenanceTasks", "SecurityTasks",
            "AgencyTasks", "UserTasks", "AicoCore", "LinuxSystem", "CLocaleData",
        ]
    ),
]

/// Nothing is exported, so that what nobody calls can go. lld packs relocations into a tenth of the
/// room; for the workers' file the other linker's order of the code has fewer page faults.
func linking(of program: String) -> [LinkerSetting] {
    let words = ["-Xlinker", "--no-export-dynamic"]
    let lld = ["--icf=safe", "-z", "pack-relative-relocs"].flatMap { ["-Xlinker", $0] }
    return [
        .unsafeFlags(
            program == "aico-multicall" ? words : ["-use-ld=lld"] + words + lld,
            .when(configuration: .release))
    ]
}

/// The simulation of the scheduler's core: in Tests/, since nothing of it is shipped.
let simulation: [Target] = {
    // Plants faults into the core, to prove that the simulation finds them; see `make mutants`.
    let settings = swiftSettings + mutants
    return [
        .target(
            name: "Simulation",
            dependencies: [
                "SchedulerCore", "AicoCore", "AicoKeys", "AicoStore", "FaultyVFS", "TimeZones",
                .product(name: "HeapModule", package: "swift-collections"),
            ], path: "Tests/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "aico-simulate", dependencies: ["Simulation", "SchedulerCore"],
            path: "Tests/Simulate", swiftSettings: settings),
    ]
}()

let tests: [(name: String, dependencies: [Target.Dependency])] = [
    ("AicoCoreTests", ["AicoCore", "TimeZones"]),
    (
        "LinuxSystemTests",
        ["LinuxSystem", "CLinux", .product(name: "SystemPackage", package: "swift-system")]
    ),
    ("AicoWireTests", ["AicoWire", "AicoCore"]),
    ("ZeroMQTests", ["ZeroMQ", "BusClient", "AicoWire"]),
    (
        "BusServerTests",
        ["BusServer", "AicoKeys", "AicoWire", "AicoCore", "BusClient", "ZeroMQ"]
    ),
    (
        "LinuxSandboxTests",
        [
            "LinuxSystem", "LinuxSandbox", "SandboxProfiles", "AicoCore", "CLinux",
            "sandbox-fixture", .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    ("AicoConfigTests", ["AicoConfig", "AicoCore", "AicoWire"]),
    (
        "SandboxProfilesTests",
        ["SandboxProfiles", "LinuxSandbox", "CLinux", "AicoCore", "StrictYAML"]
    ),
    (
        "AicoStoreTests",
        [
            "AicoStore", "AicoKeys", "AicoCore", "FaultyVFS", "LinuxSystem",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "AicoSchedulerTests",
        [
            "AicoScheduler", "AicoConfig", "AicoKeys", "AicoStore", "AicoWire", "AicoCore",
            "SchedulerCore", "BusServer",
            "BusClient", "ZeroMQ", .product(name: "Logging", package: "swift-log"),
            .product(name: "GRDB", package: "GRDB.swift"),
        ]
    ),
    (
        "AicoSupervisorTests",
        [
            "AicoSupervisor", "AicoWire", "AicoCore", "LinuxSystem", "LinuxSandbox", "CLinux",
            "SandboxProfiles", .product(name: "SystemPackage", package: "swift-system"),
        ]
    ),
    (
        "TaskKitTests",
        [
            "TaskKit", "UserTasks", "MaintenanceTasks", "AgencyTasks", "SecurityTasks",
            "FileIntegrity", "AicoCore",
            "AicoWire", "AicoStore", "AicoKeys", "BusClient", "ZeroMQ", "LinuxSystem",
            "LinuxSandbox", "CLinux", "task-fixture",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "Crypto", package: "swift-crypto"),
        ]
    ),
    (
        "AicoCommandsTests",
        [
            "AicoCommands", "AicoCore", "AicoWire", "BusClient", "Capabilities", "TimeZones",
            "ZeroMQ", "aico",
        ]
    ),
    ("SchedulerCoreTests", ["SchedulerCore", "AicoCore"]),
    ("SimulationTests", ["Simulation", "SchedulerCore"]),
    (
        "SystemTests",
        [
            "AicoCore", "AicoWire", "BusClient", "Capabilities", "CLinux", "LinuxSandbox",
            "sandbox-fixture", .product(name: "GRDB", package: "GRDB.swift"),
        ]
    ),
]

let package = Package(
    name: "aico-task-supervisor",
    products: [.library(name: "TaskKit", targets: ["TaskKit"])]
        + executables.map { .executable(name: $0.name, targets: [$0.name]) },
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    ],
    targets: [
        .target(name: "CLinux", cSettings: cWarnings),
        .target(name: "CLocaleData", cSettings: cWarnings),
        .systemLibrary(
            name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(
            name: "CLibcap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .target(name: "CZeroMQ", cSettings: cWarnings, linkerSettings: [.linkedLibrary("dl")]),
    ]
        + libraries.map {
            .target(
                name: $0.name, dependencies: $0.dependencies,
                resources: $0.name == "AicoConfig" ? [.embedInCode("Resources/core.yaml")] : [],
                swiftSettings: swiftSettings + ($0.name == "SchedulerCore" ? mutants : []))
        }
        + simulation + fuzzing
        + executables.map {
            .executableTarget(
                name: $0.name, dependencies: $0.dependencies, swiftSettings: swiftSettings,
                linkerSettings: linking(of: $0.name))
        }
        + [
            .target(
                name: "CFaultyVFS", path: "Tests/FaultyVFS/C",
                linkerSettings: [.linkedLibrary("sqlite3")]),
            .target(
                name: "FaultyVFS", dependencies: ["CFaultyVFS"], path: "Tests/FaultyVFS/Swift",
                swiftSettings: swiftSettings),
            .target(name: "CStorm", path: "Tests/Storm/C"),
            .executableTarget(
                name: "storm-worker-agency", dependencies: ["TaskKit", "AicoCore", "CStorm"],
                path: "Tests/Storm/Worker", swiftSettings: swiftSettings),
            .executableTarget(
                name: "second-worker-user", dependencies: ["TaskKit", "UserTasks", "AicoCore"],
                path: "Tests/SecondWorker", swiftSettings: swiftSettings),
            .executableTarget(
                name: "escape-probe", dependencies: ["CStorm"], path: "Tests/EscapeProbe"),
            .executableTarget(name: "bus-crowd", path: "Tests/Crowd", cSettings: cWarnings),
            .executableTarget(
                name: "sandbox-fixture", dependencies: ["LinuxSandbox", "LinuxSystem", "CLinux"],
                path: "Tests/SandboxFixture", swiftSettings: swiftSettings),
            .executableTarget(
                name: "task-fixture", dependencies: ["TaskKit"], path: "Tests/TaskFixture",
                swiftSettings: swiftSettings),
            .executableTarget(
                name: "aico-bench",
                dependencies: [
                    "AicoCore", "AicoWire", "BusClient", "CLinux", "FloorWords", "LinuxSandbox",
                    "SandboxProfiles", "SchedulerCore", "TimeZones", "ZeroMQ",
                ], path: "Benchmarks/AicoBench", swiftSettings: swiftSettings),
            .target(name: "FloorWords", path: "Benchmarks/FloorWords", cSettings: cWarnings),
            // Static and without Swift: what it has in memory is copied with each attempt.
            .executableTarget(
                name: "aico-bench-floor", dependencies: ["FloorWords"], path: "Benchmarks/Floor",
                cSettings: cWarnings,
                linkerSettings: [
                    .unsafeFlags(
                        ["-static-stdlib", "-nostartfiles"]
                            + ["-static", "-Wno-unused-command-line-argument"].flatMap {
                                ["-Xclang-linker", $0]
                            })
                ]),
            .executableTarget(
                name: "aico-bench-worker", dependencies: ["TaskKit"],
                path: "Benchmarks/BenchWorker", swiftSettings: swiftSettings),
        ]
        + tests.map {
            .testTarget(
                name: $0.name, dependencies: $0.dependencies,
                resources: $0.name == "AicoCoreTests" ? [.copy("Fixtures")] : [],
                swiftSettings: swiftSettings)
        }
)
