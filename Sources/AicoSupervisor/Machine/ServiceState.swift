// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// How the system stands, in the terms of a service manager.
struct ServiceState: Equatable {
    /// Where it is between its start and its end.
    enum Phase: Equatable {
        /// Not all classes take orders.
        case starting
        /// All classes take orders.
        case ready
        case stopping
    }

    var phase: Phase
    /// For a person, one line.
    var words: String
}

extension SupervisorMachine {
    /// How the system stands. Classes are those of the shipped workers: what another brings is no
    /// part of being ready.
    var serviceState: ServiceState {
        switch scheduler {
        case .stopping, .finished:
            return ServiceState(phase: .stopping, words: "Stopping: running tasks end")
        case .dying, .backingOff:
            return ServiceState(phase: .starting, words: "The scheduler ended and is launched anew")
        case .running:
            let missing = workers.keys.filter { $0.isShipped && !takesOrders.contains($0) }
            guard !missing.isEmpty else {
                return ServiceState(phase: .ready, words: "All classes take orders")
            }
            let names = missing.sorted { $0.number < $1.number }.map(\.taskClass.name)
            return ServiceState(
                phase: .starting, words: "No orders yet: \(names.joined(separator: ", "))")
        }
    }
}
