// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import UserTasks
import TaskKit

WorkerMain.run(class: .user, types: UserTasks.types)
