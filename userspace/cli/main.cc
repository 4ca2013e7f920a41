// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/run.h"

int main(int argc, char** argv) { return shunt::RunCli(argc, argv); }
