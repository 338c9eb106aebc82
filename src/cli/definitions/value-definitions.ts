import { InternalError } from "../../errors.ts";
import type { ValueDefinition, ValueKind } from "./command-definition.ts";

type Row = readonly [placeholder: string, kind: ValueKind, ...choices: readonly string[]];

const PLATFORMS =
  "linux/amd64 linux/arm64 linux/arm/v7 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64".split(" ");
const ENGINES = ["docker://", "podman://", "containerd://"];
const COMPRESSIONS = ["auto", "keep", "gzip", "gzip:1", "zstd"];

/** The values of flags, by name. `COMMAND NAME` comes first, where a flag means something else in one command. */
const FLAG_VALUES: Readonly<Record<string, Row>> = {
  "allow-host": ["NAME", "text"],
  "artifact-type": ["TYPE", "text"],
  author: ["TEXT", "text"],
  base: ["BASE", "source"],
  "ca-file": ["FILE", "file"],
  "cert-file": ["FILE", "file"],
  cmd: ["COMMAND", "text"],
  compression: ["METHOD[:LEVEL]", "text", ...COMPRESSIONS],
  concurrency: ["N", "number"],
  created: ["TIME", "text", "now"],
  email: ["ADDRESS", "text"],
  endpoint: ["HOST[:PORT]", "host"],
  entrypoint: ["COMMAND", "text"],
  env: ["NAME=VALUE", "text"],
  expose: ["PORT[/PROTOCOL]", "text"],
  "failed-list": ["FILE", "new-file"],
  "from-file": ["FILE", "file"],
  for: ["RUNTIME", "text", "containerd", "k3s", "podman", "docker", "openshift", "kustomize", "compose"],
  htpasswd: ["FILE", "file"],
  image: ["NAME", "text"],
  key: ["FILE", "file"],
  "key-file": ["FILE", "file"],
  label: ["KEY=VALUE", "text"],
  limit: ["N", "number"],
  "limit-rate": ["RATE", "text"],
  listen: ["HOST:PORT", "text"],
  log: ["FILE", "new-file"],
  map: ["OLD=NEW", "text"],
  message: ["TEXT", "text"],
  "min-rate": ["RATE", "text"],
  mirror: ["HOST[:PORT][/PATH]", "host"],
  need: ["FILE", "new-file"],
  outage: ["SECONDS", "number"],
  output: ["OUTPUT", "new-file", ...ENGINES],
  "blob output": ["FILE", "new-file"],
  "import output": ["FILE", "new-file"],
  "lock output": ["FILE", "new-file"],
  "mirrors output": ["FOLDER", "folder"],
  platform: ["OS/ARCH[/VARIANT]", "text", ...PLATFORMS, "all"],
  "import platform": ["OS/ARCH[/VARIANT]", "text", ...PLATFORMS],
  "push platform": ["OS/ARCH[/VARIANT]", "text", ...PLATFORMS],
  rate: ["RATE", "text"],
  registry: ["HOST[:PORT]", "host"],
  repair: ["FILE", "new-file"],
  report: ["FILE", "new-file"],
  "require-referrers": ["KIND[,KIND]", "text", "sig", "sbom", "att"],
  "require-signature": ["FILE", "file"],
  retry: ["N", "number"],
  set: ["FILE", "file"],
  shard: ["I/N", "text"],
  sign: ["FILE", "file"],
  "sign-passphrase-file": ["FILE", "file"],
  store: ["FOLDER", "folder"],
  tag: ["NAME", "reference"],
  timeout: ["SECONDS", "number"],
  to: ["HOST[:PORT]/PREFIX", "repository"],
  user: ["USER[:GROUP]", "text"],
  username: ["NAME", "text"],
  "v1-path": ["PATH", "text"],
  volume: ["N", "number"],
  "import volume": ["PATH", "text"],
  "volume-size": ["SIZE", "text", "fat32", "dvd", "bd25", "bd50"],
  "with-tool": ["TARGET[,TARGET]", "text", "linux-x64", "linux-arm64", "windows-x64"],
  workdir: ["PATH", "text"],
};

/** The values of arguments, likewise. */
const ARGUMENT_VALUES: Readonly<Record<string, Row>> = {
  archives: ["ARCHIVE", "archive"],
  "push archives": ["ARCHIVE", "archive", ...ENGINES],
  "convert files": ["ARCHIVE", "archive", ...ENGINES],
  files: ["FILE", "archive"],
  host: ["HOST[:PORT]", "host"],
  "hub login host": ["INDEX", "host"],
  "hub user host": ["INDEX", "host"],
  "hub search host": ["INDEX", "host"],
  name: ["NAME", "text"],
  reference: ["REFERENCE", "reference"],
  references: ["REFERENCE", "reference"],
  "lock references": ["REFERENCE", "source"],
  repository: ["REPOSITORY", "repository"],
  rootfs: ["ROOTFS", "archive"],
  sources: ["SOURCE", "source"],
  tag: ["TAG", "text"],
  term: ["TEXT", "text"],
  topic: ["TOPIC", "topic"],
};

/** All keys of both tables. A test compares them with the flags and arguments of the commands. */
export const VALUE_KEYS: { readonly flags: readonly string[]; readonly arguments: readonly string[] } = {
  flags: Object.keys(FLAG_VALUES),
  arguments: Object.keys(ARGUMENT_VALUES),
};

/**
 * The value of a flag or an argument.
 *
 * @param command as it is typed after `imgpack`.
 * @param choices the only values that are allowed; undefined if there are others.
 * @throws InternalError for one that is in no table.
 */
export function valueDefinition(
  what: "flag" | "argument",
  command: string,
  name: string,
  choices: readonly string[] | undefined,
): ValueDefinition {
  if (choices !== undefined) return { placeholder: choices.join("|"), kind: "choice", choices };
  const rows = what === "flag" ? FLAG_VALUES : ARGUMENT_VALUES;
  const row = rows[`${command} ${name}`] ?? rows[name];
  if (row === undefined) {
    throw new InternalError(`Cannot describe ${what} ${name} of ${command}: found in no table, expected its value`);
  }
  const [placeholder, kind, ...offered] = row;
  return { placeholder, kind, choices: offered };
}
