// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fake_api_server.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/api_objects.h"
#include "tests/bench/benchmark.h"

namespace shunt::bench {
namespace {

constexpr uint64_t kListVersion = 100'000;
constexpr char kProtobuf[] = "application/vnd.kubernetes.protobuf;stream=watch";

// Without a copy of what may be many megabytes.
bool SendChunk(TlsServer::Exchange& exchange, std::string_view bytes) {
  return exchange.Send(absl::StrFormat("%x\r\n", bytes.size())) && exchange.Send(bytes) &&
         exchange.Send("\r\n");
}

}  // namespace

FakeApiServer::FakeApiServer(const ClusterShape& shape, const std::string& node,
                             const std::string& directory)
    : shape_(shape), kubeconfig_(directory + "/kubeconfig") {
  std::vector<std::string> services, slices;
  for (int i = 0; i < shape.services; ++i) {
    services.push_back(ServiceFrame(shape, i, "ADDED", i + 1));
    slices.push_back(SliceFrame(shape, i, 0, "ADDED", i + 1));
  }
  Add("/api/v1/services?", "v1", "Service", std::move(services));
  Add("/apis/discovery.k8s.io/v1/endpointslices?", "discovery.k8s.io/v1", "EndpointSlice",
      std::move(slices));
  Add("/api/v1/nodes?", "v1", "Node", {NodeFrame(node, 1)});
  Add("/apis/networking.k8s.io/v1/servicecidrs?", "networking.k8s.io/v1", "ServiceCIDR", {});
  const TestAuthority authority;
  std::ofstream(directory + "/ca.crt") << authority.pem();
  server_ = std::make_unique<TlsServer>(
      authority.Issue("IP:127.0.0.1"),
      [this](TlsServer::Exchange& exchange) { return Serve(exchange); });
  std::ofstream(kubeconfig_)
      << "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
      << "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
      << "clusters: [{name: c, cluster: {server: '" << server_->url()
      << "', certificate-authority: ca.crt}}]\nusers: [{name: u, user: {token: t}}]\n";
}

void FakeApiServer::Add(std::string path, std::string api_version, std::string kind,
                        std::vector<std::string> frames) {
  auto resource = std::make_unique<Resource>();
  resource->path = std::move(path);
  resource->api_version = std::move(api_version);
  resource->kind = std::move(kind);
  resource->frames = std::move(frames);
  resource->Render();
  resources_.push_back(std::move(resource));
}

bool FakeApiServer::Serve(TlsServer::Exchange& exchange) {
  for (const std::unique_ptr<Resource>& resource : resources_) {
    if (!absl::StartsWith(exchange.target(), resource->path)) continue;
    resource->Follow(exchange);
    return false;
  }
  exchange.Answer(exchange.Asks("/livez") ? 200 : 404, "");
  return true;
}

void FakeApiServer::MoveInList(int service, int move) {
  slices().frames[service] = SliceFrame(shape_, service, move, "ADDED", service + 1);
  slices().Render();
}

double FakeApiServer::listed_ns() const {
  absl::MutexLock lock(&slices().mutex);
  return slices().listed_ns;
}

void FakeApiServer::SendSlices(std::string_view frames) { slices().Send(frames); }

void FakeApiServer::SendBookmarks() {
  for (const std::unique_ptr<Resource>& resource : resources_) {
    resource->Send(BookmarkFrame(resource->api_version, resource->kind, kListVersion, false));
  }
}

void FakeApiServer::Resource::Render() {
  std::string text;
  for (const std::string& frame : frames) text += frame;
  text += BookmarkFrame(api_version, kind, kListVersion, true);
  absl::MutexLock lock(&mutex);
  list = std::move(text);
}

// A client that is gone is forgotten.
void FakeApiServer::Resource::Send(std::string_view bytes) {
  absl::MutexLock lock(&mutex);
  std::erase_if(watchers,
                [&](TlsServer::Exchange* watcher) { return !SendChunk(*watcher, bytes); });
}

void FakeApiServer::Resource::Follow(TlsServer::Exchange& exchange) {
  {
    absl::MutexLock lock(&mutex);
    exchange.BeginStream(kProtobuf);
    if (exchange.Asks("sendInitialEvents=true")) {
      SendChunk(exchange, list);
      listed_ns = NowNs();
    }
    watchers.push_back(&exchange);
  }
  while (!exchange.stopped()) usleep(20'000);
  absl::MutexLock lock(&mutex);
  std::erase(watchers, &exchange);
}

}  // namespace shunt::bench
