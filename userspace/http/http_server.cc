// SPDX-License-Identifier: Apache-2.0
#include "userspace/http/http_server.h"

#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "userspace/base/status.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

// What epoll says is ready; above these, a listener's id.
constexpr uint64_t kDaemon = 0;
constexpr uint64_t kWake = 1;

// For a request line and its headers; more is answered with 413 or 431.
constexpr size_t kConnectionMemory = 16 << 10;

// Taken from one listener before the others have their turn.
constexpr int kAcceptsAtOnce = 32;

// A pause where there are no file descriptors left and none of ours to close.
constexpr absl::Duration kNoFdsPause = absl::Milliseconds(10);

// Time that nobody sets.
absl::Duration Uptime() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

absl::Status Watch(int epoll, int fd, uint64_t id) {
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = id}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) return ErrnoStatus("epoll_ctl");
  return absl::OkStatus();
}

MHD_Result Send(MHD_Connection* connection, const HttpResponse& answer) {
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;  // closes the connection
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  MHD_add_response_header(response, "Connection", "close");
  const MHD_Result result = MHD_queue_response(connection, answer.code, response);
  MHD_destroy_response(response);
  return result;
}

}  // namespace

struct HttpServer::Callbacks {
  // MHD took a connection over (inside AddToDaemon), or is about to close it.
  static void OnConnection(void* server, MHD_Connection* /*connection*/, void** context,
                           MHD_ConnectionNotificationCode code) {
    Connections& connections = static_cast<HttpServer*>(server)->connections_;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      *context = &connections.back();
      return;
    }
    connections.remove_if([context](const Connection& c) { return &c == *context; });
  }

  // Answers at once; a body that comes with the request is not read.
  static MHD_Result OnRequest(void* /*server*/, MHD_Connection* connection, const char* url,
                              const char* method, const char* /*version*/, const char* /*data*/,
                              size_t* /*size*/, void** /*context*/) {
    const MHD_ConnectionInfo* info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info == nullptr || info->socket_context == nullptr) return MHD_NO;
    const auto& ours = *static_cast<const Connection*>(info->socket_context);
    return Send(
        connection,
        (*ours.handler)({.method = method, .path = url, .family = FamilyOfConnection(ours.fd)}));
  }
};

HttpServer::HttpServer(const Options& options)
    : options_(options),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options) {
  std::unique_ptr<HttpServer> server(new HttpServer(options));
  SHUNT_RETURN_IF_ERROR(server->Init());
  server->thread_ = std::thread([raw = server.get()] { raw->Run(); });
  return server;
}

absl::Status HttpServer::Init() {
  if (!epoll_.ok() || !wake_.ok()) return ErrnoStatus("HTTP server: epoll");
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr,
                             &Callbacks::OnRequest, this, MHD_OPTION_NOTIFY_CONNECTION,
                             &Callbacks::OnConnection, this, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                             kConnectionMemory, MHD_OPTION_END);
  if (daemon_ == nullptr) return ErrnoStatus("HTTP server: libmicrohttpd");
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) return absl::InternalError("HTTP server: libmicrohttpd without epoll");
  SHUNT_RETURN_IF_ERROR(Watch(epoll_.get(), info->epoll_fd, kDaemon));
  return Watch(epoll_.get(), wake_.get(), kWake);
}

HttpServer::~HttpServer() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);  // the last user of connections_
}

absl::Status HttpServer::Open(const HttpAddress& address, HttpHandler handler) {
  absl::MutexLock lock(&mutex_);
  Listener& listener = listeners_[address];
  listener.id = ++last_id_;
  listener.handler = std::make_shared<const HttpHandler>(std::move(handler));
  addresses_[listener.id] = address;
  absl::Status status = Bind(address, listener);
  if (status.ok()) return status;
  LogWarning("an address for HTTP is not free, trying again",
             {{"err", status}, {"every", options_.retry_interval}});
  eventfd_write(wake_.get(), 1);
  return status;
}

void HttpServer::Close(const HttpAddress& address) {
  absl::MutexLock lock(&mutex_);
  const auto found = listeners_.find(address);
  if (found == listeners_.end()) return;
  addresses_.erase(found->second.id);
  listeners_.erase(found);  // closes the socket, and so leaves epoll
}

absl::Status HttpServer::Bind(const HttpAddress& address, Listener& listener) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd socket, ListenOn(address));
  SHUNT_RETURN_IF_ERROR(Watch(epoll_.get(), socket.get(), listener.id));
  listener.socket = std::move(socket);
  return absl::OkStatus();
}

