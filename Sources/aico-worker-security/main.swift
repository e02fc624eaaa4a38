// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SecurityTasks
import TaskKit

WorkerMain.run(class: .security, types: SecurityTasks.types)
