// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoKeys
import AicoWire

/// Who may enter, by key, and what each may do.
struct AdmittedKeys {
    private var names: [String: String] = [:]
    private var roles: [String: BusRole] = [:]
    /// Keys that more than one client has, with the clients' names.
    private(set) var shared: [String: [String]] = [:]

    /// A key that two clients have admits nobody: it does not say whose role holds.
    init(_ clients: [AdmittedClient]) {
        for (key, holders) in Dictionary(grouping: clients, by: \.publicKey) {
            guard holders.count == 1, let client = holders.first else {
                shared[key] = holders.map(\.name).sorted()
                continue
            }
            guard let role = BusRole(rawValue: client.role.rawValue) else { continue }
            names[key] = client.name
            roles[client.name] = role
        }
    }

    /// The name of the one client that has the key.
    func name(of key: String) -> String? { names[key] }

    /// The role of an admitted client.
    func role(of name: String) -> BusRole? { roles[name] }

    /// Says why a key is refused.
    func reason(for key: String?) -> String {
        guard let key, let holders = shared[key] else {
            return "connections with a key of no client"
        }
        return "connections with a key that several clients have: "
            + holders.joined(separator: ", ") + "; give each a key of its own"
    }
}
