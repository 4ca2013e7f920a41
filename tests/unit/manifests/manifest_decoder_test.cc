// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/manifests/decoding.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ServiceText(const std::string& name) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {}\n";
}

std::vector<std::string> Keys(const ManifestContent& content) {
  std::vector<std::string> keys;
  for (const ManifestObject& object : content.objects) {
    keys.push_back(object.key.ToString() + (object.object == nullptr ? " (unusable)" : ""));
  }
  return keys;
}

TEST(ManifestDecoder, ReadsObjectsAndListsInSeveralDocuments) {
  const ManifestContent content = DecodeManifest("all.yaml", R"(# shop
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec: {}
- apiVersion: v1
  kind: Node
  metadata: {name: node-a}
---
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {}
...
)");
  EXPECT_THAT(content.problems, IsEmpty());
  EXPECT_THAT(Keys(content), ElementsAre("Service default/a", "Node node-a", "Service default/b"));
}

TEST(ManifestDecoder, AListMaySayItsKindBehindItsItems) {
  // As kubectl sorts the keys; and as the API answers, without a kind in each.
  const ManifestContent sorted = DecodeManifest(
      "l.yaml",
      "apiVersion: v1\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {}}\n"
      "kind: List\nmetadata: {resourceVersion: ''}\n");
  EXPECT_THAT(sorted.problems, IsEmpty());
  EXPECT_THAT(Keys(sorted), ElementsAre("Service default/a"));
  for (const char* text :
       {"apiVersion: v1\nitems:\n- {metadata: {name: a}, spec: {}}\n- {metadata: {name: b}, spec: "
        "{}}\n"
        "kind: ServiceList\n",
        "apiVersion: v1\nkind: ServiceList\nitems:\n- {metadata: {name: a}, spec: {}}\n"
        "- {metadata: {name: b}, spec: {}}\n"}) {
    const ManifestContent content = DecodeManifest("l.yaml", text);
    EXPECT_THAT(content.problems, IsEmpty());
    EXPECT_THAT(Keys(content), ElementsAre("Service default/a", "Service default/b"));
  }
}

TEST(ManifestDecoder, EndpointSliceListsAndNodeListsAreRead) {
  EXPECT_THAT(Keys(DecodeManifest("l.json", R"({"kind":"EndpointSliceList","apiVersion":
      "discovery.k8s.io/v1","items":[{"metadata":{"name":"x","namespace":"shop","labels":
      {"kubernetes.io/service-name":"web"}},"addressType":"IPv4","endpoints":[],"ports":[]}]})")),
              ElementsAre("EndpointSlice shop/x"));
  EXPECT_THAT(Keys(DecodeManifest("l.json", R"({"kind":"NodeList","apiVersion":"v1","items":
      [{"metadata":{"name":"node-a.example.org"}}]})")),
              ElementsAre("Node node-a.example.org"));
}

TEST(ManifestDecoder, EmptyListsAndEmptyFilesAreFine) {
  for (const char* text :
       {"", "\n\n", "# nothing\n", "---\n", "---\n---\n", "apiVersion: v1\nkind: List\nitems: []\n",
        "apiVersion: v1\nkind: List\n", "apiVersion: v1\nkind: List\nitems:\n"}) {
    const ManifestContent content = DecodeManifest("e.yaml", text);
    EXPECT_TRUE(content.readable);
    EXPECT_THAT(content.objects, IsEmpty());
    EXPECT_THAT(Messages(content.problems), IsEmpty()) << text;
  }
}

TEST(ManifestDecoder, EachUnknownKindIsReportedOnceAndTheRestIsTaken) {
  std::string text = ServiceText("web");
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&text, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d", i,
                    "}\n");
  }
  text += "---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: other}\n";
  const ManifestContent content = DecodeManifest("web.yaml", text);
  EXPECT_THAT(Keys(content), ElementsAre("Service default/web"));
  EXPECT_THAT(
      Messages(content.problems),
      ElementsAre("web.yaml:6: objects of kind \"Deployment\" in apiVersion \"apps/v1\" are "
                  "ignored; known are v1 Service, discovery.k8s.io/v1 EndpointSlice, v1 Node, "
                  "and lists of them",
                  HasSubstr("\"Service\" in apiVersion \"serving.knative.dev/v1\"")));
}

