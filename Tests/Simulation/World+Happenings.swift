// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension World {
    mutating func happen(_ happening: Happening) {
        switch happening {
        case .input(let index): take(inputs[index])
        case .deliver(let of, let event):
            guard of == epoch, core != nil else { return }
            inbox.append(event)
            if case .load(let load) = event { toldLoad = load }
            scheduleWake(at: boot + Int64(random.int(0...1500)))
        case .wake(let of, let id):
            guard of == epoch, id == wakeID else { return }
            turn()
        case .commit(let of, let token): commit(of, token)
        case .startScheduler: startScheduler()
        case .launched(let index, let generation): launched(index, generation)
        case .attemptStarts(let index, let generation, let key): starts(index, generation, key)
        case .attemptEnds(let index, let generation, let key, let exit):
            ends(index, generation, key, exit)
        case .exited(let index, let of, let status):
            guard of == epoch, core != nil else { return }
            inbox.append(.worker(Self.taskClass(index), .exited(status: status, words: "")))
            scheduleWake(at: boot + Int64(random.int(0...1500)))
            relaunch(index)
        case .thaw(let index, let generation, let event):
            guard workers[index].generation == generation else { return }
            say(index, event)
        case .writable(let index):
            guard workers[index].owesWritable, boot >= workers[index].fullUntil else { return }
            workers[index].owesWritable = false
            deliver(.writable(Self.taskClass(index)), after: 0)
        case .stopBound(let of):
            guard of == epoch, core != nil else { return }
            if isSuspendedUntil + 60_000_000 > boot {
                return planned.add(isSuspendedUntil + 60_000_001, .stopBound(epoch: epoch))
            }
            violate("a stop ends", "the scheduler did not end within its bound")
        }
    }

    static func taskClass(_ index: Int) -> TaskClass { TaskClass.allCases[index] }

    // MARK: - Inputs

    private mutating func take(_ input: Input) {
        note("input: \(input.kind)")
        faults += 1
        switch input.kind {
        case .request(let request):
            faults -= 1
            ask(request)
        case .storeFault(let kind, let time): storeFault = (kind, boot + time * 1000)
        case .crash(let count): actionsToCrash = core == nil ? nil : count
        case .stop:
            guard core != nil, !isStopping, boot >= isSuspendedUntil else { return }
            isStopping = true
            stopToldAt = boot
            inbox.append(.stop)
            scheduleWake(at: boot)
            // Both patiences, what a pause may add to them, and the loop's own time.
            planned.add(boot + 60_000_000, .stopBound(epoch: epoch))
        case .reboot:
            crashScheduler(restartIn: 20_000_000)
            bootID += 1
        case .workerDeath(let index): die(index, status: random.pick([9, 11, 127 << 8, 1 << 8]))
        case .workerFreeze(let index, let time):
            workers[index].frozenUntil = boot + time * 1000
            blame(index, time * 1000)
        case .hostileReport(let index, let kind): sendHostile(index, kind)
        case .deafAttempt(let index):
            workers[index].isNextDeaf = true
        case .pipeFull(let index, let time):
            workers[index].fullUntil = boot + time * 1000
            planned.add(boot + time * 1000, .writable(taskClass: index))
        case .openCanary(let index): workers[index].isCanaryOpen = true
        case .wallStep(let time):
            offset += time * 1000
            guard core != nil, boot >= isSuspendedUntil else { return }
            inbox.append(.clockSet)
            scheduleWake(at: boot)
        case .suspend(let time): suspend(time * 1000)
        case .load(let cpu, let memory):
            load = .known(Admission.Load(cpu: Double(cpu), memory: Double(memory)))
            deliver(.load(load), after: Int64(random.int(0...1_000_000)))
        case .settings(let all, let each):
            concurrency = all
            classConcurrency = each
        }
    }

    private mutating func blame(_ index: Int, _ time: Int64) {
        workers[index].blameUntil = max(workers[index].blameUntil, boot + time + 60_000_000)
    }

    /// Nothing runs meanwhile; what was to happen happens late.
    private mutating func suspend(_ time: Int64) {
        guard boot >= isSuspendedUntil else { return }
        isSuspendedUntil = boot + time
        for index in workers.indices {
            workers[index].frozenUntil = max(workers[index].frozenUntil, isSuspendedUntil)
        }
        guard core != nil else { return }
        planned.add(
            isSuspendedUntil, .deliver(epoch: epoch, .suspended(.microseconds(time))))
    }

    private mutating func ask(_ request: ClientRequest) {
        guard core != nil, boot >= isSuspendedUntil else { return }
        lastRequest += 1
        let id = lastRequest
        guard let made = make(request, id) else { return }
        checks.requests[id] = made
        inbox.append(.request(id, actor: "client", made))
        scheduleWake(at: boot + Int64(random.int(0...500)))
    }

    /// What the rim makes of a request: names that are not there are refused before the core.
    private mutating func make(_ request: ClientRequest, _ id: UInt64) -> Request? {
        func name(_ index: Int) -> TaskID? { try? TaskID(InputPlan.names[index]) }
        func definition(_ index: Int, _ shape: Int) -> TaskDefinition? {
            guard let name = name(index), shapes.indices.contains(shape) else { return nil }
            let now = time.wall
            let record = StoredTask(
                key: TaskKey(id: name, uid: ""), type: "user.command",
                schedule: shapes[shape].schedule.text, timezone: shapes[shape].zoneName,
                config: Array("c\(id)".utf8), policies: Array("\(shape)".utf8), origin: "r\(id)",
                createdAt: now, updatedAt: now)
            return TaskDefinition(record: record, table: shapes[shape].table(created: now))
        }
        switch request {
        case .create(let index, let shape): return definition(index, shape).map { .create($0) }
        case .update(let index, let shape):
            guard let name = name(index), let known = core?.tasks[name],
                shapes.indices.contains(shape)
            else { return nil }
            var record = known.latest
            record.schedule = shapes[shape].schedule.text
            record.timezone = shapes[shape].zoneName
            record.policies = Array("\(shape)".utf8)
            record.config = Array("c\(id)".utf8)
            return .update(
                TaskDefinition(
                    record: record, table: shapes[shape].table(created: record.createdAt)))
        case .delete(let index): return name(index).map { .delete($0) }
        case .enable(let index): return name(index).map { .setEnabled($0, true) }
        case .disable(let index): return name(index).map { .setEnabled($0, false) }
        case .run(let index): return name(index).map { .run($0) }
        case .cancel(let index, let isNow): return name(index).map { .cancelTask($0, now: isNow) }
        case .retryLetter:
            let open = store.letters.keys.sorted().filter {
                store.letters[$0]?.letter.resolvedAt == nil
            }
            guard !open.isEmpty, let letter = store.letters[random.pick(open)] else { return nil }
            return .retryDeadLetter(letter.letter)
        case .purgeLetters: return .purgeDeadLetters(count: store.letters.count)
        }
    }

    // MARK: - Actions

    /// Does what the core says; gives what follows within the same turn.
    mutating func perform(_ action: Action) -> Event? {
        switch action {
        case .write(let token, let changes):
            checkWrite(changes)
            flying.append((token, changes))
            planned.add(boot + commitTime(), .commit(epoch: epoch, token: token))
        case .send(let taskClass, let order): return send(order, Int(taskClass.rawValue))
        case .publish(let published): checkPublished(published)
        case .reply(let id, let reply): checkReply(id, reply)
        case .launchWorker(let taskClass): launch(Int(taskClass.rawValue))
        case .killWorker(let taskClass):
            checkKill(Int(taskClass.rawValue))
            die(Int(taskClass.rawValue), status: 9)
        case .log(let note): self.note("log: \(note.message) \(note.facts)")
        case .measured, .stopSystem: break
        case .end(let status):
            note("ended with \(status)")
            if isStopping { checkStopped() }
            isStopping = false
            crashScheduler(restartIn: 1_000_000 + Int64(random.int(0...60_000_000)))
        }
        return nil
    }

    private mutating func commitTime() -> Int64 {
        if let fault = storeFault, boot < fault.until {
            switch fault.kind {
            case .slow: return Int64(random.int(100_000...8_000_000))
            case .busy: return 5_000_000
            case .full, .io: return Int64(random.int(100...3000))
            }
        }
        return Int64(random.int(100...4000))
    }

    private mutating func commit(_ of: Int, _ token: UInt64) {
        guard of == epoch, core != nil, let batch = flying.first, batch.token == token else {
            return
        }
        flying.removeFirst()
        if let fault = storeFault, boot < fault.until, fault.kind != .slow {
            let kind: StoreFailure =
                switch fault.kind {
                case .busy: .busy
                case .full: .full
                case .io, .slow: .io
                }
            inbox.append(
                .committed(
                    token: token, .failure(StoreTrouble(kind: kind, message: fault.kind.rawValue))))
        } else {
            let results = write(batch.changes)
            inbox.append(.committed(token: token, .success(results)))
        }
        scheduleWake(at: boot + Int64(random.int(0...500)))
    }

    /// Writes a batch and holds the store to its own rules.
    mutating func write(_ changes: [StoreChange]) -> [ChangeResult] {
        // Of the tasks alone: a copy of all would have every batch copy the history.
        let before = store.tasks
        let results = store.write(changes)
        checkInstants(changes, before)
        return results
    }
}
