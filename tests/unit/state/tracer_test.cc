// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/unit/state/state_builder.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ServicePortName kWeb{"shop", "web", "http"};

DatapathState Shop() {
  DatapathState state;
  state[kWeb] =
      Port({{.key = Key("10.96.0.10", 80)}, {.key = Key("10.96.0.11", 80)}},
           {Chosen("10.244.1.5", 8080), Draining("10.244.1.6", 8080), Chosen("10.244.2.7", 8080)});
  state[{"shop", "api", ""}] = Port({{.key = Key("10.96.0.12", 443)}}, {});
  return state;
}

TEST(TraceConnect, ToAServiceMayEndAtEachChosenBackend) {
  for (const auto* address : {"10.96.0.10", "10.96.0.11"}) {
    const Trace trace = TraceConnect(Shop(), Key(address, 80));
    EXPECT_EQ(trace.verdict, SHUNT_TRANSLATED);
    EXPECT_EQ(trace.service, kWeb);
    EXPECT_THAT(trace.candidates,
                ElementsAre(Chosen("10.244.1.5", 8080), Chosen("10.244.2.7", 8080)));
  }
}

TEST(TraceConnect, ToAServiceWithoutEndpointsIsRefusedByThatService) {
  const Trace trace = TraceConnect(Shop(), Key("10.96.0.12", 443));
  EXPECT_EQ(trace.verdict, SHUNT_NO_ENDPOINT);
  EXPECT_EQ(trace.service.name, "api");
  EXPECT_THAT(trace.candidates, IsEmpty());
}

TEST(TraceConnect, ElsewhereIsLeftAlone) {
  for (const FrontendKey& key : {Key("10.96.0.10", 81), Key("10.96.0.10", 80, SHUNT_UDP),
                                 Key("1.1.1.1", 80), Key("10.244.1.5", 8080)}) {
    const Trace trace = TraceConnect(Shop(), key);
    EXPECT_EQ(trace.verdict, SHUNT_NOT_A_SERVICE) << key.ToString();
    EXPECT_THAT(trace.candidates, IsEmpty());
  }
}

TEST(TraceConnect, ByAClientThatIsLeftAloneNamesTheServiceAndNoBackend) {
  const Trace trace = TraceConnect(Shop(), Key("10.96.0.10", 80), {.left_alone = true});
  EXPECT_EQ(trace.verdict, SHUNT_LEFT_ALONE);
  EXPECT_EQ(trace.step, TraceStep::kLeftAlone);
  EXPECT_EQ(trace.service, kWeb);
  EXPECT_THAT(trace.candidates, IsEmpty());
  EXPECT_EQ(TraceConnect(Shop(), Key("1.1.1.1", 80), {.left_alone = true}).verdict,
            SHUNT_NOT_A_SERVICE)
      << "the programs look for a frontend first";
}

TEST(TraceConnect, WithSctpIsNotSeenAtTheSocket) {
  DatapathState state;
  state[kWeb] = Port({{.key = Key("10.96.0.10", 80, SHUNT_SCTP)}}, {Chosen("10.244.1.5", 8080)});
  const Trace trace = TraceConnect(state, Key("10.96.0.10", 80, SHUNT_SCTP));
  EXPECT_EQ(trace.verdict, SHUNT_NOT_A_SERVICE);
  EXPECT_EQ(trace.step, TraceStep::kProtocol);
  EXPECT_EQ(trace.service, kWeb);
}

TEST(TraceConnect, ToALoopbackNodePortFromAPodSaysWhoseItIs) {
  DatapathState state;
  state[kWeb] =
      Port({{.key = Key("127.0.0.1", 30080), .host_only = true}}, {Chosen("10.244.1.5", 8080)});
  const Trace trace = TraceConnect(state, Key("127.0.0.1", 30080));
  EXPECT_EQ(trace.verdict, SHUNT_NOT_A_SERVICE);
  EXPECT_EQ(trace.step, TraceStep::kHostOnly);
  EXPECT_EQ(trace.service, kWeb);
}

