import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedChunks } from "../../src/content/chunks/chunks.ts";
import { ImgpackError, pull, push } from "../../src/index.ts";
import {
  dockerArchive,
  fileWith,
  type StoredImage,
  seededBytes,
  storeImage,
  temporaryFolder,
} from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { FaultProxy, type WireFault } from "./fault-proxy.ts";
import { inPieces, ordered, tarLayer } from "./push-once-support.ts";
import { expectStored } from "./push-support.ts";
import { answerFault, pick, randomOf, wireFault } from "./random-faults.ts";

/** More of them: IMGPACK_FAULT_RUNS=1000; others: IMGPACK_FAULT_SEED=5000. */
const RUNS = Number(process.env["IMGPACK_FAULT_RUNS"] ?? 100);
const FIRST_SEED = Number(process.env["IMGPACK_FAULT_SEED"] ?? 1);
const HANG_MS = 300_000;
/** Of an answer that never ends. The proxy itself tells of a connection that stalls. */
const IDLE_MS = 500;
const USER = { user: "ci", password: "secret" } as const;
const LAYERS = [tarLayer("small"), tarLayer("large", 1_400_000)];
const BLOBS = [seededBytes("pulled", 1_600_000), seededBytes("tiny", 900)];
const ARCHIVE = dockerArchive({ tags: ["app:1"], layers: LAYERS });
const PASSING = Buffer.from(ordered([...LAYERS, tarLayer("huge", 9 * 1024 * 1024)], [2, 0, 1, "m"]));

type Outcome = "whole" | { readonly exitCode: number };
const outcomes = new Map<string, number>();

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("it hangs")), HANG_MS);
  });
  try {
    await Promise.race([work, hang]);
    return "whole";
  } catch (error) {
    if (!(error instanceof ImgpackError)) throw error;
    return { exitCode: error.exitCode };
  } finally {
    clearTimeout(timer);
  }
}

/** What is in the registry under the tag must be whole, whatever the command said. */
function expectNothingWrong(registry: ScriptedRegistry, outcome: Outcome, layers: readonly Uint8Array[]): void {
  for (const [digest, bytes] of registry.content.blobs) expect(sha256(bytes)).toBe(digest);
  if (outcome === "whole" || registry.content.manifests.has("app:1")) {
    expectStored({ registry, result: undefined, error: undefined }, layers);
  }
}

async function expectPulled(output: string, outcome: Outcome, image: StoredImage): Promise<void> {
  expect(existsSync(output)).toBe(outcome === "whole");
  if (outcome !== "whole") return;
  const archive = await readFile(output);
  for (const { bytes } of image.layers) expect(archive.includes(bytes)).toBe(true);
}

async function runWith(seed: number): Promise<void> {
  const random = randomOf(seed);
  const auth = random() < 0.5 ? { scheme: "bearer" as const, ...USER } : undefined;
  const registry = await ScriptedRegistry.start(auth === undefined ? {} : { auth });
  const wires: (WireFault | undefined)[] = Array.from({ length: 8 }, () =>
    random() < 0.25 ? wireFault(random) : undefined,
  );
  const proxy = await FaultProxy.start(registry.host, () => wires.shift());
  for (let left = Math.floor(random() * 4); left > 0; left -= 1) registry.addFault(answerFault(random, registry));
  const login = auth === undefined ? undefined : { username: USER.user, password: USER.password };
  const connection = { auth: login, retry: { timeoutMs: IDLE_MS } };
  const options = { registry: connection, cacheDir: undefined };
  try {
    const kind = pick(random, ["file", "file", "pull", "pull", "pull", "pipe"]);
    let outcome: Outcome;
    if (kind === "file") {
      const path = await fileWith(ARCHIVE);
      outcome = await outcomeOf(push([path], { ...options, registry: { ...connection, host: proxy.host } }));
      expectNothingWrong(registry, outcome, LAYERS);
    } else if (kind === "pipe") {
      const stdin = inPieces(PASSING);
      outcome = await outcomeOf(push(["-"], { ...options, stdin, tag: [`${proxy.host}/app:1`] }));
      expectNothingWrong(registry, outcome, [...LAYERS, tarLayer("huge", 9 * 1024 * 1024)]);
    } else {
      const image = storeImage(registry.content, BLOBS);
      const output = join(await temporaryFolder(), "out.tar");
      const platforms = ["linux/amd64"];
      outcome = await outcomeOf(pull([`${proxy.host}/app:1`], { ...options, output, platform: platforms }));
      await expectPulled(output, outcome, image);
    }
    expect(sharedChunks.lentChunks).toBe(0);
    if (outcome !== "whole") expect([3, 4, 5, 6, 7, 8]).toContain(outcome.exitCode);
    const key = outcome === "whole" ? `${kind} whole` : `${kind} exit ${outcome.exitCode}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  } finally {
    await proxy.close();
    await registry.close();
  }
}

test(`push() and pull() never give a wrong byte nor hang, in ${RUNS} runs with random faults`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    try {
      await runWith(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  // A fault too many everywhere would prove nothing.
  const whole = [...outcomes].filter(([key]) => key.endsWith("whole")).reduce((sum, [, count]) => sum + count, 0);
  if (process.env["IMGPACK_FAULT_RUNS"] !== undefined)
    process.stderr.write(`${JSON.stringify([...outcomes].sort())}\n`);
  expect(whole).toBeGreaterThan(RUNS / 2);
}, 3_600_000);
