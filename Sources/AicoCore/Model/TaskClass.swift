// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The four trust classes; a class decides worker, profile and permissions.
public enum TaskClass: UInt8, CaseIterable, Sendable, Hashable {
    case maintenance = 0
    case security = 1
    case agency = 2
    case user = 3

    /// The lower-case name used in ids, file names and messages.
    public var name: String {
        switch self {
        case .maintenance: "maintenance"
        case .security: "security"
        case .agency: "agency"
        case .user: "user"
        }
    }

    /// The name of its user, on the host and inside.
    public var userName: String { "aico-\(name)" }

    /// Finds the class by its exact lower-case name.
    public init?(name: some StringProtocol) {
        guard let match = TaskClass.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}
