// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_DATAPATH_READER_MODEL_H_
#define SHUNT_TESTS_UNIT_DATAPATH_READER_MODEL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/memory_map_store.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// What a program makes of the maps, checked after every single write:
//
//  - a frontend's slots exist, each names a live backend of the frontend's own
//    service port and family, by the right generation, in order of ids;
//  - each frontend leads to a complete list, the old one or the new one, and is
//    missing only where it may be;
//  - who may dial a frontend in all of the states that are allowed always may, and
//    who may in none of them never may;
//  - no slot and no backend is overwritten that a program could still hold: one
//    that a frontend led to after the last grace period that has ended began.
//
// A violation fails the test with a line that says which.
class ReaderModel : public MemoryMapStore::Observer {
 public:
  explicit ReaderModel(MemoryMapStore& store)
      : store_(store), slots_seen_(store.slot_limit()), backends_seen_(store.backend_limit()) {
    store.Observe(this);
  }
  ~ReaderModel() override { store_.Observe(nullptr); }

  // From now on traffic may also go as `state` says.
  void Allow(const DatapathState& state) {
    absl::btree_map<FrontendKey, std::string> fates = Fates(state);
    for (const auto& [key, fate] : fates) allowed_.try_emplace(key, allowed_for_others_);
    for (auto& [key, allowed] : allowed_) {
      auto fate = fates.find(key);
      allowed.insert(fate == fates.end() ? kMissing : fate->second);
    }
    allowed_for_others_.insert(kMissing);
    AllowDiallers(state);
  }
  // From now on traffic goes as `state` says and not otherwise.
  void Settle(const DatapathState& state) {
    allowed_.clear();
    diallers_.clear();
    Allow(state);
    for (auto& [key, diallers] : diallers_) diallers.in_all = diallers.in_any;
    Check();
  }

  size_t clock() const { return clock_; }
  // A grace period has ended that began at `clock`.
  void GracePeriodEnded(size_t clock) { held_since_ = std::max(held_since_, clock); }

  void BeforeSlots(uint32_t base, absl::Span<const shunt_backend_ref> slots) override {
    for (uint32_t slot = base; slot < base + slots.size(); ++slot) {
      EXPECT_FALSE(IsHeld(slots_seen_[slot])) << "overwrites slot " << slot << ", which is held";
    }
  }

  void BeforeBackend(uint32_t id, const shunt_backend& value) override {
    if (!IsHeld(backends_seen_[id])) return;
    const shunt_backend& old = store_.backends()[id];
    EXPECT_TRUE(old.state != SHUNT_BACKEND_FREE || value.state == SHUNT_BACKEND_FREE)
        << "uses backend id " << id << " again, which is held";
    shunt_backend expected = old;
    expected.state = value.state;
    expected.generation = value.generation;
    EXPECT_EQ(std::memcmp(&expected, &value, sizeof(value)), 0)
        << "changes backend " << id << " under its readers";
  }

  void AfterWrite() override {
    ++clock_;
    Check();
  }

 private:
  static constexpr char kMissing[] = "missing";

  // The client at kClients[i] is bit i.
  using Clients = uint32_t;
  static constexpr std::array<const char*, 6> kClients = {
      "10.1.2.3", "10.9.9.9", "198.51.100.1", "203.0.113.9", "2001:db8:1::1", "2001:db8:2::1"};
  static constexpr Clients kEverybody = (1u << kClients.size()) - 1;

  // Who may dial a frontend.
  struct Diallers {
    Clients in_any = 0;  // in one of the states that are allowed
    Clients in_all = 0;
  };

  static std::string Fate(const ServicePortName& service, const shunt_frontend& value,
                          std::vector<std::string> backends) {
    std::sort(backends.begin(), backends.end());
    return absl::StrCat(service.ToString(), "/", static_cast<int>(service.protocol), " kind ",
                        int{value.kind}, " flags ", value.flags, " affinity ",
                        value.affinity_timeout_s, " -> ",
                        backends.empty() ? absl::StrCat("verdict ", int{value.when_empty})
                                         : absl::StrJoin(backends, " "));
  }

  // What the maps have to say of a frontend; not where.
  static shunt_frontend ValueOf(const ServicePortName& name, const ServicePortState& service,
                                const Frontend& frontend) {
    shunt_frontend value = {.affinity_timeout_s = service.affinity_timeout_s,
                            .when_empty = frontend.when_empty,
                            .kind = frontend.kind};
    if (frontend.list == BackendList::kLocal) value.flags |= SHUNT_FRONTEND_LOCAL;
    if (frontend.checks_source) value.flags |= SHUNT_FRONTEND_CHECK_SOURCE;
    if (frontend.host_only) value.flags |= SHUNT_FRONTEND_HOST_ONLY;
    if (service.ends_tcp && name.protocol == SHUNT_TCP) value.flags |= SHUNT_FRONTEND_END_TCP;
    return value;
  }

