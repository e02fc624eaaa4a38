// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import PackageDescription

let package = Package(
    name: "folder-size",
    dependencies: [
        // Elsewhere: the path of your checkout, or .package(url:exact:) of its repository.
        .package(name: "aico-task-supervisor", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "aico-worker-folders-user",
            dependencies: [.product(name: "TaskKit", package: "aico-task-supervisor")])
    ]
)
