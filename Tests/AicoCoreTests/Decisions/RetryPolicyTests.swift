// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct RetryPolicyTests {
    @Test(arguments: [(1, 60), (2, 120), (3, 240)])
    func delaysDouble(attempts: Int, seconds: Int) {
        #expect(
            RetryPolicy().delay(afterAttempts: attempts, seed: "a") == .seconds(seconds))
    }

    @Test func noneIsLeftAfterTheLast() {
        #expect(RetryPolicy(count: 3).delay(afterAttempts: 4, seed: "a") == nil)
        #expect(RetryPolicy(count: 0).delay(afterAttempts: 1, seed: "a") == nil)
    }

    @Test func delayIsCapped() {
        let policy = RetryPolicy(count: 100, delay: .seconds(60), maximumDelay: .seconds(3600))
        #expect(policy.delay(afterAttempts: 7, seed: "a") == .seconds(3600))
        #expect(policy.delay(afterAttempts: 100, seed: "a") == .seconds(3600))
    }

    @Test func jitterIsStableAndBounded() {
        let policy = RetryPolicy(count: 9, delay: .seconds(1), factor: 1, jitter: .seconds(10))
        var seen: Set<Duration> = []
        for seed in 0..<200 {
            let delay = policy.delay(afterAttempts: 1, seed: "\(seed)")
            #expect(delay == policy.delay(afterAttempts: 1, seed: "\(seed)"))
            #expect((Duration.seconds(1)...Duration.seconds(11)).contains(delay ?? .zero))
            seen.insert(delay ?? .zero)
        }
        #expect(seen.count > 190)
    }
}
