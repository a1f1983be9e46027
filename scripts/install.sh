#!/bin/sh
# Make a virtual environment with Regold and one of its extras, at the locked versions.
# Usage: install.sh PYTHON VENV EXTRA
set -eu
python=$1 venv=$2 extra=$3
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$version" != 3.11 ] && [ "${ACCEPT_CUDA:-}" != 1 ]; then
    cat >&2 <<EOF
This is Python $version. The CPU build of torch 2.13.0 is published for Python 3.11 only; here pip would
download torch with its CUDA libraries, several gigabytes. Either
    use Python 3.11:            make $extra PYTHON=python3.11
    or accept the download:     make $extra ACCEPT_CUDA=1
EOF
    exit 2
fi
began=$(date +%s)
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable ".[$extra]"
echo "installed regold[$extra] into $venv in $(($(date +%s) - began)) s"
