// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/keep_grpc.h"

#include <grpc/grpc.h>

namespace shunt {

void KeepGrpc() {
  [[maybe_unused]] static const bool once = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace shunt
