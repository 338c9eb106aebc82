import { writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { outputJson } from "fs-extra/esm";
import { poll } from "./poll.ts";
import { startProcess } from "./started-process.ts";
import { createTempFolder } from "./temp-folder.ts";

export interface DockerRegistryOptions {
  /** The lines of an htpasswd file with bcrypt hashes; without it everybody may do everything. */
  readonly htpasswd?: string;
  /** Overrides of its configuration, such as REGISTRY_AUTH_TOKEN_REALM. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words before its command, as those of a namespace: then its log alone says that it answers. */
  readonly enter?: readonly string[];
}

export interface DockerRegistry {
  /** host:port */
  readonly host: string;
  readonly url: string;
  /** What the registry wrote, one line per request among it. */
  log(): string;
  close(): Promise<void>;
}

/** An account and the htpasswd line that lets it in (made by htpasswd -B). */
export const registryAccount = {
  username: "ci",
  password: "correct-horse",
  htpasswd: "ci:$2y$05$BDjgw83f1IlsZi0v.J5.vuKjY9ktvSMAkDITwWQk4jHLs9XRu5Qr6",
} as const;

/**
 * Starts Debian's docker-registry (CNCF distribution) on a free loopback port over an empty folder.
 * @throws {Error} with its log when it does not answer within ten seconds
 */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await createTempFolder();
  const passwords = join(folder.path, "htpasswd");
  const config = {
    version: 0.1,
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(folder.path, "data") }, delete: { enabled: true } },
    // Port 0 and reading the log: a port that was free a moment ago may be taken by now.
    http: { addr: "127.0.0.1:0" },
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "peers", path: passwords } } }),
  };
  const configFile = join(folder.path, "config.yml");
  // JSON is YAML.
  await outputJson(configFile, config);
  if (options.htpasswd !== undefined) await writeFile(passwords, `${options.htpasswd}\n`);
  const server = startProcess("docker-registry", ["serve", configFile], options.env, options.enter);
  const close = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  const scheme = options.env?.["REGISTRY_HTTP_TLS_CERTIFICATE"] === undefined ? "http" : "https";
  try {
    const host = await poll(
      async () => {
        if (server.hasEnded()) throw new Error(`Cannot start docker-registry: it ended\n${server.log()}`);
        const announced = /listening on (127\.0\.0\.1:\d+)/.exec(server.log())?.[1];
        if (announced === undefined) return undefined;
        const isSeen = options.enter !== undefined || (await answers(`${scheme}://${announced}/v2/`));
        return isSeen ? announced : undefined;
      },
      { timeoutMs: 10_000, describe: () => `Cannot start docker-registry: no answer\n${server.log()}` },
    );
    return { host, url: `${scheme}://${host}`, log: () => server.log(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const request = url.startsWith("https:") ? httpsRequest(url, { rejectUnauthorized: false }) : httpRequest(url);
    request.once("response", response => {
      response.resume();
      resolve(response.statusCode === 200 || response.statusCode === 401);
    });
    request.once("error", () => resolve(false));
    request.end();
  });
}
