// A registry that limits each request once for two minutes, forgets a token after 10 requests and restarts after 150, all at once.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { copyTo, type ProgressEvent, pull, push } from "../../src/index.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const IMAGES = 40;
const SHARED: Buffer = seededBytes("shared by all", 5000);
const TOKEN_REQUESTS = 10;
const RESTART_REQUESTS = 150;
/** Questions in vain of each restart. */
const PROBES = 2;
/** Requests that a restart can cut. */
const concurrency = 16;
const MOST_AT_ONCE = 32;
const AUTH = { scheme: "bearer", user: "ci", password: "secret" } as const;

interface Hard {
  readonly registry: ScriptedRegistry;
  readonly onProgress: (event: ProgressEvent) => void;
  /** Blobs that were sent or taken. */
  readonly moved: string[];
  restarts: number;
}

async function hardRegistry(): Promise<Hard> {
  const registry = await ScriptedRegistry.start({ auth: AUTH });
  const limited = new Set<string>();
  const uses = new Map<string, number>();
  let requests = 0;
  let isAway = false;
  let questions = 0;
  const hard: Hard = {
    registry,
    moved: [],
    restarts: 0,
    onProgress(event) {
      if (!isAway || event.kind !== "waiting" || event.reason !== "outage" || event.registry !== registry.host) return;
      questions += 1;
      if (questions < PROBES) return;
      [isAway, questions] = [false, 0];
      registry.resume();
    },
  };
  registry.addFault({
    on: /\/v2\//,
    times: Number.POSITIVE_INFINITY,
    when: ({ method, path, headers }) => {
      requests += 1;
      const token = headers.authorization?.replace("Bearer ", "") ?? "";
      uses.set(token, (uses.get(token) ?? 0) + 1);
      if ((uses.get(token) ?? 0) > TOKEN_REQUESTS) registry.tokens.delete(token);
      if (requests % RESTART_REQUESTS === 0 && !isAway) {
        isAway = true;
        hard.restarts += 1;
        registry.stop();
        return false;
      }
      const name = `${method} ${path.replace(/uploads\/[^?]+/, "uploads/ID")}`;
      if (limited.has(name)) return false;
      limited.add(name);
      return true;
    },
    reply: { status: 429, headers: { "retry-after": "120" } },
  });
  registry.addFault({
    on: /^(GET|PUT|PATCH) .*\/blobs\//,
    times: Number.POSITIVE_INFINITY,
    change: ({ status }, { method, path, body }) => {
      if (method === "GET" ? status === 200 : status < 300 && body.length > 0) hard.moved.push(`${method} ${path}`);
      return {};
    },
  });
  return hard;
}

function withImages({ registry }: Hard): readonly string[] {
  return Array.from({ length: IMAGES }, (_, index) => {
    const name = `app${index}:1`;
    const { digest } = storeImage(registry.content, [SHARED, seededBytes(name, 300)]);
    const manifest = registry.content.manifests.get(digest);
    if (manifest !== undefined) registry.content.manifests.set(name, manifest);
    return `${registry.host}/${name}`;
  });
}

function expectAll(source: Hard, target: Hard, nameOf: (index: number) => string): void {
  for (let index = 0; index < IMAGES; index += 1) {
    const found = target.registry.content.manifests.get(nameOf(index));
    expect(found, nameOf(index)).toBeDefined();
    expect(source.registry.content.manifests.get(`app${index}:1`)?.bytes.equals(found?.bytes ?? Buffer.alloc(0))).toBe(
      true,
    );
  }
  for (const digest of source.registry.content.blobs.keys())
    expect(target.registry.content.blobs.has(digest)).toBe(true);
}

/** Each blob once, and once more for each request that a restart cut. */
function expectFew({ moved, restarts, registry }: Hard, times = 1): void {
  expect(restarts).toBeGreaterThan(1);
  expect(moved.length).toBeLessThanOrEqual(times * registry.content.blobs.size + restarts * MOST_AT_ONCE);
}

async function logIn(...registries: readonly Hard[]): Promise<void> {
  const auth = Buffer.from(`${AUTH.user}:${AUTH.password}`).toString("base64");
  const auths = Object.fromEntries(registries.map(({ registry }) => [registry.host, { auth }]));
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths }));
  vi.stubEnv("DOCKER_CONFIG", folder);
}

beforeEach(() => {
  waits.length = 0;
});

afterEach(() => void vi.unstubAllEnvs());

test("pull and push of many images", async () => {
  const source = await hardRegistry();
  const target = await hardRegistry();
  await logIn(source, target);
  const references = withImages(source);
  const output = join(await temporaryFolder(), "out.tar");
  const pulled = await pull(references, {
    output,
    platform: ["all"],
    concurrency,
    onProgress: source.onProgress,
  });
  expect(pulled.images).toHaveLength(IMAGES);
  expectFew(source);
  const { images } = await push([output], {
    registry: { host: target.registry.host },
    concurrency,
    onProgress: target.onProgress,
  });
  expect(images).toHaveLength(IMAGES);
  expectAll(source, target, index => `app${index}:1`);
  expectFew(target);
});

test("copy of many images", async () => {
  const source = await hardRegistry();
  const target = await hardRegistry();
  await logIn(source, target);
  const onProgress = (event: ProgressEvent): void => {
    source.onProgress(event);
    target.onProgress(event);
  };
  const references = withImages(source);

  const { images } = await copyTo(references, `${target.registry.host}/mirror`, { concurrency, onProgress });
  expect(images).toHaveLength(IMAGES);
  // What the target refuses at first is read again.
  expectFew(source, 2);
  expectFew(target);
});
