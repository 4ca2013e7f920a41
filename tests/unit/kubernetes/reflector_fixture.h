// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_REFLECTOR_FIXTURE_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_REFLECTOR_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/unit/kubernetes/fake_transport.h"
#include "userspace/sources/kubernetes/reflector.h"

namespace shunt {

// JSON as an API server writes it.
inline std::string ServiceJson(const std::string& name, int version = 1) {
  return absl::StrCat(R"({"kind":"Service","apiVersion":"v1","metadata":{"name":")", name,
                      R"(","namespace":"shop","resourceVersion":")", version,
                      R"("},"spec":{"clusterIP":"10.96.0.10"}})");
}
inline std::string EventJson(const std::string& type, const std::string& object) {
  return absl::StrCat(R"({"type":")", type, R"(","object":)", object, "}\n");
}
inline std::string BookmarkJson(int version, bool ends_initial_events = false) {
  return EventJson(
      "BOOKMARK",
      absl::StrCat(R"({"kind":"Service","apiVersion":"v1","metadata":{)", R"("resourceVersion":")",
                   version, R"(","annotations":{)",
                   ends_initial_events ? R"("k8s.io/initial-events-end":"true")" : "", "}}}"));
}
inline std::string ListJson(const std::vector<std::string>& items, int version,
                            const std::string& more = "") {
  return absl::StrCat(R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":")",
                      version, R"(","continue":")", more, R"("},"items":[)",
                      absl::StrJoin(items, ","), "]}");
}
inline std::string StatusJson(int code, const std::string& reason,
                              const std::string& details = "{}") {
  return absl::StrCat(R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)", code,
                      R"(,"reason":")", reason, R"(","message":"so it is","details":)", details,
                      "}");
}
inline constexpr char kTooLarge[] =
    R"({"retryAfterSeconds":1,"causes":[{"reason":"ResourceVersionTooLarge"}]})";

// Services, followed; time and the server belong to the test.
class ReflectorTest : public ::testing::Test {
 protected:
  ReflectorTest() { store_.MarkSynced(); }

  // Time passes in steps in which nothing is missed, until a request is open or
  // all of it is over.
  void Pass(absl::Duration time) {
    const absl::Time end = now_ + time;
    while (true) {
      reflector_.Tick();
      if (transport_.open() || reflector_.NextTick() > end) break;
      now_ = std::max(now_, reflector_.NextTick());
    }
    if (!transport_.open()) now_ = end;
  }
  // As well, while a request is open.
  void PassSilently(absl::Duration time) {
    now_ += time;
    reflector_.Tick();
  }

  // The server knows WatchList, has these and goes on at `version`.
  void StreamInitially(const std::vector<std::string>& names, int version) {
    reflector_.Tick();
    ASSERT_TRUE(Asks("sendInitialEvents=true"));
    transport_.Head(200);
    for (const std::string& name : names) transport_.Send(EventJson("ADDED", ServiceJson(name)));
    transport_.Send(BookmarkJson(version, true));
  }

  bool Asks(std::string_view part) const {
    return absl::StrContains(transport_.target(), absl::string_view(part.data(), part.size()));
  }
  bool AsksForList() const { return !Asks("watch=1"); }
  bool AsksForWatch() const { return Asks("watch=1") && !Asks("sendInitialEvents"); }

  bool Knows(const std::string& name) const {
    return store_.Find({.name_space = "shop", .name = name}).service != nullptr;
  }
  size_t known() const { return store_.sizes().services; }
  const Reflector::Status& status() const { return reflector_.status(); }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  Store store_{"node-a", [] {}};
  FakeTransport transport_;
  ResourceTable table_{Kind::kService, store_, [](const ObjectChange&) {}};
  Reflector reflector_{{.resource = {.kind = Kind::kService,
                                     .api_version = "v1",
                                     .path = "/api/v1/services",
                                     .label_selector = "!service.kubernetes.io/service-proxy-name",
                                     .field_selector = "spec.clusterIP!=None"},
                        .transport = transport_,
                        .table = table_,
                        .now = [this] { return now_; },
                        .random = [] { return 0.5; }}};
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_REFLECTOR_FIXTURE_H_
