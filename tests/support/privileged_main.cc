// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/environment.h"

// main() of the programs that drive the real kernel.
int main(int argc, char** argv) {
  const auto run_tests = [&] {
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  };
  // Listing needs no root and must not make anything.
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--gtest_list_tests") return run_tests();
  }
  return shunt::testing::RunInEnvironment(run_tests);
}
