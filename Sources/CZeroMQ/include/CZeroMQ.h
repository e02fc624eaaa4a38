// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The only header of libzmq that the Swift wrapper sees. The functions behind it load the library
// with their first call: see CZeroMQ.c.
#ifndef AICO_CZEROMQ_H
#define AICO_CZEROMQ_H

#include <zmq.h>

#include "accepted.h"
#include "inflow.h"

// Stable in libzmq 4.3's ABI but declared only with ZMQ_BUILD_DRAFT_API: without it, a CURVE
// server whose ZAP handler is gone admits every key. A library that does not know the option
// answers EINVAL, and the wrapper carries on: its sockets hold their handler.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#endif
