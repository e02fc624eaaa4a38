// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// A request that was asked, until its reply.
struct Asked {
    var call: Call
    var at: Span
    var pending: Inbox.Pending
    /// The name of the client's key.
    var actor: String
    /// The number of the definition that it carries.
    var number: Int?
    /// Whether the scheduler was given it.
    var isHeard = false
    /// The latest dead letter that was there then.
    var lastLetter: Int64 = 0
}

extension World {
    /// A client asks; what it read of the store before may be old by the time it is heard.
    ///
    /// - Parameter place: the call's among those that it sends together.
    mutating func ask(_ call: Call, from client: Int, _ place: Int) {
        guard isUp else { return }
        var letter: StoredDeadLetter?
        switch call {
        case .retryLetter(let rank), .purgeLetter(let rank):
            let ids = store.letters.keys.sorted()
            guard !ids.isEmpty else { return }
            letter = store.letters[ids[rank % ids.count]]
        default: break
        }
        judge.lastRequest += 1
        let id = judge.lastRequest
        var dice = dice(.client, UInt64(client))
        // What is asked together comes together; of several clients each has its own pace.
        var delay = Span(Int64(200 + dice.below(30_000)))
        if client > 0 { delay = delay + Span(Int64(place * dice.below(300))) }
        guard let request = request(call, letter) else { return }
        let asked = Asked(
            call: call, at: now, pending: Inbox.Pending(id: id, request: request, call: call),
            actor: client == 0 ? "admin" : "client-\(client)", number: number(of: call))
        judge.asked[id] = asked
        schedule(.request(life: life, id), in: delay)
    }

    private func number(of call: Call) -> Int? {
        switch call {
        case .create(let number), .update(let number): number
        default: nil
        }
    }

    private func request(_ call: Call, _ letter: StoredDeadLetter?) -> Request? {
        switch call {
        case .create(let number):
            return .create(scenario.specs[number].definition(createdAt: wall, at: wall))
        case .update(let number):
            return .update(scenario.specs[number].definition(createdAt: wall, at: wall))
        case .setEnabled(let name, let isEnabled): return .setEnabled(name, isEnabled)
        case .delete(let name): return .delete(name)
        case .run(let name): return .run(name)
        case .cancel(let name, let isNow): return .cancelTask(name, now: isNow)
        case .cancelExecution(let rank, let isNow):
            let ids = core.executions.keys.sorted()
            guard !ids.isEmpty else { return .cancelExecution("none", now: isNow) }
            return .cancelExecution(ids[rank % ids.count], now: isNow)
        case .retryLetter: return letter.map { .retryDeadLetter($0) }
        case .purgeLetter: return letter.map { .purgeDeadLetter($0.id) }
        case .purgeLetters: return .purgeDeadLetters(count: store.letters.count)
        case .stop: return .stopSystem
        }
    }

    mutating func takeRequest() {
        let next = inbox.requests.removeFirst()
        var request = next.request
        switch (next.call, request) {
        case (.create, .create(let task)):
            // Made when it is heard, as the rim does.
            let number = TaskSpec.number(in: task.record.config)
            request = .create(scenario.specs[number].definition(createdAt: wall, at: wall))
        case (.update, .update(let task)):
            // A change keeps where the task's grid begins.
            let number = TaskSpec.number(in: task.record.config)
            let created = core.tasks[task.record.id]?.latest.createdAt ?? wall
            request = .update(scenario.specs[number].definition(createdAt: created, at: wall))
        default: break
        }
        judge.asked[next.id]?.isHeard = true
        judge.asked[next.id]?.lastLetter = store.letters.keys.max() ?? 0
        judgeRequest(next.call)
        feed(.request(next.id, actor: judge.asked[next.id]?.actor ?? "admin", request))
    }
}
