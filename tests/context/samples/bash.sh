#!/usr/bin/env bash
set -eu
source ./pot.sh
. "lib/leaf.sh"

readonly LIMIT=3
export CUP=small
declare -a LEAVES=(green black)
WATER="hot"

boil() {
    local degrees=$1
    heat "$degrees"
}

function pour {
    boil "$LIMIT" | strain
    if warm; then
        sip
    fi
}

pour
