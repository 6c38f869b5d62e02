#!/bin/bash
# Sees to it that what a target needs from Debian is there: tools/debian.sh PACKAGE…
# Installs what is missing where root or sudo is, else says exactly what is missing and exits 1.
# No service is started or left enabled: port 1883 is the gateway's.
set -euo pipefail

has() {
  case $1 in
    python3-venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' ;;
    mosquitto) command -v mosquitto || test -x /usr/sbin/mosquitto ;;
    iproute2) command -v ip || test -x /sbin/ip ;;
    nftables) command -v nft || test -x /usr/sbin/nft ;;
    e2fsprogs) command -v mkfs.ext4 || test -x /sbin/mkfs.ext4 ;;
    fonts-noto-cjk) ls /usr/share/fonts/opentype/noto/NotoSansCJK* ;;
    *) command -v "$1" ;;
  esac > /dev/null 2>&1
}

missing=()
for package in "$@"; do has "$package" || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo > /dev/null; then as_root=(none)
  elif sudo -n true 2> /dev/null; then as_root=(sudo -n)
  elif [ -t 0 ] && [ -z "${CI:-}" ]; then as_root=(sudo)
  else as_root=(none); fi
fi
if [ "${as_root[0]:-}" = none ] || ! command -v apt-get > /dev/null; then
  echo "missing: ${missing[*]}" >&2
  echo "install them as root: apt-get install ${missing[*]}" >&2
  exit 1
fi

# A package's service would take port 1883 or 8428: deny starts while installing, unless this
# machine already has a policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${missing[@]}" < /dev/null > "$1" 2>&1
}
echo "installing from Debian: ${missing[*]}"
log=$(mktemp)
if ! install "$log"; then
  "${as_root[@]}" apt-get update -qq < /dev/null || true
  install "$log" || { tail -n 20 "$log" >&2; exit 1; }
fi
rm -f "$log"
if command -v systemctl > /dev/null; then
  for service in mosquitto victoria-metrics nftables; do
    case " ${missing[*]} " in
      *" $service "*) "${as_root[@]}" systemctl disable "$service" > /dev/null 2>&1 ||
        echo "note: $service.service could not be disabled; it may start at the next boot" ;;
    esac
  done
fi
