// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/api_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;

ServerAddress Server(const std::string& text) { return {.url = *ServerUrl::Parse(text)}; }

ObjectChange SliceOf(const std::string& service, const std::vector<std::string>& addresses) {
  EndpointSlice slice{.meta = {.name = {.name_space = "default", .name = service + "-1"}},
                      .service = {.name_space = "default", .name = service}};
  slice.ports = {{.name = "https", .protocol = SHUNT_TCP, .port = 6443}};
  for (const std::string& address : addresses) {
    slice.endpoints.push_back({.address = *IpAddress::Parse(address)});
  }
  return {.key = {.kind = Kind::kEndpointSlice, .name = slice.meta.name},
          .object = std::make_shared<const Object>(slice)};
}

ObjectChange ApiService(const std::string& address) {
  Service service{.meta = {.name = {.name_space = "default", .name = "kubernetes"}},
                  .cluster_ips = {*IpAddress::Parse(address)}};
  return {.key = {.kind = Kind::kService, .name = service.meta.name},
          .object = std::make_shared<const Object>(service)};
}

// The order in which servers are asked when each of them fails.
std::vector<std::string> Order(ApiServers servers) {
  std::vector<std::string> order;
  while (true) {
    const ServerAddress current = servers.Current();
    if (!order.empty() && current.url.ToString() == order.front()) return order;
    order.push_back(current.url.ToString());
    servers.Failed(current);
  }
}

TEST(ApiServers, AsksTheNextOneWhereOneFails) {
  ApiServers servers({.written = {Server("a:6443"), Server("b:6443")}});
  EXPECT_EQ(servers.Current().url.host, "a");
  const ServerAddress failed = servers.Current();
  for (int i = 0; i < 3; ++i) servers.Failed(failed);  // three streams, one failure
  EXPECT_EQ(servers.Current().url.host, "b");
  servers.Failed(servers.Current());
  EXPECT_EQ(servers.Current().url.host, "a");
}

TEST(ApiServers, AsksWhatIsWrittenFirstThenRealAddressesThenTheClusterIp) {
  ApiServers servers({.written = {Server("lb:6443")}, .in_cluster = Server("10.96.0.1:443")});
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.2", "10.0.0.1"}));
  EXPECT_THAT(Order(servers), ElementsAre("https://lb:6443", "https://10.0.0.1:6443",
                                          "https://10.0.0.2:6443", "https://10.96.0.1:443"));
}

TEST(ApiServers, NeverGoesThroughAClusterIpThatItServesItself) {
  ApiServers servers({.in_cluster = Server("10.96.0.1:443")});
  EXPECT_EQ(servers.Current().url.host, "10.96.0.1");  // until it knows better
  servers.OnChange(ApiService("10.96.0.1"));
  EXPECT_EQ(servers.Current().url.host, "10.96.0.1");
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.1"}));
  EXPECT_THAT(Order(servers), ElementsAre("https://10.0.0.1:6443"));
}

TEST(ApiServers, VerifiesAFollowedAddressByTheNameThatEveryServerHas) {
  ApiServers servers({.in_cluster = Server("10.96.0.1:443")});
  servers.OnChange(SliceOf("kubernetes", {"fd00::1"}));
  EXPECT_EQ(servers.Current().url.ToString(), "https://[fd00::1]:6443");
  EXPECT_EQ(servers.Current().tls_name, "kubernetes.default.svc");
}

TEST(ApiServers, KeepsItsWayWhenTheSliceBecomesEmpty) {
  ApiServers servers({.in_cluster = Server("10.96.0.1:443")});
  servers.OnChange(ApiService("10.96.0.1"));
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.1"}));
  servers.OnChange(SliceOf("kubernetes", {}));
  EXPECT_THAT(Order(servers), ElementsAre("https://10.0.0.1:6443"));
}

TEST(ApiServers, LooksAtNoOtherSlice) {
  ApiServers servers({.in_cluster = Server("10.96.0.1:443")});
  servers.OnChange(SliceOf("impostor", {"10.0.0.66"}));
  EXPECT_THAT(Order(servers), ElementsAre("https://10.96.0.1:443"));
}

TEST(ApiServers, StaysWithTheServerThatAnswersWhenOthersChange) {
  ApiServers servers({.written = {Server("a:6443"), Server("b:6443")}});
  servers.Failed(servers.Current());
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.1"}));
  EXPECT_EQ(servers.Current().url.host, "b");
}

TEST(ApiServers, FollowsServersThatAreAllReplacedOneByOne) {
  ApiServers servers({.in_cluster = Server("10.96.0.1:443")});
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.1", "10.0.0.2"}));
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.2", "10.0.0.3"}));
  servers.OnChange(SliceOf("kubernetes", {"10.0.0.3", "10.0.0.4"}));
  EXPECT_THAT(Order(servers), ElementsAre("https://10.0.0.3:6443", "https://10.0.0.4:6443",
                                          "https://10.96.0.1:443"));
}

TEST(ApiServers, KnowsTheAddressesAfterAReboot) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/shunt/api-servers";
  {
    ApiServers servers({.in_cluster = Server("10.96.0.1:443"), .file = file});
    servers.OnChange(SliceOf("kubernetes", {"10.0.0.1", "fd00::1"}));
    EXPECT_TRUE(servers.file_status().ok()) << servers.file_status();
  }
  const ApiServers servers({.in_cluster = Server("10.96.0.1:443"), .file = file});
  EXPECT_THAT(Order(servers), ElementsAre("https://10.0.0.1:6443", "https://[fd00::1]:6443",
                                          "https://10.96.0.1:443"));
}

TEST(ApiServers, SurvivesAFileThatIsNone) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/api-servers") << "\x01\x02\n  \nhttps://\n10.0.0.1:99999\n";
  const ApiServers servers(
      {.in_cluster = Server("10.96.0.1:443"), .file = directory.path() + "/api-servers"});
  EXPECT_THAT(Order(servers), ElementsAre("https://10.96.0.1:443"));
}

TEST(ServerUrl, ReadsWhatPeopleWrite) {
  const auto text = [](const char* written) {
    const auto url = ServerUrl::Parse(written);
    return url.ok() ? url->ToString() : std::string("error");
  };
  EXPECT_EQ(text("https://10.0.0.1:6443"), "https://10.0.0.1:6443");
  EXPECT_EQ(text("https://api.example/"), "https://api.example:443");
  EXPECT_EQ(text("https://api.example:8443/k8s/clusters/c"),
            "https://api.example:8443/k8s/clusters/c");
  EXPECT_EQ(text("10.0.0.1:6443"), "https://10.0.0.1:6443");
  EXPECT_EQ(text("[fd00::1]:6443"), "https://[fd00::1]:6443");
  EXPECT_EQ(text("fd00::1"), "https://[fd00::1]:443");
  for (const char* wrong : {"", "http://10.0.0.1", "https://", "a:b", "a:0", "a:65536", "[fd00::1",
                            "[x]:1", "a b", "https://user:secret@a", "https://a:1:2"}) {
    EXPECT_EQ(text(wrong), "error") << wrong;
  }
}

TEST(ServerUrl, AnErrorDoesNotRepeatCredentials) {
  EXPECT_EQ(ServerUrl::Parse("https://user:secret@a").status().message().find("secret"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace shunt
