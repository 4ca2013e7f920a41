// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/util/time_util.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "shunt/v1/shunt.grpc.pb.h"
#include "userspace/api/keep_grpc.h"
#include "userspace/api/proto_flows.h"
#include "userspace/api/proto_sockets.h"
#include "userspace/api/proto_state.h"
#include "userspace/api/unix_socket.h"
#include "userspace/base/status.h"
#include "userspace/cli/source.h"
#include "userspace/cli/timed_reader.h"

namespace shunt {
namespace {

using google::protobuf::util::TimeUtil;

absl::Time TimeOf(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixNanos(TimeUtil::TimestampToNanoseconds(proto));
}

std::string RefusalName(v1::Refusal refusal) {
  if (refusal == v1::REFUSAL_ECONNREFUSED) return "ECONNREFUSED";
  if (refusal == v1::REFUSAL_EPERM) return "EPERM";
  return "";
}

AgentStatus AgentStatusOf(const v1::GetStatusResponse& proto) {
  AgentStatus status{
      .version = proto.version(),
      .node_name = proto.node_name(),
      .generation = proto.generation(),
      .started = TimeOf(proto.started()),
      .last_apply_took =
          absl::Nanoseconds(TimeUtil::DurationToNanoseconds(proto.last_apply_took())),
      .synced = proto.synced(),
      .sources = {proto.sources().begin(), proto.sources().end()},
      .cgroup = proto.cgroup(),
      .refusal = RefusalName(proto.features().refusal()),
      .problem_count = proto.problem_count(),
      .pending = {proto.pending().begin(), proto.pending().end()},
      .pending_count = proto.pending_count(),
      .socket_lb = proto.socket_lb(),
      .socket_ending = proto.socket_ending(),
      .sockets_ended = proto.sockets_ended(),
      .warnings = {proto.warnings().begin(), proto.warnings().end()},
  };
  if (proto.has_last_apply()) status.last_apply = TimeOf(proto.last_apply());
  for (const v1::Problem& problem : proto.problems()) {
    status.problems.push_back(FromProto(problem));
  }
  return status;
}

StatusReport ReportOf(const v1::GetStatusResponse& proto) {
  StatusReport report{.agent = AgentStatusOf(proto),
                      .bpffs = proto.bpffs(),
                      .counts = {.services = proto.counts().services(),
                                 .service_ports = proto.counts().service_ports(),
                                 .frontends = proto.counts().frontends(),
                                 .backends = proto.counts().backends()},
                      .counters = CountersOf(proto),
                      .counters_error = proto.counters_error()};
  if (proto.has_affinity()) {
    report.affinity = {.entries = proto.affinity().entries(),
                       .evicted = proto.affinity().evicted()};
  }
  return report;
}

template <typename Request>
Request RequestFor(const ServiceFilter& filter) {
  Request request;
  request.mutable_filter()->set_namespace_(filter.name_space);
  request.mutable_filter()->set_name(filter.name);
  return request;
}

absl::Status Apply(const v1::WatchResponse& message, ServicePortAssembler& assembler,
                   DatapathState& state) {
  for (const v1::ServicePortName& proto : message.removed()) {
    SHUNT_ASSIGN_OR_RETURN(const ServicePortName name, FromProto(proto));
    state.erase(name);
  }
  for (const v1::ServicePort& part : message.changed()) {
    SHUNT_RETURN_IF_ERROR(assembler.Add(part, state));
  }
  return absl::OkStatus();
}

// gRPC's own messages would stand between ours; GRPC_VERBOSITY brings them back.
void QuietGrpc() {
  if (getenv("GRPC_VERBOSITY") == nullptr) {
    gpr_set_log_function([](gpr_log_func_args*) {});
  }
}

class AgentSource final : public Source {
 public:
  AgentSource(const std::string& socket, absl::Duration timeout)
      : socket_(socket),
        timeout_(timeout),
        stub_(v1::Shunt::NewStub(
            grpc::CreateChannel(GrpcTarget(socket), grpc::InsecureChannelCredentials()))) {}

  absl::StatusOr<DatapathState> State(const ServiceFilter& filter) override {
    const auto request = RequestFor<v1::ListServicesRequest>(filter);
    TimedReader<v1::ListServicesResponse> reader(
        timeout_, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
          return stub_->AsyncListServices(context, request, queue, tag);
        });
    DatapathState state;
    ServicePortAssembler assembler;
    v1::ListServicesResponse message;
    while (reader.Read(message)) {
      for (const v1::ServicePort& part : message.services()) {
        SHUNT_RETURN_IF_ERROR(assembler.Add(part, state));
      }
    }
    SHUNT_RETURN_IF_ERROR(StatusOf(reader.Finish()));
    return state;
  }

  absl::Status WatchState(const ServiceFilter& filter, OnState on_state) override {
    const auto request = RequestFor<v1::WatchRequest>(filter);
    TimedReader<v1::WatchResponse> reader(
        timeout_, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
          return stub_->AsyncWatch(context, request, queue, tag);
        });
    DatapathState state;
    ServicePortAssembler assembler;
    v1::WatchResponse message;
    bool different = false;
    while (reader.Read(message)) {
      SHUNT_RETURN_IF_ERROR(Apply(message, assembler, state));
      different |= message.initial() || message.changed_size() + message.removed_size() > 0;
      if (!message.complete()) continue;
      if (std::exchange(different, false) && !on_state(state)) return absl::OkStatus();
    }
    return StatusOf(reader.Finish());
  }

