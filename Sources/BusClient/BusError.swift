// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
package import AicoWire
package import ZeroMQ

/// Why a request has no answer, or another than its data.
package enum BusError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nobody listens.
    case noDaemon(endpoint: String)
    /// Somebody listens and did not answer within that time; where the request left, it may be
    /// carried out yet.
    case silent(endpoint: String, after: Duration, isSent: Bool)
    /// Somebody listens and accepted no connection within that time: others wait before this one.
    case crowded(endpoint: String, after: Duration)
    /// The daemon refused the request; `code` is usually a `BusErrorCode`.
    case refused(code: String, message: String, hint: String)
    /// The daemon does not admit this client, or is not the one that the key file names.
    case notAdmitted(endpoint: String, reason: String)
    /// The connection closed before the answer; the request may have been carried out.
    case connectionLost(endpoint: String)
    /// The key file cannot be used.
    case badKeyFile(path: String, reason: String)
    /// The request is longer than any daemon accepts.
    case requestTooLarge(bytes: Int, limit: Int)
    /// The daemon answered with something that is no reply.
    case badReply(reason: String)
    /// ZeroMQ failed.
    case transport(ZeroMQError)

    /// The error as one sentence.
    package var description: String {
        switch self {
        case .noDaemon(let endpoint): "cannot reach the scheduler at \"\(endpoint)\""
        case .silent(let endpoint, let time, isSent: true):
            "cannot say what became of the request: the scheduler at \"\(endpoint)\" took it and "
                + "did not answer within \(Self.seconds(time))"
        case .silent(let endpoint, let time, isSent: false):
            "cannot reach the scheduler at \"\(endpoint)\": it is there and did not answer within "
                + Self.seconds(time)
        case .crowded(let endpoint, let time):
            "cannot reach the scheduler at \"\(endpoint)\": it is busy, more connections wait there "
                + "than it accepted within \(Self.seconds(time))"
        case .refused(_, let message, _): message
        case .notAdmitted(let endpoint, let reason):
            "cannot enter the bus at \"\(endpoint)\": \(reason)"
        case .connectionLost(let endpoint):
            "cannot say what became of the request: the scheduler at \"\(endpoint)\" went away"
        case .badKeyFile(let path, let reason): "cannot use the key file \"\(path)\": \(reason)"
        case .requestTooLarge(let bytes, let limit):
            "cannot send a request of \(bytes) bytes: the limit is \(limit)"
        case .badReply(let reason): "cannot understand the scheduler's answer: \(reason)"
        case .transport(let error): error.description
        }
    }

    /// What to do or type next; empty where there is nothing to advise.
    package var hint: String {
        switch self {
        case .noDaemon: "start it with \"aico-supervisor\", or name its root with --root"
        case .silent, .crowded:
            "see whether it is stopped or busy with \"ps -C aico-scheduler -o pid,stat,etime\"; "
                + "scheduler.log says what it did last"
        case .refused(_, _, let hint): hint
        case .notAdmitted(_, Listener.barredReason):
            "type: sudo usermod -aG aico \"$USER\", and log in anew; bus.sockets_for in core.yaml "
                + "says whose it is"
        case .notAdmitted:
            "name a key file that this scheduler knows with --key; an admin adds one as "
                + "var/lib/aico/keys/clients/NAME.key, which counts from the next start of the "
                + "system on; health (check bus.keys) and the log name files that are no good"
        case .connectionLost: "look with \"aico scheduler history\" before you repeat it"
        case .badKeyFile(let path, ClientKeyFile.isOpenToOthers):
            "type: chmod 0440 '\(path)', and make a new key where others may have read this one"
        case .badKeyFile:
            "a key file has the lines public, secret, server and role, each with one value, and "
                + "mode 0440, as the scheduler makes admin.key"
        case .requestTooLarge, .badReply, .transport: ""
        }
    }

    private static func seconds(_ time: Duration) -> String {
        let seconds = time / .seconds(1)
        return "\(Int(exactly: seconds).map(String.init) ?? "\(seconds)") s"
    }

    /// The code of a refusal, where it is one that this version knows.
    package var code: BusErrorCode? {
        guard case .refused(let code, _, _) = self else { return nil }
        return BusErrorCode(rawValue: code)
    }
}
