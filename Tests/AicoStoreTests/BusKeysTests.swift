// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Glibc
import Testing

@testable import AicoKeys

@Suite struct BusKeysTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func open() throws -> BusKeys {
        var drawn = 0
        return try BusKeys.open(directory: scratch.path) {
            drawn += 1
            return pair(Character(String(drawn)))
        }
    }

    private func pair(_ filler: Character) -> CurvePair {
        CurvePair(
            publicKey: String(repeating: filler, count: 40),
            secretKey: String(repeating: filler, count: 39) + "#")
    }

    @Test func firstStartMakesTheServersPairAndOneAdmin() throws {
        let keys = try open()
        #expect(keys.server == pair("1"))
        #expect(
            keys.clients == [
                AdmittedClient(name: "admin", publicKey: pair("2").publicKey, role: .admin)
            ])
        #expect(try scratch.mode("bus.key") == 0o440)
        #expect(try scratch.mode("clients/admin.key") == 0o440)
        let text = try String(contentsOfFile: scratch.path + "/clients/admin.key", encoding: .utf8)
        #expect(
            text == """
                public \(pair("2").publicKey)
                secret \(pair("2").secretKey)
                server \(pair("1").publicKey)
                role admin

                """)
    }

    @Test func laterStartsReadWhatStands() throws {
        let first = try open()
        #expect(try BusKeys.open(directory: scratch.path) { pair("9") } == first)
    }

    @Test func aClientIsAddedOnceUnderASafeName() throws {
        let server = try open().server
        func add(_ name: String) throws {
            try BusKeys.addClient(
                name, role: .viewer, pair: pair("5"), server: server, directory: scratch.path)
        }
        try add("phone")
        #expect(
            ClientKeys.read(directory: scratch.path).clients.map(\.name) == ["admin", "phone"])
        #expect(throws: KeyError.self) { try add("phone") }
        for name in ["", "../evil", "a b", "UPPER", String(repeating: "x", count: 65)] {
            #expect(throws: KeyError.self) { try add(name) }
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var text: String
        var line = 0
        var reason: String
        var advice: String
        var testDescription: String { "\(reason): \(text.debugDescription)" }
    }

    private static let key = "public \(String(repeating: "7", count: 40))\n"

    static let faults = [
        Fault(text: "", reason: "it is empty", advice: "write a line \"public KEY\""),
        Fault(text: "# nothing yet\n\n", reason: "it is empty", advice: "or remove it"),
        Fault(
            text: key + "role Admin\n", line: 2, reason: "unknown role \"Admin\"",
            advice: "write \"role admin\""),
        Fault(
            text: key + "role king\n", line: 2, reason: "unknown role \"king\"",
            advice: "write \"role viewer\", \"role operator\" or \"role admin\""),
        Fault(
            text: key + "role admin \n", line: 2, reason: "unknown role \"admin \"",
            advice: "write \"role admin\""),
        Fault(
            text: key + "role viewer\r\n", line: 2, reason: "it ends with CR and LF",
            advice: "LF alone"),
        Fault(text: key, reason: "it has no role line", advice: "write \"role viewer\""),
        Fault(text: "role admin\n", reason: "it has no public line", advice: "\"public KEY\""),
        Fault(
            text: "public short\nrole admin\n", line: 1,
            reason: "public is not a key of 40 characters of Z85", advice: "write the key as"),
        Fault(
            text: "public \(String(repeating: "\"", count: 40))\nrole admin\n", line: 1,
            reason: "public is not a key of 40 characters of Z85", advice: "write the key as"),
        Fault(text: "nonsense\n", line: 1, reason: "it does not begin", advice: "write lines as"),
        Fault(
            text: key + key + "role viewer\n", line: 2, reason: "it is the second public line",
            advice: "write one"),
    ]

    @Test(arguments: faults) func aBadClientFileIsToldAndKeepsNobodyOut(fault: Fault) throws {
        let first = try open()
        try scratch.write("clients/bad.key", fault.text)
        let keys = try BusKeys.open(directory: scratch.path) { pair("9") }
        #expect(keys.clients == first.clients, "the others are admitted")
        let problem = try #require(keys.problems.first)
        #expect(keys.problems.count == 1)
        #expect(problem.path == scratch.path + "/clients/bad.key")
        #expect(problem.line == fault.line)
        #expect(problem.reason.contains(fault.reason), "\(problem)")
        #expect(problem.advice.contains(fault.advice), "\(problem)")
    }

    /// The name stands in logs, in the audit log and as a task's origin.
    @Test(arguments: [
        ("", "it has no name before the \".key\""), ("Admin", "its name is not 1 to 64 of"),
        ("a b", "its name is not"), ("a\n", "its name is not"), (".x", "its name is not"),
        (String(repeating: "x", count: 65), "its name is not"),
    ])
    func aFileWhoseNameIsNoneIsToldAndKeepsNobodyOut(name: String, reason: String) throws {
        let first = try open()
        try scratch.write("clients/\(name).key", Self.key + "role viewer\n")
        let keys = ClientKeys.read(directory: scratch.path)
        #expect(keys.clients == first.clients)
        #expect(keys.problems.map(\.path) == [scratch.path + "/clients/\(name).key"])
        #expect(keys.problems.first?.reason.hasPrefix(reason) == true, "\(keys.problems)")
        #expect(keys.problems.first?.advice == "rename it to NAME.key, as in viewer.key")
    }

    @Test func aFileWhoseNameIsNotUTF8IsTold() throws {
        let first = try open()
        let text = Array((Self.key + "role viewer\n").utf8)
        let path: [CChar] =
            (scratch.path + "/clients/").utf8CString.dropLast() + [CChar(bitPattern: 0xFF)]
            + ".key".utf8CString
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o440)
        try #require(descriptor >= 0 && write(descriptor, text, text.count) == text.count)
        close(descriptor)
        let keys = ClientKeys.read(directory: scratch.path)
        #expect(keys.clients == first.clients)
        #expect(keys.problems.map(\.path) == [scratch.path + "/clients/\u{FFFD}.key"])
    }

    @Test func aProblemIsOneSentence() {
        let problem = KeyProblem(
            path: "/k/clients/a\nb.key", line: 2, reason: "unknown role \"Admin\"",
            advice: "write \"role admin\"")
        #expect(
            "\(problem)" == "client key file \"/k/clients/a?b.key\" line 2 is not admitted: "
                + "unknown role \"Admin\"; write \"role admin\", and start the system anew: keys are "
                + "read then")
    }

    @Test func aBadFileAloneDoesNotMakeAnotherAdmin() throws {
        _ = try open()
        try FileManager.default.removeItem(atPath: scratch.path + "/clients/admin.key")
        try scratch.write("clients/admin.key", "")
        let keys = try BusKeys.open(directory: scratch.path) { pair("9") }
        #expect(keys.clients == [])
        #expect(keys.problems.map(\.path) == [scratch.path + "/clients/admin.key"])
    }

    @Test func filesWithOnePublicKeyAreNamedAndNoneIsAdmitted() throws {
        let server = try open().server
        for (name, role) in [("copy", ClientRole.viewer), ("phone", .operator)] {
            try BusKeys.addClient(
                name, role: role, pair: pair(name == "copy" ? "2" : "5"), server: server,
                directory: scratch.path)
        }
        let keys = ClientKeys.read(directory: scratch.path)
        #expect(keys.clients.map(\.name) == ["phone"])
        #expect(
            keys.problems.map(\.path)
                == ["admin", "copy"].map { "\(scratch.path)/clients/\($0).key" })
        #expect(keys.problems.first?.reason == "it has the public key of \"copy.key\" as well")
        #expect(keys.problems.last?.reason == "it has the public key of \"admin.key\" as well")
    }

    @Test func aClientFileOthersMayWriteOrALinkIsNotAdmitted() throws {
        _ = try open()
        try scratch.setMode("clients/admin.key", 0o460)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/clients/link.key", withDestinationPath: "admin.key")
        let keys = ClientKeys.read(directory: scratch.path)
        #expect(keys.clients == [])
        #expect(keys.problems.map(\.reason).first?.contains("others may write it") == true)
        #expect(keys.problems.last?.reason == "cannot open it: Too many levels of symbolic links")
        #expect(keys.problems.last?.advice.contains("not a symbolic link") == true)
    }

    @Test func aDirectoryThatCannotBeReadIsAProblemAndNoneIsNot() throws {
        #expect(ClientKeys.read(directory: scratch.path).isEmpty)
        try scratch.write("clients", "no directory")
        let keys = ClientKeys.read(directory: scratch.path)
        #expect(keys.problems.map(\.path) == [scratch.path + "/clients"])
        #expect(keys.clients == [] && !keys.isEmpty)
    }

    @Test func theServersOwnPairMustBeRight() throws {
        try scratch.write("bus.key", "public 1\n")
        #expect {
            try open()
        } throws: { error in
            "\(error)".contains("line 1: public is not a key of 40 characters of Z85")
        }
    }

    @Test func rolesAreOrdered() {
        #expect(ClientRole.viewer < .operator)
        #expect(ClientRole.operator < .admin)
    }
}