  absl::StatusOr<StatusReport> Status() override {
    v1::GetStatusResponse response;
    SHUNT_RETURN_IF_ERROR(Call(&v1::Shunt::Stub::GetStatus, v1::GetStatusRequest(), response));
    return ReportOf(response);
  }

  absl::StatusOr<std::vector<TranslatedSocket>> Sockets(const ServiceFilter& filter) override {
    const auto request = RequestFor<v1::ListSocketsRequest>(filter);
    TimedReader<v1::ListSocketsResponse> reader(
        timeout_, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
          return stub_->AsyncListSockets(context, request, queue, tag);
        });
    std::vector<TranslatedSocket> sockets;
    v1::ListSocketsResponse message;
    while (reader.Read(message)) {
      for (const v1::Socket& proto : message.sockets()) {
        SHUNT_ASSIGN_OR_RETURN(TranslatedSocket socket, FromProto(proto));
        sockets.push_back(std::move(socket));
      }
    }
    SHUNT_RETURN_IF_ERROR(StatusOf(reader.Finish()));
    return sockets;
  }

  absl::StatusOr<std::vector<PacketFlow>> Flows(const FlowFilter& filter) override {
    const v1::ListFlowsRequest request = ToProto(filter);
    TimedReader<v1::ListFlowsResponse> reader(
        timeout_, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
          return stub_->AsyncListFlows(context, request, queue, tag);
        });
    std::vector<PacketFlow> flows;
    v1::ListFlowsResponse message;
    while (reader.Read(message)) {
      for (const v1::Flow& proto : message.flows()) {
        SHUNT_ASSIGN_OR_RETURN(flows.emplace_back(), FromProto(proto));
      }
    }
    SHUNT_RETURN_IF_ERROR(StatusOf(reader.Finish()));
    return flows;
  }

  absl::StatusOr<std::vector<MapInfo>> Maps() override {
    v1::ListMapsResponse response;
    SHUNT_RETURN_IF_ERROR(Call(&v1::Shunt::Stub::ListMaps, v1::ListMapsRequest(), response));
    std::vector<MapInfo> maps;
    for (const v1::Map& map : response.maps()) maps.push_back(FromProto(map));
    return maps;
  }

  absl::StatusOr<std::vector<ProgramInfo>> Programs() override {
    v1::ListProgramsResponse response;
    SHUNT_RETURN_IF_ERROR(
        Call(&v1::Shunt::Stub::ListPrograms, v1::ListProgramsRequest(), response));
    std::vector<ProgramInfo> programs;
    for (const v1::Program& program : response.programs()) programs.push_back(FromProto(program));
    return programs;
  }

  absl::Status Ready() {
    v1::CheckHealthResponse response;
    SHUNT_RETURN_IF_ERROR(Call(&v1::Shunt::Stub::CheckHealth, v1::CheckHealthRequest(), response));
    if (response.ready()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("not ready: ", response.reason()));
  }

  absl::StatusOr<v1::ExplainServiceResponse> ExplainService(const NamespacedName& name) override {
    v1::ExplainServiceRequest request;
    request.set_namespace_(name.name_space);
    request.set_name(name.name);
    v1::ExplainServiceResponse response;
    SHUNT_RETURN_IF_ERROR(Call(&v1::Shunt::Stub::ExplainService, request, response));
    return response;
  }

  absl::StatusOr<v1::ExplainConnectResponse> ExplainConnect(
      const v1::ExplainConnectRequest& request) override {
    v1::ExplainConnectResponse response;
    SHUNT_RETURN_IF_ERROR(Call(&v1::Shunt::Stub::ExplainConnect, request, response));
    return response;
  }

  absl::StatusOr<std::vector<AffinityClient>> AffinityClients(
      const ServiceFilter& filter) override {
    const auto request = RequestFor<v1::ListAffinityRequest>(filter);
    TimedReader<v1::ListAffinityResponse> reader(
        timeout_, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
          return stub_->AsyncListAffinity(context, request, queue, tag);
        });
    std::vector<AffinityClient> clients;
    v1::ListAffinityResponse message;
    while (reader.Read(message)) {
      for (const v1::ListAffinityResponse::Item& item : message.clients()) {
        SHUNT_ASSIGN_OR_RETURN(clients.emplace_back(), FromProto(item));
      }
    }
    SHUNT_RETURN_IF_ERROR(StatusOf(reader.Finish()));
    return clients;
  }

 private:
  template <typename Method, typename Request, typename Response>
  absl::Status Call(Method method, const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout_));
    return StatusOf(((*stub_).*method)(&context, request, &response));
  }

  absl::Status StatusOf(const grpc::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the agent on ", socket_, " does not answer within ", absl::FormatDuration(timeout_),
          "; --source maps shows what the kernel holds without it"));
    }
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        absl::StrCat("the agent on ", socket_, ": ", status.error_message()));
  }

  const std::string socket_;
  const absl::Duration timeout_;
  const std::unique_ptr<v1::Shunt::Stub> stub_;
};

std::unique_ptr<AgentSource> Connect(const std::string& socket, absl::Duration timeout) {
  QuietGrpc();
  KeepGrpc();
  return std::make_unique<AgentSource>(socket, timeout);
}

}  // namespace

std::unique_ptr<Source> MakeAgentSource(const std::string& socket, absl::Duration timeout) {
  return Connect(socket, timeout);
}

absl::Status AskWhetherReady(const std::string& socket, absl::Duration timeout) {
  return Connect(socket, timeout)->Ready();
}

}  // namespace shunt
