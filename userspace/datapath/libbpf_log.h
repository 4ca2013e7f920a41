// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_LIBBPF_LOG_H_
#define SHUNT_DATAPATH_LIBBPF_LOG_H_

#include <string>

namespace shunt {

// Collects what libbpf says, among it the verifier's reasons, while it exists;
// libbpf prints nothing then. One at a time, on one thread.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // The last 64 KiB.
  const std::string& text() const;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_LIBBPF_LOG_H_
