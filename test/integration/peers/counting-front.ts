import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { deferred } from "../../../src/util/promises.ts";

/** Uploads that wait. */
export interface HeldUploads {
  /** Resolves when the registry has taken one of the blobs, and its sender has no answer yet. */
  readonly arrived: Promise<void>;
  release(): void;
}

/** In front of a registry: counts the blobs that it takes, and can stop those who send them at a known point. */
export interface CountingFront {
  /** host:port */
  readonly host: string;
  /** How often the registry has taken each blob. */
  readonly uploads: ReadonlyMap<string, number>;
  /** Blobs of which one upload gets status 403. */
  readonly refused: Set<string>;
  /** The registry takes the first of these blobs that comes, which is not answered before `release`, and none of the others. */
  hold(blobs: ReadonlySet<string>): HeldUploads;
  close(): Promise<void>;
}

/** Of one upload: called before the registry gets its last request, and when it has taken the blob. */
interface Gate {
  before(): Promise<void>;
  after(): Promise<void>;
}

/** @param upstream host:port of the registry */
export async function startCountingFront(upstream: string): Promise<CountingFront> {
  const [hostname = "", port = ""] = upstream.split(":");
  const uploads = new Map<string, number>();
  const refused = new Set<string>();
  const gates: ((digest: string) => Gate | undefined)[] = [];

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url: path = "", headers } = request;
    const digest = method === "PUT" ? new URL(path, "http://registry/").searchParams.get("digest") : null;
    if (digest !== null && refused.delete(digest)) {
      request.resume();
      return void response.writeHead(403, { "content-length": "0" }).end();
    }
    const [gate] = digest === null ? [] : gates.flatMap(find => find(digest) ?? []);
    await gate?.before();
    // Its sender is gone.
    if (response.destroyed) return;
    const answerWith = async (answer: IncomingMessage): Promise<void> => {
      if (digest !== null && answer.statusCode === 201) uploads.set(digest, (uploads.get(digest) ?? 0) + 1);
      await gate?.after();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    };
    const inner = httpRequest({ hostname, port, method, path, headers }, answer => {
      answerWith(answer).catch(() => response.destroy());
    });
    inner.once("error", () => response.destroy());
    response.once("close", () => inner.destroy());
    request.pipe(inner);
  };

  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    uploads,
    refused,
    hold(blobs) {
      const [arrival, opening] = [deferred<void>(), deferred<void>()];
      let isOpen = false;
      let isTaken = false;
      gates.push(digest => {
        if (isOpen || !blobs.has(digest)) return undefined;
        const isFirst = !isTaken;
        isTaken = true;
        return {
          before: async () => await (isFirst ? undefined : opening.promise),
          async after() {
            if (isFirst) arrival.resolve();
            await opening.promise;
          },
        };
      });
      const release = (): void => {
        isOpen = true;
        opening.resolve();
      };
      return { arrived: arrival.promise, release };
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
