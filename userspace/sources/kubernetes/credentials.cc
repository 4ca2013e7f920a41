// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/credentials.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/pem.h"
#include "userspace/sources/manifests/file_reader.h"

namespace shunt {
namespace {

constexpr absl::Duration kReadInterval = absl::Minutes(1);
// A plugin is asked for the next credentials a bit before these expire, and not
// more often than this, whatever it says.
constexpr absl::Duration kExpiryMargin = absl::Seconds(10);
constexpr absl::Duration kPluginInterval = absl::Seconds(10);
constexpr absl::Duration kPluginLimit = absl::Seconds(30);
constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kMostTokenBytes = 64 << 10;

absl::Status Named(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

absl::StatusOr<std::string> ReadFile(const std::string& file) {
  absl::StatusOr<std::string> text = ReadManifestFile(file, kMostBytes);
  return text.ok() ? text : Named(file, text.status());
}

// Unnamed where it does not come from a file.
absl::StatusOr<std::string> ReadPem(const PemSource& source) {
  if (source.file.empty()) return source.data;
  return ReadFile(source.file);
}

std::string NameOf(const PemSource& source, const char* what) {
  return source.file.empty() ? absl::StrCat(what, "-data") : source.file;
}

absl::StatusOr<std::string> ReadToken(const std::string& file) {
  SHUNT_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  std::string token(absl::StripAsciiWhitespace(text));
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": holds no token"));
  if (token.size() > kMostTokenBytes ||
      !std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": holds something else than a token"));
  }
  return token;
}

absl::Status ReadAuthority(const PemSource& source, Credentials& credentials) {
  if (source.empty()) return absl::OkStatus();
  SHUNT_ASSIGN_OR_RETURN(std::string pem, ReadPem(source));
  if (absl::Status status = CheckCertificates(pem); !status.ok()) {
    return Named(NameOf(source, "certificate-authority"), status);
  }
  credentials.authority = std::move(pem);
  return absl::OkStatus();
}

absl::Status ReadCertificate(const ClientConfig& config, Credentials& credentials) {
  if (config.certificate.empty()) return absl::OkStatus();
  SHUNT_ASSIGN_OR_RETURN(std::string certificate, ReadPem(config.certificate));
  SHUNT_ASSIGN_OR_RETURN(std::string key, ReadPem(config.key));
  if (absl::Status status = CheckKeyOf(certificate, key); !status.ok()) {
    return Named(absl::StrCat(NameOf(config.certificate, "client-certificate"), ", ",
                              NameOf(config.key, "client-key")),
                 status);
  }
  credentials.certificate = std::move(certificate);
  credentials.key = std::move(key);
  return absl::OkStatus();
}

}  // namespace

CredentialStore::CredentialStore(ClientConfig config, std::function<void()> wake)
    : config_(std::move(config)), wake_(std::move(wake)) {}

CredentialStore::~CredentialStore() {
  stop_ = true;
  if (plugin_.joinable()) plugin_.join();
}

absl::Time CredentialStore::Tick(absl::Time now) {
  TakePlugin(now);
  const bool refused = std::exchange(refused_, false);
  if (config_.exec && !is_running_ && (refused || now >= next_run_)) {
    if (now - last_run_ >= kPluginInterval) {
      last_run_ = now;
      StartPlugin();
    } else {
      next_run_ = last_run_ + kPluginInterval;
    }
  }
  if (refused || now >= next_read_) {
    ReadFiles();
    next_read_ = now + (current_ == nullptr ? absl::Seconds(1) : kReadInterval);
  }
  const bool runs_later = config_.exec && !is_running_;
  return runs_later ? std::min(next_read_, next_run_) : next_read_;
}

absl::StatusOr<std::shared_ptr<const Credentials>> CredentialStore::Get() const {
  if (current_ != nullptr) return current_;
  return status_.ok() ? absl::UnavailableError("waiting for credentials") : status_;
}

void CredentialStore::ReadFiles() {
  Credentials next = current_ == nullptr ? Credentials() : *current_;
  status_ = ReadInto(next);
  const bool is_complete = status_.ok() || current_ != nullptr;
  if (is_complete && (current_ == nullptr || next != *current_)) {
    current_ = std::make_shared<const Credentials>(std::move(next));
  }
}

// Reads all that can be read; the first error.
absl::Status CredentialStore::ReadInto(Credentials& credentials) const {
  absl::Status status = ReadAuthority(config_.authority, credentials);
  status.Update(ReadCertificate(config_, credentials));
  if (!config_.token_file.empty()) {
    absl::StatusOr<std::string> token = ReadToken(config_.token_file);
    status.Update(token.status());
    if (token.ok()) credentials.token = *std::move(token);
  } else if (!config_.token.empty()) {
    credentials.token = config_.token;
  } else if (given_) {
    credentials.token = given_->token;
    credentials.certificate = given_->certificate;
    credentials.key = given_->key;
  } else if (config_.exec) {
    status.Update(absl::UnavailableError("waiting for the credential plugin"));
  }
  return status;
}

void CredentialStore::StartPlugin() {
  if (plugin_.joinable()) plugin_.join();
  is_running_ = true;
  plugin_ = std::thread([this] {
    absl::StatusOr<ExecCredential> result = RunExecPlugin(config_, kPluginLimit, stop_);
    {
      absl::MutexLock lock(&mutex_);
      result_ = std::move(result);
    }
    wake_();
  });
}

void CredentialStore::TakePlugin(absl::Time now) {
  std::optional<absl::StatusOr<ExecCredential>> result;
  {
    absl::MutexLock lock(&mutex_);
    result = std::exchange(result_, std::nullopt);
  }
  if (!result) return;
  is_running_ = false;
  if (result->ok() && !(*result)->key.empty()) {
    if (absl::Status status = CheckKeyOf((*result)->certificate, (*result)->key); !status.ok()) {
      *result = Named("credential plugin", status);
    }
  }
  if (!result->ok()) {
    status_ = result->status();
    next_run_ = now + kPluginInterval;
    return;
  }
  given_ = **std::move(result);
  next_run_ = std::max(given_->expires - kExpiryMargin, now + kPluginInterval);
  ReadFiles();
}

}  // namespace shunt
