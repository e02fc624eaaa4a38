// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import TaskKit
import Testing

struct TaskRecorderTests {
    @Test func runGivesResultLogAndProgress() async throws {
        let recorder = TaskRecorder()
        let result = try await recorder.run(
            SampleTask.self, config: ["count": 2, "words": ["w"]])
        #expect(
            result
                == [
                    "count": 2, "parts": [["name": "w", "sizes": ["bytes": 3]]],
                    "extra": ["attempt": 1],
                ])
        #expect(
            recorder.lines == [
                .init(stream: .info, text: "one"), .init(stream: .info, text: "two"),
                .init(stream: .warning, text: "three"),
            ])
        #expect(recorder.progress == [.init(fraction: 0.5, message: "half")])
    }

    @Test func failuresAndCancellationComeThrough() async throws {
        let recorder = TaskRecorder()
        await #expect(throws: TaskFailure.permanent("told to fail", exitCode: 9)) {
            try await recorder.run(SampleTask.self, config: ["count": 2, "mode": "fail"])
        }
        _ = try await recorder.run(SampleTask.self, config: ["count": 2, "mode": "wait"])
        recorder.cancel()
        recorder.cancel()
        await #expect(throws: TaskCancelled()) {
            try await recorder.run(SampleTask.self, config: ["count": 2, "mode": "wait"])
        }
    }

    @Test func exitCodesOutsideOfAByteBecomeOne() {
        #expect(TaskFailure.transient("x", exitCode: 0).exitCode == 1)
        #expect(TaskFailure.transient("x", exitCode: 256).exitCode == 1)
        #expect(TaskFailure.transient("x", exitCode: 255).exitCode == 255)
    }
}
