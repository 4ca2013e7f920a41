// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_FLOW_SWEEP_H_
#define SHUNT_DATAPATH_FLOW_SWEEP_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace shunt {

// One pass over shunt_flows that removes what counts no more: entries that have
// timed out, and those whose backend is gone, once nobody has used them for ten
// seconds. The programs ignore both; so the table's fill is that of flows that
// live, and nobody who lives has to make room for one who does not.
//
// A packet may use an entry just as it goes: it is put back, unless the packet
// has made another. Belongs to one thread.
class FlowSweep {
 public:
  // What one step found.
  struct Step {
    uint64_t seen = 0, removed = 0;
    bool complete = false;  // the pass is over
  };

  // The table that is pinned in `bpffs`. NotFound where there is none.
  static absl::StatusOr<std::unique_ptr<FlowSweep>> Begin(const std::string& bpffs);

  virtual ~FlowSweep() = default;
  // Looks at about a thousand entries: a fraction of a millisecond where few go.
  virtual absl::StatusOr<Step> Next() = 0;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_FLOW_SWEEP_H_
