// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/scenario/scenario.h"
#include "tests/scenario/scenario_files.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/net_namespace.h"
#include "tests/support/packet.h"
#include "tests/support/packet_runner.h"
#include "userspace/planner/planner.h"
#include "userspace/state/dump.h"
#include "userspace/state/tracer.h"

namespace shunt::testing {
namespace {

// Each scenario in the kernel: planner, reconciler, programs, real sockets. The
// test's own network namespace is the host's; each pod that dials has another.
// Packets from outside are given to the packet programs, without a device.
class ScenarioKernel : public DatapathTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void MakePods(const Scenario& scenario);
  void ServeEverywhere(const Scenario& scenario);
  void Check(const TrafficLine& line, const DatapathState& state);

  // Loading the packet programs takes a while.
  bool packets() const override;

 private:
  // Dials from where the line says.
  DialResult DialFrom(const TrafficLine& line) const;
  void ExpectBackends(const TrafficLine& line) const;
  void ExpectSameBackend(const TrafficLine& line, const ServicePortName& service);
  // The same for packets that arrive.
  void CheckArrival(const TrafficLine& line);
  void ExpectArrivals(const TrafficLine& line);
  Frame NextFrame(const TrafficLine& line);  // of a flow of its own
  Outcome Arrive(const Frame& frame) const;

