// SPDX-License-Identifier: Apache-2.0
#include "userspace/agent/memory.h"

#include <malloc.h>

namespace shunt {

void UseOneHeap() { mallopt(M_ARENA_MAX, 1); }

void ReturnFreeMemory() { malloc_trim(0); }

}  // namespace shunt
