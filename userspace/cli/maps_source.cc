// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/api/explain_connect.h"
#include "userspace/base/status.h"
#include "userspace/cli/source.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/opt_outs.h"
#include "userspace/datapath/state_from_maps.h"

namespace shunt {
namespace {

// Maps tell nobody that they changed, so a watch looks.
constexpr absl::Duration kLookAgain = absl::Seconds(1);

bool Equal(const DatapathState& a, const DatapathState& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && *x.second == *y.second;
  });
}

class MapsSource final : public Source {
 public:
  explicit MapsSource(const std::string& bpffs) : bpffs_(bpffs) {}

  absl::StatusOr<DatapathState> State(const ServiceFilter& filter) override {
    SHUNT_ASSIGN_OR_RETURN(const std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs_));
    SHUNT_ASSIGN_OR_RETURN(const DatapathState all, StateFromMaps(*maps));
    DatapathState state;
    for (const auto& [name, port] : all) {
      if (filter.Matches(name)) state.emplace(name, port);
    }
    return state;
  }

  absl::Status WatchState(const ServiceFilter& filter, OnState on_state) override {
    SHUNT_ASSIGN_OR_RETURN(DatapathState state, State(filter));
    while (on_state(state)) {
      const DatapathState seen = std::move(state);
      do {
        absl::SleepFor(kLookAgain);
        SHUNT_ASSIGN_OR_RETURN(state, State(filter));
      } while (Equal(state, seen));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<StatusReport> Status() override {
    SHUNT_ASSIGN_OR_RETURN(const DatapathState state, State(ServiceFilter()));
    StatusReport report{.bpffs = bpffs_, .counts = CountsOf(state)};
    absl::StatusOr<VerdictCounters> counters = ReadCounters(bpffs_);
    if (counters.ok()) {
      report.counters = *counters;
    } else {
      report.counters_error = std::string(counters.status().message());
    }
    if (absl::StatusOr<AffinityCounts> affinity = CountAffinity(bpffs_); affinity.ok()) {
      report.affinity = *affinity;
    }
    return report;
  }

  absl::StatusOr<std::vector<TranslatedSocket>> Sockets(const ServiceFilter& filter) override {
    SHUNT_ASSIGN_OR_RETURN(std::vector<TranslatedSocket> sockets, ReadSockets(bpffs_));
    std::erase_if(sockets, [&](const auto& socket) { return !filter.Matches(socket.service); });
    return sockets;
  }

  absl::StatusOr<std::vector<PacketFlow>> Flows(const FlowFilter& filter) override {
    SHUNT_ASSIGN_OR_RETURN(std::vector<PacketFlow> flows, ReadFlows(bpffs_));
    std::erase_if(flows, [&](const PacketFlow& flow) { return !filter.Matches(flow); });
    return flows;
  }

  absl::StatusOr<std::vector<MapInfo>> Maps() override { return InspectMaps(bpffs_); }
  absl::StatusOr<std::vector<ProgramInfo>> Programs() override { return InspectPrograms(bpffs_); }

  absl::StatusOr<v1::ExplainServiceResponse> ExplainService(const NamespacedName&) override {
    return absl::FailedPreconditionError(
        "the maps do not know why a Service is served as it is: that needs an agent; "
        "get services and explain connect work without one");
  }

  absl::StatusOr<v1::ExplainConnectResponse> ExplainConnect(
      const v1::ExplainConnectRequest& request) override {
    SHUNT_ASSIGN_OR_RETURN(const DatapathState state, State(ServiceFilter()));
    ConnectFacts facts{.state = state};
    SHUNT_ASSIGN_OR_RETURN(facts.opt_outs, ReadOptOuts(bpffs_));
    SHUNT_ASSIGN_OR_RETURN(facts.affinity, ReadAffinityClients(bpffs_));
    return shunt::ExplainConnect(request, facts);
  }

  absl::StatusOr<std::vector<AffinityClient>> AffinityClients(
      const ServiceFilter& filter) override {
    SHUNT_ASSIGN_OR_RETURN(std::vector<AffinityClient> clients, ReadAffinityClients(bpffs_));
    std::erase_if(clients,
                  [&](const AffinityClient& client) { return !filter.Matches(client.service); });
    return clients;
  }

 private:
  const std::string bpffs_;
};

}  // namespace

std::unique_ptr<Source> MakeMapsSource(const std::string& bpffs) {
  return std::make_unique<MapsSource>(bpffs);
}

}  // namespace shunt
