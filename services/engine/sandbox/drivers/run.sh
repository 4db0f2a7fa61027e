# Reads the code from standard input; what it leaves in $result goes to descriptor 3.
trap '[ -n "${result+set}" ] && printf %s "$result" >&3' EXIT
if [ -n "${BASH_VERSION-}" ]; then
    IFS= read -r -d '' code  # without another process: there may be none
else
    code=$(cat)
fi
eval "$code"
