#!/usr/bin/env bash
# Takes out of an environment what no run needs: the installer, packages' own tests, C++ headers, Arrow's network service, and Plotly's
# Python classes (the report takes nothing but plotly.js from it).
#   docker/prune.sh /opt/fmbench
set -euo pipefail
environment=${1:?usage: docker/prune.sh ENVIRONMENT}
packages=$(echo "$environment"/lib/python3*/site-packages)

"$environment/bin/python" -m pip uninstall --quiet --yes setuptools pip
# numpy.testing, which SciPy imports, takes a name from numpy._core.tests.
find "$packages" -type d -name tests -not -path '*/numpy/_core/tests' -prune -exec rm -rf {} +
rm -rf "$packages"/pyarrow/include "$packages"/pyarrow/src "$packages"/pyarrow/*flight* \
    "$packages"/plotly/graph_objs "$packages"/plotly/validators "$packages"/plotly/labextension
