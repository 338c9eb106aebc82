import { UsageError } from "../../errors.ts";
import type { RuntimeSettings } from "../../oci/build-config.ts";
import { hostPlatform, type Platform, parsePlatform } from "../../oci/platform.ts";
import { quote } from "../../util/format.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT, TEXTS } from "../../util/options/option-kinds.ts";
import { epochDate, LAST_SECOND } from "../options/epoch-date.ts";
import { listOf } from "../options/option-values.ts";

/** Settings of the image that is made. */
export interface ImportSettings {
  /** Command, as a JSON array of strings; other text is a line for the shell, as with Docker's ENTRYPOINT. */
  readonly entrypoint?: string | undefined;
  /** Arguments, or the command if there is no `entrypoint`, in the same two forms. */
  readonly cmd?: string | undefined;
  /** `NAME=VALUE` */
  readonly env?: string | readonly string[] | undefined;
  /** Absolute path of the working directory. */
  readonly workdir?: string | undefined;
  /** `user[:group]`, names or numbers. */
  readonly user?: string | undefined;
  /** Ports: `80`, `80/tcp`, `53/udp`, `132/sctp`. */
  readonly expose?: string | readonly string[] | undefined;
  /** `KEY=VALUE` */
  readonly label?: string | readonly string[] | undefined;
  /** Absolute paths of volumes. */
  readonly volume?: string | readonly string[] | undefined;
  /** `os/architecture[/variant]`. Default: linux with the architecture of this machine. */
  readonly platform?: string | undefined;
  /** RFC 3339, or "now". Default: `sourceDateEpoch`. */
  readonly created?: string | undefined;
  /** Whole seconds since 1970, as in the variable SOURCE_DATE_EPOCH. Default "0". */
  readonly sourceDateEpoch?: string | undefined;
  /** Author of the image. */
  readonly author?: string | undefined;
  /** Comment in the history of the layer. */
  readonly message?: string | undefined;
}

export const IMPORT_SETTINGS: OptionsShape<ImportSettings> = {
  entrypoint: TEXT,
  cmd: TEXT,
  env: TEXTS,
  workdir: TEXT,
  user: TEXT,
  expose: TEXTS,
  label: TEXTS,
  volume: TEXTS,
  platform: TEXT,
  created: TEXT,
  sourceDateEpoch: TEXT,
  author: TEXT,
  message: TEXT,
};

export interface ReadSettings {
  readonly runtime: RuntimeSettings;
  readonly platform: Platform;
  /** RFC 3339 in UTC. */
  readonly created: string;
  /** The same in whole seconds since 1970, at least 0. */
  readonly mtime: number;
}

/** @throws UsageError for the first invalid setting. */
export function readSettings(settings: ImportSettings, now: () => Date = () => new Date()): ReadSettings {
  const platform = settings.platform === undefined ? hostPlatform() : parsePlatform(settings.platform);
  const isWindows = platform.os === "windows";
  const labels = pairs("--label", listOf(settings.label));
  const env = listOf(settings.env);
  pairs("--env", env);
  const runtime: RuntimeSettings = {
    user: settings.user === undefined ? undefined : user(settings.user),
    exposedPorts: listOf(settings.expose).map(port),
    env,
    entrypoint: command("--entrypoint", settings.entrypoint, isWindows),
    cmd: command("--cmd", settings.cmd, isWindows),
    volumes: listOf(settings.volume).map(path => absolute("--volume", path, isWindows)),
    workingDir: settings.workdir === undefined ? undefined : absolute("--workdir", settings.workdir, isWindows),
    labels,
  };
  const date = createdDate(settings, now);
  return {
    runtime,
    platform,
    created: date.toISOString().replace(".000Z", "Z"),
    mtime: Math.max(0, Math.floor(date.getTime() / 1000)),
  };
}

/** Docker's rule: a JSON array of strings is a command, anything else a line for a shell. */
function command(flag: string, text: string | undefined, isWindows: boolean): readonly string[] | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A line for a shell.
  }
  if (!Array.isArray(value)) return [...(isWindows ? ["cmd", "/S", "/C"] : ["/bin/sh", "-c"]), text];
  if (value.length > 0 && value.every((word): word is string => typeof word === "string")) return value;
  throw fault(
    flag,
    text,
    value.length === 0 ? "an empty list" : "a list with other things than text",
    'such as ["/bin/app","-v"]',
  );
}

/** @throws UsageError for a pair without a name or value, and for a repeated name, which readers treat differently. */
function pairs(flag: string, texts: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  const syntax = flag === "--env" ? "NAME=VALUE" : "KEY=VALUE";
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, Math.max(0, at));
    if (at < 0) throw fault(flag, text, 'no "="', syntax);
    if (name === "" || /[\s\0]/.test(name))
      throw fault(flag, text, name === "" ? "no name" : "a blank in the name", syntax);
    if (text.includes("\0")) throw fault(flag, text, "a NUL character", syntax);
    if (name in found) throw fault(flag, text, `${quote(name)} a second time`, "each name once");
    found[name] = text.slice(at + 1);
  }
  return found;
}

function port(text: string): string {
  const [, number, protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const value = Number(number);
  if (value >= 1 && value <= 65_535) return `${value}/${protocol.toLowerCase()}`;
  throw fault("--expose", text, "no port", "1 to 65535, alone or with /tcp, /udp or /sctp");
}

function user(text: string): string {
  if (/^[^\s:\0]+(?::[^\s:\0]+)?$/.test(text)) return text;
  throw fault("--user", text, "another syntax", "USER or USER:GROUP, names or numbers");
}

function absolute(flag: string, path: string, isWindows: boolean): string {
  if (!path.includes("\0") && (isWindows ? /^(?:[A-Za-z]:)?[\\/]/ : /^\//).test(path)) return path;
  throw fault(flag, path, "no absolute path", isWindows ? "one such as C:\\app" : "one such as /app");
}

/** The same input gives the same image, so the clock is used only for "now". */
function createdDate({ created, sourceDateEpoch }: ImportSettings, now: () => Date): Date {
  if (created === "now") return new Date(Math.floor(now().getTime() / 1000) * 1000);
  if (created !== undefined) return rfc3339(created);
  return epochDate(sourceDateEpoch) ?? new Date(0);
}

function rfc3339(text: string): Date {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const [, day = "", time = ""] = match ?? [];
  // Date silently turns an impossible day into one of the next month.
  const local = new Date(`${day}T${time}Z`);
  const date = new Date(text.replace(" ", "T").toUpperCase());
  if (!Number.isNaN(date.getTime()) && !Number.isNaN(local.getTime())) {
    const seconds = date.getTime() / 1000;
    if (local.toISOString().startsWith(`${day}T${time}`) && seconds <= LAST_SECOND && date.getUTCFullYear() >= 0) {
      return date;
    }
  }
  throw fault("--created", text, "no time", 'RFC 3339 such as 2024-05-01T12:00:00Z, or "now"');
}

function fault(flag: string, text: string, found: string, expected: string): UsageError {
  return new UsageError(`Cannot use ${flag} ${quote(text)}: found ${found}, expected ${expected}`);
}
