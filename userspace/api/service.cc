// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "userspace/api/explain_connect.h"
#include "userspace/api/explain_service.h"
#include "userspace/api/proto_flows.h"
#include "userspace/api/proto_sockets.h"
#include "userspace/api/proto_state.h"
#include "userspace/api/service_filter.h"
#include "userspace/api/state_diff.h"
#include "userspace/api/status_response.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// A message of a stream is sent when it has grown past this. With the element
// that makes it grow it stays far below the 4 MiB that clients accept.
constexpr size_t kMessageBytes = 256 << 10;
// How fast a watch notices that its client or the agent is going away.
constexpr absl::Duration kWatchTurn = absl::Milliseconds(200);
// shunt.proto promises a message every 2 seconds.
constexpr absl::Duration kHeartbeat = absl::Seconds(1);

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      ToUtf8(std::string(status.message())));
}

// The reader is gone; nobody sees this.
grpc::Status ReaderGone() {
  return grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
}

ServiceFilter FilterOf(const v1::ServiceFilter& proto) {
  return {.name_space = proto.namespace_(), .name = proto.name()};
}

// Cuts a long answer into messages. Write() blocks while the client is slow, so
// memory holds one message.
template <typename Response>
class MessageStream {
 public:
  MessageStream(grpc::ServerWriter<Response>& writer, Response header)
      : writer_(writer), header_(std::move(header)), message_(header_) {}

  Response& message() { return message_; }

  // `bytes` were added to message(). False: the client is gone.
  bool Added(size_t bytes) {
    bytes_ += bytes;
    return bytes_ < kMessageBytes || Flush();
  }

  bool Flush() {
    bytes_ = 0;
    return writer_.Write(std::exchange(message_, header_));
  }

 private:
  grpc::ServerWriter<Response>& writer_;
  const Response header_;
  Response message_;
  size_t bytes_ = 0;
};

v1::WatchResponse UpdateHeader(const AgentView* before, const AgentView& after) {
  v1::WatchResponse header;
  header.set_generation(after.generation);
  header.set_initial(before == nullptr);
  return header;
}

// What a client that has `before` (null: nothing yet) needs to have `after`.
// False: the client is gone.
bool SendUpdate(const AgentView* before, const AgentView& after, const ServiceFilter& filter,
                grpc::ServerWriter<v1::WatchResponse>& writer) {
  MessageStream<v1::WatchResponse> stream(writer, UpdateHeader(before, after));
  const auto send = [&](const ServicePortName& name, const ServicePortState* state) {
    if (!filter.Matches(name)) return true;
    if (state == nullptr) {
      v1::ServicePortName* removed = stream.message().add_removed();
      *removed = ToProto(name);
      return stream.Added(removed->ByteSizeLong());
    }
    return ToProtoParts(name, *state, [&](v1::ServicePort part) {
      const size_t bytes = part.ByteSizeLong();
      *stream.message().add_changed() = std::move(part);
      return stream.Added(bytes);
    });
  };
  static const DatapathState kNothing;
  if (!DiffStates(before == nullptr ? kNothing : before->state, after.state, send)) return false;
  stream.message().set_complete(true);
  return stream.Flush();
}

}  // namespace

grpc::Status ShuntService::ListServices(grpc::ServerContext*,
                                        const v1::ListServicesRequest* request,
                                        grpc::ServerWriter<v1::ListServicesResponse>* writer) {
  const std::shared_ptr<const AgentView> view = source_.Latest();
  const ServiceFilter filter = FilterOf(request->filter());
  v1::ListServicesResponse header;
  header.set_generation(view->generation);
  MessageStream<v1::ListServicesResponse> stream(*writer, std::move(header));
  for (const auto& [name, state] : view->state) {
    if (!filter.Matches(name)) continue;
    const bool sent = ToProtoParts(name, *state, [&](v1::ServicePort part) {
      const size_t bytes = part.ByteSizeLong();
      *stream.message().add_services() = std::move(part);
      return stream.Added(bytes);
    });
    if (!sent) return ReaderGone();
  }
  return stream.Flush() ? grpc::Status::OK : ReaderGone();
}

