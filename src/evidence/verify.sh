#!/bin/sh
# @TITLE@
# Checks a bundle of evidence with stock tools:  sh verify.sh BUNDLE [ALLOWED_SIGNERS SIGNER]
# Ends 0: verified. 1: tampered with. 2: cannot be checked, or intact but author unknown.
# Have ALLOWED_SIGNERS, and best this script too, from somebody you trust: not from the bundle.
LC_ALL=C; export LC_ALL
cannot() { echo "cannot check: $*"; exit 2; }
bad() { echo "BAD: $*"; exit 1; }
[ -d "$1" ] || cannot "usage: sh verify.sh BUNDLE [ALLOWED_SIGNERS SIGNER]"
signers=$2 who=$3 known=
case $signers in '' | /*) ;; *) signers=$PWD/$signers ;; esac
cd -- "$1" || cannot "no way into $1"
sum() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
by() { ssh-keygen -Y verify -f "$signers" -I "$who" -n "$1" -s "$2.sig" <"$2" >/dev/null 2>&1; }
m=SHA256SUMS
# Plain files and folders only, before any of them is opened.
[ -z "$(find . ! -type f ! -type d | head -n 1)" ] || bad "there is more than plain files"
[ -f $m ] || bad "no $m"
# 1. The signature, in the one form that it is written in.
if [ -f $m.sig ]; then
  { echo '-----BEGIN SSH SIGNATURE-----'; sed '1d;$d' $m.sig | tr -d '\n' | fold -w 70
    printf '\n%s\n' '-----END SSH SIGNATURE-----'; } | cmp -s - $m.sig || bad "form of $m.sig"
  ssh-keygen -Y check-novalidate -n evidence@switchback -s $m.sig <$m >/dev/null 2>&1 ||
    bad "the signature does not fit $m"
  [ -n "$who" ] && by evidence@switchback $m && known=1
fi
# 2. Every file is listed and every listed file is there, folders included; names are plain.
sed 1d $m | grep -Evq '^[0-9a-f]{64}  [A-Za-z0-9][A-Za-z0-9._/-]*$' && bad "form of $m"
list=$({ sed 1d $m | cut -c67- | sed 'p;s|/[^/]*$||'; printf '%s\n' . $m; } | sort -u)
have=$({ find . | sed 's|^\./||' | grep -vxF -e $m.sig -e $m.tsr; } | sort)
[ "$list" = "$have" ] || bad "files were added or removed"
# 3. The digests.
sum -c $m >/dev/null 2>&1 || bad "a file is not what $m says"
says() { grep -q "^    \"$1\": null" environment.json; }
if [ -f $m.sig ]; then says unsigned; else says signer; fi || bad "signed is not what it says"
if says time_authority || ! says undated; then ! [ -e $m.tsr ]; else [ -f $m.tsr ]; fi ||
  bad "$m.tsr is not what it says"
# The token, by its own certificate; whether that is an authority takes yours: see README.txt. Its
# version numbers, its names of algorithms and its copy of the signer's name nobody has signed:
# here they may be anything, and `switchback verify` looks at them.
ts() { openssl ts "$@" 2>/dev/null; }
for d in $m declaration; do
  t=$d.tsr && [ -f $t ] || continue
  openssl version 2>/dev/null | grep -q ^OpenSSL || { echo "time: not checked: $t"; continue; }
  [ $d = $m ] || d=declaration.json
  [ ! -f $d.sig ] || d=$d.sig
  ts -reply -in $t -token_out | ts -reply -token_in -in /dev/stdin -out /dev/stdout | cmp -s - $t ||
    bad "form of $t"
  ts -reply -in $t -token_out | openssl pkcs7 -inform DER -print_certs |
    ts -verify -partial_chain -no_check_time -data $d -in $t -CAfile /dev/stdin >/dev/null ||
    bad "$t does not fit $d"
  echo "note: $t fits $d by its own certificate; whose that is: not checked"
done
# 4. What was declared before the first change, by the same signer.
if [ -n "$known" ] && [ -f declaration.json.sig ]; then
  by declaration@switchback declaration.json || bad "the declaration's signature"
fi
# 5. The journal's chain: each line ends with the digest of the one before.
p=$(printf '%064d' 0) n=0 q='"prev":"'
while IFS= read -r l; do
  n=$((n + 1)) w=${l##*"$q"}
  [ "$w" = "$p\"}" ] || bad "journal, line $n: the chain is broken"
  p=$(printf '%s\n' "$l" | sum) p=${p%% *} e=$l
done <journal.jsonl
case $e in *'"type":"run.closed",'*) ;; *) echo "note: the run was cut off" ;; esac
echo "intact: $n lines of journal, head $p"
[ -n "$known" ] || { echo "author unknown"; exit 2; }
echo "verified: signed by $who"
