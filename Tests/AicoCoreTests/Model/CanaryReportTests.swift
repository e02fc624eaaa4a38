// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct CanaryReportTests {
    @Test func lineIsFixed() {
        let report = CanaryReport(tried: 16, open: [.makeDevice, .readShadow])
        #expect(report.line == "canary/1 tried=16 open=read_shadow,make_device")
        #expect(CanaryReport(tried: 2, open: []).line == "canary/1 tried=2 open=")
    }

    @Test(arguments: EscapeCheck.allCases)
    func everyWayComesBack(way: EscapeCheck) {
        let report = CanaryReport(open: [way])
        #expect(CanaryReport(line: report.line) == report)
        #expect(!way.words.isEmpty)
    }

    @Test(arguments: [
        "", "canary/1", "canary/1 tried=16", "canary/1 tried=16 open", "canary/2 tried=16 open=",
        "canary/1 tried= open=", "canary/1 tried=+16 open=", "canary/1 tried=016 open=",
        "canary/1 tried=99999999999999999999 open=", "canary/1 tried=16 open= ",
        "canary/1  tried=16 open=", " canary/1 tried=16 open=", "canary/1 tried=16 open=,",
        "canary/1 tried=16 open=read_shadow,", "canary/1 tried=16 open=read_shadow,read_shadow",
        "canary/1 tried=16 open=make_device,read_shadow", "canary/1 tried=16 open=nothing",
        "canary/1 open= tried=16", "canary/1 tried=16 open=\n",
    ])
    func anyOtherLineIsRefused(line: String) {
        #expect(CanaryReport(line: line) == nil)
    }

    @Test func everyClassHasACanaryOfItsOwn() throws {
        for taskClass in TaskClass.allCases {
            #expect(try TaskID(taskClass.canaryType).taskClass == taskClass)
        }
    }
}
