#include "harness.h"

int main(int argc, char** argv) { return harness::run_tests({argv + 1, argv + argc}); }
