// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BPF_OBJECT_H_
#define SHUNT_DATAPATH_BPF_OBJECT_H_

#include <string>

#include "absl/status/status.h"

struct bpf_map;

namespace shunt {

// What the loaders of our objects share.

// Why an object could not be opened or loaded, for people. `log`: of LibbpfLog.
absl::Status LoadStatus(int error, const std::string& log);

// Whether a pinned map can stand in for one of an object.
bool FitsMap(int fd, const bpf_map* map);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BPF_OBJECT_H_
