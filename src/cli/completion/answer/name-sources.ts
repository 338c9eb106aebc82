import type { RegistryOptions } from "../../../index.ts";
import { tlsFromFlags } from "../../flags/connection-flags.ts";
import { isHost } from "./is-host.ts";
import type { ReadLine } from "./read-line.ts";

/** Where names come from. None of these rejects: without an answer there are no names. */
export interface NameSources {
  /** Whether a word that may be a reference means a file or a folder. */
  isPath(word: string): Promise<boolean>;
  /** `host[:port]` of the registries that are known on this machine. */
  hosts(): Promise<readonly string[]>;
  /** @param host undefined for the registry of names that have none. */
  repositories(host: string | undefined, start: string): Promise<readonly string[]>;
  /** @param repository as it is typed before the colon, also `v1://…`. */
  tags(repository: string, start: string): Promise<readonly string[]>;
}

type Names = Promise<readonly string[]>;

/** A shell shows nothing until the answer is complete. */
const MAX_WAIT_MS = 2500;
/** Commands that never take a name without a registry for one of Docker Hub. */
const WRITING: ReadonlySet<string> = new Set(["delete", "tag"]);
/** Flags that replace stored credentials, which the command would not send then. */
const OTHER_CREDENTIALS = ["username", "password-stdin", "token-stdin"];

/** Names of this machine, and of the registries that a line names. These are asked as the command itself asks them. */
export function namesFor({ command, given }: ReadLine): NameSources {
  const one = (flag: string): string | undefined => given.get(flag)?.[0] || undefined;
  const defaultHost = one("registry") ?? (process.env["IMGPACK_REGISTRY"] || undefined);
  const ask = async (list: (registry: RegistryOptions, signal: AbortSignal) => Names): Names => {
    if (OTHER_CREDENTIALS.some(flag => given.has(flag))) return [];
    const signal = AbortSignal.timeout(MAX_WAIT_MS);
    const files = { caFile: one("ca-file"), certFile: one("cert-file"), keyFile: one("key-file") };
    const plainHttp = given.has("plain-http") || undefined;
    return await quietly(async () => {
      const registry = {
        host: one("registry"),
        defaultHost,
        tls: await tlsFromFlags({ ...files, plainHttp, insecure: given.has("insecure") }, signal),
        retry: { count: 0, outageMs: 0, timeoutMs: MAX_WAIT_MS },
        v1Path: one("v1-path"),
        v1Endpoint: one("endpoint"),
      };
      return await list(registry, signal);
    });
  };
  return {
    isPath: async word => {
      const { isArchivePath } = await import("../../../verbs/options/archive-path.ts");
      return await isArchivePath(word);
    },
    hosts: async () =>
      await quietly(async () => {
        const { knownRegistries } = await import("../../../verbs/query/offered-names.ts");
        return [...new Set([...(defaultHost === undefined ? [] : [defaultHost]), ...(await knownRegistries())])];
      }),
    repositories: async (host = defaultHost, start) => {
      // Docker Hub has no list of its repositories.
      if (host === undefined || /(?:^|\.)docker\.io$/.test(host)) return [];
      return await ask(async (registry, signal) => {
        const { offeredRepositories } = await import("../../../verbs/query/offered-names.ts");
        return await offeredRepositories(host, start, { registry, signal });
      });
    },
    tags: async (repository, start) => {
      const [first = ""] = repository.replace("v1://", "").split("/");
      const isNamed = repository.includes("/") && isHost(first);
      if (!isNamed && defaultHost === undefined && WRITING.has(command?.name ?? "")) return [];
      return await ask(async (registry, signal) => {
        const { offeredTags } = await import("../../../verbs/query/offered-names.ts");
        return await offeredTags(repository, start, { registry, signal });
      });
    },
  };
}

async function quietly(list: () => Names): Names {
  try {
    return await list();
  } catch {
    // The command itself says what is wrong.
    return [];
  }
}
