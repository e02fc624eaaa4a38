// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import FaultyVFS
import Glibc

/// The store that the scheduler has, on a disk that fails, in a directory of its own.
///
/// Its writer's thread is not there: a batch is written at the virtual time that was drawn.
final class RealStore {
    /// A fault of the store itself, which only tests plant.
    enum Planted: CaseIterable {
        /// A batch that failed is told as written.
        case errorToldAsSuccess
        /// A batch that failed is written in part.
        case halfWritten
        /// What was told as written is gone after a power cut.
        case forgetsAtPowerCut
    }

    /// A batch that was told as failed, and may be found at a start.
    struct Ghost {
        var changes: [StoreChange]
        var latest: Instant
        /// Whether the scheduler that wrote it had given up what it could not write.
        var mayLackRows: Bool
    }

    let disk: FaultyDisk
    let planted: Planted?
    /// Whether the disk fails also where the scenario does not say so.
    let isFaulty: Bool
    /// Those since the last batch that was written.
    var ghosts: [Ghost] = []
    /// Executions that were written since they were compared.
    var touched: Set<String> = []
    /// What the last start found.
    var image = StoreImage()
    private(set) var commits = 0
    private let directory: String
    private var writer: BatchWriter?
    private var before: [[UInt8]] = []

    private static let keys = KeyRing(masterKey: Array(repeating: 7, count: 32))

    /// Makes a directory in memory where there is such a file system; nil where none can be made.
    init?(planted: Planted? = nil, isFaulty: Bool = true) {
        var template = Array("/tmp/aico-simulate-XXXXXX".utf8CString)
        if access("/dev/shm", W_OK) == 0 {
            template = Array("/dev/shm/aico-simulate-XXXXXX".utf8CString)
        }
        guard let made = mkdtemp(&template) else { return nil }
        directory = String(cString: made)
        disk = FaultyDisk(directory: directory)
        self.planted = planted
        self.isFaulty = isFaulty
    }

    deinit {
        disk.losePower()
        writer = nil
        for path in paths + ["\(database)-shm", "\(database)-journal"] { unlink(path) }
        rmdir(directory)
    }

    private var database: String { directory + "/aico.db" }
    private var paths: [String] { [database, "\(database)-wal"] }

    var store: TaskStore? { writer?.store }
    /// How many calls of the disk failed.
    var faults: Int { disk.faults }

    /// Opens it, as a scheduler that starts does.
    func open() throws(StoreError) {
        guard writer == nil else { return }
        writer = BatchWriter(
            store: try TaskStore(path: database, keys: Self.keys, busyTimeout: 0))
        if planted == .forgetsAtPowerCut { before = paths.map(Self.read) }
    }

    /// Writes a batch, or fails, as the disk does.
    func write(_ changes: [StoreChange], latest: Instant, mayLackRows: Bool) -> BatchResult {
        guard writer != nil else {
            return .failure(StoreTrouble(kind: .closed, message: "the store is not open"))
        }
        let result = send(changes)
        let mayHaveGhost = writer?.mayHaveGhost == true
        disk.heal()
        if case .failure = result {
            if mayHaveGhost {
                ghosts.append(Ghost(changes: changes, latest: latest, mayLackRows: mayLackRows))
            } else {
                ghosts = []
            }
            if planted == .halfWritten { _ = send(Array(changes.prefix(changes.count / 2))) }
        } else {
            ghosts = []
            commits += 1
        }
        return result
    }

    private func send(_ changes: [StoreChange]) -> BatchResult {
        var result: BatchResult?
        writer?.write([BatchWriter.Submission(changes: changes, token: 0)]) { answers in
            result = answers.last?.result
        }
        return result ?? .failure(StoreTrouble(kind: .other, message: "there is no answer"))
    }

    // MARK: - Ends

    /// Closes it, as a scheduler that ends does.
    func close() {
        try? store?.close()
        writer = nil
    }

    /// The process is gone; what it gave to the kernel is there.
    func loseProcess() {
        let files = paths.map(Self.read)
        cut(seed: nil)
        for (path, bytes) in zip(paths, files) { Self.write(path, bytes) }
    }

    /// What was not synced is gone, but for what of it a seed keeps.
    func losePower(seed: UInt64?) {
        cut(seed: seed)
        guard planted == .forgetsAtPowerCut, !before.isEmpty else { return }
        for (path, bytes) in zip(paths, before) { Self.write(path, bytes) }
    }

    private func cut(seed: UInt64?) {
        disk.losePower(seed: seed)
        // Nobody is left who could hold it open.
        try? store?.close()
        writer = nil
        disk.restorePower()
        // A kernel that starts has no shared memory.
        unlink("\(database)-shm")
    }

    private static func read(_ path: String) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Int(max(0, lseek(descriptor, 0, SEEK_END))))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }

    private static func write(_ path: String, _ bytes: [UInt8]) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o660)
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }
}

// MARK: - Faults

extension RealStore {
    /// Lets the next batch meet a failure of this kind, wherever in it the draw says.
    func fail(_ failure: StoreFailure, _ dice: inout Randomness) {
        let (write, sync): (Int32, Int32)
        // Codes as in sqlite3.h.
        switch failure {
        case .full: (write, sync) = (13, 13)
        case .io: (write, sync) = (778, 1034)
        case .noMemory: (write, sync) = (3082, 7)
        case .readOnly: (write, sync) = (8, 8)
        case .cannotOpen: (write, sync) = (14, 14)
        case .damaged: (write, sync) = (11, 11)
        default: (write, sync) = (4242, 4242)
        }
        if dice.percent(30) {
            disk.fail(.sync, times: nil, code: sync)
        } else {
            // A short write, where bytes of it are kept.
            disk.fail(
                .write, nth: 1 + dice.below(8), times: nil, code: write,
                keeping: dice.percent(50) ? 0 : dice.below(4096))
        }
    }

    /// Lets calls fail by chance, one after the other.
    func failSometimes(_ dice: inout Randomness) {
        disk.failSometimes(seed: dice.next(), perMillion: UInt32(20_000 + dice.below(200_000)))
    }
}
