// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

extension ZMQSocket {
    /// Makes the socket a CURVE server that admits only whom `handler` admits.
    ///
    /// To be called before `bind`. The handler is asked for and kept because libzmq admits every
    /// key when no handler is bound at the moment of a handshake; in a loop that does not serve
    /// the handler, peers wait.
    package func serveCurve(
        secretKey: String, domain: String, admittedBy handler: ZAPHandler
    ) throws(ZeroMQError) {
        guard handler.socket.context === context, !domain.isEmpty else {
            throw ZeroMQError(operation: "serve", subject: "CURVE", code: EINVAL)
        }
        try CurveKeyPair.check(secretKey, "secret key")
        try setText(ZMQ_ZAP_DOMAIN, domain, "ZAP domain")
        do {
            try setInteger(ZMQ_ZAP_ENFORCE_DOMAIN, 1, "ZAP domain enforcement")
        } catch  where error.code == EINVAL {
            // A libzmq without the option: the handler kept below keeps the door shut.
        }
        try setInteger(ZMQ_CURVE_SERVER, 1, "CURVE server")
        try setText(ZMQ_CURVE_SECRETKEY, secretKey, "CURVE secret key")
        admission = handler
    }

    /// Makes the socket a CURVE client of the server that has `serverKey`; before `connect`.
    package func useCurve(
        serverKey: String, keys: CurveKeyPair
    ) throws(ZeroMQError) {
        try CurveKeyPair.check(serverKey, "server key")
        try setText(ZMQ_CURVE_SERVERKEY, serverKey, "CURVE server key")
        try setText(ZMQ_CURVE_PUBLICKEY, keys.publicKey, "CURVE public key")
        try setText(ZMQ_CURVE_SECRETKEY, keys.secretKey, "CURVE secret key")
    }
}
