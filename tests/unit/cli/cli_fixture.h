// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_CLI_CLI_FIXTURE_H_
#define SHUNT_TESTS_UNIT_CLI_CLI_FIXTURE_H_

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/api/api_fixture.h"
#include "userspace/api/explain_connect.h"
#include "userspace/cli/run.h"

namespace shunt {

// The pinned maps, as a test writes them.
class FakeMaps : public Source {
 public:
  explicit FakeMaps(DatapathState state) : state_(std::move(state)) {}

  absl::StatusOr<DatapathState> State(const ServiceFilter& filter) override {
    DatapathState state;
    for (const auto& [name, port] : state_) {
      if (filter.Matches(name)) state.emplace(name, port);
    }
    return state;
  }
  absl::Status WatchState(const ServiceFilter& filter, OnState on_state) override {
    on_state(*State(filter));
    return absl::OkStatus();
  }
  absl::StatusOr<StatusReport> Status() override {
    return StatusReport{.bpffs = "/bpffs", .counts = CountsOf(state_)};
  }
  absl::StatusOr<std::vector<TranslatedSocket>> Sockets(const ServiceFilter&) override {
    return std::vector<TranslatedSocket>();
  }
  absl::StatusOr<std::vector<PacketFlow>> Flows(const FlowFilter&) override {
    return std::vector<PacketFlow>();
  }
  absl::StatusOr<std::vector<MapInfo>> Maps() override {
    return std::vector<MapInfo>{{.name = "shunt_frontends", .entries = 1, .max_entries = 4}};
  }
  absl::StatusOr<std::vector<ProgramInfo>> Programs() override {
    return std::vector<ProgramInfo>{{.name = "shunt_connect4", .hook = "connect4"}};
  }
  absl::StatusOr<v1::ExplainServiceResponse> ExplainService(const NamespacedName&) override {
    return absl::FailedPreconditionError("needs an agent");
  }
  absl::StatusOr<v1::ExplainConnectResponse> ExplainConnect(
      const v1::ExplainConnectRequest& request) override {
    return shunt::ExplainConnect(request, {.state = state_});
  }
  absl::StatusOr<std::vector<AffinityClient>> AffinityClients(const ServiceFilter&) override {
    return std::vector<AffinityClient>();
  }

 private:
  const DatapathState state_;
};

// Runs shuntctl against a real API server of a fake agent.
class CliFixture : public ApiFixture {
 protected:
  struct Result {
    int code;
    std::string out;
    std::string err;
  };

  CliFixture() {
    AgentView view{.version = "0.9", .node_name = "node-a", .synced = true};
    view.started = absl::UnixEpoch();
    view.last_apply = absl::InfinitePast();
    view.bpffs = "/sys/fs/bpf/shunt";
    view.refusal = "ECONNREFUSED";
    view.state = Shop();
    agent_.Publish(view);
    variables_["SHUNT_SOCKET"] = socket_;
    variables_["SHUNT_BPFFS"] = directory_;
  }

  Result Run(const std::vector<std::string>& words) {
    std::ostringstream out, err;
    const int code = RunCli(words, EnvironmentWith(out, err));
    return {code, out.str(), err.str()};
  }

  Environment EnvironmentWith(std::ostream& out, std::ostream& err) {
    return {.out = out,
            .err = err,
            .getenv =
                [this](const char* name) {
                  const auto found = variables_.find(name);
                  return found == variables_.end() ? nullptr : found->second.c_str();
                },
            .make_maps_source = [this](const std::string&) -> std::unique_ptr<Source> {
              return std::make_unique<FakeMaps>(maps_);
            }};
  }

  DatapathState maps_ = Shop();
  std::map<std::string, std::string> variables_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_CLI_CLI_FIXTURE_H_
