// SPDX-License-Identifier: Apache-2.0
#include "userspace/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <vector>

#include "tests/support/http_client.h"

namespace shunt {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

HttpResponse Echo(const HttpRequest& request) {
  return {.code = 200,
          .headers = {{"X-Method", std::string(request.method)}},
          .body = std::string(request.path)};
}

std::unique_ptr<HttpServer> StartServer(const HttpServer::Options& options = {}) {
  return HttpServer::Start(options).value();
}

size_t Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST(HttpServer, AnswersWithWhatTheHandlerSays) {
  const auto server = StartServer();
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  const std::string answer = Fetch(port, "/healthz?verbose=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Method: GET\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n/healthz"));
}

TEST(HttpServer, AnswersEveryMethodAndReadsNoBody) {
  const auto server = StartServer();
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  EXPECT_THAT(Fetch(port, "/x", "DELETE"), HasSubstr("X-Method: DELETE"));
  EXPECT_EQ(BodyOf(Fetch(port, "/x", "HEAD")), "");
  const UniqueFd client = ConnectTo(port);
  Say(client, "POST /x HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000\r\n\r\nabc");
  EXPECT_THAT(ReadAll(client), HasSubstr("X-Method: POST"));
}

TEST(HttpServer, TheUnspecifiedAddressIsBothFamiliesAndTheHandlerKnowsWhich) {
  const auto server = StartServer();
  const uint16_t port = FreePort();
  const HttpAddress all = {.ip = *IpAddress::Parse("0.0.0.0"), .port = port};
  ASSERT_TRUE(server
                  ->Open(all,
                         [](const HttpRequest& request) {
                           return HttpResponse{.body = std::string(FamilyName(request.family))};
                         })
                  .ok());
  EXPECT_EQ(BodyOf(Fetch(port, "/")), "IPv4");
  if (const UniqueFd probe = ConnectTo(port, Family::kIpv6); !probe.ok()) GTEST_SKIP() << "no IPv6";
  EXPECT_EQ(BodyOf(Fetch(port, "/", "GET", Family::kIpv6)), "IPv6");
}

TEST(HttpServer, AThousandPortsCostNoThreadAndOneDescriptorEach) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 1200) GTEST_SKIP() << "needs 1,200 file descriptors";
  const auto server = StartServer();
  const size_t threads = Threads();
  std::vector<HttpAddress> open;
  for (int port = 20'000; open.size() < 1000; ++port) {
    const HttpAddress address = Loopback(static_cast<uint16_t>(port));
    if (server->Open(address, Echo).ok()) {
      open.push_back(address);
    } else {
      server->Close(address);
    }
  }
  EXPECT_EQ(Threads(), threads);
  for (const size_t i : {0, 499, 999}) EXPECT_EQ(BodyOf(Fetch(open[i].port, "/x")), "/x");
}

TEST(HttpServer, AClosedPortIsFreeAtOnce) {
  const auto server = StartServer();
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  const UniqueFd under_way = ConnectTo(port);
  ASSERT_TRUE(Say(under_way, "GET /late HTTP/1.1\r\nHost: "));
  ASSERT_EQ(BodyOf(Fetch(port, "/x")), "/x");  // the one before was accepted too
  server->Close(Loopback(port));
  EXPECT_FALSE(ConnectTo(port).ok());
  EXPECT_TRUE(ListenOn(Loopback(port)).ok());
  Say(under_way, "node\r\n\r\n");
  EXPECT_EQ(BodyOf(ReadAll(under_way)), "/late");
}

TEST(HttpServer, APortThatIsTakenIsServedOnceItIsFree) {
  const auto server = StartServer({.retry_interval = absl::Milliseconds(5)});
  const uint16_t port = FreePort();
  absl::StatusOr<UniqueFd> squatter = ListenOn(Loopback(port));
  ASSERT_TRUE(squatter.ok());
  const absl::Status status = server->Open(Loopback(port), Echo);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("cannot listen on " + Loopback(port).ToString() + ": "));
  squatter = UniqueFd();
  std::string answer;
  for (const absl::Time end = absl::Now() + absl::Seconds(30);
       answer.empty() && absl::Now() < end;) {
    answer = Fetch(port, "/x");
  }
  EXPECT_EQ(BodyOf(answer), "/x");
}

