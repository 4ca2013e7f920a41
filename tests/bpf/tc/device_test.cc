// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/bpf/tc/packet_test.h"
#include "tests/support/command.h"
#include "userspace/datapath/device_hooks.h"

namespace shunt::testing {
namespace {

// Programs at devices: by links, and by filters as before kernel 6.6.
class Device : public PacketTest, public ::testing::WithParamInterface<DeviceHooks::Way> {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Apply(DatapathState());
    const absl::Status made =
        MustRun({"ip", "link", "add", "uplink", "type", "veth", "peer", "name", "beyond"});
    ASSERT_TRUE(made.ok()) << made;
  }

  DeviceHooks Hooks() const { return DeviceHooks(PinDirectory(bpffs()), GetParam()); }
  UniqueFd Program(const char* name) const {
    return UniqueFd(bpf_obj_get((bpffs() + "/" + name).c_str()));
  }
  absl::Status AttachBoth(DeviceHooks hooks, uint32_t device) const {
    absl::Status status =
        hooks.Attach(PacketHook::kIngress, device, Program("shunt_ingress").get());
    status.Update(hooks.Attach(PacketHook::kEgress, device, Program("shunt_egress").get()));
    return status;
  }
  // How many programs stand there, of both ways.
  int Count(const char* device) const {
    int count = 0;
    for (const int hook : {46, 47}) {
      uint32_t programs[8] = {}, found = 8;
      LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = programs, .prog_cnt = found);
      if (bpf_prog_query_opts(static_cast<int>(if_nametoindex(device)),
                              static_cast<bpf_attach_type>(hook), &query) == 0) {
        count += static_cast<int>(query.prog_cnt);
      }
    }
    for (const char* hook : {"ingress", "egress"}) {
      const absl::StatusOr<CommandResult> filters =
          RunCommand({"tc", "filter", "show", "dev", device, hook});
      if (filters.ok() && absl::StrContains(filters->out, "direct-action")) ++count;
    }
    return count;
  }
};

TEST_P(Device, HasOurProgramsOnceHoweverOftenTheyArePutThere) {
  const uint32_t uplink = if_nametoindex("uplink");
  for (int i = 0; i < 3; ++i) {
    const absl::Status attached = AttachBoth(Hooks(), uplink);
    ASSERT_TRUE(attached.ok()) << attached;
  }
  EXPECT_EQ(Count("uplink"), 2);
  EXPECT_EQ(Count("beyond"), 0);
}

TEST_P(Device, ThatIsNoLongerOursLosesThemAndOthersKeepThem) {
  const uint32_t uplink = if_nametoindex("uplink"), beyond = if_nametoindex("beyond");
  ASSERT_TRUE(AttachBoth(Hooks(), uplink).ok());
  ASSERT_TRUE(AttachBoth(Hooks(), beyond).ok());
  const absl::Status detached = Hooks().DetachOthers({beyond});
  ASSERT_TRUE(detached.ok()) << detached;
  EXPECT_EQ(Count("uplink"), 0);
  EXPECT_EQ(Count("beyond"), 2);
  ASSERT_TRUE(Hooks().DetachOthers({}).ok());
  EXPECT_EQ(Count("beyond"), 0);
}

TEST_P(Device, ThatIsGoneIsNoMistake) {
  const uint32_t uplink = if_nametoindex("uplink");
  ASSERT_TRUE(AttachBoth(Hooks(), uplink).ok());
  ASSERT_TRUE(MustRun({"ip", "link", "del", "uplink"}).ok());
  EXPECT_TRUE(absl::IsNotFound(AttachBoth(Hooks(), uplink)));
  const absl::Status detached = Hooks().DetachOthers({});
  EXPECT_TRUE(detached.ok()) << detached;
}

TEST_P(Device, OfANewKindUnderAnOldIndexGetsTheProgramsToo) {
  ASSERT_TRUE(AttachBoth(Hooks(), if_nametoindex("uplink")).ok());
  const std::string index = std::to_string(if_nametoindex("uplink"));
  ASSERT_TRUE(MustRun({"ip", "link", "del", "uplink"}).ok());
  const absl::Status made = MustRun(
      {"ip", "link", "add", "uplink", "index", index, "type", "veth", "peer", "name", "beyond"});
  ASSERT_TRUE(made.ok()) << made;
  ASSERT_TRUE(AttachBoth(Hooks(), if_nametoindex("uplink")).ok());
  EXPECT_EQ(Count("uplink"), 2);
}

INSTANTIATE_TEST_SUITE_P(, Device,
                         ::testing::Values(DeviceHooks::Way::kTcx, DeviceHooks::Way::kClsact),
                         [](const auto& info) {
                           return std::string(info.param == DeviceHooks::Way::kTcx ? "Tcx"
                                                                                   : "Clsact");
                         });

}  // namespace
}  // namespace shunt::testing
