// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_RECONCILER_H_
#define SHUNT_DATAPATH_RECONCILER_H_

// (private part: the implementer's)

namespace shunt {

// Makes the maps hold the desired state: compares, writes the difference in an
// order in which no reader ever sees a slot or a backend that is not there
// (README.md), and keeps what failed as pending. It owns the ids: service ids,
// backend ids with their generations, and slot ranges are storage, and the
// planner knows nothing of them.
//
// Belongs to the control thread.
class Reconciler {
 public:
  struct Result {
    size_t writes = 0;                  // map operations that succeeded
    size_t pending = 0;                 // service ports that are not yet as desired
    std::vector<PendingService> failures;  // one each, with name and reason
  };

  Reconciler(MapStore& maps, GracePeriod& grace_period);

  // Reads what an earlier agent left: ids, ranges, generations. Entries that
  // contradict each other are not trusted and are replaced by the first Apply.
  // Once, before the first Apply.
  absl::Status Adopt();

  // Takes over `changes` and writes what differs. Also retries what is pending:
  // call it again with no changes after a failure.
  Result Apply(const StateChanges& changes);
};

// What the maps hold, as a value: for `shuntctl --source maps`, audits, tests.
absl::StatusOr<DatapathState> StateFromMaps(const MapStore& maps);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_RECONCILER_H_