TEST(HttpServer, WhoSaysNothingIsHungUpOn) {
  const auto server = StartServer({.max_age = absl::Milliseconds(50)});
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  const UniqueFd silent = ConnectTo(port);
  EXPECT_EQ(ReadAll(silent), "");
}

TEST(HttpServer, WhoSaysItByteByByteIsHungUpOn) {
  const auto server = StartServer({.max_age = absl::Milliseconds(50)});
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  const UniqueFd slow = ConnectTo(port);
  const absl::Time end = absl::Now() + absl::Seconds(30);
  Say(slow, "GET / HTTP/1.1\r\nX: ");
  while (Say(slow, "a") && absl::Now() < end) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_LT(absl::Now(), end);
}

TEST(HttpServer, WhoNeverReadsTheAnswerIsHungUpOn) {
  const auto server = StartServer({.max_age = absl::Milliseconds(50)});
  const uint16_t port = FreePort();
  ASSERT_TRUE(server
                  ->Open(Loopback(port),
                         [](const HttpRequest&) {
                           return HttpResponse{.body = std::string(64 << 20, 'x')};
                         })
                  .ok());
  const UniqueFd lazy = ConnectTo(port);
  Say(lazy, "GET / HTTP/1.1\r\nHost: node\r\n\r\n");
  pollfd closed = {.fd = lazy.get(), .events = POLLRDHUP, .revents = 0};
  EXPECT_EQ(poll(&closed, 1, kClientPatienceMs), 1);
}

TEST(HttpServer, ClientsWhoSayNothingKeepNobodyFromBeingAnswered) {
  const auto server = StartServer({.max_connections_per_address = 8, .max_connections = 16});
  const uint16_t flooded = FreePort();
  ASSERT_TRUE(server->Open(Loopback(flooded), Echo).ok());
  const uint16_t other = FreePort();
  ASSERT_TRUE(server->Open(Loopback(other), Echo).ok());
  std::vector<UniqueFd> silent;
  silent.push_back(ConnectTo(other));
  for (int i = 0; i < 200; ++i) silent.push_back(ConnectTo(flooded));
  EXPECT_EQ(BodyOf(Fetch(flooded, "/x")), "/x");
  EXPECT_EQ(BodyOf(Fetch(other, "/x")), "/x");
  EXPECT_EQ(ReadAll(silent[1]), "");  // the oldest made room
  Say(silent[0], "GET /x HTTP/1.1\r\nHost: node\r\n\r\n");
  EXPECT_EQ(BodyOf(ReadAll(silent[0])), "/x");  // not at the cost of the other port
}

TEST(HttpServer, GarbageIsRefusedAndTheNextRequestAnswered) {
  const auto server = StartServer();
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  for (const std::string& garbage :
       {std::string("\r\n\r\n\r\n\x16\x03\x01\x02garbage\r\n\r\n"),
        std::string(1000, '\0') + "\r\n", "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n"}) {
    const UniqueFd client = ConnectTo(port);
    Say(client, garbage);
    shutdown(client.get(), SHUT_WR);
    EXPECT_THAT(StatusLine(ReadAll(client)), testing::Not(HasSubstr("200")));
  }
  EXPECT_EQ(BodyOf(Fetch(port, "/x")), "/x");
}

TEST(HttpServer, EndsWithConnectionsOpen) {
  auto server = StartServer();
  const uint16_t port = FreePort();
  ASSERT_TRUE(server->Open(Loopback(port), Echo).ok());
  const UniqueFd client = ConnectTo(port);
  Say(client, "GET / HTTP/1.1\r\n");
  server.reset();
  EXPECT_EQ(ReadAll(client), "");
}

}  // namespace
}  // namespace shunt
