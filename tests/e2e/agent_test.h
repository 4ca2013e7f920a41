// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_E2E_AGENT_TEST_H_
#define SHUNT_TESTS_E2E_AGENT_TEST_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/agent_process.h"
#include "tests/e2e/manifests.h"
#include "tests/support/command.h"
#include "tests/support/dial.h"
#include "tests/support/echo_servers.h"
#include "tests/support/environment.h"
#include "tests/support/socket_address.h"

namespace shunt::testing {

// The base of tests of the real binaries. Each test has a directory with
// manifests, pins, a cgroup that it is in, and a network of its own; and pods
// that listen.
class AgentTest : public PrivilegedTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Starts shuntd on the manifests and waits until the kernel is complete.
  void StartAgent(const std::vector<std::string>& more = {});
  std::unique_ptr<AgentProcess> Launch(const std::vector<std::string>& more = {});
  AgentProcess& agent() { return *agent_; }
  void EndAgent(int signal);

  // Runs shuntctl, or shuntd, to its end.
  CommandResult Ctl(std::vector<std::string> arguments);
  CommandResult Agent(const std::vector<std::string>& arguments);

  // Writes a manifest in place.
  void Write(const std::string& file, const std::string& text);
  void Write(const std::string& file, const ManifestSpec& spec) { Write(file, ToYaml(spec)); }

  // Waits until connections to `vip` are served by `pod`.
  void ExpectServedBy(const HostPort& vip, const HostPort& pod);
  // Waits until connections to `vip` fail with that errno.
  void ExpectError(const HostPort& vip, int error);
  void ExpectEventually(const std::string& what, const std::function<bool()>& condition);

  const std::string& directory() const { return directory_; }
  const std::string& cgroup() const { return cgroup_; }
  std::string manifests() const { return directory_ + "/manifests"; }
  std::string bpffs() const { return bpffs_; }
  std::string socket() const { return directory_ + "/shunt.sock"; }
  std::string reaper_socket() const { return directory_ + "/reaper.sock"; }
  std::vector<std::string> Arguments() const;

  const HostPort vip_ = HostPort::Of("10.96.0.10:80");
  const HostPort other_vip_ = HostPort::Of("10.96.0.11:80");
  // They listen on TCP and UDP.
  const std::vector<HostPort> pods_ = {HostPort::Of("10.244.1.1:8080"),
                                       HostPort::Of("10.244.1.2:8080"),
                                       HostPort::Of("10.244.1.3:8080")};

 private:
  std::string directory_, bpffs_, cgroup_;
  std::unique_ptr<EchoServers> servers_;
  std::unique_ptr<AgentProcess> agent_;
  int launched_ = 0;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_E2E_AGENT_TEST_H_
