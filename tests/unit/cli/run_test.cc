// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "nlohmann/json.hpp"
#include "tests/unit/cli/cli_fixture.h"
#include "userspace/base/unique_fd.h"
#include "userspace/cli/command.h"
#include "userspace/state/dump.h"
#include "yaml-cpp/yaml.h"

namespace shunt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Cli : public CliFixture {};

// --- usage

TEST_F(Cli, AWrongCommandGetsASuggestionAndExitCode2) {
  const Result result = Run({"gett", "services"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err,
              HasSubstr("unknown command \"gett\" for shuntctl. Did you mean \"get\"?"));
}

TEST_F(Cli, AWrongObjectGetsASuggestion) {
  EXPECT_THAT(Run({"get", "servces"}).err, HasSubstr("Did you mean \"services\"?"));
}

TEST_F(Cli, AWrongOptionGetsASuggestion) {
  const Result result = Run({"get", "maps", "--outptu", "json"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown option \"--outptu\" for shuntctl get maps. "
                                    "Did you mean \"--output\"?"));
}

TEST_F(Cli, AMissingCommandIsAskedFor) {
  EXPECT_EQ(Run({}).code, 2);
  EXPECT_THAT(Run({"get"}).err, HasSubstr("services, backends, sockets, flows, maps, programs"));
}

TEST_F(Cli, AWrongValueNamesTheRightOnes) {
  const Result result = Run({"get", "maps", "-o", "jsonpath"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("jsonpath"), HasSubstr("table,wide,json,yaml")));
}

TEST_F(Cli, WrongUsageIsExitCode2InEveryShape) {
  EXPECT_EQ(Run({"get", "services", "a", "b"}).code, 2);
  EXPECT_EQ(Run({"get", "services", "a/b/c"}).code, 2);
  EXPECT_EQ(Run({"get", "services", "/web"}).code, 2);
  EXPECT_EQ(Run({"describe", "service"}).code, 2);
  EXPECT_EQ(Run({"status", "-n"}).code, 2);
  EXPECT_EQ(Run({"completion", "tcsh"}).code, 2);
  EXPECT_EQ(Run({"status", "--request-timeout", "0"}).code, 2);
  EXPECT_EQ(Run({"get", "\x1b[31m"}).code, 2);
}

TEST_F(Cli, MessagesAboutOddArgumentsDoNotDriveTheTerminal) {
  EXPECT_THAT(Run({"\x1b[31m"}).err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"get", "maps", "--\x1b[31m"}).err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"get", "maps", "-o", "\x1b[31m"}).err, Not(HasSubstr("\x1b")));
}

TEST_F(Cli, HelpIsDataAndHasExamples) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "services", "--help"}, {"help", "get", "services"}}) {
    const Result result = Run(words);
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, AllOf(HasSubstr("Usage: shuntctl get services [OPTIONS] [NAME]"),
                                  HasSubstr("shuntctl get services -A")));
    EXPECT_THAT(result.err, IsEmpty());
  }
}

TEST_F(Cli, EveryCommandHasHelp) {
  for (const Command& command : Commands()) {
    std::vector<std::string> words = {command.name, "--help"};
    if (command.parent[0] != '\0') words.insert(words.begin(), command.parent);
    EXPECT_THAT(Run(words).out, HasSubstr("Examples:\n")) << command.name;
  }
}

// --- where answers come from

TEST_F(Cli, ReadsThePinnedMapsWhereNoAgentAnswersAndSaysSo) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"dump"},
                                                {"get", "services", "-A"},
                                                {"get", "backends", "-A"},
                                                {"get", "maps"},
                                                {"get", "programs"},
                                                {"describe", "service", "shop/web"},
                                                {"status"}}) {
    const Result result = Run(words);
    EXPECT_EQ(result.code, 0) << words[0] << result.err;
    EXPECT_THAT(result.out, Not(IsEmpty())) << words[0];
    EXPECT_THAT(result.err, AllOf(HasSubstr("no agent answers"), HasSubstr(socket_),
                                  HasSubstr("reading the maps in " + directory_)));
  }
}