grpc::Status ShuntService::ListBackends(grpc::ServerContext*,
                                        const v1::ListBackendsRequest* request,
                                        grpc::ServerWriter<v1::ListBackendsResponse>* writer) {
  const std::shared_ptr<const AgentView> view = source_.Latest();
  const ServiceFilter filter = FilterOf(request->filter());
  v1::ListBackendsResponse header;
  header.set_generation(view->generation);
  MessageStream<v1::ListBackendsResponse> stream(*writer, std::move(header));
  for (const auto& [name, state] : view->state) {
    if (!filter.Matches(name)) continue;
    for (const Backend& backend : state->backends) {
      v1::ListBackendsResponse::Item* item = stream.message().add_backends();
      *item->mutable_service() = ToProto(name);
      *item->mutable_backend() = ToProto(backend);
      if (!stream.Added(item->ByteSizeLong())) return ReaderGone();
    }
  }
  return stream.Flush() ? grpc::Status::OK : ReaderGone();
}

grpc::Status ShuntService::ExplainService(grpc::ServerContext*,
                                          const v1::ExplainServiceRequest* request,
                                          v1::ExplainServiceResponse* response) {
  const ServiceInput input =
      source_.Input({.name_space = request->namespace_(), .name = request->name()});
  if (input.service == nullptr) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND,
                        absl::StrCat("there is no Service ", ToUtf8(request->namespace_()), "/",
                                     ToUtf8(request->name())));
  }
  *response = ExplainServiceResponse(*source_.Latest(), input);
  return grpc::Status::OK;
}

grpc::Status ShuntService::ExplainConnect(grpc::ServerContext*,
                                          const v1::ExplainConnectRequest* request,
                                          v1::ExplainConnectResponse* response) {
  const std::shared_ptr<const AgentView> view = source_.Latest();
  absl::StatusOr<std::vector<uint64_t>> opt_outs = source_.OptOuts();
  absl::StatusOr<std::vector<AffinityClient>> affinity = source_.AffinityClients();
  if (!opt_outs.ok()) return ToGrpc(opt_outs.status());
  if (!affinity.ok()) return ToGrpc(affinity.status());
  absl::StatusOr<v1::ExplainConnectResponse> explained =
      shunt::ExplainConnect(*request, {.state = view->state,
                                       .socket_lb = view->socket_lb,
                                       .refusal = view->refusal,
                                       .opt_outs = *std::move(opt_outs),
                                       .affinity = *std::move(affinity)});
  if (!explained.ok()) return ToGrpc(explained.status());
  *response = *std::move(explained);
  if (!response->has_frontend()) return grpc::Status::OK;
  const v1::ServicePortName& name = response->service();
  AddReasons(
      shunt::ExplainService(source_.Input({.name_space = name.namespace_(), .name = name.name()}),
                            view->node, view->state),
      *response);
  return grpc::Status::OK;
}

grpc::Status ShuntService::ListAffinity(grpc::ServerContext*,
                                        const v1::ListAffinityRequest* request,
                                        grpc::ServerWriter<v1::ListAffinityResponse>* writer) {
  const absl::StatusOr<std::vector<AffinityClient>> clients = source_.AffinityClients();
  if (!clients.ok()) return ToGrpc(clients.status());
  const ServiceFilter filter = FilterOf(request->filter());
  MessageStream<v1::ListAffinityResponse> stream(*writer, v1::ListAffinityResponse());
  for (const AffinityClient& client : *clients) {
    if (!filter.Matches(client.service)) continue;
    v1::ListAffinityResponse::Item* item = stream.message().add_clients();
    *item = ToProto(client);
    if (!stream.Added(item->ByteSizeLong())) return ReaderGone();
  }
  return stream.Flush() ? grpc::Status::OK : ReaderGone();
}

grpc::Status ShuntService::GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                                     v1::GetStatusResponse* response) {
  *response = StatusResponse(*source_.Latest(), source_.Counters(), source_.Affinity());
  response->add_sources(ToUtf8(source_.Source()));
  return grpc::Status::OK;
}

