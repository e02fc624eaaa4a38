// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What a task process tells its worker, one frame on its SOCK_SEQPACKET socket.
///
/// Downwards the same socket carries `Order.run` once and `Order.cancel`, as `OrderCodec` writes
/// them. A frame is a kind byte, fixed fields, and a text or a result up to the frame's end.
enum TaskFrame: Sendable, Equatable {
    /// A line of output.
    case log(stream: LogStream, line: String)
    /// How far the task is.
    case progress(fraction: Double?, message: String)
    /// What the task's command left running; before the last frame.
    case leftBehind(LeftBehind)
    /// The result; the last frame. Whether it is JSON is for the scheduler to say, which parses it
    /// anyway: a worker that parsed it would do so for nobody, with what is hostile.
    case succeeded(result: [UInt8])
    /// The task's failure; the last frame.
    case failed(permanent: Bool, message: String)
    /// A program that the task ran ended badly, by `signal` where that is not 0; the last frame.
    /// Its last line on standard error is put behind the message by the worker.
    case programFailed(permanent: Bool, signal: UInt8, message: String)
    /// The config was refused before anything ran; the only frame.
    case refused(message: String)
}

/// Says what rule a frame broke.
struct TaskFrameError: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
}

/// Turns frames into bytes and back; every byte is checked, nothing traps.
enum TaskFrameCodec {
    /// The longest log line or message. `encode` cuts more.
    static let maximumTextBytes = 24 * 1024
    /// The longest frame: a result and its kind byte.
    static let maximumFrameBytes = WireLimits.maximumBlobBytes + 1

    /// The largest signal number of Linux.
    private static let largestSignal: UInt8 = 64

    private enum Kind: UInt8 {
        case log = 1
        case progress = 2
        case succeeded = 3
        case failed = 4
        case refused = 5
        case programFailed = 6
        case leftBehind = 7
    }

    static func encode(_ frame: TaskFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        switch frame {
        case .log(let stream, let line):
            bytes.append(Kind.log.rawValue)
            bytes.append(stream.rawValue)
            append(line, to: &bytes)
        case .progress(let fraction, let message):
            bytes.append(Kind.progress.rawValue)
            let known = fraction.flatMap { (0...1).contains($0) ? abs($0) : nil }
            bytes.append(known == nil ? 0 : 1)
            withUnsafeBytes(of: (known ?? 0).bitPattern.littleEndian) {
                bytes.append(contentsOf: $0)
            }
            append(message, to: &bytes)
        case .leftBehind(let left):
            bytes.append(Kind.leftBehind.rawValue)
            withUnsafeBytes(of: left.count.littleEndian) { bytes.append(contentsOf: $0) }
            append(left.names.joined(separator: ","), to: &bytes)
        case .succeeded(let result):
            bytes.append(Kind.succeeded.rawValue)
            bytes.append(contentsOf: result)
        case .failed(let permanent, let message):
            bytes.append(Kind.failed.rawValue)
            bytes.append(permanent ? 1 : 0)
            append(message, to: &bytes)
        case .programFailed(let permanent, let signal, let message):
            bytes.append(Kind.programFailed.rawValue)
            bytes.append(permanent ? 1 : 0)
            bytes.append(min(signal, largestSignal))
            append(message, to: &bytes)
        case .refused(let message):
            bytes.append(Kind.refused.rawValue)
            append(message, to: &bytes)
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws(TaskFrameError) -> TaskFrame {
        guard bytes.count <= maximumFrameBytes else {
            throw TaskFrameError(description: "a frame is longer than \(maximumFrameBytes) bytes")
        }
        guard let first = bytes.first, let kind = Kind(rawValue: first) else {
            throw TaskFrameError(description: "a frame is of no known kind")
        }
        switch kind {
        case .log:
            guard bytes.count >= 2, let stream = LogStream(rawValue: bytes[1]) else {
                throw TaskFrameError(description: "a log frame names no stream")
            }
            return .log(stream: stream, line: try text(bytes[2...]))
        case .progress:
            guard bytes.count >= 10 else {
                throw TaskFrameError(description: "a progress frame is cut short")
            }
            return .progress(
                fraction: try fraction(flag: bytes[1], bytes[2..<10]),
                message: try text(bytes[10...]))
        case .leftBehind:
            return .leftBehind(try leftBehind(bytes[1...]))
        case .succeeded:
            return .succeeded(result: Array(bytes[1...]))
        case .failed:
            guard bytes.count >= 2, bytes[1] <= 1 else {
                throw TaskFrameError(description: "a failure says neither permanent nor not")
            }
            return .failed(permanent: bytes[1] == 1, message: try text(bytes[2...]))
        case .programFailed:
            guard bytes.count >= 3, bytes[1] <= 1, bytes[2] <= largestSignal else {
                throw TaskFrameError(description: "a program's failure has no kind or signal")
            }
            return .programFailed(
                permanent: bytes[1] == 1, signal: bytes[2], message: try text(bytes[3...]))
        case .refused:
            return .refused(message: try text(bytes[1...]))
        }
    }

    private static func leftBehind(
        _ bytes: ArraySlice<UInt8>
    ) throws(TaskFrameError) -> LeftBehind {
        let count = bytes.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let names = try text(bytes.dropFirst(4))
        guard bytes.count >= 4,
            let left = LeftBehind(
                count: count,
                names: names.isEmpty
                    ? []
                    : names.split(separator: ",", omittingEmptySubsequences: false)
                        .map(String.init))
        else {
            throw TaskFrameError(description: "what is left behind is not counted and named")
        }
        return left
    }

    private static func fraction(
        flag: UInt8, _ bytes: ArraySlice<UInt8>
    ) throws(TaskFrameError) -> Double? {
        let pattern = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = Double(bitPattern: pattern)
        switch flag {
        case 0 where pattern == 0: return nil
        case 1 where (0...1).contains(value) && value.sign == .plus: return value
        default: throw TaskFrameError(description: "a progress frame's fraction is not 0 to 1")
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(TaskFrameError) -> String {
        guard bytes.count <= maximumTextBytes else {
            throw TaskFrameError(description: "a text is longer than \(maximumTextBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TaskFrameError(description: "a text is not UTF-8")
        }
        return text
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes += CutText.fitting(text, limit: maximumTextBytes).utf8
    }
}
