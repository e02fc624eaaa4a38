// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#include <sys/capability.h>
