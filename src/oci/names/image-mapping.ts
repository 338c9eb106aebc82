import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { Digest } from "../digest.ts";
import { isRepository, parseReference, type Reference, resolveDockerHub } from "../reference.ts";
import { readRegistryName } from "../registry-name.ts";

/**
 * Where a repository goes below a target. "path": its path, without its registry; official images of Docker Hub lose
 * `library/`. "full": its registry and its path; the ":" before a port becomes "_", and an IPv6 address is written with
 * hyphens. "flat": its path as one part, with "-" in place of "/", for registries without nested repositories.
 */
export type TargetLayout = "path" | "full" | "flat";
export const TARGET_LAYOUTS: readonly TargetLayout[] = ["path", "full", "flat"];

/** Names that begin with these parts go below another path. */
export interface NameMap {
  /** `registry[/path]`; Docker Hub is `docker.io`. */
  readonly from: string;
  /** Path below the target; "" for none. */
  readonly to: string;
}

/** Where images go. */
export interface ImageMapping {
  /** `host[:port]` of the target. */
  readonly registry: string;
  /** What comes before each repository there; "" for nothing. */
  readonly prefix: string;
  /** Default "path". */
  readonly layout?: TargetLayout | undefined;
  /** The longest `from` that fits a name wins: its `to` and the rest of the name are the path, in place of the layout's. */
  readonly maps?: readonly NameMap[] | undefined;
}

/** The name of an image at a target. */
export interface TargetName {
  readonly registry: string;
  readonly repository: string;
  /** Absent for a name with a digest alone: a digest never implies a tag. */
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * Where an image goes: the one answer of push, copy, exists and whatever writes about them. A name without a registry is
 * one of Docker Hub; its tag and its digest stay as they are.
 *
 * @throws UsageError if the repository is longer than a registry takes.
 */
export function mapImageName(
  name: Reference,
  { registry, prefix, layout = "path", maps = [] }: ImageMapping,
): TargetName {
  const { tag, digest } = name;
  const path = pathBelow(name, layout, maps);
  const repository = [prefix, layout === "flat" ? path.replaceAll("/", "-") : path].filter(Boolean).join("/");
  if (!isRepository(repository)) {
    throw new UsageError(
      `Cannot name ${quote(fullRepository(name))} below ${registry}: found repository ${quote(repository)}, expected at most 255 characters in parts that are not empty`,
      { hint: "Choose another path for it with --map OLD=NEW." },
    );
  }
  return {
    registry,
    repository: resolveDockerHub({ registry, repository }).repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * Reads `OLD=NEW`. OLD is a registry, or the beginning of a name in whole parts; without a registry it is a path of Docker
 * Hub, where official images are below `library`. NEW is a path, or empty.
 *
 * @throws UsageError
 */
export function parseNameMap(text: string): NameMap {
  const equals = text.indexOf("=");
  if (equals <= 0) throw badMap(text, equals === -1 ? 'no "="' : "nothing to replace");
  const to = text.slice(equals + 1).replace(/^\/+|\/+$/g, "");
  if (to !== "" && !isRepository(to)) throw badMap(text, `bad path ${quote(to)}`);
  return { from: readPrefix(text, text.slice(0, equals).replace(/\/+$/, "")), to };
}

/** `registry[/path]` */
function readPrefix(text: string, prefix: string): string {
  const isHost = !prefix.includes("/") && (/[.:]/.test(prefix) || prefix === "localhost");
  if (isHost) {
    const host = readRegistryName(prefix);
    if (!("name" in host)) throw badMap(text, host.found);
    return host.name === "index.docker.io" ? HUB : host.name;
  }
  const { registry = HUB, repository, tag, digest } = parseReference(prefix);
  if (tag !== undefined || digest !== undefined) throw badMap(text, "a tag or digest");
  return `${registry === "index.docker.io" ? HUB : registry}/${repository}`;
}

const HUB = "docker.io";

function pathBelow(name: Reference, layout: TargetLayout, maps: readonly NameMap[]): string {
  const full = fullRepository(name);
  const [longest] = maps
    .filter(({ from }) => full === from || full.startsWith(`${from}/`))
    .sort((left, right) => right.from.length - left.from.length);
  if (longest !== undefined) {
    const rest = full.slice(longest.from.length + 1);
    return [longest.to, rest].filter(Boolean).join("/");
  }
  const { registry, repository } = resolveDockerHub(name);
  if (layout === "full") return `${hostPart(registry)}/${repository}`;
  return registry === HUB ? repository.replace(OFFICIAL, "") : repository;
}

const OFFICIAL = /^library\/(?=[^/]+$)/;

/** `registry/repository` */
function fullRepository(name: Reference): string {
  const { registry, repository } = resolveDockerHub(name);
  return `${registry}/${repository}`;
}

/** A registry as a part of a repository, where ":" and brackets are not allowed. "_" is in no host name. */
function hostPart(registry: string): string {
  const [, address, port = ""] = /^\[(.*)\](?::(\d+))?$/.exec(registry) ?? [];
  if (address === undefined) return registry.replace(":", "_");
  const inner = address.replace(/^::/, "0::").replace(/::$/, "::0").replaceAll(":", "-");
  return port === "" ? inner : `${inner}_${port}`;
}

function badMap(text: string, found: string): UsageError {
  return new UsageError(`Cannot read --map ${quote(text)}: found ${found}, expected OLD=NEW`, {
    hint: "For example --map quay.io/team=apps: quay.io/team/web goes to apps/web below the target.",
  });
}
