// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_HEALTH_SERVICE_H_
#define SHUNT_API_HEALTH_SERVICE_H_

#include "grpc/health/v1/health.grpc.pb.h"

namespace shunt {

// Says that shunt.v1.Shunt is served, to those who ask in gRPC's own way. Not
// gRPC's own service: that one keeps two threads which wake up four times a
// second, whether anybody asks or not.
class HealthService final : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context,
                     const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;
};

}  // namespace shunt

#endif  // SHUNT_API_HEALTH_SERVICE_H_
