// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/tc/packet_test.h"

#include <bpf/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/support/command.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

}  // namespace

Places PlacesOf(Family family) {
  if (family == Family::kIpv4) {
    return {.client = HostPort::Of("203.0.113.9:40000"),
            .router = HostPort::Of("198.51.100.1:0"),
            .vip = HostPort::Of("192.0.2.1:30080"),
            .other = HostPort::Of("192.0.2.100:80"),
            .local = HostPort::Of("10.244.1.5:8080"),
            .remote = HostPort::Of("10.244.2.7:8080"),
            .node = HostPort::Of("192.0.2.1:0").address};
  }
  return {.client = HostPort::Of("[2001:db8:9::9]:40000"),
          .router = HostPort::Of("[2001:db8:8::1]:0"),
          .vip = HostPort::Of("[2001:db8:2::1]:30080"),
          .other = HostPort::Of("[2001:db8:2::100]:80"),
          .local = HostPort::Of("[fd00:244:1::5]:8080"),
          .remote = HostPort::Of("[fd00:244:2::7]:8080"),
          .node = HostPort::Of("[2001:db8:2::1]:0").address};
}

void PacketTest::Serve(const std::vector<HostPort>& frontends, const std::vector<Backend>& backends,
                       shunt_protocol protocol,
                       const std::function<void(ServicePortState&)>& change) {
  const ServiceSpec spec{
      .name = "web", .protocol = protocol, .frontends = frontends, .backends = {}};
  ServicePortState state = *StateOf(spec);
  state.backends = backends;
  if (change) change(state);
  std::sort(state.frontends.begin(), state.frontends.end());
  std::sort(state.backends.begin(), state.backends.end());
  DatapathState all;
  all[NameOf(spec)] = std::make_shared<const ServicePortState>(std::move(state));
  Apply(all);
}

void PacketTest::MakeDevice() {
  const absl::Status made =
      MustRun({"ip", "link", "add", "uplink", "type", "veth", "peer", "name", "beyond"});
  ASSERT_TRUE(made.ok()) << made;
  device_ = if_nametoindex("uplink");
  const absl::Status set = datapath().SetDevices({{.index = device_,
                                                   .name = "uplink",
                                                   .address4 = PlacesOf(Family::kIpv4).node,
                                                   .address6 = PlacesOf(Family::kIpv6).node}});
  ASSERT_TRUE(set.ok()) << set;
}

Outcome PacketTest::Arrive(const Frame& frame) {
  absl::StatusOr<Outcome> outcome = PacketRunner(bpffs()).Arrive(frame, device_);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.value_or(Outcome());
}

Outcome PacketTest::Leave(const Frame& frame) {
  absl::StatusOr<Outcome> outcome = PacketRunner(bpffs()).Leave(frame, device_);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.value_or(Outcome());
}

Packet PacketTest::GoneOn(const Outcome& outcome) {
  EXPECT_EQ(outcome.fate, Fate::kGoesOn);
  absl::StatusOr<Packet> packet = Read(outcome.frame);
  EXPECT_TRUE(packet.ok()) << packet.status();
  if (!packet.ok()) return {};
  EXPECT_TRUE(packet->checksums_fit);
  return *packet;
}

void PacketTest::ExpectUntouched(const Outcome& outcome, const Frame& frame) {
  EXPECT_EQ(outcome.fate, Fate::kGoesOn);
  EXPECT_EQ(outcome.frame, frame);
}

UniqueFd PacketTest::FlowMap() const {
  return UniqueFd(bpf_obj_get((bpffs() + "/shunt_flows").c_str()));
}

std::vector<shunt_flow_key> PacketTest::FlowKeys() const {
  const UniqueFd map = FlowMap();
  std::vector<shunt_flow_key> keys;
  shunt_flow_key key;
  for (const void* previous = nullptr; bpf_map_get_next_key(map.get(), previous, &key) == 0;
       previous = &key) {
    keys.push_back(key);
  }
  return keys;
}

void PacketTest::Age(uint64_t seconds) const {
  const UniqueFd map = FlowMap();
  for (const shunt_flow_key& key : FlowKeys()) {
    shunt_flow flow = {};
    ASSERT_EQ(bpf_map_lookup_elem(map.get(), &key, &flow), 0);
    flow.last_used_ns -= seconds * kSecond;
    ASSERT_EQ(bpf_map_update_elem(map.get(), &key, &flow, BPF_EXIST), 0);
  }
}

void PacketTest::ForgetLeaving() const {
  const UniqueFd map = FlowMap();
  for (const shunt_flow_key& key : FlowKeys()) {
    if (key.direction == SHUNT_LEAVES) {
      ASSERT_EQ(bpf_map_delete_elem(map.get(), &key), 0);
    }
  }
}

Packet AnswerTo(const Packet& packet, uint8_t flags) {
  Packet answer = packet;
  std::swap(answer.from, answer.to);
  answer.flags = flags;
  return answer;
}

}  // namespace shunt::testing
