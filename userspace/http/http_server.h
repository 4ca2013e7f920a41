// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_HTTP_HTTP_SERVER_H_
#define SHUNT_HTTP_HTTP_SERVER_H_

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/base/unique_fd.h"
#include "userspace/http/http_address.h"

struct MHD_Daemon;

namespace shunt {

struct HttpRequest {
  std::string_view method;
  std::string_view path;          // without the query
  Family family = Family::kIpv4;  // of the address that the client dialled
};

struct HttpResponse {
  int code = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Called in the server's thread, one at a time: it must not wait for anybody.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// HTTP/1.1 for probes and scrapers, on any number of addresses, with one thread
// in all and one file descriptor for each address.
//
// It answers one request for a connection, and needs no patience for clients: a
// connection lives for `max_age` at most, and where an address, or the server,
// has as many as it may, the oldest makes room for the new one. So who opens
// connections and says nothing, or says it byte by byte, only hurts himself.
//
// Thread-safe, except that a handler must not call it.
class HttpServer {
 public:
  struct Options {
    absl::Duration retry_interval = absl::Seconds(5);  // as kube-proxy's
    absl::Duration max_age = absl::Seconds(10);
    size_t max_connections_per_address = 64;
    size_t max_connections = 512;
  };

  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options);
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start() { return Start(Options()); }
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Serves `address`, which is not open yet. Where that is impossible now, says
  // why (also in the log) and tries again every `retry_interval`, until Close().
  absl::Status Open(const HttpAddress& address, HttpHandler handler) ABSL_LOCKS_EXCLUDED(mutex_);
  // The address is free when it returns; requests under way are still answered.
  void Close(const HttpAddress& address) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Listener {
    uint64_t id = 0;
    std::shared_ptr<const HttpHandler> handler;
    UniqueFd socket;  // none: to be tried again
  };
  struct Connection {
    uint64_t listener = 0;
    std::shared_ptr<const HttpHandler> handler;
    int fd = -1;              // MHD's
    absl::Duration accepted;  // since the host started
    bool ended = false;       // told to end; MHD has not noticed yet
  };
  using Connections = std::list<Connection>;  // in the order of their coming

  struct Callbacks;  // what libmicrohttpd calls

  explicit HttpServer(const Options& options);
  absl::Status Init();

  void Run();
  int WaitMilliseconds() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Duration NextRetry(absl::Duration now) ABSL_LOCKS_EXCLUDED(mutex_);
  void Accept(uint64_t listener) ABSL_LOCKS_EXCLUDED(mutex_);
  UniqueFd AcceptOne(uint64_t listener, Connection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void AddToDaemon(UniqueFd fd, Connection connection);
  void MakeRoomFor(uint64_t listener);
  static void End(Connection& connection);
  void EndOldest(const uint64_t* listener);
  void EndOverdue();
  void RetryBind() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Bind(const HttpAddress& address, Listener& listener)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  UniqueFd epoll_;
  UniqueFd wake_;  // an eventfd

  // Of the server's thread.
  MHD_Daemon* daemon_ = nullptr;
  Connections connections_;
  absl::Duration next_retry_ = absl::InfiniteDuration();  // since the host started

  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 1;  // 0 and 1 mark the daemon and wake_
  absl::btree_map<HttpAddress, Listener> listeners_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<uint64_t, HttpAddress> addresses_ ABSL_GUARDED_BY(mutex_);  // by id

  std::thread thread_;
};

}  // namespace shunt

#endif  // SHUNT_HTTP_HTTP_SERVER_H_
