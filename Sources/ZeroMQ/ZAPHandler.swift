// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// Answers libzmq's questions who may connect (ZAP, ZeroMQ RFC 27), in the caller's own loop.
///
/// One per context, made before the sockets that ask it. Every request is answered, refused
/// mechanisms too: an unanswered peer hangs instead of failing.
package final class ZAPHandler {
    /// A peer that asks to enter.
    package struct Request: Sendable, Equatable {
        /// The socket's ZAP domain.
        package let domain: String
        /// `NULL`, `PLAIN` or `CURVE`.
        package let mechanism: String
        /// The peer's address; empty for ipc.
        package let address: String
        /// The client's long-term public key in Z85; nil for other mechanisms than CURVE.
        package let publicKey: String?
    }

    /// The socket to poll for `.readable`; `serve` must be called then.
    package let socket: ZMQSocket

    /// Binds the context's one ZAP endpoint, `inproc://zeromq.zap.01`.
    package init(in context: ZMQContext) throws(ZeroMQError) {
        socket = try ZMQSocket(.reply, in: context)
        try socket.bind("inproc://zeromq.zap.01")
    }

    /// What is to become of a peer.
    package enum Verdict: Sendable, Equatable {
        /// It enters; `ZMQMessage.userID` is this with each of its messages.
        case admitted(String)
        /// Its key is not admitted (ZAP status 400).
        case refused
        /// Its key is, but not now (ZAP status 500).
        case unavailable
    }

    /// Answers waiting requests; `decide` gives the user id to admit a peer under, or nil.
    package func serve(_ decide: (Request) -> String?) throws(ZeroMQError) {
        try serve(limit: Self.atOnce) { (request) throws(ZeroMQError) -> Verdict in
            decide(request).map { .admitted($0) } ?? .refused
        }
    }

    /// Answers at most `limit` waiting requests, so that who knocks without end holds up nothing
    /// else; true where more may wait. Malformed requests are refused without asking, and one that
    /// `decide` throws at, before its error is passed on.
    @discardableResult
    package func serve(
        limit: Int, _ decide: (Request) throws(ZeroMQError) -> Verdict
    ) throws(ZeroMQError) -> Bool {
        for _ in 0..<limit {
            guard let frames = try socket.receive() else { return false }
            let requestID = frames.count > 1 ? frames[1] : []
            guard let request = Self.parse(frames) else {
                try answer(requestID, "500", "malformed request", user: "")
                continue
            }
            let verdict: Verdict
            do throws(ZeroMQError) {
                verdict = try decide(request)
            } catch {
                // Without an answer the socket takes no further request, and nobody enters again.
                try answer(requestID, "500", "not now", user: "")
                throw error
            }
            switch verdict {
            case .admitted(let user) where !user.isEmpty && user.utf8.count <= 255:
                try answer(requestID, "200", "OK", user: user)
            case .admitted, .refused: try answer(requestID, "400", "not admitted", user: "")
            case .unavailable: try answer(requestID, "500", "too many connections", user: "")
            }
        }
        return true
    }

    /// How many requests `serve` answers where nothing else is said.
    private static let atOnce = 64

    private func answer(
        _ requestID: [UInt8], _ status: String, _ text: String, user: String
    ) throws(ZeroMQError) {
        try socket.send(
            Array("1.0".utf8), requestID, Array(status.utf8), Array(text.utf8), Array(user.utf8),
            [])
    }

    private static func parse(_ frames: [[UInt8]]) -> Request? {
        guard frames.count >= 6, frames[0] == Array("1.0".utf8) else { return nil }
        let mechanism = String(decoding: frames[5], as: UTF8.self)
        var publicKey: String?
        if mechanism == "CURVE" {
            guard frames.count == 7, let key = CurveKeyPair.z85(frames[6]) else { return nil }
            publicKey = key
        }
        return Request(
            domain: String(decoding: frames[2], as: UTF8.self), mechanism: mechanism,
            address: String(decoding: frames[3], as: UTF8.self), publicKey: publicKey)
    }
}
