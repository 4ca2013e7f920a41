// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_FAKE_API_SERVER_H_
#define SHUNT_TESTS_BENCH_FAKE_API_SERVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/cluster.h"
#include "tests/unit/kubernetes/tls_server.h"

namespace shunt::bench {

// An API server that costs next to nothing, so that its clients are what is
// measured: it has rendered all that it says before anybody asks. HTTPS,
// protobuf, WatchList; it knows no LIST and no past.
//
// It listens at loopback of the network namespace of the thread that makes it.
// Its functions are called from one thread.
class FakeApiServer {
 public:
  // Of the cluster, and of a Node `node`. Writes a kubeconfig to `directory`.
  FakeApiServer(const ClusterShape& shape, const std::string& node, const std::string& directory);

  const std::string& kubeconfig() const { return kubeconfig_; }

  // Who lists from now on finds the slice of this Service with its first endpoint moved.
  void MoveInList(int service, int move);
  // When the slices' last list was on its way as a whole (NowNs()); 0 before the first.
  double listed_ns() const;
  // To all who watch slices. Returns when it is written, which a client that
  // reads no more holds up. `frames`: as of api_objects.h.
  void SendSlices(std::string_view frames);
  // On each watch, as a server does every minute.
  void SendBookmarks();

 private:
  struct Resource {
    std::string path, api_version, kind;
    std::vector<std::string> frames;  // of what is there

    mutable absl::Mutex mutex;                // held by who writes to a watch
    std::string list ABSL_GUARDED_BY(mutex);  // the frames, and that these are all
    std::vector<TlsServer::Exchange*> watchers ABSL_GUARDED_BY(mutex);
    double listed_ns ABSL_GUARDED_BY(mutex) = 0;

    void Render() ABSL_LOCKS_EXCLUDED(mutex);
    void Send(std::string_view bytes) ABSL_LOCKS_EXCLUDED(mutex);
    void Follow(TlsServer::Exchange& exchange) ABSL_LOCKS_EXCLUDED(mutex);
  };

  void Add(std::string path, std::string api_version, std::string kind,
           std::vector<std::string> frames);
  bool Serve(TlsServer::Exchange& exchange);
  Resource& slices() const { return *resources_[1]; }

  const ClusterShape shape_;
  const std::string kubeconfig_;
  std::vector<std::unique_ptr<Resource>> resources_;
  std::unique_ptr<TlsServer> server_;  // its threads use the others
};

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_FAKE_API_SERVER_H_
