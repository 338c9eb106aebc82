import { isAbsolute, win32 } from "node:path";
import type { Readable } from "node:stream";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import {
  choice,
  ENVIRONMENT,
  FLAG,
  FOLDER_PATH,
  group,
  kindOf,
  READABLE,
  required,
  SIGNAL,
  TEXT,
} from "../../util/options/option-kinds.ts";
import { MAPPING, type MappingOptions } from "../options/mapping-options.ts";
import { listOf } from "../options/option-values.ts";

/** A runtime that keeps using original names, by the files that it reads. */
export type MirrorRuntime = "containerd" | "k3s" | "podman" | "docker" | "openshift" | "kustomize" | "compose";

export const MIRROR_RUNTIMES: readonly MirrorRuntime[] = [
  "containerd",
  "k3s",
  "podman",
  "docker",
  "openshift",
  "kustomize",
  "compose",
];

/** How the machines that pull reach the registry. */
export interface MirrorTls {
  /** Uses HTTP without TLS. Default: for loopback addresses only. */
  readonly plainHttp?: boolean | undefined;
  /** Accepts any certificate. Default false. */
  readonly insecure?: boolean | undefined;
  /** Absolute path of PEM certificates on those machines. Default none. */
  readonly caFile?: string | undefined;
}

/** Options of `mirrors`. */
export interface MirrorsOptions extends MappingOptions {
  /** `host[:port][/prefix]` that has the images below, as `to` of `push` put them there. */
  readonly to: string;
  /** Runtimes to write for. */
  readonly for: MirrorRuntime | readonly MirrorRuntime[];
  /** Folder for the files, which may have some already. Default: the current folder. */
  readonly output?: string | undefined;
  readonly tls?: MirrorTls | undefined;
  /** Takes references that are only likely, too. Default false. */
  readonly guess?: boolean | undefined;
  /** Reads what is there and says what would be written. Default false. */
  readonly dryRun?: boolean | undefined;
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
  /** Variables of compose files. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const ONE_RUNTIME = choice(MIRROR_RUNTIMES);

export const MIRRORS_OPTIONS: OptionsShape<MirrorsOptions> = {
  ...MAPPING,
  to: required(TEXT),
  for: required({
    checked: (value, option) =>
      Array.isArray(value) && value.length > 0
        ? value.map(one => ONE_RUNTIME.checked(one, option))
        : ONE_RUNTIME.checked(value, option),
  }),
  output: FOLDER_PATH,
  tls: group<MirrorTls>({
    plainHttp: FLAG,
    insecure: FLAG,
    caFile: kindOf("an absolute path", value =>
      typeof value === "string" && (isAbsolute(value) || win32.isAbsolute(value)) && !/[\p{Cc}]/u.test(value)
        ? value
        : undefined,
    ),
  }),
  guess: FLAG,
  dryRun: FLAG,
  stdin: READABLE,
  env: ENVIRONMENT,
  signal: SIGNAL,
};

/** Each runtime once, in the order of the call. */
export function runtimesOf(options: MirrorsOptions): readonly MirrorRuntime[] {
  return [...new Set(listOf(options.for) as readonly MirrorRuntime[])];
}
