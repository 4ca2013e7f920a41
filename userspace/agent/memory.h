// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_AGENT_MEMORY_H_
#define SHUNT_AGENT_MEMORY_H_

namespace shunt {

// How the process asks the kernel for memory. The agent is idle nearly always,
// and its memory is taken from the pods of the node.

// One heap for all threads: what the source let go of, the control thread uses
// again. With a heap each, 10,000 Services take 6 MB more; they work one after
// the other, so nobody waits. To be called before the first thread starts.
void UseOneHeap();

// Gives back to the kernel what is free in the heap. Costs milliseconds.
void ReturnFreeMemory();

}  // namespace shunt

#endif  // SHUNT_AGENT_MEMORY_H_
