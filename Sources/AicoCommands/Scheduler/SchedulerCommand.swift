// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ArgumentParser

/// The verbs on tasks and what they did.
struct SchedulerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Create, run and watch tasks.",
        subcommands: [
            TaskList.self, TaskShow.self, TaskCreate.self, TaskUpdate.self, TaskDelete.self,
            TaskEnable.self, TaskDisable.self, TaskRun.self, TaskCancel.self, TaskLogs.self,
            TaskHistory.self, TaskNext.self, SchedulerStats.self, SchedulerHealth.self,
            DeadLetterCommand.self,
        ])
}
