// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc
import LinuxSandbox
import SystemPackage

/// What the worker itself could not do for an attempt; no process came to be.
struct SetUpFailure: Error, Equatable {
    var layer = Layer.descriptors
    /// The errno of the refusing call.
    var errno: Int32
    /// What was tried.
    var detail: String

    init(layer: Layer = .descriptors, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }

    init(_ error: SandboxError) {
        self.init(layer: error.layer ?? .descriptors, errno: error.errno, detail: error.operation)
    }

    /// Makes a call of the kernel for an attempt; `detail` is what it is for.
    static func telling<Value: ~Copyable>(
        _ detail: String, _ body: () throws(Errno) -> Value
    ) throws(SetUpFailure) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw SetUpFailure(errno: error.rawValue, detail: detail)
        }
    }

    /// What the scheduler is told.
    var cause: EndCause {
        switch errno {
        // The worker ends with its fork server; the next one runs the attempt.
        case EPIPE, ECONNRESET: .noPlace(message: "the worker's fork server is gone")
        default: .layerRefused(LayerFailure(layer: layer.name, errno: errno, detail: detail))
        }
    }
}
