// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The embedded defaults: `Resources/core.yaml` of this module, which the build puts into the code.
enum DefaultConfiguration {
    /// The name used in messages.
    static let file = "<defaults>"

    /// The bytes of the file.
    static var bytes: [UInt8] { PackageResources.core_yaml }
}
