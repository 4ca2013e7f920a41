// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/quote.h"

namespace shunt {
namespace {

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool IsAddress(std::string_view text) { return IpAddress::Parse(text).ok(); }

bool IsHost(std::string_view text) {
  return IsAddress(text) || (!text.empty() && text.size() <= 253 &&
                             std::all_of(text.begin(), text.end(), IsUnreserved));
}

// Takes the host from the front of `rest`, which goes on with the port.
std::string TakeHost(std::string_view& rest) {
  std::string host;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return "";
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return IsAddress(host) && host.find(':') != std::string::npos ? host : "";
  }
  // An IPv6 address without brackets has no port behind it.
  const size_t end = IsAddress(rest) ? rest.size() : std::min(rest.find(':'), rest.size());
  host = rest.substr(0, end);
  rest.remove_prefix(end);
  return host;
}

}  // namespace

std::string UrlEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string ServerUrl::HostAndPort() const {
  const bool brackets = host.find(':') != std::string::npos;
  return absl::StrCat(brackets ? "[" : "", host, brackets ? "]" : "", ":", port);
}

std::string ServerUrl::ToString() const { return absl::StrCat("https://", HostAndPort(), path); }

absl::StatusOr<ServerUrl> ServerUrl::Parse(std::string_view text) {
  const auto error = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " ", Absl(why), ", expected https://HOST:PORT"));
  };
  std::string_view rest = text;
  constexpr std::string_view kScheme = "https://";
  if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
  } else if (rest.find("://") != std::string_view::npos) {
    return error("is not https, and credentials are sent over nothing else");
  }
  ServerUrl url;
  const size_t slash = std::min(rest.find('/'), rest.size());
  url.path = std::string(absl::StripSuffix(Absl(rest.substr(slash)), "/"));
  rest = rest.substr(0, slash);
  if (rest.find('@') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "credentials in a URL are not read, expected https://HOST:PORT");
  }
  url.host = TakeHost(rest);
  if (!IsHost(url.host)) return error("names no host");
  if (rest.empty()) return url;
  int port = 0;
  if (!rest.starts_with(':') || !absl::SimpleAtoi(Absl(rest.substr(1)), &port) || port < 1 ||
      port > 65535) {
    return error("has no valid port");
  }
  url.port = static_cast<uint16_t>(port);
  return url;
}

}  // namespace shunt
