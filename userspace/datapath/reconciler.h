// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_RECONCILER_H_
#define SHUNT_DATAPATH_RECONCILER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/datapath/backend_table.h"
#include "userspace/datapath/delta_table.h"
#include "userspace/datapath/inventory.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/service_table.h"
#include "userspace/datapath/slot_arena.h"
#include "userspace/datapath/source_key.h"
#include "userspace/datapath/state_from_maps.h"  // IWYU pragma: export
#include "userspace/state/datapath_state.h"

namespace shunt {

// A service port that is not yet as desired, and why.
struct PendingService {
  ServicePortName name;
  absl::Status reason;

  std::string ToString() const;  // "shop/web:http: map shunt_frontends is full (262144)"
};

// Makes the maps hold the desired state: compares, writes the difference in an
// order in which no reader ever sees a slot or a backend that is not there
// (README.md), and keeps what failed as pending. It owns the ids: service ids,
// backend ids with their generations, and slot ranges are storage, and the
// planner knows nothing of them.
//
// A write that fails holds up its own service port alone: the frontends of that
// one keep the complete list that they had.
//
// Belongs to the control thread.
class Reconciler {
 public:
  struct Result {
    size_t writes = 0;                     // map operations that succeeded
    size_t pending = 0;                    // service ports that are not yet as desired
    std::vector<PendingService> failures;  // one each, with name and reason
    bool leaves_stale_sockets = false;     // it freed a backend whose sockets end with it
  };

  // Both must outlive this.
  Reconciler(MapStore& maps, GracePeriod& grace_period);

  // Reads what an earlier agent left: ids, ranges, generations. Entries that
  // contradict each other are not trusted; the first complete Apply replaces or
  // removes them. Once, before the first Apply; writes nothing. Fails only
  // where a map cannot be read, and may then be tried again.
  absl::Status Adopt();

  // Takes over `changes` and writes what differs. Also retries what is pending:
  // call it again with no changes after a failure. Where it has adopted
  // something, it only adds until the first complete state: no frontend is deleted.
  Result Apply(const StateChanges& changes);

 private:
  using Records = std::vector<ServiceRecord*>;

  // Adopt.
  ServiceRecord& AdoptedOwner(uint32_t service_id);
  void AdoptBackends(const Inventory& inventory);
  void AdoptFrontends(const Inventory& inventory);
  void AdoptSources(const Inventory& inventory);
  SlotList& AdoptList(ServiceRecord& record, const shunt_range& range);
  void AdoptDesired(const Inventory& inventory);

  // What is to become of things.
  void TakeOver(const StateChanges& changes);
  void Change(ServiceRecord& record, ServicePortStatePtr desired);
  Records TouchedAndDesired();

  // The steps, in order.
  void DeleteFrontends();
  bool WriteName(ServiceRecord& record);
  bool UpsertBackends(ServiceRecord& record);
  bool AddSources(const ServiceRecord& record);
  bool FillLists(ServiceRecord& record);
  void PutFrontends(const Records& ready);
  bool PutFrontend(const FrontendKey& key, const shunt_frontend* actual,
                   const shunt_frontend& desired);
  bool KeepsLeavers(const ServiceRecord& record) const;
  std::vector<shunt_source_key> SurplusSources(const ServiceRecord& record) const;
  bool HasLeavers(const ServiceRecord& record) const;
  void RemoveSources(const ServiceRecord& record);
  void ReleaseLists(ServiceRecord& record);
  void FreeBackends(ServiceRecord& record);
  void RemoveServices();
  void BeginGracePeriod();

  bool FillList(ServiceRecord& record, ListRole role, std::vector<shunt_backend_ref> refs);
  SlotList* FindFilled(ServiceRecord& record, ListRole role,
                       const std::vector<shunt_backend_ref>& refs);
  absl::StatusOr<SlotList*> FillFresh(ServiceRecord& record, std::vector<shunt_backend_ref> refs);
  shunt_frontend ValueOf(ServiceRecord& record, const Frontend& frontend);

  // A frontend began or ceased to have `value`.
  void Enter(const shunt_frontend& value);
  void Leave(const shunt_frontend& value);

  // Counts a write, or notes its failure. Returns whether it succeeded.
  bool Wrote(uint32_t service_id, const absl::Status& status);
  void Fail(uint32_t service_id, const absl::Status& status);
  Result TakeResult();

  MapStore& maps_;
  GracePeriod& grace_period_;
  SlotArena arena_;
  BackendTable backends_;
  ServiceTable services_;
  DeltaTable<FrontendKey, shunt_frontend> frontends_;
  SourceSet sources_;

  bool only_adds_ = false;  // knows no complete state yet, and has adopted another's

  absl::btree_set<uint32_t> touched_;                 // service ids that this Apply has to look at
  absl::btree_set<uint32_t> held_;                    // that an Apply left for the next one
  absl::btree_map<uint32_t, absl::Status> failures_;  // of the last Apply, by service id
  size_t writes_ = 0;                                 // of this Apply
  bool leaves_stale_sockets_ = false;                 // likewise
  std::optional<uint64_t> adoption_;  // grace period before which all free space is suspect
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_RECONCILER_H_
