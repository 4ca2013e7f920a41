// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/exec_plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"
#include "userspace/sources/manifests/file_reader.h"

namespace shunt {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostOutput = 1 << 20;
// How soon a plugin notices that we end.
constexpr int kPollMs = 100;

// spec.cluster of KUBERNETES_EXEC_INFO.
Json ClusterInfo(const ClientConfig& config) {
  Json cluster = {{"server", config.server.ToString()}};
  if (!config.tls_server_name.empty()) cluster["tls-server-name"] = config.tls_server_name;
  if (!config.proxy_url.empty()) cluster["proxy-url"] = config.proxy_url;
  std::string authority = config.authority.data;
  if (!config.authority.file.empty()) {
    if (absl::StatusOr<std::string> text = ReadManifestFile(config.authority.file, kMostOutput);
        text.ok()) {
      authority = *std::move(text);
    }
  }
  if (!authority.empty()) {
    cluster["certificate-authority-data"] = absl::Base64Escape(authority);
  }
  return cluster;
}

std::string ExecInfo(const ClientConfig& config) {
  Json spec = {{"interactive", false}};
  if (config.exec->provide_cluster_info) spec["cluster"] = ClusterInfo(config);
  return Json{{"apiVersion", config.exec->api_version}, {"kind", "ExecCredential"}, {"spec", spec}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Ours, with what the configuration adds.
std::vector<std::string> EnvironmentOf(const ClientConfig& config) {
  std::vector<std::pair<std::string, std::string>> own = config.exec->environment;
  own.emplace_back("KUBERNETES_EXEC_INFO", ExecInfo(config));
  std::vector<std::string> environment;
  for (const auto& [name, value] : own) environment.push_back(absl::StrCat(name, "=", value));
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const auto& [name, value] : own) {
      replaced |= absl::StartsWith(*entry, absl::StrCat(name, "="));
    }
    if (!replaced) environment.emplace_back(*entry);
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A child process of which stdout is read. Its end is waited for, whatever
// happens.
class Child {
 public:
  static absl::StatusOr<Child> Spawn(const ClientConfig& config);
  ~Child() {
    if (pid_ > 0) Kill();
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  Child& operator=(Child&&) = delete;

  int output() const { return output_.get(); }
  // Its exit status, of which it may take its time.
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  int Kill() {
    kill(-pid_, SIGKILL);  // with its children: it leads a group
    return Wait();
  }

 private:
  Child(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}

  pid_t pid_;
  UniqueFd output_;
};

absl::StatusOr<Child> Child::Spawn(const ClientConfig& config) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return ErrnoStatus("pipe");
  UniqueFd output(ends[0]);
  const UniqueFd input(ends[1]);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, input.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);  // ours blocks SIGTERM
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> arguments = {config.exec->command};
  arguments.insert(arguments.end(), config.exec->arguments.begin(), config.exec->arguments.end());
  std::vector<std::string> environment = EnvironmentOf(config);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, config.exec->command.c_str(), &actions, &attributes,
                                 Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return ErrnoStatus("cannot be started", error);
  return Child(pid, std::move(output));
}

absl::StatusOr<std::string> ReadOutput(Child& child, absl::Duration limit,
                                       const std::atomic<bool>& stop) {
  const absl::Time deadline = absl::Now() + limit;
  std::string output;
  char buffer[4096];
  while (true) {
    if (stop) return absl::CancelledError("we end");
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("has not finished within ", absl::FormatDuration(limit)));
    }
    pollfd ready = {.fd = child.output(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    const ssize_t got = read(child.output(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("its output cannot be read");
    if (got == 0) return output;
    output.append(buffer, got);
    if (output.size() > kMostOutput) {
      return absl::ResourceExhaustedError("prints more than 1 MiB");
    }
  }
}

absl::StatusOr<std::string> Run(const ClientConfig& config, absl::Duration limit,
                                const std::atomic<bool>& stop) {
  SHUNT_ASSIGN_OR_RETURN(Child child, Child::Spawn(config));
  SHUNT_ASSIGN_OR_RETURN(std::string output, ReadOutput(child, limit, stop));
  const int status = child.Wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return absl::InternalError(WIFEXITED(status)
                                 ? absl::StrCat("exits with ", WEXITSTATUS(status))
                                 : absl::StrCat("is ended by signal ", WTERMSIG(status)));
}

// A member that is a text, or "".
std::string TextOf(const Json& map, const char* key) {
  const auto member = map.find(key);
  return member != map.end() && member->is_string() ? member->get<std::string>() : "";
}

}  // namespace

absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view output,
                                                   std::string_view api_version) {
  const Json json = Json::parse(output, nullptr, false);
  if (!json.is_object() || TextOf(json, "kind") != "ExecCredential") {
    return absl::InvalidArgumentError("prints something else than an ExecCredential in JSON");
  }
  if (TextOf(json, "apiVersion") != api_version) {
    return absl::InvalidArgumentError(absl::StrCat("answers with apiVersion ",
                                                   Quoted(TextOf(json, "apiVersion")),
                                                   ", expected ", Absl(api_version)));
  }
  const auto status = json.find("status");
  if (status == json.end() || !status->is_object()) {
    return absl::InvalidArgumentError("answers without a status");
  }
  ExecCredential credential{.token = TextOf(*status, "token"),
                            .certificate = TextOf(*status, "clientCertificateData"),
                            .key = TextOf(*status, "clientKeyData")};
  if (credential.certificate.empty() != credential.key.empty()) {
    return absl::InvalidArgumentError("answers with a certificate or its key, expected both");
  }
  if (credential.token.empty() && credential.key.empty()) {
    return absl::InvalidArgumentError("answers with neither a token nor a certificate");
  }
  const std::string expires = TextOf(*status, "expirationTimestamp");
  std::string error;
  if (!expires.empty() &&
      !absl::ParseTime(absl::RFC3339_full, expires, &credential.expires, &error)) {
    return absl::InvalidArgumentError("answers with an expirationTimestamp that is no time");
  }
  return credential;
}

absl::StatusOr<ExecCredential> RunExecPlugin(const ClientConfig& config, absl::Duration limit,
                                             const std::atomic<bool>& stop) {
  absl::StatusOr<std::string> output = Run(config, limit, stop);
  absl::StatusOr<ExecCredential> credential =
      output.ok() ? ParseExecCredential(*output, config.exec->api_version)
                  : absl::StatusOr<ExecCredential>(output.status());
  if (credential.ok()) return credential;
  const std::string& hint = config.exec->install_hint;
  return absl::Status(
      credential.status().code(),
      absl::StrCat("credential plugin ", Quoted(config.exec->command), " ",
                   credential.status().message(),
                   hint.empty() || !absl::IsNotFound(credential.status()) ? "" : ": ",
                   hint.empty() || !absl::IsNotFound(credential.status()) ? "" : Quoted(hint)));
}

}  // namespace shunt
