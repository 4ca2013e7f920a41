// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_CERTIFICATES_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace shunt {

// A certificate and its key, in PEM.
struct TestCertificate {
  std::string certificate, key;
};

// Certificates as a test needs them; made anew for each run.
class TestAuthority {
 public:
  TestAuthority() : key_(NewKey()), certificate_(X509_new()) {
    Describe(certificate_, key_, "test authority");
    AddExtension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(certificate_, key_, EVP_sha256());
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string pem() const { return Pem(certificate_); }

  // `names` as OpenSSL writes them: "DNS:api.example,IP:127.0.0.1".
  TestCertificate Issue(const std::string& names) const {
    EVP_PKEY* key = NewKey();
    X509* certificate = X509_new();
    Describe(certificate, key, "test");
    AddExtension(certificate, NID_subject_alt_name, names);
    X509_sign(certificate, key_, EVP_sha256());
    TestCertificate result{.certificate = Pem(certificate), .key = Pem(key)};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return result;
  }

 private:
  static EVP_PKEY* NewKey() { return EVP_EC_gen("P-256"); }

  void Describe(X509* certificate, EVP_PKEY* key, const char* name) const {
    static long serial = 0;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  }
  static void AddExtension(X509* certificate, int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string Text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, size);
    BIO_free(bio);
    return text;
  }
  static std::string Pem(X509* certificate) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return Text(bio);
  }
  static std::string Pem(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return Text(bio);
  }

  EVP_PKEY* const key_;
  X509* const certificate_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_CERTIFICATES_H_
