// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// The kernel's Landlock.
package enum Landlock {
    /// Its ABI, from 1 on; below that where the kernel has none.
    package static var abi: Int { Int(aico_landlock_abi()) }
}
