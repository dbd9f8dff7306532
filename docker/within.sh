# within SECONDS WHAT COMMAND…: the command and its status; when it takes longer it is ended, and a message says what was given up.
within() {
    local limit=$1 what=$2 status=0
    shift 2
    timeout --kill-after 10 "$limit" "$@" </dev/null || status=$?
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        echo "$what: not done within $limit s, given up" >&2
    fi
    return "$status"
}
