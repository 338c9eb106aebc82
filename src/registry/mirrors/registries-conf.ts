import { homedir } from "node:os";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { UsageError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { readdir } from "../../util/read-disk.ts";

/** Where a registry, or a copy of it, is reached. */
export interface ConfiguredLocation {
  /** `host[:port]`, optionally with the first parts of a repository. */
  readonly location: string;
  /** Accept any certificate, and plain HTTP if there is no TLS. */
  readonly insecure: boolean;
}

export interface ConfiguredMirror extends ConfiguredLocation {
  readonly serves: "all" | "digest-only" | "tag-only";
}

/** One `[[registry]]` (containers-registries.conf(5), version 2). */
export interface ConfiguredRegistry extends ConfiguredLocation {
  /** `host`, `host/namespace`, a repository, or `*.domain`. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly mirrors: readonly ConfiguredMirror[];
}

export interface RegistriesConfOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  /** Folder that contains `etc` (default `/`); for tests. */
  readonly root?: string | undefined;
}

const MAX_FILE_BYTES = 1024 * 1024;
/** Nested arrays and inline tables; registries.conf needs two. */
const MAX_DEPTH = 16;

type Table = Readonly<Record<string, unknown>>;

/**
 * Reads the `[[registry]]` tables of this machine: from the file that CONTAINERS_REGISTRIES_CONF names, or else from the
 * user's file, or else from /etc/containers/registries.conf. The folders `registries.conf.d` come next, unless the
 * variable is set. A later table replaces an earlier one of the same prefix.
 *
 * @throws UsageError with the file, and for malformed TOML the line.
 */
export async function readRegistriesConf(options: RegistriesConfOptions = {}): Promise<readonly ConfiguredRegistry[]> {
  const { env = process.env, home = homedir(), root = "/" } = options;
  const user = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers");
  const system = join(root, "etc", "containers");
  const named = env["CONTAINERS_REGISTRIES_CONF"];
  const folders = named ? [] : [join(system, "registries.conf.d"), join(user, "registries.conf.d")];
  const main = named ? [named] : [join(user, "registries.conf"), join(system, "registries.conf")];
  const texts: (readonly [file: string, text: string])[] = [];
  for (const file of main) {
    const text = await readText(file);
    if (text === undefined) continue;
    texts.push([file, text]);
    break;
  }
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter(entry => entry.endsWith(".conf")).toSorted()) {
      const text = await readText(join(folder, name));
      if (text !== undefined) texts.push([join(folder, name), text]);
    }
  }
  const registries = new Map<string, ConfiguredRegistry>();
  for (const [file, text] of texts) {
    for (const registry of registriesIn(file, text)) registries.set(registry.prefix, registry);
  }
  return [...registries.values()];
}

async function readText(file: string): Promise<string | undefined> {
  if (file === "/dev/null") return "";
  try {
    const found = await readRegularFile(file, MAX_FILE_BYTES);
    if (typeof found === "string") throw conf(file, "no file up to 1 MiB");
    return found.toString("utf8");
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw conf(file, "no permission", "a readable file", cause);
  }
}

function registriesIn(file: string, text: string): readonly ConfiguredRegistry[] {
  return tablesOf(parseToml(file, text)["registry"], file, "registry").map(table => toRegistry(table, file));
}

function parseToml(file: string, text: string): Table {
  try {
    return parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // No cause: its message quotes the file.
    throw conf(file, `malformed line ${error.line}, column ${error.column}`, "TOML");
  }
}

function toRegistry(table: Table, file: string): ConfiguredRegistry {
  const location = textOf(table, "location", file) ?? "";
  const prefix = (textOf(table, "prefix", file) ?? "") || location;
  if (prefix === "") throw conf(file, '"registry" without "prefix" and "location"', "one of them");
  const byDigestOnly = flagOf(table, "mirror-by-digest-only", file);
  const mirrors = tablesOf(table["mirror"], file, "registry.mirror").map((mirror): ConfiguredMirror => {
    const at = textOf(mirror, "location", file);
    if (!at) throw conf(file, '"registry.mirror" without "location"', "one");
    const serves = textOf(mirror, "pull-from-mirror", file) || (byDigestOnly ? "digest-only" : "all");
    if (serves !== "all" && serves !== "digest-only" && serves !== "tag-only") {
      throw conf(file, 'another "pull-from-mirror"', "all, digest-only or tag-only");
    }
    return { location: trimmed(at), insecure: flagOf(mirror, "insecure", file), serves };
  });
  return {
    prefix: trimmed(prefix),
    // A wildcard matches many hosts: each is its own location.
    location: trimmed(location || (prefix.startsWith("*.") ? "" : prefix)),
    insecure: flagOf(table, "insecure", file),
    blocked: flagOf(table, "blocked", file),
    mirrors,
  };
}

function trimmed(location: string): string {
  return location.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function tablesOf(value: unknown, file: string, name: string): readonly Table[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map(entry => {
    if (isTable(entry)) return entry;
    throw conf(file, `${quote(name)} that is no table`, `[[${name}]]`);
  });
}

/** The parser makes tables without a prototype; arrays and dates have one. */
function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

function textOf(table: Table, key: string, file: string): string | undefined {
  const value = table[key];
  if (value === undefined || typeof value === "string") return value;
  throw conf(file, `${quote(key)} that is no string`, "a string");
}

function flagOf(table: Table, key: string, file: string): boolean {
  const value = table[key] ?? false;
  if (typeof value === "boolean") return value;
  throw conf(file, `${quote(key)} that is neither true nor false`, "one of them");
}

function conf(file: string, found: string, expected = "a registries.conf", cause?: unknown): UsageError {
  return new UsageError(`Cannot read mirrors from ${quote(file)}: ${found}, expected ${expected}`, {
    cause,
    hint: "CONTAINERS_REGISTRIES_CONF names another file; /dev/null reads none.",
  });
}
