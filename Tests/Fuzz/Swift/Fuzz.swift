// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// `aico-fuzz -decoder=NAME [words of libFuzzer]` gives a decoder what libFuzzer thinks of, until
/// something traps, breaks what the decoder promises, or takes too long.
///
/// `aico-fuzz` alone lists the decoders. scripts/fuzz builds it; libFuzzer has the main.
enum Fuzz {
    private static let decoders: [String: @Sendable ([UInt8]) -> Void] = [
        "plan": Decoders.plan, "supervisor": Decoders.supervisor, "order": Decoders.order,
        "report": Decoders.report, "frame": Decoders.frame, "json": Decoders.json,
        "bus": Decoders.bus, "cron": Decoders.cron, "zone": Decoders.zone,
        "profile": Decoders.profile, "filter": Decoders.filter,
    ]

    /// The decoder that this process tries: a C function can capture none.
    private static let chosen: @Sendable ([UInt8]) -> Void = {
        let prefix = "-decoder="
        let name = CommandLine.arguments.first { $0.hasPrefix(prefix) }?.dropFirst(prefix.count)
        guard let name, let decoder = decoders[String(name)] else {
            print(decoders.keys.sorted().joined(separator: "\n"))
            exit(name == nil ? 0 : 2)
        }
        return decoder
    }()

    static func tryBytes(_ bytes: [UInt8]) { chosen(bytes) }
}

/// Called before the first input. Words with one dash that libFuzzer does not know it passes over.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
    _: UnsafeMutablePointer<Int32>?,
    _: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> Int32 {
    Fuzz.tryBytes([])
    return 0
}

/// Called with each input.
@_cdecl("LLVMFuzzerTestOneInput")
func tryInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Fuzz.tryBytes(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
