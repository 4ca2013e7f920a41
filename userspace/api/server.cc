// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/api/health_service.h"
#include "userspace/api/keep_grpc.h"
#include "userspace/api/service.h"
#include "userspace/api/unix_socket.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

constexpr mode_t kSocketMode = 0660;
// A call has a thread while it lasts. A client beyond that is told so.
constexpr int kMaxThreads = 64;
// For calls under way to end by themselves; then they are cancelled.
constexpr std::chrono::milliseconds kShutdownPatience{400};

// The socket must never have had wider rights than it gets, so they are
// narrowed before bind() and not after it.
class ScopedUmask {
 public:
  explicit ScopedUmask(mode_t mask) : previous_(umask(mask)) {}
  ~ScopedUmask() { umask(previous_); }
  ScopedUmask(const ScopedUmask&) = delete;
  ScopedUmask& operator=(const ScopedUmask&) = delete;

 private:
  const mode_t previous_;
};

// It is switched on for the process.
void EnableReflection() {
  [[maybe_unused]] static const bool once = [] {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
}

}  // namespace

struct ApiServer::Parts {
  explicit Parts(AgentViewSource& source) : service(source) {}

  ShuntService service;
  HealthService health;
  std::unique_ptr<grpc::Server> server;
};

absl::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Start(const std::string& socket_path,
                                                            AgentViewSource& source) {
  SHUNT_RETURN_IF_ERROR(PrepareSocketPath(socket_path));
  KeepGrpc();
  EnableReflection();
  auto parts = std::make_unique<Parts>(source);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(grpc::ResourceQuota("shunt.v1").SetMaxThreads(kMaxThreads));
  // Several servers on one TCP port make sense; ours has no port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(GrpcTarget(socket_path), grpc::InsecureServerCredentials());
  builder.RegisterService(&parts->service);
  builder.RegisterService(&parts->health);
  const ScopedUmask narrow(0777 & ~kSocketMode);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", socket_path));
  }
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(parts)));
}

ApiServer::ApiServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ApiServer::~ApiServer() {
  parts_->service.Stop();
  parts_->server->Shutdown(std::chrono::system_clock::now() + kShutdownPatience);
}

}  // namespace shunt