TEST_F(Cli, ReadsThePinnedMapsWithoutANoticeWhereAsked) {
  StartServer();
  maps_ = {};
  const Result result = Run({"dump", "--source", "maps"});
  EXPECT_EQ(result.out, Dump({}));
  EXPECT_EQ(result.err, "");
}

TEST_F(Cli, AsksNobodyElseWhereTheAgentWasAskedFor) {
  const Result result = Run({"dump", "--source=agent"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("shuntctl: no agent answers"));
}

TEST_F(Cli, NamesBothPlacesWhereThereIsNeitherAgentNorMaps) {
  const Result result = Run({"dump", "--bpffs", directory_ + "/nothing"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr(socket_), HasSubstr("nothing is pinned in " + directory_)));
}

TEST_F(Cli, TheOptionBeatsTheEnvironment) {
  StartServer();
  variables_["SHUNT_SOCKET"] = "/nowhere";
  EXPECT_EQ(Run({"--socket", socket_, "dump"}).err, "");
  EXPECT_EQ(Run({"dump", "--socket", socket_}).err, "");
}

TEST_F(Cli, GivesUpOnAnAgentThatHangs) {
  // Connections are accepted by the kernel, and nobody ever answers.
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string path = directory_ + "/hangs.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener.get(), 5), 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"dump"}, {"status"}, {"get", "services", "-A", "-w"}}) {
    std::vector<std::string> line = {"--socket", path, "--request-timeout", "0.3"};
    line.insert(line.end(), words.begin(), words.end());
    const absl::Time start = absl::Now();
    const Result result = Run(line);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("does not answer within 300ms"));
    EXPECT_LT(absl::Now() - start, absl::Seconds(3)) << words[0];
  }
}

// --- commands

TEST_F(Cli, DescribesAServiceWithAllItsPorts) {
  StartServer();
  const Result result = Run({"describe", "service", "shop/web"});
  EXPECT_EQ(result.out,
            "Name:       web\n"
            "Namespace:  shop\n"
            "Port:       http TCP\n"
            "Frontends:\n"
            "  Address             Kind        Policy    Choice   Backends   Clients\n"
            "  10.96.0.10:80/TCP   ClusterIP   Cluster   Random   2          all\n"
            "  [fd00::10]:80/TCP   ClusterIP   Cluster   Random   1          all\n"
            "Backends:\n"
            "  Address            State      Lists\n"
            "  10.244.1.4:8080    Draining   <none>\n"
            "  10.244.1.5:8080    Serving    Cluster\n"
            "  10.244.2.7:8080    Serving    Cluster\n"
            "  [fd00:1::5]:8080   Serving    Cluster\n"
            "Problems:   <none>\n");
}

TEST_F(Cli, DescribesWhatIsWrongWithAServiceThatHasNoPortLeft) {
  AgentView view = *agent_.Latest();
  view.problems = {
      {"Service shop/broken", "broken.yaml:3", "spec.ports[0].port", "70000 is no port"},
      {"Service shop/other", "", "", "not of interest"}};
  agent_.Publish(view);
  StartServer();
  const Result result = Run({"describe", "service", "broken", "-n", "shop"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("Ports:      <none>"),
                                HasSubstr("spec.ports[0].port: 70000 is no port"),
                                Not(HasSubstr("not of interest"))));
}