  static absl::btree_map<FrontendKey, std::string> Fates(const DatapathState& state) {
    absl::btree_map<FrontendKey, std::string> fates;
    for (const auto& [name, service] : state) {
      for (const Frontend& frontend : service->frontends) {
        std::vector<std::string> list;
        for (const Backend& backend : service->ListOf(frontend)) list.push_back(backend.ToString());
        fates[frontend.key] = Fate(name, ValueOf(name, *service, frontend), list);
      }
    }
    return fates;
  }

  void Check() {
    services_.clear();
    const auto services = store_.Services().value();
    for (const auto& [id, service] : services) services_[id] = service;
    absl::btree_set<FrontendKey> present;
    const auto entries = store_.Frontends().value();
    for (const auto& [abi, value] : entries) {
      const FrontendKey key = FrontendKey::FromAbi(abi);
      present.insert(key);
      EXPECT_EQ(value.owner.tag, shunt_frontend_tag(&abi)) << key.ToString();
      CheckFate(key, FateOf(key, value));
      CheckDiallers(key, DiallersOf(value));
    }
    for (const auto& [key, allowed] : allowed_) {
      if (!present.contains(key)) CheckFate(key, kMissing);
      if (!present.contains(key)) CheckDiallers(key, 0);
    }
  }

  void AllowDiallers(const DatapathState& state) {
    absl::btree_map<FrontendKey, Clients> now;
    for (const auto& [name, service] : state) {
      for (const Frontend& frontend : service->frontends) {
        now[frontend.key] = frontend.checks_source ? NamedBy(service->sources) : kEverybody;
      }
    }
    for (const auto& [key, allowed] : allowed_) diallers_.try_emplace(key);
    for (auto& [key, diallers] : diallers_) {
      const auto it = now.find(key);
      const Clients clients = it == now.end() ? 0 : it->second;
      diallers.in_any |= clients;
      diallers.in_all &= clients;
    }
  }

  static Clients NamedBy(const std::vector<Cidr>& ranges) {
    Clients named = 0;
    for (size_t i = 0; i < kClients.size(); ++i) {
      const IpAddress client = IpAddress::Parse(kClients[i]).value();
      for (const Cidr& range : ranges) named |= Clients{range.Contains(client)} << i;
    }
    return named;
  }

  // As a program asks the trie.
  Clients DiallersOf(const shunt_frontend& value) const {
    if ((value.flags & SHUNT_FRONTEND_CHECK_SOURCE) == 0) return kEverybody;
    Clients named = 0;
    const auto sources = store_.Sources().value();
    for (const shunt_source_key& source : sources) {
      if (source.service_id != value.owner.service_id) continue;
      for (size_t i = 0; i < kClients.size(); ++i) {
        named |= Clients{BeginsWith(IpAddress::Parse(kClients[i]).value(), source)} << i;
      }
    }
    return named;
  }

  static bool BeginsWith(const IpAddress& client, const shunt_source_key& source) {
    if (SourceValueOf(source) != (client.family() == Family::kIpv4 ? 4 : 6)) return false;
    for (uint32_t bit = 0; bit + 32 < source.prefix_length; ++bit) {
      const int differs = client.bytes()[bit / 8] ^ source.prefix.bytes[bit / 8];
      if (differs & (0x80 >> (bit % 8))) return false;
    }
    return true;
  }

  void CheckDiallers(const FrontendKey& key, Clients now) {
    const Diallers& diallers = diallers_[key];
    EXPECT_EQ(now & ~diallers.in_any, 0u) << key.ToString() << " is open to who may not dial it";
    EXPECT_EQ(diallers.in_all & ~now, 0u) << key.ToString() << " is closed to who may dial it";
  }

  void CheckFate(const FrontendKey& key, const std::string& fate) {
    auto allowed = allowed_.find(key);
    if (allowed == allowed_.end()) {
      ADD_FAILURE() << key.ToString() << " is dialled by nobody, but: " << fate;
    } else if (!allowed->second.contains(fate)) {
      ADD_FAILURE() << key.ToString() << ": " << fate
                    << "\nallowed: " << absl::StrJoin(allowed->second, " | ");
    }
  }

