// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_FAKE_CLUSTER_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_FAKE_CLUSTER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "tests/unit/kubernetes/tls_server.h"

namespace shunt {

inline std::string ServiceOf(const std::string& name) {
  return absl::StrCat(
      R"({"kind":"Service","apiVersion":"v1","metadata":{"name":")", name,
      R"(","namespace":"shop","resourceVersion":"1"},"spec":{"clusterIP":"10.96.0.10"}})");
}

// An API server of JSON that knows WatchList. The test says what is there, what
// happens, and what goes wrong.
class FakeCluster {
 public:
  // The objects in JSON, by the resource's name in its path.
  std::map<std::string, std::vector<std::string>> objects = {
      {"services", {ServiceOf("web")}}, {"endpointslices", {}}, {"nodes", {}}};
  // Answers instead where it returns true. Called from many threads.
  std::function<bool(TlsServer::Exchange&)> fault = [](TlsServer::Exchange&) { return false; };

  void Happens(const std::string& resource, const std::string& type, const std::string& object) {
    absl::MutexLock lock(&mutex_);
    events_[resource].push_back(
        absl::StrCat(R"({"type":")", type, R"(","object":)", WithVersion(object), "}\n"));
  }

  // What was sent to it, in JSON.
  std::vector<std::string> posted() const {
    absl::MutexLock lock(&mutex_);
    return posted_;
  }

  bool Serve(TlsServer::Exchange& exchange) {
    const std::string body = exchange.ReadBody();
    if (fault(exchange)) return true;
    if (!body.empty()) {
      absl::MutexLock lock(&mutex_);
      posted_.push_back(body);
      exchange.Answer(201, body);
      return true;
    }
    for (const auto& [resource, listed] : objects) {
      if (exchange.Asks(absl::StrCat("/", resource, "?"))) Stream(exchange, resource, listed);
    }
    return false;
  }

 private:
  void Stream(TlsServer::Exchange& exchange, const std::string& resource,
              const std::vector<std::string>& listed) {
    exchange.BeginStream();
    if (exchange.Asks("sendInitialEvents=true")) SendInitialEvents(exchange, resource, listed);
    while (!exchange.stopped() && exchange.Chunk(NextEvent(resource))) {
    }
  }

  // All that there is; who goes on from a version is told only what happens.
  void SendInitialEvents(TlsServer::Exchange& exchange, const std::string& resource,
                         const std::vector<std::string>& listed) {
    static const std::map<std::string, std::string> types = {
        {"services", R"("kind":"Service","apiVersion":"v1")"},
        {"endpointslices", R"("kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1")"},
        {"nodes", R"("kind":"Node","apiVersion":"v1")"}};
    for (const std::string& object : listed) {
      exchange.Chunk(absl::StrCat(R"({"type":"ADDED","object":)", object, "}\n"));
    }
    exchange.Chunk(absl::StrCat(R"({"type":"BOOKMARK","object":{)", types.at(resource),
                                R"(,"metadata":{"resourceVersion":"5","annotations":)",
                                R"({"k8s.io/initial-events-end":"true"}}}})", "\n"));
  }

  // Whatever version it has: each change has a new one.
  std::string WithVersion(std::string object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    static constexpr std::string_view kVersion = R"("resourceVersion":")";
    const size_t begin = object.find(kVersion) + kVersion.size();
    return object.replace(begin, object.find('"', begin) - begin, absl::StrCat(++version_));
  }

  // A blank after a while without: whether somebody is there shows by writing.
  std::string NextEvent(const std::string& resource) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string>& queue = events_[resource];
    const auto ready = [&queue] { return !queue.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(20))) return " ";
    std::string event = queue.front();
    queue.erase(queue.begin());
    return event;
  }

  mutable absl::Mutex mutex_;
  std::map<std::string, std::vector<std::string>> events_;
  std::vector<std::string> posted_;
  int version_ = 5;  // what lists say
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_FAKE_CLUSTER_H_