grpc::Status ShuntService::CheckHealth(grpc::ServerContext*, const v1::CheckHealthRequest*,
                                       v1::CheckHealthResponse* response) {
  const AgentHealth health = source_.Health();
  if (!health.alive) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control thread does not answer");
  }
  response->set_ready(health.ready);
  if (!health.ready) {
    response->set_reason("not all sources have listed yet, and no earlier agent left tables");
  }
  return grpc::Status::OK;
}

grpc::Status ShuntService::ListSockets(grpc::ServerContext*, const v1::ListSocketsRequest* request,
                                       grpc::ServerWriter<v1::ListSocketsResponse>* writer) {
  const absl::StatusOr<std::vector<TranslatedSocket>> sockets = source_.Sockets();
  if (!sockets.ok()) return ToGrpc(sockets.status());
  const ServiceFilter filter = FilterOf(request->filter());
  MessageStream<v1::ListSocketsResponse> stream(*writer, {});
  for (const TranslatedSocket& socket : *sockets) {
    if (!filter.Matches(socket.service)) continue;
    v1::Socket* proto = stream.message().add_sockets();
    *proto = ToProto(socket);
    if (!stream.Added(proto->ByteSizeLong())) return ReaderGone();
  }
  return stream.Flush() ? grpc::Status::OK : ReaderGone();
}

grpc::Status ShuntService::ListFlows(grpc::ServerContext*, const v1::ListFlowsRequest* request,
                                     grpc::ServerWriter<v1::ListFlowsResponse>* writer) {
  const absl::StatusOr<FlowFilter> filter = FromProto(*request);
  if (!filter.ok()) return ToGrpc(filter.status());
  const absl::StatusOr<std::vector<PacketFlow>> flows = source_.Flows();
  if (!flows.ok()) return ToGrpc(flows.status());
  MessageStream<v1::ListFlowsResponse> stream(*writer, {});
  for (const PacketFlow& flow : *flows) {
    if (!filter->Matches(flow)) continue;
    v1::Flow* proto = stream.message().add_flows();
    *proto = ToProto(flow);
    if (!stream.Added(proto->ByteSizeLong())) return ReaderGone();
  }
  return stream.Flush() ? grpc::Status::OK : ReaderGone();
}

grpc::Status ShuntService::ListMaps(grpc::ServerContext*, const v1::ListMapsRequest*,
                                    v1::ListMapsResponse* response) {
  const absl::StatusOr<std::vector<MapInfo>> maps = source_.Maps();
  if (!maps.ok()) return ToGrpc(maps.status());
  for (const MapInfo& map : *maps) *response->add_maps() = ToProto(map);
  return grpc::Status::OK;
}

grpc::Status ShuntService::ListPrograms(grpc::ServerContext*, const v1::ListProgramsRequest*,
                                        v1::ListProgramsResponse* response) {
  const absl::StatusOr<std::vector<ProgramInfo>> programs = source_.Programs();
  if (!programs.ok()) return ToGrpc(programs.status());
  for (const ProgramInfo& program : *programs) *response->add_programs() = ToProto(program);
  return grpc::Status::OK;
}

grpc::Status ShuntService::Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                                 grpc::ServerWriter<v1::WatchResponse>* writer) {
  const ServiceFilter filter = FilterOf(request->filter());
  std::shared_ptr<const AgentView> sent;
  absl::Time last_message = absl::InfinitePast();
  while (!context->IsCancelled()) {
    if (stopping_) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the agent stops");
    std::shared_ptr<const AgentView> view =
        sent == nullptr ? source_.Latest() : source_.WaitForChange(sent->generation, kWatchTurn);
    const bool changed = sent == nullptr || view->generation != sent->generation;
    if (!changed && absl::Now() - last_message < kHeartbeat) continue;
    if (!SendUpdate(sent.get(), *view, filter, *writer)) return ReaderGone();
    sent = std::move(view);
    last_message = absl::Now();
  }
  return ReaderGone();
}

}  // namespace shunt
