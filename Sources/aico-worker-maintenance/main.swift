// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import MaintenanceTasks
import TaskKit

WorkerMain.run(class: .maintenance, types: MaintenanceTasks.types)
