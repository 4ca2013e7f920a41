// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_KEEP_GRPC_H_
#define SHUNT_API_KEEP_GRPC_H_

namespace shunt {

// Keeps gRPC's core alive for as long as the process is. To be called before
// anything of gRPC is made. Otherwise the last object that goes takes the core
// with it, and that waits up to 10 s for sockets which are still being closed:
// too long for an agent that is to stop within a second. Thread-safe.
void KeepGrpc();

}  // namespace shunt

#endif  // SHUNT_API_KEEP_GRPC_H_
