#!/bin/sh
# Checks what cannot come from PyPI: Python >= 3.11 with venv and headers, and a C++20 compiler. With `system`, also what
# otherwise does. Silent when all is there.
# Usage: check_system.sh [python] [system]
python=${1:-python3}
system=${2:-}
problems=""
complain() { problems="$problems  - $1
"; }

if ! command -v "$python" >/dev/null 2>&1; then
  complain "no $python: install Python 3.11 or later, or name one with make PYTHON=/path/to/python3"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  complain "$("$python" --version) is too old: Python 3.11 or later is needed (make PYTHON=/path/to/python3.11)"
else
  if [ -z "$system" ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || complain "Python's venv module is missing"
  else
    for module in torch numpy pytest; do
      "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$module') is None)" ||
        complain "$python has no module $module (make PYTHON=... names another)"
    done
  fi
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    complain "Python's headers (Python.h) are missing"
fi

compiler=""
for candidate in ${CXX:-c++ g++ clang++}; do
  if command -v "$candidate" >/dev/null 2>&1; then compiler=$candidate && break; fi
done
if [ -z "$compiler" ]; then
  complain "no C++ compiler (looked for ${CXX:-c++, g++, clang++})"
elif ! printf '#include <compare>\n#include <concepts>\n#include <span>\nint main() { return std::span<int>().size(); }\n' |
  "$compiler" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null; then
  complain "$compiler does not compile C++20: g++ 11 or clang++ 14, or later, is needed (make CXX=...)"
fi

if [ -n "$system" ]; then
  for program in cmake ninja; do
    command -v "$program" >/dev/null 2>&1 || complain "no $program on the PATH"
  done
fi

[ -z "$problems" ] && exit 0
if [ -n "$system" ]; then
  printf '%s\n%s%s\n' "With SYSTEM=1 nothing is installed, and this is missing on this machine:" "$problems" \
    "Install it, or run make without SYSTEM=1, which takes it from PyPI." >&2
  exit 1
fi
cat >&2 <<END
Something that this build needs is missing on this machine:
$problems
Install it, then run make again:
  Debian, Ubuntu   apt install g++ python3 python3-dev python3-venv
  Fedora, RHEL     dnf install gcc-c++ python3 python3-devel
  Arch             pacman -S gcc python
  openSUSE         zypper install gcc-c++ python3 python3-devel
Everything else (CMake, Ninja, PyTorch, OpenVINO) comes from PyPI into a virtual environment.
END
exit 1
