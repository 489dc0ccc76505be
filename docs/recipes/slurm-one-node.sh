#!/usr/bin/env bash
# A Slurm of one node on this machine, to try docs/recipes/slurm.sbatch without a cluster. Needs root, and Debian's packages:
#
#   apt-get install -y --no-install-recommends slurm-wlm munge
#   docs/recipes/slurm-one-node.sh start     # munged, slurmctld, slurmd
#   export SLURM_CONF=/var/tmp/klamm-slurm/slurm.conf
#   docs/recipes/slurm-one-node.sh stop
#
# It has no accounting and no cgroups: a job is what its processes are. Nothing of it is for production.
set -euo pipefail

readonly dir=${KLAMM_SLURM_DIR:-/var/tmp/klamm-slurm}

# configure writes slurm.conf for this host.
configure() {
	local host memory
	host=$(hostname -s)
	memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
	mkdir -p "$dir"/{state,spool,log}
	cat >"$dir/slurm.conf" <<-END
		ClusterName=klamm
		SlurmctldHost=$host(127.0.0.1)
		SlurmUser=root
		AuthType=auth/munge
		CredType=cred/munge
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd.pid
		SlurmctldLogFile=$dir/log/slurmctld.log
		SlurmdLogFile=$dir/log/slurmd.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core
		JobRequeue=1
		ReturnToService=2
		MpiDefault=none
		NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
		PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
	END
}

start() {
	configure
	if ! munge -n >/dev/null 2>&1; then
		[[ -s /etc/munge/munge.key ]] || mungekey --create
		mkdir -p /run/munge
		chown munge:munge /run/munge /etc/munge/munge.key
		runuser -u munge -- /usr/sbin/munged
	fi
	export SLURM_CONF=$dir/slurm.conf
	slurmctld
	slurmd
	local i
	for i in $(seq 30); do
		if [[ $(sinfo --noheader --format %T 2>/dev/null) == idle ]]; then
			sinfo
			return
		fi
		sleep 1
	done
	echo "the node does not become idle after $i s; see $dir/log" >&2
	sinfo --list-reasons >&2 || true
	return 1
}

stop() {
	local daemon
	for daemon in slurmd slurmctld; do
		if [[ -s $dir/$daemon.pid ]]; then
			kill "$(<"$dir/$daemon.pid")" || true
		fi
	done
}

case ${1:-} in
	start) start ;;
	stop) stop ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 64
		;;
esac
