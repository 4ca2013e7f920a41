// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/update/random_cluster.h"
#include "userspace/planner/explain.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

// What the explanation counts as selected for a frontend.
std::set<std::string> Selected(const PortReason& port, const Frontend& frontend) {
  std::set<std::string> selected;
  for (const EndpointReason& endpoint : port.endpoints) {
    const Fate fate = frontend.list == BackendList::kLocal ? endpoint.local : endpoint.cluster;
    if (IsSelected(fate)) selected.insert(AddressAndPort(endpoint.address, endpoint.port));
  }
  return selected;
}

std::set<std::string> Candidates(const Trace& trace) {
  std::set<std::string> candidates;
  for (const Backend& backend : trace.candidates) candidates.insert(backend.ToString());
  return candidates;
}

// A client of the host, which the source ranges name if they name anybody.
TraceClient AllowedClient(const PortReason& port, const Frontend& frontend) {
  TraceClient client{.in_host_namespace = true};
  for (const Cidr& range : port.sources) {
    if (range.family() == frontend.key.address.family()) client.source = range.address();
  }
  return client;
}

class ExplainedCluster {
 public:
  void Check(const RandomCluster& cluster, const Planner& planner) {
    for (const auto& [name, input] : cluster.snapshot().services) {
      const ServiceReason reason = ExplainService(input, planner.node(), planner.state());
      for (const PortReason& port : reason.ports) {
        for (const FrontendReason& frontend : port.frontends) {
          CheckFrontend(port, frontend, planner.state());
        }
      }
    }
  }

  int refused = 0, translated = 0, lost = 0;

 private:
  void CheckFrontend(const PortReason& port, const FrontendReason& reason,
                     const DatapathState& state) {
    const Frontend& frontend = reason.frontend;
    SCOPED_TRACE(absl::StrCat(port.name.ToString(), " ", frontend.key.ToString()));
    const Trace trace = TraceConnect(state, frontend.key, AllowedClient(port, frontend));
    ASSERT_TRUE(trace.frontend.has_value()) << "what is explained is served";
    if (!reason.owner.empty()) {
      EXPECT_EQ(absl::StrCat(trace.service.name_space, "/", trace.service.name), reason.owner);
      ++lost;
      return;
    }
    EXPECT_EQ(trace.service, port.name);
    EXPECT_EQ(*trace.frontend, frontend);
    if (trace.verdict == SHUNT_SOURCE_DENIED) return;  // nobody is named
    if (trace.step == TraceStep::kProtocol) return;    // SCTP: planned, and dialled by packets
    EXPECT_EQ(Candidates(trace), Selected(port, frontend));
    EXPECT_EQ(trace.candidates.size(), reason.choices);
    if (trace.verdict != SHUNT_TRANSLATED) EXPECT_EQ(trace.verdict, frontend.when_empty);
    ++(trace.verdict == SHUNT_TRANSLATED ? translated : refused);
  }
};

TEST(ExplainService, SelectsInAnyClusterWhatATraceMayReachAndNothingElse) {
  ExplainedCluster explained;
  for (unsigned seed = 0; seed < 200; ++seed) {
    RandomCluster cluster(seed);
    Planner planner("node-a");
    for (int step = 0; step < 8; ++step) {
      const ClusterChanges changes = cluster.Next();
      planner.SetNodePortAddresses(cluster.node_port_addresses());
      planner.Update(changes);
      SCOPED_TRACE(absl::StrCat("seed ", seed, " step ", step, "\n", Dump(planner.state())));
      explained.Check(cluster, planner);
      if (::testing::Test::HasFailure()) return;
    }
  }
  // Every way was gone often.
  EXPECT_GT(explained.translated, 1000);
  EXPECT_GT(explained.refused, 1000);
  EXPECT_GT(explained.lost, 100);
}

}  // namespace
}  // namespace shunt
