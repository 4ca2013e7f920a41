// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class Completion : public CliFixture {
 protected:
  // The candidates for the last word of a line.
  std::vector<std::string> For(std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    std::vector<std::string> candidates;
    const std::string out = Run(words).out;
    for (const auto line : absl::StrSplit(out, '\n', absl::SkipEmpty())) {
      candidates.emplace_back(line.substr(0, line.find('\t')));
    }
    return candidates;
  }

  // What bash offers for the line, with the real script.
  std::string InBash(const std::string& line) {
    const std::string script = directory_ + "/completion.bash";
    std::ofstream(script) << Run({"completion", "bash"}).out << "\nCOMP_LINE='" << line
                          << "'; COMP_POINT=${#COMP_LINE}\n"
                          << "read -r -a COMP_WORDS <<<\"$COMP_LINE\"\n"
                          << "[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')\n"
                          << "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                          << "shuntctl() { printf '<%s>\\t(about)\\n' \"$@\"; }\n"
                          << "_shuntctl; printf '%s|' \"${COMPREPLY[@]}\"\n";
    std::string output;
    FILE* bash = popen(absl::StrCat("bash ", script, " 2>&1").c_str(), "r");
    char buffer[256];
    while (fgets(buffer, sizeof(buffer), bash) != nullptr) output += buffer;
    EXPECT_EQ(pclose(bash), 0);
    return output;
  }
};

TEST_F(Completion, OffersCommands) {
  EXPECT_THAT(For({"d"}), ElementsAre("describe", "dump"));
  EXPECT_THAT(For({"get", ""}), UnorderedElementsAre("services", "backends", "sockets", "flows",
                                                     "maps", "programs", "affinity"));
  EXPECT_THAT(For({"explain", ""}), UnorderedElementsAre("service", "connect", "packet"));
}

TEST_F(Completion, OffersTheOptionsOfTheCommandAndOfAll) {
  EXPECT_THAT(For({"get", "services", "--"}), Contains("--all-namespaces"));
  EXPECT_THAT(For({"get", "services", "--"}), Contains("--socket"));
  EXPECT_THAT(For({"dump", "--"}), Not(Contains("--all-namespaces")));
}

TEST_F(Completion, OffersTheValuesOfAnOption) {
  EXPECT_THAT(For({"get", "services", "-o", ""}), ElementsAre("table", "wide", "json", "yaml"));
  EXPECT_THAT(For({"get", "services", "-o", "j"}), ElementsAre("json"));
  EXPECT_THAT(For({"status", "--output=y"}), ElementsAre("--output=yaml"));
  EXPECT_THAT(For({"--source", ""}), ElementsAre("agent", "maps"));
  EXPECT_THAT(For({"completion", "z"}), ElementsAre("zsh"));
}

TEST_F(Completion, OffersServicesAndNamespacesThatExist) {
  StartServer();
  EXPECT_THAT(For({"describe", "service", "-n", "shop", "w"}), ElementsAre("web"));
  EXPECT_THAT(For({"explain", "service", "shop/w"}), ElementsAre("shop/web"));
  EXPECT_THAT(For({"get", "svc", "shop/"}), ElementsAre("shop/dns", "shop/web"));
  EXPECT_THAT(For({"get", "svc", "-n", ""}), ElementsAre("shop"));
}

TEST_F(Completion, OffersNothingWhereAFileIsWantedOrNothingFits) {
  EXPECT_THAT(For({"--socket", ""}), IsEmpty());
  EXPECT_THAT(For({"nonsense", ""}), IsEmpty());
  EXPECT_THAT(For({"status", ""}), IsEmpty());
  EXPECT_THAT(For({}), IsEmpty());
}

TEST_F(Completion, OfBashPassesTheWordsOnAndOffersTheAnswer) {
  EXPECT_EQ(InBash("shuntctl get serv"), "<__complete>|<get>|<serv>|");
  EXPECT_EQ(InBash("shuntctl get "), "<__complete>|<get>|<>|");
}

TEST_F(Completion, ScriptsAreDifferentAndNameShuntctl) {
  const std::string bash = Run({"completion", "bash"}).out;
  const std::string zsh = Run({"completion", "zsh"}).out;
  const std::string fish = Run({"completion", "fish"}).out;
  EXPECT_NE(bash, zsh);
  EXPECT_NE(zsh, fish);
  EXPECT_THAT(zsh, ::testing::StartsWith("#compdef shuntctl\n"));
  EXPECT_THAT(fish, ::testing::HasSubstr("complete -c shuntctl"));
}

}  // namespace
}  // namespace shunt
