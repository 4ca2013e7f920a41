// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_scalar.h"

#include <gtest/gtest.h>

#include <string>

namespace shunt {
namespace {

std::string Read(const std::string& text, bool is_plain = true) {
  struct Printer {
    std::string operator()(YamlNull) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(int64_t value) const { return "int " + std::to_string(value); }
    std::string operator()(double value) const { return "float " + std::to_string(value); }
    std::string operator()(std::string_view value) const { return "text " + std::string(value); }
  };
  YamlNode node;
  node.text = text;
  node.is_plain = is_plain;
  return std::visit(Printer{}, ResolveScalar(node));
}

TEST(YamlScalar, QuotationMarksMakeAText) {
  EXPECT_EQ(Read("80", false), "text 80");
  EXPECT_EQ(Read("true", false), "text true");
  EXPECT_EQ(Read("", false), "text ");
}

TEST(YamlScalar, NumbersAreReadAsKubernetesReadsThem) {
  EXPECT_EQ(Read("80"), "int 80");
  EXPECT_EQ(Read("-1"), "int -1");
  EXPECT_EQ(Read("+80"), "int 80");
  EXPECT_EQ(Read("0"), "int 0");
  EXPECT_EQ(Read("010"), "int 8");
  EXPECT_EQ(Read("08"), "float 8.000000");
  EXPECT_EQ(Read("0x50"), "int 80");
  EXPECT_EQ(Read("0b11"), "int 3");
  EXPECT_EQ(Read("0o10"), "int 8");
  EXPECT_EQ(Read("8_080"), "int 8080");
  EXPECT_EQ(Read("80.0"), "float 80.000000");
  EXPECT_EQ(Read("8e1"), "float 80.000000");
  EXPECT_EQ(Read("-9223372036854775808"), "int -9223372036854775808");
  EXPECT_EQ(Read("99999999999999999999"), "float 100000000000000000000.000000");
}

TEST(YamlScalar, WhatOnlyLooksLikeANumberIsText) {
  for (const std::string text :
       {"10.0.0.1", "fd00::1", "1.2.3", "80/TCP", "http", "-", "+", "0x", "a", "inf", "nan", "1 2",
        "--1", "-+1", "0x-5", ".", "e", "2024-05-01"}) {
    EXPECT_EQ(Read(text), "text " + text);
  }
  EXPECT_EQ(Read(std::string(100000, '1')), "text " + std::string(100000, '1'));
}

TEST(YamlScalar, WordsForBoolsAndNullAreThoseOfYaml11) {
  for (const char* text : {"true", "True", "TRUE", "yes", "on", "y"}) EXPECT_EQ(Read(text), "true");
  for (const char* text : {"false", "No", "OFF", "n"}) EXPECT_EQ(Read(text), "false");
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(Read(text), "null");
  EXPECT_EQ(Read("None"), "text None");
  EXPECT_EQ(Read("tRUE"), "text tRUE");
}

}  // namespace
}  // namespace shunt