void HttpServer::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), WaitMilliseconds());
    for (int i = 0; i < ready; ++i) {
      const uint64_t id = events[i].data.u64;
      eventfd_t ignored;
      if (id == kWake) eventfd_read(wake_.get(), &ignored);
      if (id > kWake) Accept(id);
    }
    {
      absl::MutexLock lock(&mutex_);
      if (stop_) return;
    }
    EndOverdue();
    MHD_run(daemon_);
    RetryBind();
  }
}

int HttpServer::WaitMilliseconds() {
  const absl::Duration now = Uptime();
  absl::Duration until = NextRetry(now);
  const auto oldest = std::find_if(connections_.begin(), connections_.end(),
                                   [](const Connection& c) { return !c.ended; });
  if (oldest != connections_.end()) until = std::min(until, oldest->accepted + options_.max_age);
  MHD_UNSIGNED_LONG_LONG daemon_ms = 0;
  if (MHD_get_timeout(daemon_, &daemon_ms) == MHD_YES) {
    until = std::min(until, now + absl::Milliseconds(daemon_ms));
  }
  if (until == absl::InfiniteDuration()) return -1;
  if (until <= now) return 0;
  // A millisecond more: a wait that ends just before its time would spin.
  return static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(until - now) + 1, 60'000));
}

absl::Duration HttpServer::NextRetry(absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  const bool all_bound = std::all_of(listeners_.begin(), listeners_.end(),
                                     [](const auto& entry) { return entry.second.socket.ok(); });
  if (all_bound) {
    next_retry_ = absl::InfiniteDuration();
  } else if (next_retry_ == absl::InfiniteDuration()) {
    next_retry_ = now + options_.retry_interval;
  }
  return next_retry_;
}

void HttpServer::Accept(uint64_t listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    Connection connection = {.listener = listener, .accepted = Uptime()};
    UniqueFd fd = AcceptOne(listener, connection);
    if (fd.ok()) {
      AddToDaemon(std::move(fd), std::move(connection));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      EndOldest(nullptr);
      if (connections_.empty()) absl::SleepFor(kNoFdsPause);
    }
    return;
  }
}

// On failure errno is accept()'s.
UniqueFd HttpServer::AcceptOne(uint64_t listener, Connection& connection) {
  absl::MutexLock lock(&mutex_);
  const auto address = addresses_.find(listener);
  if (address == addresses_.end()) {  // closed since epoll named it
    errno = EAGAIN;
    return UniqueFd();
  }
  const Listener& open = listeners_[address->second];
  connection.handler = open.handler;
  return UniqueFd(accept4(open.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

void HttpServer::AddToDaemon(UniqueFd fd, Connection connection) {
  MakeRoomFor(connection.listener);
  sockaddr_storage peer = {};
  socklen_t length = sizeof(peer);
  if (getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &length) < 0) return;
  connection.fd = fd.get();
  connections_.push_back(std::move(connection));
  const size_t before = connections_.size();
  // Closes the descriptor in any case.
  const MHD_Result added =
      MHD_add_connection(daemon_, fd.Release(), reinterpret_cast<const sockaddr*>(&peer), length);
  if (added != MHD_YES && connections_.size() == before) connections_.pop_back();
}

void HttpServer::MakeRoomFor(uint64_t listener) {
  size_t of_listener = 0, all = 0;
  for (const Connection& connection : connections_) {
    if (connection.ended) continue;
    ++all;
    of_listener += connection.listener == listener ? 1 : 0;
  }
  if (of_listener >= options_.max_connections_per_address) {
    EndOldest(&listener);
  } else if (all >= options_.max_connections) {
    EndOldest(nullptr);
  }
}

// MHD closes it once it sees that nothing comes; then the kernel forgets at once
// what the client has not read.
void HttpServer::End(Connection& connection) {
  connection.ended = true;
  const linger forget = {.l_onoff = 1, .l_linger = 0};
  setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &forget, sizeof(forget));
  shutdown(connection.fd, SHUT_RDWR);
}

// Of a listener, or of all.
void HttpServer::EndOldest(const uint64_t* listener) {
  for (Connection& connection : connections_) {
    if (connection.ended || (listener != nullptr && connection.listener != *listener)) continue;
    End(connection);
    return;
  }
}

void HttpServer::EndOverdue() {
  const absl::Duration latest = Uptime() - options_.max_age;
  for (Connection& connection : connections_) {
    if (connection.accepted > latest) return;
    if (!connection.ended) End(connection);
  }
}

void HttpServer::RetryBind() {
  if (Uptime() < next_retry_) return;
  next_retry_ = Uptime() + options_.retry_interval;
  absl::MutexLock lock(&mutex_);
  for (auto& [address, listener] : listeners_) {
    if (listener.socket.ok() || !Bind(address, listener).ok()) continue;
    LogInfo("an address for HTTP is free at last", {{"address", address.ToString()}});
  }
}

}  // namespace shunt
