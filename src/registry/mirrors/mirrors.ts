import { UsageError } from "../../errors.ts";
import { formatReference, type Reference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { type ConfiguredRegistry, type RegistriesConfOptions, readRegistriesConf } from "./registries-conf.ts";

/** A repository that may serve an image. */
export interface PullLocation {
  /** `host[:port]` */
  readonly registry: string;
  readonly repository: string;
  readonly isMirror: boolean;
  /** From registries.conf, or from http:// before a mirror. */
  readonly trust: "checked" | "insecure" | "plain-http";
}

export type FullName = Reference & { readonly registry: string };

export interface MirrorOptions extends RegistriesConfOptions {
  /** `host[:port]`, with an optional path before the repository, and `http://` for one without TLS. */
  readonly mirrors?: readonly string[] | undefined;
}

/**
 * The repositories that may serve an image, best first: the given mirrors, those of registries.conf, and last the
 * registry itself, which registries.conf may have moved.
 *
 * @throws UsageError when registries.conf blocks it or cannot be read, or a mirror is malformed.
 */
export async function pullLocations(name: FullName, options: MirrorOptions = {}): Promise<readonly PullLocation[]> {
  const configured = bestRegistry(name, await readRegistriesConf(options));
  if (configured?.blocked === true) {
    throw new UsageError(`Cannot pull ${formatReference(name)}: registries.conf blocks it, expected an allowed name`, {
      hint: `Its entry for ${quote(configured.prefix)} says blocked = true.`,
    });
  }
  const named = (options.mirrors ?? []).map(text => namedMirror(text, name));
  const fromFile = (configured?.mirrors ?? [])
    .filter(({ serves }) => serves === "all" || (serves === "digest-only") === (name.digest !== undefined))
    .map(({ location, insecure }) => moved(name, configured?.prefix ?? "", location, insecure, true));
  const origin =
    configured === undefined || configured.location === ""
      ? {
          registry: name.registry,
          repository: name.repository,
          isMirror: false,
          trust: trustOf(configured?.insecure),
        }
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
  // A prefix may include a tag or digest, which then stays as it is.
  const target = `${location}${prefix.length > whole.length ? "" : rest}`;
  const slash = target.indexOf("/");
  return {
    registry: slash === -1 ? target : target.slice(0, slash),
    repository: slash === -1 ? name.repository : target.slice(slash + 1),
    isMirror,
    trust: trustOf(insecure),
  };
}

function namedMirror(text: string, name: FullName): PullLocation {
  const isPlain = /^http:\/\//i.test(text);
  const [host = "", ...path] = text
    .replace(/^https?:\/\//i, "")
    .replace(/\/+$/, "")
    .split("/");
  if (host === "" || path.includes("") || /[@?#\s]/.test(text)) {
    throw new UsageError(`Cannot use --mirror ${quote(text)}: found another form, expected HOST[:PORT][/PATH]`);
  }
  return {
    registry: host,
    repository: [...path, name.repository].join("/"),
    isMirror: true,
    trust: isPlain ? "plain-http" : "checked",
  };
}

function trustOf(insecure = false): PullLocation["trust"] {
  return insecure ? "insecure" : "checked";
}
