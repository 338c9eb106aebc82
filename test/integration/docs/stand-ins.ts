// Programs of machines that a test has not: each says what it was called with, and does what the next command needs.

const says = (name: string): string => `echo "${name} $*"`;

/** A chart that is rendered, as the one of docs/how-to/helm.md. */
const RENDERED = `cat <<'END'
---
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: "registry.lan:5000/team/web:2.0"
        - name: proxy
          image: docker.io/library/nginx:1.27
END`;

/** Shell scripts, by the name of the program. */
export const STAND_INS: Readonly<Record<string, string>> = {
  sudo: 'exec "$@"',
  // The other machine is this one.
  ssh: 'shift; exec "$@"',
  systemctl: says("systemctl"),
  crictl: says("crictl"),
  k3s: says("k3s"),
  kind: says("kind"),
  oc: says("oc"),
  "update-ca-certificates": says("update-ca-certificates"),
  // The first blob that is JSON of an image: a byte of it.
  "damage-blob":
    'printf X | dd of="$1" bs=1 seek="$(grep -obUa architecture "$1" | head -n 1 | cut -d : -f 1)" conv=notrunc',
  helm: `case "$1" in
template) ${RENDERED}
;;
pull) : >"web-1.0.0.tgz" ;;
*) ${says("helm")} ;;
esac`,
};
