#!/bin/sh
# Fetches Hadoop's mini-cluster (about 100 MB, from Maven's central repository) into DIR. Needs mvn and Java 17.
#   test/support/hadoop/fetch.sh DIR && DFSTORE_TEST_HADOOP=DIR npx vitest run test/backends/webhdfs-hadoop.test.ts
set -eu
mkdir -p "$1"
exec mvn -B -q -f "$(dirname "$0")/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$(realpath "$1")"
