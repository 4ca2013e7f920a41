// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shunt {
namespace {

using testing::ElementsAre;
using testing::Pair;

HttpRequest Get(std::string_view path) { return {.method = "GET", .path = path}; }

TEST(HealthPages, HasHealthzAndLivezAndNothingElse) {
  const ProxyHealth health({});
  std::vector<std::pair<std::string, int>> answers;
  const HttpHandler pages = HealthPages(
      health, [&answers](std::string_view path, int code) { answers.emplace_back(path, code); });
  EXPECT_EQ(pages(Get("/healthz")).code, 503);
  EXPECT_EQ(pages(Get("/livez")).code, 200);
  for (const char* other : {"/", "/healthz/", "/metrics", "/healthz2", "*"}) {
    EXPECT_EQ(pages(Get(other)).code, 404) << other;
  }
  EXPECT_THAT(answers, ElementsAre(Pair("/healthz", 503), Pair("/livez", 200)));
}

TEST(MetricsPages, AnswersAsKubeProxyDoes) {
  bool ready = false;
  const HttpHandler pages =
      MetricsPages({.metrics = [] { return std::string("up 1\n"); },
                    .slis = [](uint64_t pings) { return std::to_string(pings); },
                    .ready = [&ready] { return ready; },
                    .configz = [] { return "{}"; }});
  EXPECT_EQ(pages(Get("/metrics")).body, "up 1\n");
  EXPECT_EQ(pages(Get("/metrics/slis")).body, "0");
  EXPECT_EQ(pages(Get("/healthz")).body, "ok");
  EXPECT_EQ(pages(Get("/healthz/ping")).body, "ok");
  EXPECT_EQ(pages(Get("/metrics/slis")).body, "2");
  EXPECT_EQ(pages(Get("/proxyMode")).body, "ebpf");
  EXPECT_EQ(pages(Get("/configz")).body, "{}");
  EXPECT_EQ(pages(Get("/readyz")).code, 503);
  ready = true;
  EXPECT_EQ(pages(Get("/readyz")).code, 200);
  EXPECT_EQ(pages(Get("/debug/pprof")).code, 404);
}

}  // namespace
}  // namespace shunt
