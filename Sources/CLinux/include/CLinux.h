// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Linux calls that Swift cannot say itself: variadics, raw system calls, macros.
#ifndef AICO_CLINUX_H
#define AICO_CLINUX_H

#include "attempt.h"
#include "capabilities.h"
#include "command.h"
#include "files.h"
#include "grants.h"
#include "launch.h"
#include "load.h"
#include "message.h"
#include "output.h"
#include "process.h"
#include "signals.h"
#include "stage.h"
#include "temporary.h"
#include "wallclock.h"

#endif
