// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import TaskKit

WorkerMain.run(class: .user, types: [FolderSize.self])
