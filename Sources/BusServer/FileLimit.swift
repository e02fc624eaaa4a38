// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import ZeroMQ

/// The number of descriptors that this process may hold.
package enum FileLimit {
    /// Descriptors that no connection gets: for store, log and what else opens a file.
    static let reserve = 128

    /// Raises the soft limit to the hard one, bounds connections by it and gives what holds then.
    ///
    /// To be called before the first socket: libzmq ends the process where accept(2) finds no
    /// descriptor, and the usual soft limit of 1024 is reached by connections that never say a word.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
                limit = raised
            }
        }
        let number = Int(clamping: limit.rlim_cur)
        ZMQInflow.accept(below: max(number - reserve, number / 2))
        return number
    }
}