TEST(ManifestDecoder, WhatIsNoObjectSaysSo) {
  EXPECT_THAT(Messages(DecodeManifest("web.yaml", "hello\n").problems),
              ElementsAre(HasSubstr("web.yaml:1: not an object")));
  EXPECT_THAT(Messages(DecodeManifest("web.yaml", "[1, 2]\n").problems),
              ElementsAre(HasSubstr("web.yaml:1: not an object")));
  EXPECT_THAT(Messages(DecodeManifest("web.yaml", "metadata: {name: web}\n").problems),
              ElementsAre(HasSubstr("web.yaml:1: an object without a kind is ignored")));
}

TEST(ManifestDecoder, ItemsOfWhatIsNoListAreAFieldLikeAnyOther) {
  const ManifestContent content = DecodeManifest(
      "web.yaml",
      "items:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  spec: {}\n"
      "apiVersion: example.org/v1\nkind: Catalogue\n");
  EXPECT_THAT(content.objects, IsEmpty());
  EXPECT_THAT(content.problems, SizeIs(1));
}

TEST(ManifestDecoder, OfTwoDefinitionsInAFileTheFirstCounts) {
  const ManifestContent content =
      DecodeManifest("web.yaml", ServiceText("web") + "---\n" + ServiceText("web"));
  EXPECT_THAT(Keys(content), ElementsAre("Service default/web"));
  EXPECT_THAT(
      Messages(content.problems),
      ElementsAre("web.yaml:6: Service default/web: defined for a second time; line 1 counts"));
}

TEST(ManifestDecoder, AnUnusableObjectIsNamedSoThatItsLastStateCanStay) {
  const ManifestContent content =
      DecodeManifest("web.yaml", ServiceText("a") +
                                     "---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
                                     "spec: {ports: 80}\n");
  EXPECT_TRUE(content.readable);
  EXPECT_THAT(Keys(content), ElementsAre("Service default/a", "Service default/b (unusable)"));
  EXPECT_THAT(
      Messages(content.problems),
      ElementsAre("web.yaml:9: Service default/b: spec.ports: 80 is a number, a list is expected"));
}

TEST(ManifestDecoder, ATypoAnywhereMakesTheFileUnreadableAsAWhole) {
  const ManifestContent content =
      DecodeManifest("web.yaml", ServiceText("web") + "---\nkind: Service\n  metadata: x\n");
  EXPECT_FALSE(content.readable);
  EXPECT_THAT(content.objects, IsEmpty());
  EXPECT_THAT(Messages(content.problems), ElementsAre(HasSubstr("web.yaml:7: not YAML: ")));
}

TEST(ManifestDecoder, AMillionMistakesAreAThousandLines) {
  std::string text = "apiVersion: v1\nkind: List\nitems:\n";
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&text, "- {apiVersion: v1, kind: Service, metadata: {name: _", i, "}}\n");
  }
  EXPECT_THAT(DecodeManifest("web.yaml", text).problems, SizeIs(1001));
}

TEST(ManifestDecoder, ANodeHasItsInternalAddressesFirst) {
  const auto node = DecodeOne<Node>(R"(apiVersion: v1
kind: Node
metadata:
  name: node-a
  labels: {topology.kubernetes.io/zone: zone-a}
spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, 'fd00:244::/64', nonsense]}
status:
  addresses:
  - {type: Hostname, address: node-a}
  - {type: ExternalIP, address: 203.0.113.1}
  - {type: InternalIP, address: 192.0.2.1}
  - {type: InternalIP, address: 'fd00::1'}
  - {type: InternalIP, address: nonsense}
)");
  ASSERT_TRUE(node.usable);
  EXPECT_EQ(node.object.zone, "zone-a");
  EXPECT_THAT(node.object.addresses,
              ElementsAre(*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("fd00::1"),
                          *IpAddress::Parse("203.0.113.1")));
  EXPECT_THAT(node.object.pod_cidrs,
              ElementsAre(*Cidr::Parse("10.244.0.0/24"), *Cidr::Parse("fd00:244::/64")));
  EXPECT_THAT(node.problems,
              ElementsAre(HasSubstr("status.addresses[4].address"), HasSubstr("spec.podCIDRs[2]")));
}

TEST(ManifestDecoder, ANodeThatIsHardlyKnownIsStillANode) {
  const auto node = DecodeOne<Node>(
      "apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\nspec: {podCIDR: ''}\n");
  EXPECT_TRUE(node.usable);
  EXPECT_THAT(node.problems, IsEmpty());
}

}  // namespace
}  // namespace shunt
