// The API of docker or podman on a Unix socket, with images in memory. It answers rightly, except where its script says otherwise.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./images.ts";

/** What an engine does wrong, or differently. */
export interface EngineScript {
  readonly version?: string;
  /** Archives by the name that `docker save` takes. */
  readonly images?: ReadonlyMap<string, Uint8Array>;
  /** Sends that many bytes of an archive, then cuts the connection. */
  readonly cutSaveAfter?: number;
  /** Follows the archive, or what is sent of it. */
  readonly afterSave?: string;
  /** The whole answer to a request of this method and path. */
  readonly answers?: readonly { readonly on: RegExp; readonly status: number; readonly body: string }[];
  /** Reads that many bytes of an archive, then cuts the connection. */
  readonly cutLoadAfter?: number;
  /** Reads that many bytes of an archive, then answers as `answers` or `loaded` say, and reads no further. */
  readonly answerLoadAfter?: number;
  /** Methods and paths that get no answer. */
  readonly silent?: RegExp;
  /** Answers so after the whole archive. Default: one line with the name "app:1". */
  readonly loaded?: string;
}

export class ScriptedEngine {
  readonly socket: string;
  /** Method and path of each request. */
  readonly requests: string[] = [];
  /** Archives that came to their end. */
  readonly loads: Buffer[] = [];
  /** Archives that did not. */
  cutLoads = 0;
  readonly #script: EngineScript;
  #onLoadBytes: (bytes: number) => void = () => undefined;

  private constructor(socket: string, script: EngineScript) {
    this.socket = socket;
    this.#script = script;
  }

  static async start(script: EngineScript = {}): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine(join(await temporaryFolder(), "engine.sock"), script);
    const server = createServer((request, response) => {
      engine.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>(resolve => server.listen(engine.socket, resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
    return engine;
  }

  /** Calls back with the bytes of a load that have come. */
  onLoadBytes(listen: (bytes: number) => void): void {
    this.#onLoadBytes = listen;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const path = url.replace(/^\/v4\.0\.0\/libpod/, "");
    this.requests.push(`${method} ${url}`);
    const { version = "28.5.2", images = new Map(), answers = [], silent } = this.#script;
    if (silent?.test(`${method} ${url}`)) return;
    const scripted = answers.find(({ on }) => on.test(`${method} ${url}`));
    if (scripted !== undefined && this.#script.answerLoadAfter !== undefined)
      await readSome(request, this.#script.answerLoadAfter);
    if (scripted !== undefined) return void response.writeHead(scripted.status).end(scripted.body);
    if (path === "/version") return sendJson(response, 200, { Version: version, Components: [] });
    if (path === "/images/json") return sendJson(response, 200, [{ RepoTags: [...images.keys()] }, { RepoTags: null }]);
    if (path.startsWith("/images/load")) return await this.#load(request, response);
    const inspected = /^\/images\/([^/]+)\/json$/.exec(path)?.[1];
    const saved = /^\/images\/get\?names=(.+)$/.exec(path)?.[1] ?? /^\/images\/([^/]+)\/get/.exec(path)?.[1];
    const name = decodeURIComponent(inspected ?? saved ?? "");
    const archive = images.get(name) ?? images.get(`localhost/${name}`);
    if (archive === undefined) return sendJson(response, 404, { message: `No such image: ${name}` });
    const tag = images.has(name) ? name : `localhost/${name}`;
    if (inspected !== undefined) return sendJson(response, 200, { Id: "sha256:0", RepoTags: [tag] });
    await this.#save(archive, response);
  }

  async #save(archive: Uint8Array, response: ServerResponse): Promise<void> {
    const { cutSaveAfter, afterSave } = this.#script;
    response.writeHead(200, { "content-type": "application/x-tar" });
    await new Promise<void>(resolve => response.write(archive.subarray(0, cutSaveAfter), () => resolve()));
    if (afterSave !== undefined) return void response.end(afterSave);
    if (cutSaveAfter === undefined) response.end();
    else response.destroy();
  }

  async #load(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { cutLoadAfter = Number.POSITIVE_INFINITY, answerLoadAfter = Number.POSITIVE_INFINITY } = this.#script;
    const { loaded = '{"stream":"Loaded image: app:1\\n"}\n' } = this.#script;
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        parts.push(part);
        bytes += part.length;
        this.#onLoadBytes(bytes);
        if (bytes >= cutLoadAfter) return void request.destroy();
        if (bytes >= answerLoadAfter) return void response.writeHead(200).end(loaded);
      }
    } catch {
      this.cutLoads += 1;
      return;
    }
    this.loads.push(Buffer.concat(parts));
    response.writeHead(200).end(loaded);
  }
}

async function readSome(request: IncomingMessage, wanted: number): Promise<void> {
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes >= wanted) return;
  }
}

function sendJson(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
}
