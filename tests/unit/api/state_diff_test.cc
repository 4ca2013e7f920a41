// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/state_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/api/api_fixture.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Diff : public ApiFixture {
 protected:
  static std::vector<std::string> Between(const DatapathState& before, const DatapathState& after) {
    std::vector<std::string> lines;
    DiffStates(before, after, [&](const ServicePortName& name, const ServicePortState* state) {
      lines.push_back((state == nullptr ? "-" : "+") + name.name);
      return true;
    });
    return lines;
  }

  static DatapathState Services(std::vector<std::string> names, uint16_t port = 80) {
    DatapathState state;
    for (const std::string& name : names) {
      state[{"shop", name, "", SHUNT_TCP}] = Port({Dialled("10.96.0.1", port)}, {});
    }
    return state;
  }
};

TEST_F(Diff, OfEqualStatesIsNothingAlsoWhereTheyShareNoObjects) {
  EXPECT_THAT(Between(Services({"a", "b"}), Services({"a", "b"})), IsEmpty());
}

TEST_F(Diff, TellsWhatCameWentAndChanged) {
  DatapathState after = Services({"b", "c", "e"});
  after.merge(Services({"f"}, 81));
  EXPECT_THAT(Between(Services({"a", "c", "d", "f"}), after),
              ElementsAre("-a", "+b", "-d", "+e", "+f"));
}

TEST_F(Diff, EndsWhenNobodyListensAnyMore) {
  int calls = 0;
  EXPECT_FALSE(
      DiffStates({}, Services({"a", "b"}), [&](const ServicePortName&, const ServicePortState*) {
        ++calls;
        return false;
      }));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace shunt
