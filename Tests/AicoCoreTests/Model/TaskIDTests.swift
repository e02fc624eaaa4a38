// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct TaskIDTests {
    @Test(arguments: [
        ("user.photos", TaskClass.user), ("custom.photos", .user), ("agency.learn", .agency),
        ("security.a.b.c.d.e", .security), ("maintenance.0-_x", .maintenance),
        ("user." + String(repeating: "a", count: 123), .user),
    ])
    func aRightIDNamesItsClass(text: String, taskClass: TaskClass) throws {
        let id = try TaskID(text)
        #expect(id.text == text)
        #expect(id.taskClass == taskClass)
    }

    @Test(arguments: [
        ("", "1 to 128 bytes"), ("user." + String(repeating: "a", count: 124), "1 to 128 bytes"),
        ("user", "two to six parts"), ("user.a.b.c.d.e.f", "two to six parts"),
        ("user.", "must start with a lower-case letter or a digit"),
        (".photos", "must start with a lower-case letter or a digit"),
        ("user..x", "must start with a lower-case letter or a digit"),
        ("user.-x", "must start with a lower-case letter or a digit"),
        ("user._x", "must start with a lower-case letter or a digit"),
        ("user.Photos", "must start with a lower-case letter or a digit"),
        ("user.pHotos", "only a-z"), ("user.a b", "only a-z"), ("user.a/../b", "only a-z"),
        ("user.a/b", "only a-z"), ("user.é", "must start with a lower-case letter or a digit"),
        ("user.x\n", "only a-z"), ("user.x\0", "only a-z"), ("root.x", "must start with maint"),
        ("users.x", "must start with maint"),
    ])
    func aWrongIDIsRefusedWithTheRule(text: String, rule: String) {
        let error = #expect(throws: TaskIDError.self) { try TaskID(text) }
        #expect(error?.reason.contains(rule) == true)
        #expect(error?.text == text)
    }

    @Test func classNamesAreExact() {
        for taskClass in TaskClass.allCases {
            #expect(TaskClass(name: taskClass.name) == taskClass)
        }
        for name in ["User", "user ", "", "custom"] { #expect(TaskClass(name: name) == nil) }
    }
}
