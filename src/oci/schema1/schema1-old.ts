import type { LegacyLayer } from "../legacy/legacy-config.ts";
import { compareKeys, goJson } from "./schema1-json.ts";

type Document = Readonly<Record<string, unknown>>;

const FIRST_WITH_CONFIG = [1, 8, 3] as const;

/** Docker before 1.8.3 omitted fields that later versions write; the ID of its images comes from the longer JSON. */
export function isBefore183(document: Document): boolean {
  const version = document["docker_version"];
  if (typeof version !== "string" || version === "") return false;
  // containers/image, whose IDs these are, reads a part that is not a number, such as "3-rc1", as 0.
  const parts = version.split(".").map(part => (/^\d+$/.test(part) ? Number(part) : 0));
  for (const [index, wanted] of FIRST_WITH_CONFIG.entries()) {
    const found = parts[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

/**
 * The longer JSON of an old image (containers/image, ToSchema2Config): with the fields that Go writes even if they are
 * empty, without those that later Docker versions do not know (Memory, CpuShares).
 *
 * @param created in the format of Go.
 */
export function reencodeOldImage({ document, author, comment }: LegacyLayer, created: string): string {
  const { container, config } = document;
  return goJson({
    ...(comment === undefined ? {} : { comment }),
    created,
    ...textMember("container", container),
    container_config: containerConfig(document["container_config"]),
    ...textMember("docker_version", document["docker_version"]),
    ...(author === undefined ? {} : { author }),
    ...(config === undefined || config === null ? {} : { config: containerConfig(config) }),
    ...textMember("architecture", document["architecture"]),
    ...textMember("os", document["os"]),
  });
}

function containerConfig(value: unknown): object {
  const from = Object(value ?? {}) as Document;
  const text = (name: string): string => (typeof from[name] === "string" ? from[name] : "");
  const flag = (name: string): boolean => from[name] === true;
  const ports = set(from["ExposedPorts"]);
  return {
    Hostname: text("Hostname"),
    Domainname: text("Domainname"),
    User: text("User"),
    AttachStdin: flag("AttachStdin"),
    AttachStdout: flag("AttachStdout"),
    AttachStderr: flag("AttachStderr"),
    ...(ports === null || ports.size === 0 ? {} : { ExposedPorts: ports }),
    Tty: flag("Tty"),
    OpenStdin: flag("OpenStdin"),
    StdinOnce: flag("StdinOnce"),
    Env: words(from["Env"]),
    Cmd: words(from["Cmd"]),
    Image: text("Image"),
    Volumes: set(from["Volumes"]),
    WorkingDir: text("WorkingDir"),
    Entrypoint: words(from["Entrypoint"]),
    ...(flag("NetworkDisabled") ? { NetworkDisabled: true } : {}),
    ...textMember("MacAddress", from["MacAddress"]),
    OnBuild: words(from["OnBuild"]),
    Labels: sorted(from["Labels"], value => (typeof value === "string" ? value : "")),
  };
}

function textMember(name: string, value: unknown): object {
  return typeof value === "string" && value !== "" ? { [name]: value } : {};
}

/** Go writes an empty list as null; a single command can be a string. */
function words(value: unknown): readonly string[] | null {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.map(word => (typeof word === "string" ? word : "")) : null;
}

function set(value: unknown): ReadonlyMap<string, unknown> | null {
  return sorted(value, () => ({}));
}

function sorted(value: unknown, change: (member: unknown) => unknown): ReadonlyMap<string, unknown> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const keys = Object.keys(value).sort(compareKeys);
  return new Map(keys.map(key => [key, change((value as Document)[key])]));
}
