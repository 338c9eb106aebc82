import type { HelpTopic } from "./help-topic.ts";

/** All variables that imgpack reads. A test compares them with the code. */
export const ENVIRONMENT: HelpTopic = {
  name: "environment",
  summary: "environment variables that imgpack reads",
  sections: [
    {
      title: "Registries and credentials",
      text: ["Flags take precedence over variables. A variable that is empty is not set."],
      rows: [
        {
          term: "IMGPACK_REGISTRY",
          text: "registry HOST[:PORT] of names that have none (default none; Docker Hub for images that are read)",
        },
        {
          term: "IMGPACK_USERNAME, IMGPACK_PASSWORD",
          text: "credentials for the registry in IMGPACK_REGISTRY, and for no other (default: stored credentials)",
        },
        {
          term: "IMGPACK_TOKEN",
          text: "access token for the registry in IMGPACK_REGISTRY, instead of a user name and a password (default none)",
        },
        {
          term: "REGISTRY_AUTH_FILE",
          text: "file of stored credentials, the only one that is then read (default: those of podman and docker)",
        },
        {
          term: "DOCKER_AUTH_CONFIG",
          text: "text of a docker config.json with credentials, which are used before those of docker's file (default none)",
        },
        {
          term: "DOCKER_CONFIG",
          text: "folder of docker's config.json and of certs.d (default ~/.docker)",
        },
        {
          term: "XDG_RUNTIME_DIR",
          text: "folder with podman's containers/auth.json (default /run/containers/UID), and with sockets of docker and podman",
        },
        {
          term: "XDG_CONFIG_HOME",
          text: "folder with containers/auth.json, containers/registries.conf and containers/certs.d (default ~/.config)",
        },
        {
          term: "CONTAINERS_REGISTRIES_CONF",
          text: "registries.conf to read instead of the others: mirrors and blocked registries (default: that of the user, else that of the system)",
        },
      ],
    },
    {
      title: "Proxies",
      text: ["Lower-case names work, too, and take precedence over upper-case ones."],
      rows: [
        {
          term: "HTTPS_PROXY, HTTP_PROXY",
          text: "proxy for registries with and without TLS: http://[USER:PASSWORD@]HOST:PORT, or https (default: no proxy)",
        },
        {
          term: "NO_PROXY",
          text: "hosts that need no proxy, separated by commas: *, names, addresses, ranges such as 10.0.0.0/8, each also with :PORT (default: only this machine)",
        },
      ],
    },
    {
      title: "Certificates and keys",
      text: [],
      rows: [
        {
          term: "SSL_CERT_FILE",
          text: "PEM file of authorities to trust in addition to those of Node (default: the usual files in /etc)",
        },
        {
          term: "NODE_EXTRA_CA_CERTS",
          text: "PEM file of more authorities to trust (default none)",
        },
        {
          term: "NODE_TLS_REJECT_UNAUTHORIZED",
          text: "0 is refused, unless --insecure allows the same for this registry",
        },
        {
          term: "IMGPACK_KEY_PASSPHRASE",
          text: "passphrase of an encrypted --key-file (default none)",
        },
        {
          term: "IMGPACK_SIGN_PASSPHRASE",
          text: "passphrase of an encrypted key of --sign (default: asked on the terminal)",
        },
      ],
    },
    {
      title: "Engines",
      text: ["How docker://, podman:// and containerd:// are reached: as docker, podman and ctr do it."],
      rows: [
        {
          term: "DOCKER_HOST",
          text: "address of docker: unix://PATH or tcp://HOST:PORT (default: that of the context, else the usual sockets)",
        },
        {
          term: "DOCKER_CONTEXT",
          text: "context of docker to use while DOCKER_HOST is not set (default: the one in docker's config.json)",
        },
        {
          term: "DOCKER_TLS_VERIFY, DOCKER_TLS",
          text: "if set, use TLS for a tcp:// address; DOCKER_TLS alone accepts any certificate (default: no TLS)",
        },
        {
          term: "DOCKER_CERT_PATH",
          text: "folder of ca.pem, cert.pem and key.pem for docker (default $DOCKER_CONFIG)",
        },
        {
          term: "CONTAINER_HOST",
          text: "address of podman's service: unix://PATH or tcp://HOST:PORT (default: the socket if there is one, else the command podman)",
        },
        {
          term: "CONTAINERD_ADDRESS",
          text: "socket of containerd (default /run/containerd/containerd.sock)",
        },
        {
          term: "CONTAINERD_NAMESPACE",
          text: "namespace of the images in containerd (default: default; Kubernetes has k8s.io)",
        },
      ],
    },
    {
      title: "Files and folders",
      text: [],
      rows: [
        {
          term: "IMGPACK_CACHE_DIR",
          text: "folder of what runs keep for later ones: what registries have, unfinished uploads, compiled code; safe to remove while nothing runs (default $XDG_CACHE_HOME/imgpack)",
        },
        { term: "HOME", text: "home folder of this user, written ~ in these defaults (default: that of the system)" },
        {
          term: "XDG_CACHE_HOME",
          text: "folder of the caches of this user (default ~/.cache)",
        },
        {
          term: "IMGPACK_CODE_CACHE",
          text: "off: keep no compiled code, which makes short commands slower (default: it is kept)",
        },
        {
          term: "IMGPACK_TOOL_DIR",
          text: "folder of the single executables for --with-tool (default: next to the one that runs)",
        },
        {
          term: "TMPDIR",
          text: "folder for the layers of an archive on stdin (default: that of the system; TEMP on Windows)",
        },
        {
          term: "SOURCE_DATE_EPOCH",
          text: "seconds since 1970 for the creation time of import, and for the date of reports (default: 1970 for import, now for reports)",
        },
      ],
    },
    {
      title: "Terminal",
      text: [],
      rows: [
        { term: "NO_COLOR", text: "if set, no colours and no bold text (default: both on a terminal)" },
        { term: "TERM", text: "dumb: plain lines of progress, no colours (default: as the terminal sets it)" },
        { term: "CI", text: "if set, plain lines of progress, also on a terminal (default not set)" },
      ],
    },
    {
      title: "Compose files",
      text: [
        "References in a compose file for -f may name any variable, as docker compose reads them; a file .env next to it sets more. Variables with secrets, such as IMGPACK_PASSWORD, are never put into a reference.",
      ],
      rows: [],
    },
  ],
};
