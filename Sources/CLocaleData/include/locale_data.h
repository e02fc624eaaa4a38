// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Takes the place of the data by which ICU, a part of Foundation, knows languages and regions.
/// Nothing here asks for it: times, numbers and texts are written without a locale.
#pragma once
