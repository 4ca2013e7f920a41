// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_CREDENTIALS_H_
#define SHUNT_SOURCES_KUBERNETES_CREDENTIALS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/client_config.h"
#include "userspace/sources/kubernetes/exec_plugin.h"

namespace shunt {

// What a connection and a request need, as it was at one moment.
struct Credentials {
  std::string authority;         // PEM; "" for the system's
  std::string certificate, key;  // PEM
  std::string token;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// The credentials of a ClientConfig as they are now: files are read again every
// minute and after each refusal, a plugin runs in a thread of its own when what
// it gave expires. What cannot be read, or is no certificate, does not take the
// place of what was read before. Belongs to one thread.
class CredentialStore {
 public:
  // `wake` is called from another thread when a plugin has finished.
  CredentialStore(ClientConfig config, std::function<void()> wake);
  ~CredentialStore();

  // Does what is due at `now`; call it again at the time that it returns.
  absl::Time Tick(absl::Time now);
  // The server refused them.
  void Expire() { refused_ = true; }

  // Changes its value with each change. The error says why there are none (yet).
  absl::StatusOr<std::shared_ptr<const Credentials>> Get() const;
  // Why something could not be read the last time, though there may be an older
  // one in use.
  const absl::Status& status() const { return status_; }
  const ClientConfig& config() const { return config_; }

 private:
  void ReadFiles();
  absl::Status ReadInto(Credentials& credentials) const;
  void TakePlugin(absl::Time now);
  void StartPlugin();

  const ClientConfig config_;
  const std::function<void()> wake_;
  std::shared_ptr<const Credentials> current_;
  absl::Status status_;
  absl::Time next_read_ = absl::InfinitePast();
  absl::Time next_run_ = absl::InfinitePast();
  absl::Time last_run_ = absl::InfinitePast();
  bool refused_ = false;
  std::optional<ExecCredential> given_;  // by the plugin

  std::atomic<bool> stop_ = false;
  std::thread plugin_;
  bool is_running_ = false;
  absl::Mutex mutex_;
  std::optional<absl::StatusOr<ExecCredential>> result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_CREDENTIALS_H_
