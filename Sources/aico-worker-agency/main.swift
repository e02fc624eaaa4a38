// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AgencyTasks
import AicoCore
import TaskKit

WorkerMain.run(class: .agency, types: AgencyTasks.types)
