# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What Debian 12 has to have before Tau can be built and tested, and how it gets there. This is the
# one list; server/run and tests/run source it. Only what is missing is installed.

TAU_BUILD_PACKAGES=(gcc g++ libc6-dev cmake ninja-build pkg-config python3 ragel
    libevent-dev libinih-dev libedit-dev libjansson-dev libzstd-dev)
TAU_TEST_PACKAGES=("${TAU_BUILD_PACKAGES[@]}" libcmocka-dev clang clang-tidy
    libclang-rt-dev cppcheck git util-linux mount e2fsprogs
    nodejs node-ws node-typescript tshark mypy python3-numpy
    man-db groff-base mandoc zsh fish)

# What tests/bench measures Tau beside. They are servers, which Debian also starts as services; the
# benchmark starts its own.
# shellcheck disable=SC2034
TAU_BENCH_PACKAGES=(redis-server memcached victoria-metrics influxdb clickhouse-server
    clickhouse-client prometheus protobuf-c-compiler libprotobuf-c-dev nanopb libnanopb-dev
    libmsgpack-dev libjansson-dev)

# tau_missing_packages PACKAGE... prints those that are not installed.
tau_missing_packages() {
    local package
    for package in "$@"; do
        if [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>&1) != ii* ]]; then
            printf '%s ' "$package"
        fi
    done
}

# tau_install PACKAGE... installs what is missing, as root or through sudo, and asks nothing.
# Without the right to do so it prints the line to run and ends the script.
tau_install() {
    local missing become=()
    if ! command -v dpkg-query >/dev/null; then
        printf 'This is no Debian; going on with what is installed. Needed are: %s\n' "$*" >&2
        return 0
    fi
    missing=$(tau_missing_packages "$@")
    if [[ -z $missing ]]; then
        return 0
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null || ! sudo --non-interactive true 2>/dev/null; then
            printf 'Some packages are missing, and installing them takes rights. Run as root:\n' >&2
            printf '    apt-get update && apt-get install --yes --no-install-recommends %s\n' \
                "${missing% }" >&2
            exit 1
        fi
        become=(sudo --non-interactive)
    fi
    printf 'Installing %s\n' "${missing% }" >&2
    become+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    "${become[@]}" update
    # The list is made of plain words.
    # shellcheck disable=SC2086
    "${become[@]}" install --yes --no-install-recommends $missing >/dev/null
}
