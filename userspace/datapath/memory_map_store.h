// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_MEMORY_MAP_STORE_H_
#define SHUNT_DATAPATH_MEMORY_MAP_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/source_key.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// The maps in memory, for tests: they can be small, they can fail on demand,
// and an observer sees them before and after every single write.
class MemoryMapStore : public MapStore {
 public:
  struct Sizes {
    size_t frontends = 1024;
    size_t sources = 1024;
    size_t services = 1024;
    size_t slots = 4096;
    size_t backends = 1024;
  };

  // Looks on as a program would. Called for writes that will succeed.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void BeforeSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) = 0;
    virtual void BeforeBackend(uint32_t id, const shunt_backend& value) = 0;
    virtual void AfterWrite() = 0;
  };

  MemoryMapStore() : MemoryMapStore(Sizes{}) {}
  explicit MemoryMapStore(const Sizes& sizes);

  absl::Status PutFrontend(const shunt_frontend_key& key, const shunt_frontend& value) override;
  absl::Status DeleteFrontend(const shunt_frontend_key& key) override;
  absl::Status PutSource(const shunt_source_key& key) override;
  absl::Status DeleteSource(const shunt_source_key& key) override;
  absl::Status PutService(uint32_t service_id, const shunt_service& value) override;
  absl::Status DeleteService(uint32_t service_id) override;
  absl::Status PutSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) override;
  absl::Status PutBackend(uint32_t id, const shunt_backend& value) override;

  absl::StatusOr<std::vector<FrontendEntry>> Frontends() const override;
  absl::StatusOr<std::vector<ServiceEntry>> Services() const override;
  absl::StatusOr<std::vector<shunt_source_key>> Sources() const override {
    return std::vector<shunt_source_key>(sources_.begin(), sources_.end());
  }
  absl::Span<const shunt_backend_ref> slots() const override {
    return absl::MakeSpan(slots_).first(slots_written_);
  }
  absl::Span<const shunt_backend> backends() const override {
    return absl::MakeSpan(backends_).first(backends_written_);
  }
  size_t slot_limit() const override { return sizes_.slots; }
  size_t backend_limit() const override { return sizes_.backends; }

  void Observe(Observer* observer) { observer_ = observer; }

  // Attempts so far to write, whether they succeeded or not.
  size_t attempts() const { return attempts_; }
  // The write after the next `n` ones fails, once.
  void FailAfter(size_t n) { fail_at_ = attempts_ + n; }
  // All writes after the next `n` ones fail: as if the agent were killed there.
  void StopAfter(size_t n) { stop_at_ = attempts_ + n; }
  // From now on each write fails for which this returns true; null: none.
  void FailWhere(std::function<bool(std::string_view map)> fails) { fails_ = std::move(fails); }
  // From now on writes of this frontend fail, or succeed again.
  void FailFrontend(const FrontendKey& key) { bad_frontends_.insert(key); }
  // Everything succeeds again.
  void Heal();

  // For tests that play someone else who writes into the maps.
  std::vector<shunt_backend_ref>& mutable_slots() {
    slots_written_ = slots_.size();
    return slots_;
  }
  std::vector<shunt_backend>& mutable_backends() {
    backends_written_ = backends_.size();
    return backends_;
  }

 private:
  static constexpr size_t kNever = std::numeric_limits<size_t>::max();

  absl::Status Attempt(std::string_view map);
  absl::Status AttemptFrontend(const FrontendKey& key);
  void Written();

  const Sizes sizes_;
  absl::btree_map<FrontendKey, shunt_frontend> frontends_;
  absl::btree_set<shunt_source_key, SourceKeyLess> sources_;
  absl::btree_map<uint32_t, shunt_service> services_;
  std::vector<shunt_backend_ref> slots_;
  std::vector<shunt_backend> backends_;
  size_t slots_written_ = 0;     // as far as anybody wrote
  size_t backends_written_ = 0;  // likewise

  Observer* observer_ = nullptr;
  size_t attempts_ = 0;
  size_t fail_at_ = kNever;
  size_t stop_at_ = kNever;
  std::function<bool(std::string_view)> fails_;
  absl::btree_set<FrontendKey> bad_frontends_;
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_MEMORY_MAP_STORE_H_
