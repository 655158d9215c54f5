#!/usr/bin/env bash
# Find the database servers that the tests start privately; install what is missing where that is allowed.
# Never fails: tests of a missing engine are skipped, and this says so loudly.
set -u

have() { # have PROGRAM...: all of them, where datamig_pipelines_tests/engines.py looks
  local program path
  path=$(printf '%s:' /usr/lib/postgresql/*/bin)$PATH:/usr/sbin:/usr/local/sbin
  for program; do PATH=$path command -v "$program" >/dev/null || return 1; done
}
postgres() { have initdb postgres psql; }
mariadb_server() { have mariadb-install-db mariadbd mariadb; }
redis() { have redis-server; }

packages=()
postgres || packages+=(postgresql)
mariadb_server || packages+=(mariadb-server)
redis || packages+=(redis-server)
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  echo "Installing ${packages[*]} with apt-get ..."
  policy=/usr/sbin/policy-rc.d # tells packages not to start their services
  mine=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null && mine=yes
    "${as_root[@]}" chmod +x $policy
  fi
  {
    "${as_root[@]}" apt-get -qq -o Acquire::Retries=2 update &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}"
  } >/dev/null
  if [ -n "$mine" ]; then "${as_root[@]}" rm -f $policy; fi
fi

warn() { printf '\n!!! %s is MISSING: every test that needs it will be SKIPPED.\n!!! %s\n\n' "$1" "$2" >&2; }
postgres || warn PostgreSQL "Install PostgreSQL 13 or later (initdb, postgres, psql) and run the tests again."
redis || warn Redis "Install redis-server and run the tests again."
mariadb_server || warn MariaDB "Install MariaDB 10.6 or later (mariadbd, mariadb-install-db, mariadb) and run the tests again."
exit 0
