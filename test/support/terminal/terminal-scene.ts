// What is needed for commands that are shown as a person types them: a folder, an archive, registries on localhost.
import { type ChildProcess, spawn } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { sha256 } from "../memory-registry.ts";
import { tarArchive, tarEntry } from "../tar-builder.ts";
import { TmuxTerminal } from "./tmux-terminal.ts";

const MIB = 1024 * 1024;
const LAYERS = [
  [40, "ADD rootfs.tar.xz /"],
  [8, "RUN apk add --no-cache ca-certificates tzdata"],
  [4, "COPY --chown=app:app dist/ /srv/hello/"],
  [2, "COPY assets/ /srv/hello/assets/ # buildkit"],
] as const;
const FIRST_PORT = 5000;
const WEEKS_MS = 3.2 * 7 * 24 * 3600 * 1000;

export class TerminalScene implements AsyncDisposable {
  readonly folder: string;
  readonly #bin: string;
  readonly #servers: ChildProcess[] = [];
  #port = FIRST_PORT;

  private constructor(folder: string) {
    this.folder = folder;
    this.#bin = join(folder, "bin");
  }

  /** @param command words that start imgpack. */
  static async start(command: readonly string[]): Promise<TerminalScene> {
    const scene = new TerminalScene(await mkdtemp(join(tmpdir(), "imgpack-scene-")));
    const words = command.map(word => `'${word}'`).join(" ");
    await mkdir(scene.#bin);
    await writeFile(join(scene.#bin, "imgpack"), `#!/bin/sh\nexec ${words} "$@"\n`);
    await chmod(join(scene.#bin, "imgpack"), 0o755);
    await mkdir(join(scene.folder, "work"));
    await writeFile(join(scene.folder, "work/hello.tar.gz"), helloArchive());
    return scene;
  }

  get work(): string {
    return join(this.folder, "work");
  }

  /** Starts a registry. @returns `localhost:PORT` */
  async serve(...flags: readonly string[]): Promise<string> {
    this.#port = await freePort(this.#port);
    const host = `localhost:${this.#port}`;
    const store = join(this.folder, `store-${this.#port}`);
    const words = ["serve", "--store", store, "--listen", `127.0.0.1:${this.#port}`, "--log", "none", ...flags];
    this.#port += 1;
    const server = spawn(join(this.#bin, "imgpack"), words, { stdio: ["ignore", "pipe", "inherit"] });
    this.#servers.push(server);
    await once(createInterface(server.stdout), "line");
    return host;
  }

  async terminal(columns: number, rows: number): Promise<TmuxTerminal> {
    const { PATH = "", DOCKER_HOST } = process.env;
    const env = {
      PATH: `${this.#bin}${delimiter}${PATH}`,
      HOME: this.folder,
      IMGPACK_CACHE_DIR: join(this.folder, "cache"),
      ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }),
    };
    return await TmuxTerminal.start({ columns, rows, cwd: this.work, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      const ended = once(server, "exit");
      server.kill();
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** An image of four layers that no compression makes smaller, as docker saves it, under the name `hello:latest`. */
function helloArchive(): Buffer {
  const layers = LAYERS.map(([mib], index) => {
    const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, index + 1), Buffer.alloc(16));
    return Buffer.from(tarArchive([tarEntry({ name: `file-${index}`, body: cipher.update(Buffer.alloc(mib * MIB)) })]));
  });
  const created = new Date(Date.now() - WEEKS_MS).toISOString();
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created,
    config: { Cmd: ["/srv/hello/start"], Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], ExposedPorts: { "8080/tcp": {} } },
    history: LAYERS.map(([, text]) => ({ created, created_by: text })),
    rootfs: { type: "layers", diff_ids: layers.map(sha256) },
  });
  const manifest = [
    { Config: "config.json", RepoTags: ["hello:latest"], Layers: layers.map((_, index) => `${index}/layer.tar`) },
  ];
  const entries = [
    tarEntry({ name: "manifest.json", body: JSON.stringify(manifest) }),
    tarEntry({ name: "config.json", body: config }),
    ...layers.map((body, index) => tarEntry({ name: `${index}/layer.tar`, body })),
  ];
  return gzipSync(tarArchive(entries), { level: 1 });
}

async function freePort(from: number): Promise<number> {
  for (let port = from; ; port += 1) {
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", resolve);
      });
      await new Promise(resolve => server.close(resolve));
      return port;
    } catch {
      // Another program has it.
    }
  }
}
