// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_HTTP_CLIENT_H_
#define SHUNT_TESTS_SUPPORT_HTTP_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <string_view>

#include "userspace/base/unique_fd.h"
#include "userspace/http/http_address.h"

namespace shunt {

inline constexpr int kClientPatienceMs = 30'000;

// A port of 127.0.0.1 that nobody has at the moment.
inline uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof(name);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length), 0);
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  return ntohs(name.sin_port);
}

inline HttpAddress Loopback(uint16_t port) {
  return {.ip = *IpAddress::Parse("127.0.0.1"), .port = port};
}

// Connected, or none where nobody listens.
inline UniqueFd ConnectTo(uint16_t port, Family family = Family::kIpv4) {
  const bool v4 = family == Family::kIpv4;
  UniqueFd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in name4 = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const sockaddr_in6 name6 = {
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  const auto* name =
      v4 ? reinterpret_cast<const sockaddr*>(&name4) : reinterpret_cast<const sockaddr*>(&name6);
  const socklen_t length = v4 ? sizeof(name4) : sizeof(name6);
  return connect(fd.get(), name, length) == 0 ? std::move(fd) : UniqueFd();
}

inline bool Say(const UniqueFd& fd, std::string_view text) {
  return send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// All until the server closes.
inline std::string ReadAll(const UniqueFd& fd) {
  std::string text;
  char buffer[4096];
  pollfd ready = {.fd = fd.get(), .events = POLLIN, .revents = 0};
  while (poll(&ready, 1, kClientPatienceMs) > 0) {
    const ssize_t got = read(fd.get(), buffer, sizeof(buffer));
    if (got <= 0) return text;
    text.append(buffer, got);
  }
  ADD_FAILURE() << "the server neither answers nor closes";
  return text;
}

// The whole answer, with its headers; "" where there is none.
inline std::string Fetch(uint16_t port, std::string_view path, std::string_view method = "GET",
                         Family family = Family::kIpv4) {
  const UniqueFd fd = ConnectTo(port, family);
  if (!fd.ok()) return "";
  Say(fd, std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: node\r\n\r\n");
  return ReadAll(fd);
}

inline std::string BodyOf(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

inline std::string StatusLine(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

}  // namespace shunt

#endif  // SHUNT_TESTS_SUPPORT_HTTP_CLIENT_H_
