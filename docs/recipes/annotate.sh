#!/usr/bin/env bash
# Annotates a GitHub Actions run with what a sweep found: per signature one error with the line that repeats its smallest seed.
# Of each a story and a page with the space-time diagram go to a directory. Needs jq.
#
#   docs/recipes/annotate.sh RESULT.json DIRECTORY [KLAMM]
set -euo pipefail

result=${1:?RESULT.json DIRECTORY [KLAMM]} dir=${2:?DIRECTORY} klamm=${3:-klamm}
readonly most=10 # GitHub shows ten errors of a step

# Workflow commands are single lines: %, line ends, and in properties also : and , are escaped.
jq -r --argjson most "$most" '
	def data: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
	def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
	((.diverged // [])[:$most][] | "::error title=\("nondeterminism: seed \(.seed)" | property)::\(.where | data)"),
	((.signatures // [])[:$most][] |
		"::error title=\("\(.signature): \(.seeds) seeds" | property)::" +
		("seed \(.smallest.seed): \(.smallest.message)\n\(.smallest.replay)" | data)),
	((.missing // []) | select(length > 0) | "::warning title=incomplete::seeds are missing: \(map(map(tostring) | join("-")) | .[:8] | join(" "))")
' "$result"

mkdir -p "$dir"
jq -r --argjson most "$most" '(.signatures // [])[:$most][] | .smallest | select(.capsule != null) | .capsule' "$result" |
	sort -u | while IFS= read -r capsule; do
	name=$dir/$(basename "$capsule" .json)
	if [[ -f $capsule ]]; then
		# The story's exit status is the verdict; a page that cannot be made must not hide the seed.
		timeout 120 "$klamm" explain "$capsule" --html "$name.html" >"$name.txt" 2>&1 || true
	fi
done
