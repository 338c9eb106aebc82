import { UsageError } from "../../errors.ts";
import { formatReference, type Reference, registryHost } from "../../oci/reference.ts";
import { readRegistryName } from "../../oci/registry-name.ts";
import { quote } from "../../util/format.ts";
import { type ConfiguredRegistry, type RegistriesConfOptions, readRegistriesConf } from "./registries-conf.ts";

/** A registry and repository that an image can be pulled from. */
export interface PullLocation {
  /** `host[:port]` */
  readonly registry: string;
  readonly repository: string;
  readonly isMirror: boolean;
  /** From `insecure` in registries.conf, or from `http://` in the name of a mirror. */
  readonly trust: "checked" | "insecure" | "plain-http";
}

export type FullName = Reference & { readonly registry: string };

export interface MirrorOptions extends RegistriesConfOptions {
  /** `host[:port]`, optionally with a path that precedes the repository, and with `http://` for a mirror without TLS. */
  readonly mirrors?: readonly string[] | undefined;
  /** Gives the tables of registries.conf, which thousands of images need read once. Default: they are read. */
  readonly registriesConf?: (() => Promise<readonly ConfiguredRegistry[]>) | undefined;
}

/**
 * Where to pull an image from, in the order to try: the mirrors in `options`, those of registries.conf, and last the
 * registry itself, which registries.conf may have moved.
 *
 * @throws UsageError when registries.conf blocks the image or cannot be read, or when a mirror is malformed.
 */
export async function pullLocations(name: FullName, options: MirrorOptions = {}): Promise<readonly PullLocation[]> {
  const { registry, repository } = name;
  const configured = bestRegistry(name, await (options.registriesConf?.() ?? readRegistriesConf(options)));
  if (configured?.blocked === true) {
    throw new UsageError(`Cannot pull ${formatReference(name)}: registries.conf blocks it, expected an allowed name`, {
      hint: `Its entry for ${quote(configured.prefix)} contains blocked = true.`,
    });
  }
  const named = (options.mirrors ?? []).map(text => located(parseMirror(text), name));
  const fromFile = (configured?.mirrors ?? [])
    .filter(({ serves }) => serves === "all" || (serves === "digest-only") === (name.digest !== undefined))
    .map(({ location, insecure }) => moved(name, configured?.prefix ?? "", location, insecure, true));
  const origin =
    configured === undefined || configured.location === ""
      ? { registry, repository, isMirror: false, trust: trustOf(configured?.insecure) }
      : moved(name, configured.prefix, configured.location, configured.insecure, false);
  return [...named, ...fromFile, origin];
}

/** The longest prefix that ends where a part of the name ends. */
function bestRegistry(name: FullName, registries: readonly ConfiguredRegistry[]): ConfiguredRegistry | undefined {
  const full = formatReference(name);
  return registries
    .filter(({ prefix }) => {
      if (prefix.startsWith("*.")) return name.registry.replace(/:[0-9]+$/, "").endsWith(prefix.slice(1));
      return full === prefix || (full.startsWith(prefix) && /^[/:@]/.test(full.slice(prefix.length)));
    })
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function moved(name: FullName, prefix: string, location: string, insecure: boolean, isMirror: boolean): PullLocation {
  const whole = `${name.registry}/${name.repository}`;
  const rest = prefix.startsWith("*.") ? `/${name.repository}` : whole.slice(prefix.length);
  // A prefix may include a tag or digest; the requested one is kept.
  const target = `${location}${prefix.length > whole.length ? "" : rest}`;
  const slash = target.indexOf("/");
  return {
    registry: slash === -1 ? target : target.slice(0, slash),
    repository: slash === -1 ? name.repository : target.slice(slash + 1),
    isMirror,
    trust: trustOf(insecure),
  };
}

/** What `--mirror` names. */
interface Mirror {
  readonly registry: string;
  /** What precedes the repository. */
  readonly path: readonly string[];
  readonly trust: PullLocation["trust"];
}

/** @throws UsageError for anything but HOST[:PORT][/PATH], perhaps after http://. */
export function parseMirror(text: string): Mirror {
  const isPlain = /^http:\/\//i.test(text);
  const [host = "", ...path] = text
    .replace(/^https?:\/\//i, "")
    .replace(/\/+$/, "")
    .split("/");
  const isPathBad = path.some(part => part === "" || part.includes(":"));
  if (!("name" in readRegistryName(registryHost(host))) || isPathBad || /[@?#\s]/.test(text)) {
    throw new UsageError(`Cannot use --mirror ${quote(text)}: malformed, expected HOST[:PORT][/PATH]`);
  }
  return { registry: host, path, trust: isPlain ? "plain-http" : "checked" };
}

function located({ registry, path, trust }: Mirror, name: FullName): PullLocation {
  return { registry, repository: [...path, name.repository].join("/"), isMirror: true, trust };
}

function trustOf(insecure = false): PullLocation["trust"] {
  return insecure ? "insecure" : "checked";
}
