import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { parseToml, TomlFault, type TomlTable, type TomlValue } from "./registries-conf-toml.ts";

/** Another place for the same images. */
export interface ConfiguredPlace {
  /** `host[:port]`, perhaps with the first parts of a repository. */
  readonly location: string;
  /** Any certificate, or plain HTTP where there is no TLS. */
  readonly insecure: boolean;
}

export interface ConfiguredMirror extends ConfiguredPlace {
  readonly serves: "all" | "digest-only" | "tag-only";
}

/** One `[[registry]]` (containers-registries.conf(5), version 2). */
export interface ConfiguredRegistry extends ConfiguredPlace {
  /** `host`, `host/namespace`, a repository, or `*.domain`. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly mirrors: readonly ConfiguredMirror[];
}

export interface RegistriesConfOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  /** Stands before the absolute folders below /etc, for tests. */
  readonly root?: string | undefined;
}

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The `[[registry]]` tables of the machine: of the file that CONTAINERS_REGISTRIES_CONF names, else the user's, else
 * /etc/containers/registries.conf, then of the folders `registries.conf.d`; a later one replaces one of the same prefix.
 *
 * @throws UsageError with file and line for what cannot be read.
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
  try {
    const found = await stat(file);
    if (file === "/dev/null") return "";
    if (!found.isFile() || found.size > MAX_FILE_BYTES) throw conf(file, "no file up to 1 MiB");
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw conf(file, "no permission", "a readable file", cause);
  }
}

function registriesIn(file: string, text: string): readonly ConfiguredRegistry[] {
  let tables: TomlTable;
  try {
    tables = parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlFault)) throw cause;
    throw conf(file, `malformed line ${cause.line}`, cause.message, cause);
  }
  return tablesOf(tables.get("registry"), file, "registry").map(table => toRegistry(table, file));
}

function toRegistry(table: TomlTable, file: string): ConfiguredRegistry {
  const location = textOf(table, "location", file) ?? "";
  const prefix = (textOf(table, "prefix", file) ?? "") || location;
  if (prefix === "") throw conf(file, '"registry" without "prefix" and "location"', "one of them");
  const byDigestOnly = flagOf(table, "mirror-by-digest-only", file);
  const mirrors = tablesOf(table.get("mirror"), file, "registry.mirror").map((mirror): ConfiguredMirror => {
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
    // A wildcard stands for many hosts: each is its own location.
    location: trimmed(location || (prefix.startsWith("*.") ? "" : prefix)),
    insecure: flagOf(table, "insecure", file),
    blocked: flagOf(table, "blocked", file),
    mirrors,
  };
}

function trimmed(location: string): string {
  return location.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function tablesOf(value: TomlValue | undefined, file: string, name: string): readonly TomlTable[] {
  if (value === undefined) return [];
  const list: readonly TomlValue[] = Array.isArray(value) ? (value as readonly TomlValue[]) : [value];
  return list.map(entry => {
    if (entry instanceof Map) return entry;
    throw conf(file, `${quote(name)} that is no table`, `[[${name}]]`);
  });
}

function textOf(table: TomlTable, key: string, file: string): string | undefined {
  const value = table.get(key);
  if (value === undefined || typeof value === "string") return value;
  throw conf(file, `${quote(key)} that is no string`, "a string");
}

function flagOf(table: TomlTable, key: string, file: string): boolean {
  const value = table.get(key) ?? false;
  if (typeof value === "boolean") return value;
  throw conf(file, `${quote(key)} that is neither true nor false`, "one of them");
}

function conf(file: string, found: string, expected = "a registries.conf", cause?: unknown): UsageError {
  return new UsageError(`Cannot read mirrors from ${quote(file)}: ${found}, expected ${expected}`, {
    cause,
    hint: "CONTAINERS_REGISTRIES_CONF names another file; /dev/null reads none.",
  });
}