  // What was found behind a frontend, and what it means: most of it is as it was
  // before the last write.
  struct Found {
    std::string bytes;
    std::string fate;
  };

  const std::string& FateOf(const FrontendKey& key, const shunt_frontend& value) {
    Found& found = found_[key];
    std::string bytes;
    const auto append = [&](const auto& object) {
      bytes.append(reinterpret_cast<const char*>(&object), sizeof(object));
    };
    append(value);
    if (auto service = services_.find(value.owner.service_id); service != services_.end()) {
      append(service->second);
    }
    for (uint32_t i = 0; i < value.slots.count; ++i) {
      const uint32_t slot = value.slots.base + i;
      if (slot >= store_.slots().size()) break;
      const shunt_backend_ref& ref = store_.slots()[slot];
      append(ref);
      slots_seen_[slot] = clock_;
      if (ref.id >= store_.backends().size()) continue;
      append(store_.backends()[ref.id]);
      backends_seen_[ref.id] = clock_;
    }
    if (found.bytes != bytes) found = {.bytes = bytes, .fate = Follow(key, value)};
    return found.fate;
  }

  // Follows a frontend as a program does.
  std::string Follow(const FrontendKey& key, const shunt_frontend& value) const {
    std::vector<std::string> backends;
    std::optional<uint32_t> previous;
    for (uint32_t i = 0; i < value.slots.count; ++i) {
      const uint32_t slot = value.slots.base + i;
      if (slot >= store_.slots().size()) return "a slot that does not exist";
      const shunt_backend_ref& ref = store_.slots()[slot];
      if (ref.id >= store_.backends().size()) return "a backend that does not exist";
      const shunt_backend& backend = store_.backends()[ref.id];
      const IpAddress address = ToIpAddress(backend.address);
      if (backend.state == SHUNT_BACKEND_FREE) return "a backend that is free";
      if (backend.generation == 0) return "generation 0";
      if (backend.generation != ref.generation) return "a stale reference";
      if (backend.service_id != value.owner.service_id) return "another service's backend";
      if (backend.protocol != key.protocol) return "another protocol";
      if (address.family() != key.address.family()) return "another family";
      if (previous.has_value() && *previous >= ref.id) return "ids out of order";
      previous = ref.id;
      backends.push_back(AddressAndPort(address, backend.port));
    }
    return Fate(NameOf(value.owner.service_id), value, backends);
  }

  ServicePortName NameOf(uint32_t service_id) const {
    auto service = services_.find(service_id);
    if (service == services_.end()) return {.name_space = "?", .name = absl::StrCat(service_id)};
    const shunt_service& value = service->second;
    return {value.name_space, value.name, value.port_name, value.protocol};
  }

  // 0: no frontend ever led there.
  bool IsHeld(size_t last_seen) const { return last_seen != 0 && last_seen >= held_since_; }

  MemoryMapStore& store_;
  absl::btree_map<FrontendKey, absl::btree_set<std::string>> allowed_;
  absl::btree_set<std::string> allowed_for_others_ = {kMissing};
  absl::btree_map<FrontendKey, Diallers> diallers_;
  absl::flat_hash_map<uint32_t, shunt_service> services_;
  absl::btree_map<FrontendKey, Found> found_;
  // The clock when a frontend last led there, by id.
  std::vector<size_t> slots_seen_, backends_seen_;
  size_t clock_ = 1;       // grows with every write
  size_t held_since_ = 0;  // programs that run now began at this clock or later
};

// Grace periods that end when a test says so, or when somebody waits.
class FakeGracePeriod : public GracePeriod {
 public:
  explicit FakeGracePeriod(ReaderModel* model = nullptr) : model_(model) {}

  uint64_t Begin() override {
    began_.push_back(model_ != nullptr ? model_->clock() : 0);
    return began_.size();
  }
  bool HasEnded(uint64_t ticket) override { return ticket <= ended_; }
  void WaitFor(uint64_t ticket) override {
    if (ticket > ended_) ++waits_;
    End(ticket);
  }

  // All that have begun.
  void EndAll() { End(began_.size()); }
  size_t begun() const { return began_.size(); }
  size_t waits() const { return waits_; }

 private:
  void End(uint64_t ticket) {
    for (; ended_ < ticket; ++ended_) {
      if (model_ != nullptr) model_->GracePeriodEnded(began_[ended_]);
    }
  }

  ReaderModel* model_;
  std::vector<size_t> began_;  // clock by ticket
  uint64_t ended_ = 0;
  size_t waits_ = 0;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_DATAPATH_READER_MODEL_H_