class Affinity : public ::testing::Test {
 protected:
  static std::optional<Backend> KeptOf(std::string_view address, double idle_s) {
    ServicePortState port{.frontends = {{.key = Key("10.96.0.10", 80)}},
                          .backends = {Chosen("10.244.1.5", 8080), Draining("10.244.1.6", 8080),
                                       Chosen("10.244.2.7", 8080)},
                          .affinity_timeout_s = 10};
    const DatapathState state = {{kWeb, std::make_shared<ServicePortState>(std::move(port))}};
    return TraceConnect(
               state, Key("10.96.0.10", 80),
               {.last = LastBackend{.address = Ip(address), .port = 8080, .idle_s = idle_s}})
        .kept;
  }
};

TEST_F(Affinity, KeepsTheBackendThatTheClientHadUntilTheTimeout) {
  EXPECT_EQ(KeptOf("10.244.2.7", 9.9), Chosen("10.244.2.7", 8080));
  EXPECT_EQ(KeptOf("10.244.2.7", 10), std::nullopt);
}

TEST_F(Affinity, DoesNotKeepABackendThatLeftTheList) {
  EXPECT_EQ(KeptOf("10.244.1.6", 1), std::nullopt) << "draining";
  EXPECT_EQ(KeptOf("10.244.9.9", 1), std::nullopt) << "gone";
}

TEST(ErrnoName, IsEpermWhereTheKernelHasNoOther) {
  EXPECT_EQ(ErrnoName(SHUNT_NO_ENDPOINT, false), "ECONNREFUSED");
  EXPECT_EQ(ErrnoName(SHUNT_SOURCE_DENIED, false), "ETIMEDOUT");
  EXPECT_EQ(ErrnoName(SHUNT_SOURCE_DENIED, true), "EPERM");
  EXPECT_EQ(ErrnoName(SHUNT_TRANSLATED, true), "") << "the call goes on";
}

TEST(VerdictName, IsAnotherWordForEachVerdict) {
  std::set<std::string_view> names;
  for (int verdict = 0; verdict < SHUNT_VERDICT_COUNT; ++verdict) {
    names.insert(VerdictName(static_cast<shunt_verdict>(verdict)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(SHUNT_VERDICT_COUNT));
  EXPECT_EQ(names.count("unknown"), 0u);
  EXPECT_EQ(VerdictName(SHUNT_NO_ENDPOINT), "no_endpoint");
}

TEST(TracePacket, IsTracedAsWhatIsDialledFromOutside) {
  FrontendKey dialled = Key("10.96.0.10", 80);
  dialled.scope = SHUNT_SCOPE_OUTSIDE;
  const Trace trace = TracePacket(Shop(), 40000, dialled, {.source = Ip("192.0.2.9")});
  EXPECT_EQ(trace.verdict, SHUNT_TRANSLATED);
  EXPECT_THAT(trace.candidates, SizeIs(2));
}

TEST(TracePacket, FromWhereNobodyCanBeAnsweredIsLeftToTheStack) {
  const auto step = [](const char* source, uint16_t port, const char* dialled) {
    return TracePacket(Shop(), port, Key(dialled, 80), {.source = Ip(source)}).step;
  };
  for (const char* source : {"0.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_EQ(step(source, 40000, "10.96.0.10"), TraceStep::kMartian) << source;
  }
  for (const char* source : {"::", "::1", "ff02::1"}) {
    EXPECT_EQ(step(source, 40000, "fd00::10"), TraceStep::kMartian) << source;
  }
  EXPECT_EQ(step("10.96.0.10", 80, "10.96.0.10"), TraceStep::kMartian) << "its own answer";
  EXPECT_EQ(step("10.96.0.10", 81, "10.96.0.10"), TraceStep::kList);
}

}  // namespace
}  // namespace shunt
