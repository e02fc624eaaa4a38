// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@Suite struct WorkerIDTests {
    @Test func theFourComeFirstByTheirClasses() throws {
        let workers = try WorkerID.list(beside: ["acme-worker-user", "aico-worker-user"])
        #expect(workers.map(\.number) == [0, 1, 2, 3, 4])
        #expect(workers.prefix(4).map(\.taskClass) == TaskClass.allCases)
        #expect(workers.map(\.label).suffix(2) == ["user", "acme-worker-user"])
        #expect(workers.map(\.isShipped) == [true, true, true, true, false])
        #expect(workers[4].taskClass == .user && WorkerID.shipped(.user) == workers[3])
    }

    @Test(arguments: [
        ("", "must end in the class"), ("../x-user", "must be a file name"),
        ("-user", "must be a file name"), ("Acme-user", "must be a file name"),
        ("user", "must end in the class"), ("acme-worker", "must end in the class"),
        ("acme-users", "must end in the class"), ("acme-user-", "must end in the class"),
        (String(repeating: "a", count: 60) + "-user", "must be a file name"),
    ])
    func aNameThatIsNoneIsRefused(name: String, reason: String) {
        let error = #expect(throws: WorkerIDError.self) { try WorkerID.list(beside: [name]) }
        #expect(error?.reason.hasPrefix(reason) == true, "\(String(describing: error))")
    }

    @Test func oneTooManyAndOneTwiceAreRefused() throws {
        let names = (0..<12).map { "w\($0)-user" }
        #expect(try WorkerID.list(beside: names).count == WorkerID.maximumCount)
        #expect(throws: WorkerIDError.self) { try WorkerID.list(beside: names + ["x-user"]) }
        let twice = #expect(throws: WorkerIDError.self) {
            try WorkerID.list(beside: ["a-user", "a-user"])
        }
        #expect(twice?.description == "'a-user' is listed twice")
    }
}
