import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { push, type ServeEvent, serve } from "../../src/index.ts";
import { nameHash } from "../../src/serve/folder/repository-folder.ts";

export interface TortureRegistry {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly url: string;
  /** Requests to upload blobs that a repository has had. */
  uploads(repository: string): number;
  tagged(repository: string, tag: string): Promise<string | undefined>;
  /** Manifests in a repository of which something is missing, each with what is. */
  incomplete(repository: string): Promise<readonly string[]>;
  /** Pushes an archive in this process. @returns the manifest's digest. */
  store(archive: string, name: string, cacheFolder?: string): Promise<string>;
  close(): Promise<void>;
}

/** imgpack's own registry, in this process. @param folder becomes its storage. */
export async function startTortureRegistry(folder: string): Promise<TortureRegistry> {
  const uploads = new Map<string, number>();
  const faults: unknown[] = [];
  const onEvent = (event: ServeEvent): void => {
    if (event.kind === "fault") faults.push(event.error);
    if (event.kind === "damage") faults.push(new Error(`${event.path}: ${event.found}`));
    if (event.kind !== "request") return;
    const repository = /^\/v2\/(.+)\/blobs\/uploads\//.exec(event.path)?.[1];
    if (repository !== undefined && event.method !== "DELETE")
      uploads.set(repository, (uploads.get(repository) ?? 0) + 1);
  };
  const server = await serve({ store: folder, onEvent });
  const { host } = new URL(server.url);
  return {
    host,
    url: server.url,
    uploads: repository => uploads.get(repository) ?? 0,
    async tagged(repository, tag) {
      const response = await fetch(`${server.url}/v2/${repository}/manifests/${tag}`, {
        method: "HEAD",
        headers: { accept: "*/*" },
      });
      return response.headers.get("docker-content-digest") ?? undefined;
    },
    incomplete: async repository => await incomplete(folder, repository),
    async store(archive, name, cacheFolder) {
      const { images } = await push([archive], { tag: [`${host}/${name}`], cacheDir: cacheFolder });
      return images[0]?.digest ?? "";
    },
    async close() {
      await server.close();
      if (faults.length > 0) throw new AggregateError(faults, "The registry of the tests failed");
    },
  };
}

interface Child {
  readonly digest: string;
  readonly size: number;
}

/** What a manifest or an index refers to. */
interface Named {
  readonly config?: Child;
  readonly layers?: readonly Child[];
  readonly manifests?: readonly Child[];
}

/** Reads the storage itself: what the server would say after a restart. */
async function incomplete(folder: string, repository: string): Promise<readonly string[]> {
  const place = join(folder, "repositories", nameHash(repository));
  const names = async (part: string): Promise<readonly string[]> => await readdir(join(place, part)).catch(() => []);
  const blobs = new Set((await names("blobs")).map(name => name.replace(/-\d+$/, "")));
  const manifests = new Set(await names("manifests"));
  const found: string[] = [];
  const contentOf = (name: string): string => {
    const [algorithm = "", hex = ""] = name.split("-");
    return join(folder, "blobs", algorithm, hex.slice(0, 2), hex);
  };
  for (const name of manifests) {
    const {
      config,
      layers = [],
      manifests: images = [],
    } = JSON.parse(await readFile(contentOf(name), "utf8")) as Named;
    for (const { digest, size } of [...(config === undefined ? [] : [config]), ...layers, ...images]) {
      const child = digest.replace(":", "-");
      const held = await stat(contentOf(child)).catch(() => undefined);
      if (held?.size !== size || !(blobs.has(child) || manifests.has(child))) found.push(`${name}: ${digest}`);
    }
  }
  return found;
}
