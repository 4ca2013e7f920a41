// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"

namespace shunt::testing {
namespace {

// A place to dial, and what is to become of that. Somebody listens there, so
// that it is the programs who say no.
struct Situation {
  HostPort ipv4, ipv6;
  shunt_verdict verdict;
  int error;  // 0: let through to who listens there
};

const HostPort kPod = HostPort::Of("10.244.1.5:8080"), kPod6 = HostPort::Of("[fd00:244::5]:8080");

const Situation kNoEndpoint = {HostPort::Of("10.96.0.11:80"), HostPort::Of("[fd00:96::11]:80"),
                               SHUNT_NO_ENDPOINT, ECONNREFUSED};
const Situation kNoPort = {HostPort::Of("10.96.0.11:81"), HostPort::Of("[fd00:96::11]:81"),
                           SHUNT_NO_PORT, ECONNREFUSED};
const Situation kNoLocalEndpoint = {HostPort::Of("10.96.0.12:80"), HostPort::Of("[fd00:96::12]:80"),
                                    SHUNT_NO_LOCAL_ENDPOINT, ETIMEDOUT};
const Situation kSourceDenied = {HostPort::Of("203.0.113.5:80"), HostPort::Of("[2001:db8::5]:80"),
                                 SHUNT_SOURCE_DENIED, ETIMEDOUT};
const Situation kNotAService = {HostPort::Of("192.0.2.77:80"), HostPort::Of("[2001:db8::77]:80"),
                                SHUNT_NOT_A_SERVICE, 0};

class Verdict : public DatapathTest {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::vector<HostPort> places = {kPod, kPod6};
    for (const Situation& s : {kNoEndpoint, kNoPort, kNoLocalEndpoint, kSourceDenied, kNotAService})
      places.insert(places.end(), {s.ipv4, s.ipv6});
    DatapathState state;
    for (shunt_protocol protocol : {SHUNT_TCP, SHUNT_UDP}) {
      Serve(places, protocol);
      AddServices(protocol, state);
    }
    Apply(state);
  }

  uint64_t RunsAt(shunt_verdict verdict, shunt_hook hook) {
    absl::StatusOr<VerdictCounters> counters = ReadCounters(bpffs());
    EXPECT_TRUE(counters.ok()) << counters.status();
    return counters.ok() ? (*counters)[verdict][hook] : 0;
  }

  void ExpectVerdict(const Situation& situation, const HostPort& to, const DialOptions& how,
                     shunt_hook hook) {
    SCOPED_TRACE(absl::StrCat(to.ToString(), " transport ", static_cast<int>(how.transport),
                              how.mapped ? " mapped" : "", " hook ", static_cast<int>(hook)));
    const uint64_t before = RunsAt(situation.verdict, hook);
    const DialResult result = Dial(to, how);
    EXPECT_EQ(result.error, situation.error) << result.ToString();
    EXPECT_EQ(result.answer, situation.error == 0 ? to.ToString() : "");
    // Who answers is in the cgroup, too, and no Service is what it sends to.
    const uint64_t runs = RunsAt(situation.verdict, hook) - before;
    EXPECT_TRUE(situation.error == 0 ? runs >= 1 : runs == 1) << runs;
  }

  // By every way to connect or send, and in each at the hook that it goes through.
  void ExpectVerdictHoweverDialled(const Situation& situation) {
    for (Transport transport : {Transport::kTcp, Transport::kTcpNonBlocking,
                                Transport::kTcpFastOpen, Transport::kUdpConnected}) {
      ExpectVerdict(situation, situation.ipv4, {.transport = transport}, SHUNT_CONNECT4);
      ExpectVerdict(situation, situation.ipv4, {.transport = transport, .mapped = true},
                    SHUNT_CONNECT6);
      ExpectVerdict(situation, situation.ipv6, {.transport = transport}, SHUNT_CONNECT6);
    }
    const DialOptions datagram = {.transport = Transport::kUdp};
    ExpectVerdict(situation, situation.ipv4, datagram, SHUNT_SENDMSG4);
    ExpectVerdict(situation, situation.ipv4, {.transport = Transport::kUdp, .mapped = true},
                  SHUNT_SENDMSG4);
    ExpectVerdict(situation, situation.ipv6, datagram, SHUNT_SENDMSG6);
  }

 private:
  static void AddServices(shunt_protocol protocol, DatapathState& state) {
    const auto add = [&](const ServiceSpec& spec, auto&& change) {
      ServicePortState port = *StateOf(spec);
      change(port);
      state[NameOf(spec)] = std::make_shared<const ServicePortState>(std::move(port));
    };
    const std::vector<HostPort> pods = {kPod, kPod6};
    add({"empty", protocol, {kNoEndpoint.ipv4, kNoEndpoint.ipv6}, {}}, [&](auto& port) {
      if (protocol == SHUNT_TCP) AddOtherPorts(port);
    });
    add({"remote", protocol, {kNoLocalEndpoint.ipv4, kNoLocalEndpoint.ipv6}, pods}, [](auto& port) {
      for (Frontend& frontend : port.frontends) {
        frontend.list = BackendList::kLocal;
        frontend.when_empty = SHUNT_NO_LOCAL_ENDPOINT;
      }
      for (Backend& backend : port.backends) backend.in_local_list = false;
    });
    add({"ranges", protocol, {kSourceDenied.ipv4, kSourceDenied.ipv6}, pods}, [](auto& port) {
      for (Frontend& frontend : port.frontends) {
        frontend.kind = SHUNT_LOAD_BALANCER_IP;
        frontend.checks_source = true;
      }
    });
  }

  static void AddOtherPorts(ServicePortState& port) {
    for (const HostPort& vip : {kNoEndpoint.ipv4, kNoEndpoint.ipv6}) {
      port.frontends.push_back(
          {.key = {.address = vip.address, .port = 0, .protocol = SHUNT_ANY_PROTOCOL},
           .kind = SHUNT_OTHER_PORTS,
           .when_empty = SHUNT_NO_PORT});
    }
    std::sort(port.frontends.begin(), port.frontends.end());
  }
};

TEST_F(Verdict, WithoutAnEndpointEverybodyIsRefused) { ExpectVerdictHoweverDialled(kNoEndpoint); }

TEST_F(Verdict, APortThatAClusterIpDoesNotHaveIsRefused) { ExpectVerdictHoweverDialled(kNoPort); }

TEST_F(Verdict, WithoutALocalEndpointEverybodyTimesOutAtOnce) {
  ExpectVerdictHoweverDialled(kNoLocalEndpoint);
}

TEST_F(Verdict, WhomNoSourceRangeNamesTimesOutAtOnce) {
  ExpectVerdictHoweverDialled(kSourceDenied);
}

TEST_F(Verdict, WhatIsNoServiceIsLetThrough) { ExpectVerdictHoweverDialled(kNotAService); }

TEST_F(Verdict, OfPortZeroIsThatOfAPortThatTheClusterIpDoesNotHave) {
  const HostPort zero = {kNoPort.ipv4.address, 0};
  for (Transport transport : {Transport::kTcp, Transport::kUdpConnected}) {
    ExpectVerdict(kNoPort, zero, {.transport = transport}, SHUNT_CONNECT4);
  }
}

}  // namespace
}  // namespace shunt::testing
