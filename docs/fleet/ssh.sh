#!/bin/sh
# A worker on each machine of a list, over ssh: sh ssh.sh tls://scheduler.example:8786 machines.txt
# machines.txt has a line for each, as ssh takes it: user@host. On each, Reelsheet with [fleet] and
# its variables (certificates, bucket) are set up for a shell without a terminal, as in ~/.profile.
# Ctrl-C ends all: the terminal that -tt gives them is gone then.
set -eu
address=$1
machines=$2
trap 'trap - INT TERM; kill 0' INT TERM
while read -r machine; do
  [ -n "$machine" ] || continue
  ssh -tt -o BatchMode=yes -o ServerAliveInterval=30 "$machine" \
    ". ~/.profile; exec reelsheet worker $address --slots 8" </dev/null &
done <"$machines"
wait
