#!/usr/bin/env bash
# A sweep in several processes under GNU parallel: one that dies takes only its own seeds along, is started again, and goes
# on where its last checkpoint was. The result is that of one process.
#
#   docs/recipes/parallel.sh PROFILE SEEDS [SHARDS [FIRST]]
#
# KLAMM is the program (klamm), DIR where results go (results/PROFILE-FIRST). With PARALLEL="--sshlogin a,b --workdir ..."
# shards run on other machines; DIR must be on a file system that they share, or be fetched with --return.
#
# Shards that had to be started again stand in DIR/lost.log. Exit status: that of klamm merge. To go on after an
# interruption, run it again.
set -uo pipefail

profile=${1:?PROFILE SEEDS [SHARDS [FIRST]]} seeds=${2:?SEEDS} shards=${3:-$(nproc)} first=${4:-1}
dir=${DIR:-results/$profile-$first} klamm=${KLAMM:-klamm}
mkdir -p "$dir/shards"

# Verdicts (up to 3) are the merge's matter. Whatever else ends a shard (a signal, no memory) has it started again.
shard() {
	local status=0 # of klamm
	"$klamm" sim --profile "$profile" --seeds "$seeds" --seed "$first" --shard "$1/$shards" --jobs 1 --failures 0 \
		--capsules "$dir/capsules" --result "$dir/shards/$1.json" --resume >"$dir/shards/$1.log" 2>&1 || status=$?
	((status <= 3)) && return 0
	echo "shard $1 ended with $status" | tee -a "$dir/lost.log" >&2
	return "$status"
}
export -f shard
export profile seeds shards first dir klamm

SHELL=$(command -v bash) parallel --will-cite --jobs "$shards" --retries 3 --termseq TERM,25000,KILL,100 \
	shard ::: $(seq "$shards")
"$klamm" merge "$dir"/shards/*.json --result "$dir/result.json" --ledger "$dir/ledger.json"