TEST_F(Cli, SaysThatADescribedServiceIsNotThere) {
  StartServer();
  const Result result = Run({"describe", "service", "shop/nope"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("service \"nope\" not found in namespace \"shop\""));
}

TEST_F(Cli, ShowsInTheStatusWhatCouldNotBeUsedAndWhatWasCounted) {
  AgentView view = *agent_.Latest();
  view.problems = {{"Service shop/web", "web.yaml:12", "spec.ports[1].port", "70000 is no port"}};
  view.pending = {"shop/web:http: map shunt_frontends is full (262144)"};
  agent_.Publish(view);
  agent_.counters->at(SHUNT_TRANSLATED)[SHUNT_CONNECT4] = 12;
  agent_.counters->at(SHUNT_NO_ENDPOINT)[SHUNT_SENDMSG6] = 3;
  StartServer();
  const Result result = Run({"status"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("Node:       node-a\n"));
  EXPECT_THAT(result.out, HasSubstr("fails with ECONNREFUSED"));
  EXPECT_THAT(result.out, HasSubstr("2 services, 2 service ports, 3 frontends, 4 backends"));
  EXPECT_THAT(result.out,
              HasSubstr("Pending:    1\n  shop/web:http: map shunt_frontends is full (262144)\n"));
  EXPECT_THAT(result.out,
              HasSubstr("web.yaml:12: Service shop/web: spec.ports[1].port: 70000 is no port\n"));
  EXPECT_THAT(result.out, HasSubstr("  VERDICT       CONNECT4   SENDMSG6\n"
                                    "  translated    12         0\n"
                                    "  no_endpoint   0          3\n"));
}

TEST_F(Cli, PaintsNothingUnlessOnATerminal) {
  AgentView view = *agent_.Latest();
  view.pending = {"shop/web: full"};
  agent_.Publish(view);
  StartServer();
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("\x1b")));
  std::ostringstream out, err;
  Environment environment = EnvironmentWith(out, err);
  environment.color = true;
  RunCli({"status"}, environment);
  EXPECT_THAT(out.str(), HasSubstr("\x1b[31mPending"));
}

TEST_F(Cli, TheStatusAsJsonAndAsYamlSayTheSame) {
  agent_.counters->at(SHUNT_TRANSLATED)[SHUNT_CONNECT4] = 12;
  AgentView view = *agent_.Latest();
  view.problems = {{"", "a \xff\x1b:\"b\" file", "yes", "1.5"}};
  agent_.Publish(view);
  StartServer();
  const auto status = nlohmann::json::parse(Run({"status", "-o", "json"}).out);
  const YAML::Node yaml = YAML::Load(Run({"status", "-o", "yaml"}).out);
  EXPECT_EQ(status["agent"]["node"], "node-a");
  EXPECT_EQ(yaml["agent"]["node"].as<std::string>(), "node-a");
  EXPECT_EQ(status["agent"]["lastApply"], nullptr);
  EXPECT_TRUE(yaml["agent"]["lastApply"].IsNull());
  EXPECT_EQ(status["verdicts"][0]["runs"], 12);
  EXPECT_EQ(yaml["verdicts"][0]["runs"].as<int>(), 12);
  for (const char* field : {"origin", "field", "message"}) {
    EXPECT_EQ(yaml["agent"]["problems"][0][field].as<std::string>(),
              status["agent"]["problems"][0][field].get<std::string>());
    if (std::string(field) != "origin") {  // quoted, so that no reader takes it for a number
      EXPECT_EQ(yaml["agent"]["problems"][0][field].Tag(), "!") << field;
    }
  }
}

TEST_F(Cli, TellsTheVersionsOfBothEnds) {
  EXPECT_EQ(Run({"version"}).out,
            "Client Version: " SHUNT_VERSION "\nAgent Version: <none answers>\n");
  StartServer();
  EXPECT_EQ(Run({"version"}).out, "Client Version: " SHUNT_VERSION "\nAgent Version: 0.9\n");
  EXPECT_EQ(Run({"version", "--client"}).out, "Client Version: " SHUNT_VERSION "\n");
  const auto version = nlohmann::json::parse(Run({"version", "-o", "json"}).out);
  EXPECT_EQ(version["agentVersion"], "0.9");
}

}  // namespace
}  // namespace shunt
