import { rawMembers } from "../../util/json/raw-members.ts";
import { compareKeys, goJson, JsonText } from "./go-json.ts";
import type { LegacyLayer } from "./legacy-layer.ts";

type Document = Readonly<Record<string, unknown>>;

const FIRST_WITH_CONFIG = [1, 8, 3] as const;

/**
 * Docker before 1.8.3 omitted fields that later versions write; the ID of its images comes from the longer JSON. An image
 * without a version counts as older.
 */
export function isBefore183(document: Document): boolean {
  const version = document["docker_version"];
  const parts = typeof version === "string" ? version.split(".").map(goNumber) : [];
  for (const [index, wanted] of FIRST_WITH_CONFIG.entries()) {
    const found = parts[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

/** Docker reads a part that is not a number, such as "3-rc1", as 0. */
function goNumber(part: string): number {
  return /^[+-]?\d+$/.test(part) ? Number(part) : 0;
}

/**
 * The longer JSON of an old image (docker 20.10, image.V1Image): with the fields that Go writes even if they are empty,
 * without those that later Docker versions do not know (Memory, CpuShares).
 *
 * @param created in the format of Go.
 */
export function reencodeOldImage({ document, text, author, comment }: LegacyLayer, created: string): string {
  const { container, config } = document;
  const members = rawMembers(text);
  return goJson({
    ...(comment === undefined ? {} : { comment }),
    created,
    ...textMember("container", container),
    container_config: containerConfig(document["container_config"], members.get("container_config")),
    ...textMember("docker_version", document["docker_version"]),
    ...(author === undefined ? {} : { author }),
    ...(config === undefined || config === null ? {} : { config: containerConfig(config, members.get("config")) }),
    ...textMember("architecture", document["architecture"]),
    ...textMember("variant", document["variant"]),
    ...textMember("os", document["os"]),
  });
}

/** @param raw the same as it is written. */
function containerConfig(value: unknown, raw: string | undefined): object {
  const from = objectOf(value);
  const text = (name: string): string => (typeof from[name] === "string" ? from[name] : "");
  const flag = (name: string): boolean => from[name] === true;
  const ports = set(from["ExposedPorts"]);
  const shell = words(from["Shell"]);
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
    ...healthcheck(from["Healthcheck"], membersOf(raw).get("Healthcheck")),
    ...(flag("ArgsEscaped") ? { ArgsEscaped: true } : {}),
    Image: text("Image"),
    Volumes: set(from["Volumes"]),
    WorkingDir: text("WorkingDir"),
    Entrypoint: words(from["Entrypoint"]),
    ...(flag("NetworkDisabled") ? { NetworkDisabled: true } : {}),
    ...textMember("MacAddress", from["MacAddress"]),
    OnBuild: words(from["OnBuild"]),
    Labels: sorted(from["Labels"], value => (typeof value === "string" ? value : "")),
    ...textMember("StopSignal", from["StopSignal"]),
    ...(typeof from["StopTimeout"] === "number" ? { StopTimeout: numberOf("StopTimeout", raw) } : {}),
    ...(shell === null || shell.length === 0 ? {} : { Shell: shell }),
  };
}

function healthcheck(value: unknown, raw: string | undefined): object {
  if (typeof value !== "object" || value === null) return {};
  const from = value as Document;
  const test = words(from["Test"]);
  const numbers = ["Interval", "Timeout", "StartPeriod", "Retries"].filter(name => Number(from[name] ?? 0) !== 0);
  return {
    Healthcheck: {
      ...(test === null || test.length === 0 ? {} : { Test: test }),
      ...Object.fromEntries(numbers.map(name => [name, numberOf(name, raw)])),
    },
  };
}

function numberOf(name: string, raw: string | undefined): JsonText {
  return new JsonText(membersOf(raw).get(name) ?? "0");
}

function membersOf(raw: string | undefined): ReadonlyMap<string, string> {
  return raw?.startsWith("{") ? rawMembers(raw) : new Map();
}

function objectOf(value: unknown): Document {
  return Object(value ?? {}) as Document;
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
