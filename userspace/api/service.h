// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_SERVICE_H_
#define SHUNT_API_SERVICE_H_

#include <atomic>

#include "shunt/v1/shunt.grpc.pb.h"
#include "userspace/api/agent_view.h"

namespace shunt {

// The handlers of shunt.v1.Shunt. Each runs in a thread of gRPC and answers
// from one immutable view of the agent, so none waits for another or for the
// control thread.
class ShuntService final : public v1::Shunt::Service {
 public:
  // `source` must outlive the service.
  explicit ShuntService(AgentViewSource& source) : source_(source) {}

  // Ends the watches. From any thread.
  void Stop() { stopping_ = true; }

  grpc::Status ListServices(grpc::ServerContext* context, const v1::ListServicesRequest* request,
                            grpc::ServerWriter<v1::ListServicesResponse>* writer) override;
  grpc::Status ListBackends(grpc::ServerContext* context, const v1::ListBackendsRequest* request,
                            grpc::ServerWriter<v1::ListBackendsResponse>* writer) override;
  grpc::Status ExplainService(grpc::ServerContext* context,
                              const v1::ExplainServiceRequest* request,
                              v1::ExplainServiceResponse* response) override;
  grpc::Status ExplainConnect(grpc::ServerContext* context,
                              const v1::ExplainConnectRequest* request,
                              v1::ExplainConnectResponse* response) override;
  grpc::Status ListAffinity(grpc::ServerContext* context, const v1::ListAffinityRequest* request,
                            grpc::ServerWriter<v1::ListAffinityResponse>* writer) override;
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override;
  grpc::Status CheckHealth(grpc::ServerContext* context, const v1::CheckHealthRequest* request,
                           v1::CheckHealthResponse* response) override;
  grpc::Status ListSockets(grpc::ServerContext* context, const v1::ListSocketsRequest* request,
                           grpc::ServerWriter<v1::ListSocketsResponse>* writer) override;
  grpc::Status ListFlows(grpc::ServerContext* context, const v1::ListFlowsRequest* request,
                         grpc::ServerWriter<v1::ListFlowsResponse>* writer) override;
  grpc::Status ListMaps(grpc::ServerContext* context, const v1::ListMapsRequest* request,
                        v1::ListMapsResponse* response) override;
  grpc::Status ListPrograms(grpc::ServerContext* context, const v1::ListProgramsRequest* request,
                            v1::ListProgramsResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override;

 private:
  AgentViewSource& source_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace shunt

#endif  // SHUNT_API_SERVICE_H_
