// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace shunt {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio Open(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// Of the next one; null at the end, or where there is none.
Certificate Next(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free};
}

// Nobody is there to type a passphrase.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::Status CheckCertificates(const std::string& pem) {
  const Bio bio = Open(pem);
  size_t count = 0;
  while (Next(bio.get()) != nullptr) ++count;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (count > 0 && at_end) return absl::OkStatus();
  return absl::InvalidArgumentError("expected certificates in PEM");
}

absl::Status CheckKeyOf(const std::string& certificate, const std::string& key) {
  const Bio certificate_bio = Open(certificate), key_bio = Open(key);
  const Certificate first = Next(certificate_bio.get());
  const Key parsed(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, &NoPassphrase, nullptr),
                   &EVP_PKEY_free);
  const bool match = first && parsed && X509_check_private_key(first.get(), parsed.get()) == 1;
  ERR_clear_error();
  if (!first) return absl::InvalidArgumentError("expected a certificate in PEM");
  if (!parsed) return absl::InvalidArgumentError("expected a key in PEM, without a passphrase");
  if (!match) return absl::InvalidArgumentError("the key is not that of the certificate");
  return absl::OkStatus();
}

}  // namespace shunt
