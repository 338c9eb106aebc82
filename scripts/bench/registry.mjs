// @ts-check

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureDir, outputJson, remove } from "fs-extra/esm";
import { findTool } from "../fixtures/processes.mjs";
import { startCountingProxy } from "./counting-proxy.mjs";

/**
 * @typedef {object} TlsRegistry
 * @property {string} host "127.0.0.1:port"
 * @property {string} ca file with the certificate of its authority
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Registry Debian's docker-registry on a loopback port, its storage inside the workspace
 * @property {() => string} host "127.0.0.1:port"
 * @property {() => Promise<void>} reset starts it (again) with empty storage on a free port
 * @property {(work: () => Promise<unknown>) => Promise<import("./counting-proxy.mjs").Counts>} count does the work
 *   through a counting proxy that answers at the same port, so that what clients remember of this registry holds
 * @property {() => Promise<TlsRegistry>} startTls another one with the same storage, over TLS
 */

/** @param {import("./workspace.mjs").Workspace} workspace @returns {Registry} */
export function createRegistry(workspace) {
  const program = findTool("docker-registry");
  const storage = join(workspace.folder, "registry");
  /** @typedef {{ port: number, stop(): Promise<void> }} Listening */
  /** @type {Listening | undefined} */
  let running;

  /** @param {number} port 0 for a free one @param {{ certificate: string, key: string }} [tls] @returns {Promise<Listening>} */
  const listen = async (port, tls) => {
    if (program === undefined) {
      throw new Error("Cannot start a registry: no docker-registry found, expected one on PATH");
    }
    const config = join(workspace.folder, tls === undefined ? "registry.yml" : "registry-tls.yml");
    // JSON is YAML.
    const settings = {
      version: 0.1,
      log: { level: "info", formatter: "json", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: storage } },
      http: { addr: `127.0.0.1:${port}`, relativeurls: true, ...(tls === undefined ? {} : { tls }) },
    };
    await ensureDir(storage);
    await outputJson(config, settings);
    const child = workspace.start([program, "serve", config]);
    let hasEnded = false;
    const ended = child.ended.then(
      () => {
        hasEnded = true;
      },
      () => {
        hasEnded = true;
      },
    );
    const stop = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    for (let attempt = 0; attempt < 500 && !hasEnded; attempt++) {
      const found = /listening on 127\.0\.0\.1:(\d+)/.exec(child.stderr())?.[1];
      if (found !== undefined && (tls !== undefined || (await isReady(found)))) return { port: Number(found), stop };
      await delay(20);
    }
    await stop();
    throw new Error(`Cannot start docker-registry: no answer within 10 s\n${child.stderr()}`);
  };

  const start = async (/** @type {number} */ port) => {
    running = await listen(port);
  };

  const port = () => {
    if (running === undefined) throw new Error("Cannot name the registry: it is not running");
    return running.port;
  };

  return {
    host: () => `127.0.0.1:${port()}`,
    reset: async () => {
      await running?.stop();
      await remove(storage);
      await start(0);
    },
    count: async work => {
      const known = port();
      await running?.stop();
      await start(0);
      const proxy = await startCountingProxy(known, port());
      try {
        await work();
      } finally {
        await proxy.close();
        await running?.stop();
        await start(known);
      }
      return proxy.counts;
    },
    startTls: async () => {
      const ca = join(workspace.folder, "ca");
      await ensureDir(ca);
      const files = { certificate: join(ca, "ca.crt"), key: join(ca, "key.pem") };
      await workspace.run([
        ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
        ...["-subj", "/CN=imgpack bench", "-addext", "subjectAltName=IP:127.0.0.1"],
        ...["-out", files.certificate, "-keyout", files.key],
      ]);
      const tls = await listen(0, files);
      return { host: `127.0.0.1:${tls.port}`, ca: files.certificate, stop: tls.stop };
    },
  };
}

/** @param {string} port */
async function isReady(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v2/`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
