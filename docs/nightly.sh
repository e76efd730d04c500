#!/bin/sh
# One night of one manifest: new rows, then new attempts for rows that failed.
# Copy it into the folder that holds config.yaml, manifests/ and outputs/, and let cron call it:
#
#   30 2 * * *  sh "$HOME/my-videos/nightly.sh" manifests/products.xlsx
#
# Cron mails what is printed here. If there is nothing for you to do, nothing is printed.

cd -- "$(dirname -- "$0")" || exit 2
manifest=${1:-manifests/products.xlsx}
reelsheet=${REELSHEET:-reelsheet}        # its full path, if cron does not find it
if [ -r ./key.sh ]; then . ./key.sh; fi  # holds: export TOAPIS_API_KEY=...   (chmod 600)

"$reelsheet" run "$manifest" --quiet
code=$?

case $code in
  1 | 3 | 5)                             # ended badly, in doubt, unfinished: try once more
    if [ "$code" -eq 5 ]; then sleep "${PAUSE_S:-900}"; fi
    "$reelsheet" run "$manifest" --retry failed,expired --quiet
    code=$?
    ;;
esac

case $code in
  0) ;;
  1) echo "$manifest: some rows need attention; result_action says what to do with each" ;;
  2) echo "$manifest: nothing was sent; correct the manifest or config.yaml as said above" ;;
  3) echo "$manifest: rows in doubt or missing; see: reelsheet resolve --help" ;;
  4) echo "$manifest: stopped by the key, the credit or a cap; reasons above" ;;
  5) echo "$manifest: unfinished; the next night continues with it" ;;
  75) ;;                                 # an earlier run is still working on it
  *) echo "$manifest: ended with code $code; what is paid for is safe, run again" ;;
esac
exit "$code"
