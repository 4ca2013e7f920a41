// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_DATAPATH_TEST_H_
#define SHUNT_TESTS_SUPPORT_DATAPATH_TEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "shunt/types.h"
#include "tests/support/echo_servers.h"
#include "tests/support/environment.h"
#include "tests/support/state_builder.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/map_store.h"
#include "userspace/datapath/reconciler.h"
#include "userspace/state/datapath_state.h"

namespace shunt::testing {

// The base of tests that dial through the real programs. Each test has pins
// and a cgroup of its own, and is in that cgroup; programs are attached by the
// first Apply(), and everything goes after the test.
class DatapathTest : public PrivilegedTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // For tests of another mode than that of most.
  virtual Datapath::SocketLb socket_lb() const { return Datapath::SocketLb::kAll; }
  // For tests of packets.
  virtual bool packets() const { return false; }
  // For tests of any other option; its places are filled in.
  virtual Datapath::Options options() const {
    return {.socket_lb = socket_lb(), .packets = packets()};
  }

  // Makes the kernel hold `state` and no more, and checks that it does.
  void Apply(const DatapathState& state);
  void Apply(const std::vector<ServiceSpec>& specs) { Apply(MakeState(specs)); }
  // The same for changes, without a look at what the kernel then holds.
  void ApplyChanges(const StateChanges& changes);

  // Starts servers that live until the test ends; it fails where they cannot.
  void Serve(const std::vector<HostPort>& at, shunt_protocol protocol = SHUNT_TCP);
  void Serve(const std::vector<Listener>& listeners);
  // Connections and datagrams that they have answered.
  uint64_t served() const;

  // What the kernel holds, in the text of Dump().
  std::string DumpOfKernel();
  // Runs that ended in `verdict`, at all hooks, since the test began.
  uint64_t Runs(shunt_verdict verdict);

  // As the death of the agent: what it pinned stays until the test ends.
  void EndAgent();

  const std::string& bpffs() const { return bpffs_; }
  const std::string& cgroup() const { return cgroup_; }
  Datapath& datapath() { return *datapath_; }
  Reconciler& reconciler() { return *reconciler_; }

 private:
  absl::Status Open();

  std::string bpffs_, cgroup_;
  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<GracePeriod> grace_period_;
  std::unique_ptr<Reconciler> reconciler_;
  bool attached_ = false;
  std::vector<std::unique_ptr<EchoServers>> servers_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_DATAPATH_TEST_H_
