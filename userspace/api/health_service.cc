// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/health_service.h"

#include "shunt/v1/shunt.grpc.pb.h"

namespace shunt {

grpc::Status HealthService::Check(grpc::ServerContext*,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) {
  const std::string& service = request->service();
  if (!service.empty() && service != v1::Shunt::service_full_name()) {
    return {grpc::StatusCode::NOT_FOUND, "no service of this name"};
  }
  response->set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  return grpc::Status::OK;
}

}  // namespace shunt
