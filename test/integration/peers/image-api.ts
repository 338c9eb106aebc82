import { createReadStream } from "node:fs";
import { request } from "node:http";
import { pipeline } from "node:stream/promises";

export interface StoredImage {
  /** Of the config; of the manifest or index in docker's containerd store. */
  readonly id: string;
  readonly diffIds: readonly string[];
}

/** What `docker load`, `images`, `image inspect` and `rmi --force` ask a daemon for, without a process for each. */
export interface ImageApi {
  /** @returns what the daemon complains of; undefined when it has loaded the archive. */
  load(archive: string): Promise<string | undefined>;
  /** Of all images. */
  ids(): Promise<readonly string[]>;
  find(reference: string): Promise<StoredImage | undefined>;
  /** Images that are not there are ignored. */
  remove(references: readonly string[]): Promise<void>;
}

/** @param socket of dockerd, or of podman's service, which has the same API. */
export function imageApi(socket: string): ImageApi {
  return {
    async load(archive) {
      try {
        const { status, text } = await ask(socket, "POST", "/images/load?quiet=1", archive);
        // dockerd begins its answer before it knows how the load ends.
        return status === 200 && !text.includes('"errorDetail"') ? undefined : text;
      } catch (error) {
        return String(error);
      }
    },
    async ids() {
      const { status, text } = await ask(socket, "GET", "/images/json?all=1");
      if (status !== 200) throw new Error(`Cannot list images: status ${status}, ${text}`);
      return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => Id);
    },
    async find(reference) {
      const { status, text } = await ask(socket, "GET", `/images/${reference}/json`);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`Cannot inspect ${reference}: status ${status}, ${text}`);
      const { Id, RootFS } = JSON.parse(text) as { Id: string; RootFS: { Layers?: string[] | null } };
      return { id: Id, diffIds: RootFS.Layers ?? [] };
    },
    async remove(references) {
      for (const reference of references) {
        const { status, text } = await ask(socket, "DELETE", `/images/${reference}?force=1`);
        if (status !== 200 && status !== 404) throw new Error(`Cannot remove ${reference}: status ${status}, ${text}`);
      }
    },
  };
}

/** What a daemon makes of an archive, where nothing else is loaded. */
export interface LoadedAlone {
  readonly complaint?: string;
  /** Of all images, sorted. */
  readonly ids: readonly string[];
}

/** Removes all images before and after. */
export async function loadAlone({ images }: { readonly images: ImageApi }, archive: string): Promise<LoadedAlone> {
  await images.remove(await images.ids());
  const complaint = await images.load(archive);
  const ids = await images.ids();
  await images.remove(ids);
  return { ...(complaint === undefined ? {} : { complaint }), ids: [...ids].sort() };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @param file goes out as the body */
async function ask(socketPath: string, method: string, path: string, file?: string): Promise<Answer> {
  // A connection of its own for each request: daemons close those that are idle.
  const sent = request({ socketPath, method, path, agent: false, headers: { "content-type": "application/x-tar" } });
  const answered = new Promise<Answer>((resolve, reject) => {
    sent.once("error", reject);
    // The only event after a body that cannot be read.
    sent.once("close", () => reject(new Error("no answer")));
    sent.once("response", response => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
  });
  if (file === undefined) sent.end();
  // A daemon that has seen enough closes the connection; what counts is its answer.
  else await Promise.race([pipeline(createReadStream(file), sent).catch(() => undefined), answered]);
  return await answered;
}
