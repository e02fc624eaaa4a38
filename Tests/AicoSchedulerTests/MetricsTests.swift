// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AicoScheduler

struct MetricsTests {
    @Test func percentilesAreOfAllThatWasCounted() throws {
        var metrics = Metrics()
        #expect(metrics.latency == nil)
        for milliseconds in 1...1000 { metrics.count(latency: .milliseconds(milliseconds)) }
        let latency = try #require(metrics.latency)
        #expect(latency.p50 >= .milliseconds(495) && latency.p50 <= .milliseconds(505))
        #expect(latency.p99 >= .milliseconds(985) && latency.p99 <= .milliseconds(995))
        #expect(latency.maximum >= .milliseconds(999) && latency.maximum <= .milliseconds(1001))
    }

    @Test func aLatencyOutOfRangeIsHeldToIt() throws {
        var metrics = Metrics()
        metrics.count(latency: .zero - .seconds(1))
        metrics.count(latency: .seconds(90_000))
        let latency = try #require(metrics.latency)
        #expect(latency.maximum >= .seconds(3590) && latency.maximum <= .seconds(3605))
    }
}
