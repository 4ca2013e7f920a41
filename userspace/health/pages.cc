// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/pages.h"

#include <utility>

namespace shunt {
namespace {

// As Go's http.Error and http.NotFound write it.
constexpr char kText[] = "text/plain; charset=utf-8";

HttpResponse Text(int code, std::string body) {
  return {.code = code,
          .headers = {{"Content-Type", kText}, {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

HttpResponse NotFound() { return Text(404, "404 page not found\n"); }

HttpResponse Json(std::string body) {
  return {.headers = {{"Content-Type", "application/json"}, {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

HttpResponse Metrics(std::string body) {
  return {.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
          .body = std::move(body)};
}

}  // namespace

HttpHandler HealthPages(const ProxyHealth& health, OnAnswer answered) {
  return [&health, answered = std::move(answered)](const HttpRequest& request) {
    if (request.path != "/healthz" && request.path != "/livez") return NotFound();
    HttpResponse response = request.path == "/healthz" ? health.Healthz() : health.Livez();
    answered(request.path, response.code);
    return response;
  };
}

HttpHandler MetricsPages(MetricsPagesSources sources) {
  return [sources = std::move(sources), pings = uint64_t{0}](const HttpRequest& request) mutable {
    if (request.path == "/metrics") return Metrics(sources.metrics());
    if (request.path == "/metrics/slis") return Metrics(sources.slis(pings));
    if (request.path == "/healthz" || request.path == "/healthz/ping") {
      ++pings;
      return Text(200, "ok");
    }
    if (request.path == "/proxyMode") return Text(200, "ebpf");
    if (request.path == "/configz") return Json(sources.configz());
    if (request.path != "/readyz") return NotFound();
    return sources.ready() ? Text(200, "ok") : Text(503, "not synced yet\n");
  };
}

}  // namespace shunt
