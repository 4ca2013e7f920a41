// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_ENVIRONMENT_H_
#define SHUNT_TESTS_SUPPORT_ENVIRONMENT_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace shunt::testing {

// Where a privileged run takes place: namespaces and a cgroup of its own.
struct Environment {
  std::string cgroup;     // shunt-test-PID below the cgroup v2 mount; this process is in it
  std::string directory;  // for files
  std::string bpffs;      // an empty bpf file system, below `directory`
};

// The run's environment, or why there is none.
const absl::StatusOr<Environment>& GetEnvironment();

// Runs `body` in a child process with an environment, and removes what the run
// made, also when the child crashes or this process is told to end. Returns
// the exit code. Called once, by main(), before there are threads.
int RunInEnvironment(absl::FunctionRef<int()> body);

// Moves the calling thread, and threads that it starts later, to a network
// namespace that holds nothing but `lo`.
absl::Status EnterFreshNetwork();

// The base of every test that needs root: skips it where there is no
// environment, and says why. Each test has a network of its own.
class PrivilegedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!GetEnvironment().ok()) GTEST_SKIP() << GetEnvironment().status().message();
    const absl::Status entered = EnterFreshNetwork();
    ASSERT_TRUE(entered.ok()) << entered;
  }
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_ENVIRONMENT_H_
