# An `aws` that only writes down how it was called: a zero byte behind each word, and one more behind the last.
printf '%s\0' "$@" '' >> "$COMMANDS_LOG"
[ "$2" != invoke ] || printf '{"key":"lk_recorded"}' > "${*: -1}"
# As long as ids have to be.
echo recorded-recorded-recorded-recorded-recorded