  std::map<IpAddress, NetNamespace> pods_;
  // What a client ("" for the host) had of a Service with affinity.
  std::map<std::pair<std::string, ServicePortName>, std::string> had_;
  uint16_t client_port_ = 20000;
};

using Places = std::set<std::pair<HostPort, shunt_protocol>>;

// Somebody listens wherever traffic could end, rightly or wrongly: at every
// endpoint, usable or not, at what is dialled directly, and at what is refused
// (so that a refusal is the programs' and not lo's).
Places ListeningPlaces(const Scenario& scenario) {
  Places places;
  for (const Step& step : scenario.steps) {
    for (const auto& [name, input] : step.cluster.services) {
      for (const auto& slice : input.slices) {
        for (const EndpointPort& port : slice->ports) {
          for (const Endpoint& endpoint : slice->endpoints) {
            places.insert({{endpoint.address, port.port}, port.protocol});
          }
        }
      }
    }
    for (const TrafficLine& line : step.traffic) {
      if (!line.IsServed()) places.insert({line.to, line.protocol()});
    }
  }
  std::erase_if(places, [](const auto& place) { return place.second == SHUNT_SCTP; });
  return places;
}

void ScenarioKernel::MakePods(const Scenario& scenario) {
  for (const Step& step : scenario.steps) {
    for (const TrafficLine& line : step.traffic) {
      if (line.origin != Origin::kPod || pods_.contains(line.client)) continue;
      absl::StatusOr<NetNamespace> pod = NetNamespace::Make();
      ASSERT_TRUE(pod.ok()) << pod.status();
      const absl::Status connected =
          pod->ConnectPod(absl::StrCat("shunt-p", pods_.size()), line.client);
      ASSERT_TRUE(connected.ok()) << connected;
      pods_.emplace(line.client, *std::move(pod));
    }
  }
}

// What has the address of a pod that dials is in that pod, all else on the host.
void ScenarioKernel::ServeEverywhere(const Scenario& scenario) {
  std::map<IpAddress, std::vector<Listener>> in_pods;
  std::vector<Listener> on_host;
  for (const auto& [at, protocol] : ListeningPlaces(scenario)) {
    const Listener listener = {.at = at, .protocol = protocol};
    (pods_.contains(at.address) ? in_pods[at.address] : on_host).push_back(listener);
  }
  Serve(on_host);
  for (const auto& [address, listeners] : in_pods) {
    pods_.at(address).Run([&] { Serve(listeners); });
  }
}

DialResult ScenarioKernel::DialFrom(const TrafficLine& line) const {
  if (line.origin == Origin::kHost) return Dial(line.to, line.how);
  DialResult result;
  pods_.at(line.client).Run([&] { result = Dial(line.to, line.how); });
  return result;
}

// What the client was shown is what it dialled.
void ExpectDialledIsShown(const TrafficLine& line, const DialResult& result) {
  if (line.how.transport != Transport::kUdp) {
    EXPECT_EQ(result.peer, line.to.ToString());
  }
  if (IsUdp(line.how.transport)) {
    EXPECT_EQ(result.from, line.to.ToString());
  }
}

void ScenarioKernel::ExpectBackends(const TrafficLine& line) const {
  std::set<std::string> expected, seen;
  for (const HostPort& backend : line.backends) expected.insert(backend.ToString());
  // Each is missed with a chance of (1 - 1/n)^(64 n), below e^-64.
  const size_t most_tries = 64 * expected.size();
  for (size_t i = 0; i < most_tries && seen != expected; ++i) {
    const DialResult result = DialFrom(line);
    ASSERT_EQ(result.error, 0) << result.ToString();
    ASSERT_TRUE(expected.contains(result.answer)) << result.ToString();
    ExpectDialledIsShown(line, result);
    seen.insert(result.answer);
  }
  EXPECT_EQ(seen, expected) << "not all were chosen in " << most_tries << " tries";
}

void ScenarioKernel::ExpectSameBackend(const TrafficLine& line, const ServicePortName& service) {
  std::set<std::string> allowed;
  for (const HostPort& backend : line.backends) allowed.insert(backend.ToString());
  const std::string client = line.origin == Origin::kHost ? "" : line.client.ToString();
  std::string& had = had_[{client, service}];
  if (allowed.contains(had)) allowed = {had};
  for (int i = 0; i < 8; ++i) {
    const DialResult result = DialFrom(line);
    ASSERT_EQ(result.error, 0) << result.ToString();
    ASSERT_TRUE(allowed.contains(result.answer)) << result.ToString() << " after " << had;
    ExpectDialledIsShown(line, result);
    had = result.answer;
    allowed = {had};
  }
}

bool ScenarioKernel::packets() const {
  const absl::StatusOr<Scenario> scenario = LoadScenario(GetParam());
  if (!scenario.ok()) return false;
  return std::any_of(scenario->steps.begin(), scenario->steps.end(), [](const Step& step) {
    return std::any_of(step.traffic.begin(), step.traffic.end(),
                       [](const TrafficLine& line) { return line.origin == Origin::kOutside; });
  });
}

Frame ScenarioKernel::NextFrame(const TrafficLine& line) {
  return Build(
      Packet{.from = {line.client, ++client_port_}, .to = line.to, .protocol = line.protocol()});
}

Outcome ScenarioKernel::Arrive(const Frame& frame) const {
  absl::StatusOr<Outcome> outcome = PacketRunner(bpffs()).Arrive(frame);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.value_or(Outcome());
}

void ScenarioKernel::ExpectArrivals(const TrafficLine& line) {
  std::set<HostPort> expected(line.backends.begin(), line.backends.end()), seen;
  const size_t most_tries = 64 * expected.size();
  for (size_t i = 0; i < most_tries && seen != expected; ++i) {
    const Outcome outcome = Arrive(NextFrame(line));
    ASSERT_EQ(outcome.fate, Outcome::Fate::kGoesOn);
    const absl::StatusOr<Packet> packet = Read(outcome.frame);
    ASSERT_TRUE(packet.ok() && packet->checksums_fit) << packet.status();
    ASSERT_TRUE(expected.contains(packet->to)) << packet->to.ToString();
    seen.insert(packet->to);
    if (line.fate == TrafficFate::kSticky) expected = {packet->to};
  }
  EXPECT_EQ(seen, expected) << "not all were chosen in " << most_tries << " tries";
}

void ScenarioKernel::CheckArrival(const TrafficLine& line) {
  SCOPED_TRACE(line.text);
  switch (line.fate) {
    case TrafficFate::kBackends:
    case TrafficFate::kSticky:
      return ExpectArrivals(line);
    case TrafficFate::kRefused:
      EXPECT_EQ(Arrive(NextFrame(line)).fate, Outcome::Fate::kSentBack);
      return;
    case TrafficFate::kDropped:
    case TrafficFate::kDenied:
      EXPECT_EQ(Arrive(NextFrame(line)).fate, Outcome::Fate::kDropped);
      return;
    case TrafficFate::kDirect: {
      const Frame frame = NextFrame(line);
      const Outcome outcome = Arrive(frame);
      EXPECT_EQ(outcome.fate, Outcome::Fate::kGoesOn);
      EXPECT_EQ(outcome.frame, frame);
      return;
    }
  }
}

void ScenarioKernel::Check(const TrafficLine& line, const DatapathState& state) {
  if (line.origin == Origin::kOutside) return CheckArrival(line);
  SCOPED_TRACE(line.text);
  switch (line.fate) {
    case TrafficFate::kBackends:
      return ExpectBackends(line);
    case TrafficFate::kSticky:
      return ExpectSameBackend(line,
                               TraceConnect(state, line.dialled(), line.tracer_client()).service);
    case TrafficFate::kRefused: {
      const DialResult result = DialFrom(line);
      EXPECT_EQ(result.error, ECONNREFUSED) << result.ToString();
      return;
    }
    case TrafficFate::kDropped:
    case TrafficFate::kDenied: {
      const DialResult result = DialFrom(line);
      EXPECT_EQ(result.error, ETIMEDOUT) << result.ToString();
      return;
    }
    case TrafficFate::kDirect: {
      const DialResult result = DialFrom(line);
      EXPECT_EQ(result.answer, line.to.ToString()) << result.ToString();
      return ExpectDialledIsShown(line, result);
    }
  }
}

// Equal but for what is not kept: nothing.
void ExpectEqual(const absl::StatusOr<DatapathState>& kernel, const DatapathState& planned) {
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(Dump(*kernel), Dump(planned));
  ASSERT_EQ(kernel->size(), planned.size());
  for (const auto& [name, port] : planned) {
    ASSERT_TRUE(kernel->contains(name)) << name.ToString();
    EXPECT_TRUE(*kernel->at(name) == *port) << name.ToString();
  }
}

TEST_P(ScenarioKernel, TrafficEndsWhereTheFileSays) {
  absl::StatusOr<Scenario> scenario = LoadScenario(GetParam());
  ASSERT_TRUE(scenario.ok()) << scenario.status().message();
  MakePods(*scenario);
  ServeEverywhere(*scenario);
  Planner planner(scenario->node_name);
  ClusterSnapshot before;
  for (const Step& step : scenario->steps) {
    planner.SetNodePortAddresses(step.node_port_addresses);
    ApplyChanges(planner.Update(Difference(before, step.cluster)));
    ExpectEqual(StateFromMaps(datapath().maps()), planner.state());
    for (const TrafficLine& line : step.traffic) Check(line, planner.state());
    before = step.cluster;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioKernel, ::testing::ValuesIn(ScenarioFiles()), ScenarioName);

}  // namespace
}  // namespace shunt::testing
