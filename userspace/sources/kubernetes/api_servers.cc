// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/api_servers.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "userspace/base/status.h"
#include "userspace/sources/manifests/file_reader.h"

namespace shunt {
namespace {

// In the certificate of every API server; the address of each may not be.
constexpr char kTlsName[] = "kubernetes.default.svc";
constexpr size_t kMostFileBytes = 64 << 10;

bool IsApiService(const NamespacedName& name) {
  return name.name_space == "default" && name.name == "kubernetes";
}

std::vector<std::string> ReadAddresses(const std::string& file) {
  std::vector<std::string> addresses;
  const absl::StatusOr<std::string> text = ReadManifestFile(file, kMostFileBytes);
  if (!text.ok()) return addresses;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipWhitespace())) {
    const std::string address(line);
    if (ServerUrl::Parse(address).ok()) addresses.push_back(address);
  }
  return addresses;
}

// A reader sees the old file or the new one.
absl::Status WriteAddresses(const std::string& file, const std::vector<std::string>& addresses) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  const std::string next = file + ".new";
  std::ofstream stream(next, std::ios::trunc);
  stream << absl::StrJoin(addresses, "\n") << "\n";
  stream.close();
  if (!stream) return ErrnoStatus(absl::StrCat("cannot write ", next));
  std::filesystem::rename(next, file, error);
  if (error) return ErrnoStatus(absl::StrCat("cannot write ", file), error.value());
  return absl::OkStatus();
}

}  // namespace

ApiServers::ApiServers(Config config) : config_(std::move(config)) {
  if (!config_.file.empty()) followed_ = ReadAddresses(config_.file);
  MakeCandidates();
}

void ApiServers::Failed(const ServerAddress& server) {
  if (server == Current()) current_ = (current_ + 1) % candidates_.size();
}

void ApiServers::OnChange(const ObjectChange& change) {
  if (change.key.kind == Kind::kEndpointSlice && change.key.name.name_space == "default") {
    OnSlice(change.key.name.name,
            change.object == nullptr ? nullptr : &std::get<EndpointSlice>(*change.object));
  } else if (change.key.kind == Kind::kService && IsApiService(change.key.name)) {
    cluster_ips_.clear();
    if (change.object != nullptr) {
      for (const IpAddress& ip : std::get<Service>(*change.object).cluster_ips) {
        cluster_ips_.insert(ip.ToString());
      }
    }
    MakeCandidates();
  }
}

void ApiServers::OnSlice(const std::string& name, const EndpointSlice* slice) {
  if (slice == nullptr || !IsApiService(slice->service)) {
    if (slices_.erase(name) == 0) return;
  } else {
    std::vector<std::string>& addresses = slices_[name];
    addresses.clear();
    for (const Endpoint& endpoint : slice->endpoints) {
      if (!endpoint.ready) continue;
      for (const EndpointPort& port : slice->ports) {
        addresses.push_back(AddressAndPort(endpoint.address, port.port));
      }
    }
  }
  std::vector<std::string> all;
  for (const auto& [slice_name, addresses] : slices_) {
    all.insert(all.end(), addresses.begin(), addresses.end());
  }
  std::sort(all.begin(), all.end());
  Follow(std::move(all));
}

void ApiServers::Follow(std::vector<std::string> addresses) {
  // An empty list is no news of where to go.
  if (addresses.empty() || addresses == followed_) return;
  followed_ = std::move(addresses);
  MakeCandidates();
  if (!config_.file.empty()) file_status_ = WriteAddresses(config_.file, followed_);
}

void ApiServers::MakeCandidates() {
  const std::optional<ServerAddress> before =
      candidates_.empty() ? std::nullopt : std::optional<ServerAddress>(Current());
  candidates_ = config_.written;
  for (const std::string& address : followed_) {
    candidates_.push_back({.url = *ServerUrl::Parse(address),
                           .tls_name = config_.tls_name.empty() ? kTlsName : config_.tls_name});
  }
  const std::optional<ServerAddress>& in_cluster = config_.in_cluster;
  const bool is_served = in_cluster && cluster_ips_.contains(in_cluster->url.host);
  if (in_cluster && (followed_.empty() || !is_served)) candidates_.push_back(*in_cluster);
  // Whoever answers stays the one that is asked; but what was the last resort.
  const auto same = std::find(candidates_.begin(), candidates_.end(), before);
  current_ = same == candidates_.end() || before == in_cluster ? 0 : same - candidates_.begin();
}

}  // namespace shunt
